#include "operators/sessions.h"

#include <algorithm>

#include "operators/text.h"
#include "operators/window.h"

namespace portrait {
namespace {

using v1::state::Session;
using v1::state::Sessions;
using v1::state::Span;

template <class Part>  // Session or Span
int64_t End(const Part& part) {
  return part.start_us() + part.length_us();
}

// Adds a session to those that are over, or takes it out again before it changes.
template <class Part>
void CountOver(const Part& part, int64_t sign, Sessions& state) {
  state.set_length_us(state.length_us() + sign * part.length_us());
  state.set_pages(state.pages() + sign * part.pages());
  if (part.pages() <= 1) state.set_bounces(state.bounces() + sign);
}

}  // namespace

void SessionTracker::View(Timestamp time, std::string_view page, Duration dwell) {
  const Page view{Clip(page, kPageBytes), dwell.count()};
  WindowAdd(*state_.mutable_visits(), context_.DayOf(time), 1);
  Take(ToMicros(time), &view);
}

void SessionTracker::Act(Timestamp time) { Take(ToMicros(time), nullptr); }

void SessionTracker::Take(int64_t us, const Page* page) {
  const int64_t second = us / 1'000'000;
  if (state_.first_s() == 0 || second < state_.first_s()) state_.set_first_s(second);
  if (!state_.has_last() || us > state_.last().start_us() - options_.gap.count()) {
    TakeLast(us, page);
  } else {
    TakeBefore(us, page);
  }
}

void SessionTracker::TakeLast(int64_t us, const Page* page) {
  if (!state_.has_last() || us >= End(state_.last()) + options_.gap.count()) Begin(us);
  Session& session = *state_.mutable_last();
  const bool was_open = session.open();
  if (!was_open) CountOver(session, -1, state_);
  if (us < session.start_us()) {
    MoveStart(session, us);
    JoinIfTouching();
  }
  session.set_length_us(std::max(session.length_us(), us - session.start_us()));
  if (page != nullptr) AddPage(session, us, *page);
  Settle(was_open);
}

// The session that was the latest becomes the one before. The new one starts as one that is over, without activity.
void SessionTracker::Begin(int64_t us) {
  if (state_.has_last()) {
    const Session& over = state_.last();
    if (over.open()) CountOver(over, 1, state_);
    Span& before = *state_.mutable_before();
    before.set_start_us(over.start_us());
    before.set_length_us(over.length_us());
    before.set_pages(over.pages());
  }
  Session& session = *state_.mutable_last();
  session.Clear();
  session.set_start_us(us);
  CountOver(session, 1, state_);
  AddSessions(us, 1);
}

void SessionTracker::AddPage(Session& session, int64_t us, const Page& page) {
  const int64_t after = us - session.start_us();
  if (session.pages() == 0 || after < session.first_page_us()) {
    session.set_first_page_us(after);
    session.mutable_entry_page()->assign(page.path);
  }
  if (session.pages() == 0 || after >= session.latest_page_us()) {
    if (session.pages() > 0 && !session.dwelt()) AddDwell(after - session.latest_page_us());
    session.set_latest_page_us(after);
    session.mutable_exit_page()->assign(page.path);
    session.set_dwelt(page.dwell_us > 0);
    if (page.dwell_us > 0) AddDwell(page.dwell_us);
  }
  session.set_pages(session.pages() + 1);
}

void SessionTracker::JoinIfTouching() {
  if (!state_.has_before()) return;
  const Span before = state_.before();
  Session& session = *state_.mutable_last();
  if (session.start_us() >= End(before) + options_.gap.count()) return;
  CountOver(before, -1, state_);
  AddSessions(session.start_us(), -1);
  const int64_t end_us = std::max(End(session), End(before));
  const int64_t shift = session.start_us() - std::min(session.start_us(), before.start_us());
  session.set_start_us(session.start_us() - shift);
  session.set_length_us(end_us - session.start_us());
  session.set_first_page_us(session.first_page_us() + shift);
  session.set_latest_page_us(session.latest_page_us() + shift);
  // The pages of the earlier one are known by number only, so the next view can't tell how long the last one was shown.
  if (session.pages() == 0) session.set_dwelt(true);
  session.set_pages(session.pages() + before.pages());
  state_.clear_before();
}

// Judges anew whether the latest session is over; `was_open` says whether it is counted among those already.
void SessionTracker::Settle(bool was_open) {
  Session& session = *state_.mutable_last();
  const int64_t over_us = End(session) + options_.gap.count();
  if (over_us <= ToMicros(context_.now())) {
    session.set_open(false);
    CountOver(session, 1, state_);
  } else if (!was_open) {
    session.set_open(true);
    context_.SetTimer(timer_, FromMicros(over_us));
  }
}

void SessionTracker::OnTimer() {
  if (!state_.last().open()) return;
  const int64_t over_us = End(state_.last()) + options_.gap.count();
  if (over_us > ToMicros(context_.now())) return context_.SetTimer(timer_, FromMicros(over_us));
  Settle(true);
}

void SessionTracker::TakeBefore(int64_t us, const Page* page) {
  const int64_t gap_us = options_.gap.count();
  const bool belongs =
      state_.has_before() && us > state_.before().start_us() - gap_us && us < End(state_.before()) + gap_us;
  Span& span = *state_.mutable_before();
  if (!belongs) {
    span.Clear();
    span.set_start_us(us);
    AddSessions(us, 1);
  } else {
    CountOver(span, -1, state_);
    const int64_t start_us = std::min(span.start_us(), us);
    if (start_us < span.start_us()) {
      AddSessions(span.start_us(), -1);
      AddSessions(start_us, 1);
    }
    span.set_length_us(std::max(End(span), us) - start_us);
    span.set_start_us(start_us);
  }
  if (page != nullptr) span.set_pages(span.pages() + 1);
  CountOver(span, 1, state_);
  if (state_.last().start_us() >= End(span) + gap_us) return;
  const bool was_open = state_.last().open();
  if (!was_open) CountOver(state_.last(), -1, state_);
  JoinIfTouching();
  Settle(was_open);
}

void SessionTracker::Leave(Timestamp time, std::string_view page, Duration dwell) {
  if (!state_.has_last() || state_.last().pages() == 0) return;
  Session& session = *state_.mutable_last();
  const int64_t us = ToMicros(time);
  const int64_t shown_us = us - session.start_us() - session.latest_page_us();
  if (shown_us < 0) return;
  if (!session.dwelt() && (page.empty() || Clip(page, kPageBytes) == session.exit_page())) {
    AddDwell(dwell.count() > 0 ? dwell.count() : shown_us);
    session.set_dwelt(true);
  }
  if (us < End(session) + options_.gap.count()) TakeLast(us, nullptr);
}

void SessionTracker::MoveStart(Session& session, int64_t us) {
  AddSessions(session.start_us(), -1);
  AddSessions(us, 1);
  const int64_t shift = session.start_us() - us;
  session.set_start_us(us);
  session.set_length_us(session.length_us() + shift);
  session.set_first_page_us(session.first_page_us() + shift);
  session.set_latest_page_us(session.latest_page_us() + shift);
}

void SessionTracker::AddSessions(int64_t start_us, int64_t sessions) {
  WindowAdd(*state_.mutable_visits(), context_.DayOf(FromMicros(start_us)), 0, sessions);
}

void SessionTracker::AddDwell(int64_t us) {
  state_.set_dwell_us(state_.dwell_us() + std::min(us, options_.dwell_max.count()));
  state_.set_dwell_pages(state_.dwell_pages() + 1);
}

}  // namespace portrait
