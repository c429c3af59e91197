#include "view/timeline.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "pipeline/absl_view.h"
#include "pipeline/tools/result_text.h"
#include "portrait/v1/state/email.pb.h"
#include "portrait/v1/state/purchases.pb.h"
#include "portrait/v1/state/service.pb.h"
#include "portrait/v1/state/site.pb.h"
#include "portrait/v1/state/tags.pb.h"
#include "view/result_json.h"

namespace portrait::view {
namespace {

struct Told {
  int64_t time_us = 0;
  std::string id;
  std::string kind;
  std::string text;
  std::string caused_by;
  Json cause, reasons = Json::array(), details = Json::object();
};

std::string Many(int64_t count, const char* one, const char* more) {
  return absl::StrCat(count, " ", count == 1 ? one : more);
}

class Story {
 public:
  Story(const Portraits& portraits, const RowState& row, Timestamp as_of, bool masked)
      : portraits_(portraits),
        row_(row),
        reader_(row, portraits.calendar().At(as_of)),
        as_of_(as_of),
        masked_(masked) {}

  void Purchases() {
    if (!portraits_.slots().purchases) return;
    const auto& state = row_.states.As<v1::state::Purchases>(*portraits_.slots().purchases);
    for (int i = 0; i < state.day_size() && i < state.day_orders_size() && i < state.day_last_us_size(); ++i) {
      Add({.time_us = state.day_last_us(i),
           .id = absl::StrCat("purchase:", DayText(state.day(i))),
           .kind = "purchase",
           .text = Many(state.day_orders(i), "order", "orders"),
           .details = {{"orders", state.day_orders(i)}}});
    }
    earlier_ |= state.occasions() > state.day_size();
  }

  void Sessions() {
    if (!portraits_.slots().site) return;
    const auto& sessions = row_.states.As<v1::state::Site>(*portraits_.slots().site).sessions();
    const auto add = [&](int64_t start_us, int64_t length_us, int64_t pages) {
      Add({.time_us = start_us,
           .id = absl::StrCat("session:", start_us),
           .kind = "session",
           .text = absl::StrCat("visits the site: ", Many(pages, "page", "pages")),
           .details = {{"pages", pages}, {"end", TimeText(FromMicros(start_us + length_us))}}});
    };
    if (sessions.has_last()) add(sessions.last().start_us(), sessions.last().length_us(), sessions.last().pages());
    if (sessions.has_before()) {
      add(sessions.before().start_us(), sessions.before().length_us(), sessions.before().pages());
      earlier_ = true;  // how many more there were is not told
    }
  }

  void Tickets() {
    if (!portraits_.slots().service) return;
    const auto& state = row_.states.As<v1::state::Service>(*portraits_.slots().service);
    earlier_ |= state.opened() > state.tickets_size();
    for (const auto& ticket : state.tickets()) {
      const std::string what = ticket.complaint() ? "complaint" : "question";
      const auto add = [&](bool there, int64_t time_us, const std::string& kind, const std::string& text) {
        if (!there) return;
        const bool opened = kind == "ticket_opened";
        Add({.time_us = time_us,
             .id = absl::StrCat(kind, ":", ticket.id()),
             .kind = kind,
             .text = text,
             .caused_by = opened || !ticket.has_opened_us() ? "" : absl::StrCat("ticket_opened:", ticket.id()),
             .details = {{"ticket", ticket.id()}, {"kind", what}}});
      };
      add(ticket.has_opened_us(), ticket.opened_us(), "ticket_opened", ticket.complaint() ? "complains" : "asks");
      add(ticket.has_answered_us(), ticket.answered_us(), "ticket_answered", "gets a reply");
      add(ticket.has_resolved_us(), ticket.resolved_us(), "ticket_resolved", "has it resolved");
    }
  }

  // The latest of each kind.
  void Latest(std::string_view feature, const char* kind, const char* text) {
    const auto found = portraits_.chain().features().Find(feature);
    if (!found.ok() || found->description().type != FeatureType::kTimestamp) return;
    const Value value = reader_.Get(*found);
    const auto* time = std::get_if<Timestamp>(&value);
    if (time == nullptr) return;
    Add({.time_us = ToMicros(*time), .id = kind, .kind = kind, .text = text});
  }

  void Subscription() {
    if (!portraits_.slots().email) return;
    const auto& state = row_.states.As<v1::state::Email>(*portraits_.slots().email);
    if (state.subscription_us() == 0) return;
    const char* kind = state.unsubscribed() ? "unsubscribed" : "subscribed";
    Add({.time_us = state.subscription_us(),
         .id = kind,
         .kind = kind,
         .text = state.unsubscribed() ? "wants no more mail" : "wants mail"});
  }

  // Facts learned at one moment are told together.
  void Facts() {
    const auto facts = portraits_.chain().features().Find("person.facts");
    if (!facts.ok() || facts->description().type != FeatureType::kItems) return;
    std::map<int64_t, std::string> by_time;
    for (const Item& item : reader_.GetItems(*facts)) {
      const auto* time = item.columns.empty() ? nullptr : std::get_if<Timestamp>(&item.columns[0]);
      if (time == nullptr) continue;
      std::string& names = by_time[ToMicros(*time)];
      absl::StrAppend(&names, names.empty() ? "" : ", ", AbslView(item.name));
    }
    for (const auto& [time_us, names] : by_time) {
      Add({.time_us = time_us, .id = absl::StrCat("facts:", time_us), .kind = "facts", .text = "is known by " + names});
    }
  }

  void Results(const ResultHub::Remembered& results) {
    for (const v1::TagChange& change : results.changes) {
      if (change.after()) gained_[change.tag()] = change.info().event_time_us();
      Json details = {{"tag", change.tag()}, {"about", change.about()}};
      Result(change.info(), change.after() ? "tag_gained" : "tag_lost", ResultText(change), std::move(details));
    }
    for (const v1::ChurnAlert& alert : results.alerts) {
      if (alert.phase() == v1::ChurnAlert::OPENED) opened_us_ = alert.opened_us();
      Json details = {{"band", std::string(BandName(alert.band()))},
                      {"probability", alert.probability()},
                      {"value_at_risk", Amount(alert.value_at_risk_micros())},
                      {"episode", alert.episode_id()}};
      Result(alert.info(), absl::StrCat("alert_", AbslView(PhaseName(alert.phase()))), ResultText(alert),
             std::move(details));
    }
  }

  // What holds now and whose beginning no result remembered tells.
  void Standing() {
    if (portraits_.slots().churn) {
      const auto& state = row_.states.As<v1::state::Churn>(*portraits_.slots().churn);
      if (!state.episode_id().empty() && state.opened_us() != opened_us_) {
        Add({.time_us = state.opened_us(),
             .id = "episode:" + state.episode_id(),
             .kind = "episode_opened",
             .text = "an alert opens",
             .details = {{"episode", state.episode_id()}}});
      }
    }
    const TagsOfChain& tags = portraits_.tags();
    if (tags.op == nullptr) return;
    for (const auto& held : row_.states.As<v1::state::Tags>(tags.slot).held()) {
      const auto known = gained_.find(held.name());
      if (known != gained_.end() && known->second == held.since_us()) continue;
      Told told{.time_us = held.since_us(),
                .id = "tag:" + held.name(),
                .kind = "tag_held",
                .text = "+ " + held.name(),
                .details = {{"tag", held.name()}, {"about", portraits_.About(held.name())}}};
      told.reasons = ReasonsJson(portraits_.WhyHeld(held.name(), row_, as_of_), masked_);
      Add(std::move(told));
    }
  }

  bool earlier() const { return earlier_; }

  // Latest first; what was caused comes before its cause.
  std::vector<Told> Sorted() && {
    std::stable_sort(told_.begin(), told_.end(), [](const Told& a, const Told& b) { return Key(a) > Key(b); });
    return std::move(told_);
  }
  static std::tuple<int64_t, bool, std::string_view> Key(const Told& told) {
    return {told.time_us, !told.cause.is_null() || told.kind == "tag_held", told.id};
  }

 private:
  void Add(Told told) { told_.push_back(std::move(told)); }

  void Result(const v1::ResultInfo& info, std::string kind, std::string text, Json details) {
    Add({.time_us = info.event_time_us(),
         .id = "r:" + info.id(),
         .kind = std::move(kind),
         .text = std::move(text),
         .caused_by = CausedBy(info),
         .cause = CauseJson(info.cause()),
         .reasons = ReasonsJson(info.reasons(), masked_),
         .details = std::move(details)});
  }

  // The moment of the event that caused a result: one that the row tells of at the same time, else one made of the
  // cause.
  std::string CausedBy(const v1::ResultInfo& info) {
    const v1::Cause& cause = info.cause();
    if (cause.event_id().empty()) return "";
    const std::string id = "event:" + cause.event_id();
    if (causes_.insert({id, true}).second) {
      Add({.time_us = info.event_time_us(),
           .id = id,
           .kind = "event",
           .text = cause.event_kind(),
           .details = {{"event", cause.event_kind()},
                       {"topic", cause.topic()},
                       {"partition", cause.partition()},
                       {"offset", cause.offset()}}});
    }
    return id;
  }

  const Portraits& portraits_;
  const RowState& row_;
  const FeatureReader reader_;
  const Timestamp as_of_;
  const bool masked_;
  std::vector<Told> told_;
  std::map<std::string, int64_t> gained_;
  std::map<std::string, bool> causes_;
  int64_t opened_us_ = 0;
  bool earlier_ = false;
};

// "TIME/FLAG/ID" of the last moment of a page, as PercentEncoded leaves it in a query.
std::string Cursor(const Told& told) {
  const auto [time_us, caused, id] = Story::Key(told);
  return absl::StrCat(time_us, "/", caused ? 1 : 0, "/", AbslView(id));
}

}  // namespace

absl::StatusOr<Json> Timeline(const Portraits& portraits, const Portraits::Row& row, Timestamp as_of,
                              const ResultHub::Remembered& results, const TimelinePage& page, bool masked) {
  Story story(portraits, row.state, as_of, masked);
  story.Purchases();
  story.Sessions();
  story.Tickets();
  story.Subscription();
  story.Facts();
  story.Latest("email.last_delivered", "mail_delivered", "gets a mail");
  story.Latest("email.last_opened", "mail_opened", "opens a mail");
  story.Latest("email.last_clicked", "mail_clicked", "clicks in a mail");
  story.Latest("site.last_cart", "cart", "puts something into the cart");
  story.Latest("site.last_checkout", "checkout", "starts a checkout");
  story.Latest("service.last_rating", "rated", "rates the service");
  story.Latest("tags.first_seen", "first_seen", "is seen for the first time");
  story.Latest("tags.returned", "returned", "comes back after a long silence");
  story.Results(results);
  story.Standing();
  const bool earlier = story.earlier();
  const std::vector<Told> all = std::move(story).Sorted();

  size_t begin = 0;
  if (!page.before.empty()) {
    const size_t slash = page.before.find('/');
    int64_t time_us = 0;
    if (slash == std::string::npos || page.before.size() < slash + 3 || page.before[slash + 2] != '/' ||
        !absl::SimpleAtoi(page.before.substr(0, slash), &time_us)) {
      return absl::InvalidArgumentError("before: must be the `next` of a page");
    }
    const std::tuple<int64_t, bool, std::string_view> key{time_us, page.before[slash + 1] == '1',
                                                          std::string_view(page.before).substr(slash + 3)};
    while (begin < all.size() && Story::Key(all[begin]) >= key) ++begin;
  }
  const size_t end = std::min(all.size(), begin + page.limit);
  Json moments = Json::array();
  for (size_t i = begin; i < end; ++i) {
    const Told& told = all[i];
    moments.push_back({{"id", told.id},
                       {"time", TimeOf(told.time_us)},
                       {"kind", told.kind},
                       {"text", told.text},
                       {"caused_by", TextOrNull(told.caused_by)},
                       {"cause", told.cause},
                       {"reasons", told.reasons},
                       {"details", told.details}});
  }
  std::string text = absl::StrCat("Tag changes and alerts committed before ", MinuteText(ToMicros(results.since)),
                                  " are told only by what holds still");
  if (earlier) text += "; of purchase days, sessions and tickets only the latest are kept";
  return Json{{"moments", std::move(moments)},
              {"next", end < all.size() && end > begin ? Json(Cursor(all[end - 1])) : Json()},
              {"history", {{"results_since", TimeText(results.since)}, {"complete", false}, {"text", text}}}};
}

}  // namespace portrait::view
