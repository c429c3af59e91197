// Sessions: runs of activity with no gap as long as `gap` in them; their pages, entry, exit and dwell times.
//
//   SessionTracker sessions(*state.mutable_sessions(), {.gap = minutes(30), .dwell_max = minutes(10)}, context,
//   kTimer); sessions.View(time, "/shoes");     // a page view sessions.Act(time);                // any other activity
//   sessions.Leave(time, "/shoes", seconds(20));
//   … and when timer kTimer comes: sessions.OnTimer();
//
// A session is over when `gap` has passed since its last activity: the timer says so where nothing else does. It is set
// once a session, not with each event, and moves itself on when there was activity meanwhile.
//
// Order. Activity that comes out of order goes to where it belongs: it extends the latest session or the one before to
// either side, opens one that is over again where that is so, or joins the two. As long as events are out of order by
// less than `gap`, the sessions are those of the ordered events. Activity older than both is a session of its own and
// then takes the place of the one before, so old sessions that come late, each in one piece, are counted right too.
// Where two sessions are joined, the entry page is that of the later one.
//
// Dwell time of a page is what its page_left says, or else the time from its view to page_left or to the next page view
// of the session; at most `dwell_max`. A page that nobody leaves, such as the last of most sessions, has none. A
// page_left for another page than the latest counts for nothing: the time of its page was counted up to the next view.
//
// Paths are cut at kPageBytes. Pure; lives for the handling of one event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "operators/context.h"
#include "portrait/v1/state/site.pb.h"

namespace portrait {

inline constexpr size_t kPageBytes = 48;

struct SessionOptions {
  Duration gap = minutes(30);
  Duration dwell_max = minutes(10);
};

class SessionTracker {
 public:
  SessionTracker(v1::state::Sessions& state, const SessionOptions& options, Context& context, uint32_t timer)
      : state_(state), options_(options), context_(context), timer_(timer) {}

  // `dwell` of zero: unknown, as it nearly always is at the time of the view.
  void View(Timestamp time, std::string_view page, Duration dwell);
  void Act(Timestamp time);
  // Never begins a session. `page` may be empty: the latest one; `dwell` may be zero: unknown.
  void Leave(Timestamp time, std::string_view page, Duration dwell);
  void OnTimer();

 private:
  struct Page {
    std::string_view path;
    int64_t dwell_us;
  };
  void Take(int64_t us, const Page* page);
  void TakeLast(int64_t us, const Page* page);
  void TakeBefore(int64_t us, const Page* page);
  void Begin(int64_t us);
  void AddPage(v1::state::Session& session, int64_t us, const Page& page);
  void JoinIfTouching();
  void Settle(bool was_open);
  void MoveStart(v1::state::Session& session, int64_t us);
  void AddSessions(int64_t start_us, int64_t sessions);
  void AddDwell(int64_t us);

  v1::state::Sessions& state_;
  const SessionOptions& options_;
  Context& context_;
  uint32_t timer_;
};

}  // namespace portrait
