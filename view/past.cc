#include "view/past.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/tools/result_text.h"
#include "portrait/v1/state/churn.pb.h"
#include "portrait/v1/state/tags.pb.h"
#include "view/result_json.h"

namespace portrait::view {
namespace {

struct HeldThen {
  int64_t since_us = 0;                   // 0: not known
  const v1::TagChange* gained = nullptr;  // null: not remembered
};

// From what is held now, back through the changes after `at`. One that was lost since, and of which it is not known
// when it was gained, was held then only if no change after `at` is missing: `complete`.
std::map<std::string, HeldThen> TagsHeld(const Portraits& portraits, const RowState& row, int64_t at_us,
                                         const ResultHub::Remembered& results, bool complete) {
  std::map<std::string, HeldThen> out;
  if (const TagsOfChain& tags = portraits.tags(); tags.op != nullptr) {
    for (const auto& held : row.states.As<v1::state::Tags>(tags.slot).held()) {
      if (held.since_us() <= at_us) out[held.name()].since_us = held.since_us();
    }
  }
  for (auto change = results.changes.rbegin(); change != results.changes.rend(); ++change) {
    if (change->info().event_time_us() > at_us) {
      if (change->after()) {
        out.erase(change->tag());
      } else {
        out[change->tag()] = {};
      }
      continue;
    }
    const auto held = out.find(change->tag());
    if (held == out.end() || held->second.gained != nullptr || !change->after()) continue;
    if (held->second.since_us == 0) held->second.since_us = change->info().event_time_us();
    if (held->second.since_us == change->info().event_time_us()) held->second.gained = &*change;
  }
  if (!complete) std::erase_if(out, [](const auto& held) { return held.second.since_us == 0; });
  return out;
}

Json TagsThen(const Portraits& portraits, const RowState& row, int64_t at_us, const ResultHub::Remembered& results,
              bool complete, bool masked) {
  Json out = Json::array();
  for (const auto& [name, held] : TagsHeld(portraits, row, at_us, results, complete)) {
    out.push_back({{"name", name},
                   {"since", MaybeTime(held.since_us)},
                   {"about", held.gained != nullptr ? held.gained->about() : portraits.About(name)},
                   {"reasons", held.gained != nullptr ? ReasonsJson(held.gained->info().reasons(), masked) : Json()}});
  }
  return out;
}

// The state of the churn episode, as the last result before told it, or the next one after implies. Null: not known.
Json ChurnThen(const Portraits& portraits, const RowState& row, int64_t at_us, const ResultHub::Remembered& results,
               bool complete) {
  const v1::ChurnAlert *last = nullptr, *next = nullptr;
  for (const v1::ChurnAlert& alert : results.alerts) {
    if (alert.info().event_time_us() <= at_us) {
      last = &alert;
    } else if (next == nullptr) {
      next = &alert;
    }
  }
  if (last != nullptr) {
    return {{"at_risk", last->phase() != v1::ChurnAlert::CLOSED}, {"last_result", ResultJson(*last, false)}};
  }
  int64_t opened_us = 0;  // of the episode after, when that is open already
  if (next != nullptr) {
    opened_us = next->phase() == v1::ChurnAlert::OPENED ? 0 : next->opened_us();
  } else if (portraits.slots().churn) {
    const auto& state = row.states.As<v1::state::Churn>(*portraits.slots().churn);
    opened_us = state.episode_id().empty() ? 0 : state.opened_us();
  }
  const bool open = opened_us != 0 && opened_us <= at_us;
  return open || complete ? Json{{"at_risk", open}, {"last_result", nullptr}} : Json();
}

}  // namespace

absl::StatusOr<Json> Past(const Portraits& portraits, const Portraits::Row& row, Timestamp at, Timestamp as_of,
                          const ResultHub::Remembered& results, bool masked) {
  if (at > as_of) {
    return absl::InvalidArgumentError("at: must not be later than " + TimeText(as_of) +
                                      ", as of which the customer is known");
  }
  const int64_t at_us = ToMicros(at);
  if (const auto& tags = portraits.tags(); tags.op != nullptr) {
    const auto& state = row.state.states.As<v1::state::Tags>(tags.slot);
    if (state.has_first_seen_us() && at_us < state.first_seen_us()) {
      return absl::NotFoundError("nothing was known of this customer then");
    }
  }
  // By the clock of the wall, a result is committed after its time: all that came after `at` was committed after it,
  // too.
  const bool complete = portraits.clock() == ClockMode::kWall && at >= results.since;
  std::string text =
      "Of facts, those that hold still and were learned by then; of purchase days, sessions and tickets, the latest";
  if (!complete) {
    absl::StrAppend(&text,
                    "; of tags and alerts, what follows from what holds now and from the results committed after ",
                    MinuteText(ToMicros(results.since)));
  }
  const FeatureReader reader(row.state, portraits.calendar().At(at));
  return Json{
      {"at", TimeText(at)},
      {"masked", masked},
      {"currency", portraits.currency()},
      {"facts", portraits.Facts(reader, at, masked)},
      {"tags", TagsThen(portraits, row.state, at_us, results, complete, masked)},
      {"churn", ChurnThen(portraits, row.state, at_us, results, complete)},
      {"purchases",
       {{"days", portraits.PurchaseDays(row.state, at)}, {"earlier_days", portraits.EarlierPurchaseDays(row.state)}}},
      {"sessions", portraits.Sessions(row.state, at)},
      {"contacts", {{"tickets", portraits.Tickets(row.state, at)}}},
      {"history", {{"results_since", TimeText(results.since)}, {"complete", complete}, {"text", text}}}};
}

}  // namespace portrait::view
