#include "pipeline/step_applier.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pipeline/dead_letter.h"
#include "pipeline/mutation.h"

namespace portrait {

std::optional<Timestamp> StepApplier::watermark() const {
  if (!state_.any_time()) return std::nullopt;
  return FromMicros(state_.highest_time_us()) - options_.allowed_lateness;
}

absl::Status StepApplier::Input(uint64_t step, const portrait::Input& input, uint64_t floor, Duration now) {
  ++counts_.steps;
  const std::string& topic = options_.sources[static_cast<size_t>(input.record.source)].topic;
  if (input.rejection) {
    sink_.Add(chain_->outputs().size(), input.record.key.value_or(std::string_view()),
              MakeDeadLetter(input.record, topic, *input.rejection, RowKey(*input.event), chain_->version(),
                             options_.max_output_bytes));
    ++counts_.dead_letters[input.rejection->code];
    return absl::OkStatus();
  }
  const Event& event = *input.event;
  const auto mark = watermark();
  const bool late = mark && EventTime(event) <= *mark;
  auto found = rows_.Get(RowKey(event));
  if (!found.ok()) return found.status();
  CachedRow& row = **found;
  if (step < floor || (row.number >= step && !Mutated(Mutation::kRowAheadTakesStepAgain))) {
    skipped_ = true;
    if (Mutated(Mutation::kSkipsWholeStep)) return absl::OkStatus();
  } else {
    const EventOrigin origin{topic, input.record.partition, input.record.offset};
    const auto verdict = chain_->OnEvent(event, origin, late, row.customer_id, row.state, calendar_, sink_);
    if (absl::Status s = Damage(row.state, row.customer_id); !s.ok()) return s;
    if (verdict == Chain::Verdict::kDuplicate) {
      ++counts_.duplicates;
    } else {
      counts_.late += late ? 1 : 0;
      rows_.Touched(row, step, now);
      rows_.Index(row);
    }
  }
  state_.set_highest_time_us(mark ? std::max(state_.highest_time_us(), event.event_time_us()) : event.event_time_us());
  state_.set_any_time(true);
  return absl::OkStatus();
}

absl::Status StepApplier::Damage(const RowState& row, std::string_view customer_id) const {
  const absl::Status damage = chain_->Damage(row);
  if (damage.ok()) return damage;
  return absl::DataLossError(absl::StrCat("the row of customer ", std::string(customer_id), ": ", damage.message()));
}

void StepApplier::Tick(int64_t time_us) {
  ++counts_.steps;
  state_.set_last_tick_us(time_us);
  state_.set_highest_time_us(state_.any_time() ? std::max(state_.highest_time_us(), time_us) : time_us);
  state_.set_any_time(true);
}

class StepApplier::DueHints {
 public:
  DueHints(RowSet& rows, TimerHint end) : rows_(rows), end_(std::move(end)) {}

  absl::StatusOr<std::optional<TimerHint>> Take() {
    auto hint = rows_.timers().TakeBelow(end_);
    if (hint.ok() && hint->has_value() && ahead_-- == 0) ReadAhead(**hint);
    return hint;
  }

 private:
  void ReadAhead(const TimerHint& first) {
    constexpr int kAtOnce = 32;
    ahead_ = kAtOnce - 1;
    std::vector<std::string> customers{first.customer_id};  // copies: reading may change the index
    rows_.timers().VisitBelow(end_, kAtOnce - 1, [&](std::string_view id) { customers.emplace_back(id); });
    if (customers.size() > 1) rows_.Prefetch({customers.begin(), customers.end()});
  }

  RowSet& rows_;
  const TimerHint end_;  // excluded
  int ahead_ = 0;        // hints whose rows have been read
};

absl::StatusOr<bool> StepApplier::FireHint(uint64_t step, const TimerHint& hint, uint64_t floor, Duration now,
                                           std::vector<TimerHint>* ahead) {
  auto found = rows_.Get(hint.customer_id);
  if (!found.ok()) return found.status();
  CachedRow& row = **found;
  if (step < floor || (row.number >= step && row.fired_in != step)) {
    // Ahead of this step: what it has in the index stays.
    skipped_ = true;
    ahead->push_back(hint);
    return false;
  }
  if (!rows_.TakeHint(row, hint.time_us)) return false;
  const auto next = row.state.timers.next();
  const bool due = next && (ToMicros(*next) <= hint.time_us || Mutated(Mutation::kIndexTrusted));
  if (due) {
    counts_.timers +=
        static_cast<uint64_t>(chain_->FireTimers(Mutated(Mutation::kIndexTrusted) ? *next : FromMicros(hint.time_us),
                                                 row.customer_id, row.state, calendar_, sink_));
    if (absl::Status s = Damage(row.state, row.customer_id); !s.ok()) return s;
    rows_.Touched(row, step, now);
    row.fired_in = step;
  }
  if (!Mutated(Mutation::kTimerOfTimerNotIndexed)) rows_.Index(row);
  if (!due) {
    if (absl::Status s = rows_.Disproved(row, hint); !s.ok()) return s;
  }
  return due;
}

absl::StatusOr<std::optional<TimerHint>> StepApplier::FireDue(uint64_t step, int max_rows, Duration now) {
  std::optional<TimerHint> bound;
  const auto mark = watermark();
  if (!mark) return bound;
  int fired = 0;
  DueHints hints(rows_, JustAfter(ToMicros(*mark)));
  while (fired < max_rows) {
    auto hint = hints.Take();
    if (!hint.ok()) return hint.status();
    if (!hint->has_value()) break;
    auto due = FireHint(step, **hint, 0, now, nullptr);
    if (!due.ok()) return due.status();
    if (!*due) continue;
    bound = **std::move(hint);
    ++fired;
  }
  counts_.steps += bound ? 1 : 0;
  return bound;
}

absl::Status StepApplier::FireUpTo(uint64_t step, const TimerHint& bound, uint64_t floor, Duration now) {
  ++counts_.steps;
  std::vector<TimerHint> ahead;
  DueHints hints(rows_, Mutated(Mutation::kReplayFiresAllDue) ? JustAfter(ToMicros(*watermark())) : JustAfter(bound));
  while (true) {
    auto hint = hints.Take();
    if (!hint.ok()) return hint.status();
    if (!hint->has_value()) break;
    if (Mutated(Mutation::kFiringStopsAtRowAhead) && !ahead.empty()) {
      ahead.push_back(**hint);
      continue;
    }
    if (auto due = FireHint(step, **hint, floor, now, &ahead); !due.ok()) return due.status();
  }
  if (Mutated(Mutation::kIndexDropsRowsAhead)) return absl::OkStatus();
  for (const TimerHint& hint : ahead) rows_.timers().Add(hint.time_us, hint.customer_id);
  return absl::OkStatus();
}

}  // namespace portrait
