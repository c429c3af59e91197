// The part of StepApplier that brings rows up to other rules and models: switches, and sweeps over all rows that there
// are.
//
// A sweep walks the store in the order of its keys. Beside it, it walks the rows that the store did not have at the
// switch; one that came after it is judged by the new rules from its first event on. So a replay, which finds other
// rows written, sweeps the same ones: a row that is ahead takes no step, and one that came later is not changed.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/mutation.h"
#include "pipeline/step_applier.h"

namespace portrait {

void StepApplier::Switch(const Chain& chain, const v1::Switch& to) {
  ++counts_.steps;
  chain_ = &chain;
  state_.set_control_position(to.control_position());
  const bool as_before = state_.rules() == to.rules() &&
                         (state_.shadow() == to.shadow() || Mutated(Mutation::kShadowNotSwept)) &&
                         (state_.models() == to.models() || Mutated(Mutation::kModelsNotSwept)) &&
                         (state_.models_shadow() == to.models_shadow() || Mutated(Mutation::kModelsShadowNotSwept));
  state_.set_rules(to.rules());
  state_.set_shadow(to.shadow());
  state_.set_models(to.models());
  state_.set_models_shadow(to.models_shadow());
  if (as_before) return;
  state_.set_sweeping(true);
  state_.clear_swept_to();
  unwritten_ = Mutated(Mutation::kSweepMissesUnwritten) ? std::vector<std::string>() : rows_.Unwritten();
  std::reverse(unwritten_.begin(), unwritten_.end());  // the next one is last
}

absl::StatusOr<std::vector<StepApplier::Swept>> StepApplier::NextOfSweep(size_t at_most, bool& at_end) {
  auto stored = rows_.store().ReadRows(state_.swept_to(), at_most);
  if (!stored.ok()) return stored.status();
  at_end = stored->size() < at_most;
  std::vector<Swept> next;
  next.reserve(stored->size());
  while (!unwritten_.empty() && unwritten_.back() <= state_.swept_to()) unwritten_.pop_back();
  auto beside = unwritten_.rbegin();
  for (auto& [customer, row] : *stored) {
    for (; beside != unwritten_.rend() && *beside < customer; ++beside) next.push_back({*beside, ""});
    if (beside != unwritten_.rend() && *beside == customer) ++beside;
    next.push_back({std::move(customer), std::move(row)});
  }
  if (at_end) {
    for (; beside != unwritten_.rend(); ++beside) next.push_back({*beside, ""});
  }
  return next;
}

absl::Status StepApplier::SweepRow(uint64_t step, const Swept& swept, uint64_t floor, Duration now) {
  ++counts_.swept;
  CachedRow* row = rows_.Find(swept.customer_id);
  RowState at_rest;
  uint64_t number = 0;
  if (row != nullptr && row->dirty_from != 0) {
    number = row->number;
  } else {
    // What is decoded of a row at rest must not stay: it would take memory that nobody counts.
    const std::string_view stored = row != nullptr && !row->state.states.stored().empty() ? row->state.states.stored()
                                                                                          : std::string_view(swept.row);
    if (stored.empty()) return absl::OkStatus();  // removed since
    auto decoded = chain_->Decode(stored, at_rest);
    if (!decoded.ok()) return decoded.status();
    number = *decoded;
    row = nullptr;
  }
  if (step < floor || number >= step) {
    skipped_ = true;
    return absl::OkStatus();
  }
  const Timestamp at = *watermark();
  RowState& state = row != nullptr ? row->state : at_rest;
  const bool changes = chain_->Reconsiders(at, swept.customer_id, state, calendar_);
  if (absl::Status s = Damage(state, swept.customer_id); !s.ok()) return s;
  if (!changes) return absl::OkStatus();
  if (row == nullptr) {
    auto found = rows_.Get(swept.customer_id);
    if (!found.ok()) return found.status();
    row = *found;
  }
  const SwitchCause cause{state_.rules(), static_cast<uint64_t>(state_.control_position())};
  chain_->Switch(cause, at, row->customer_id, row->state, calendar_, sink_);
  if (absl::Status s = Damage(row->state, row->customer_id); !s.ok()) return s;
  rows_.Touched(*row, step, now);
  rows_.Index(*row);
  return absl::OkStatus();
}

void StepApplier::HasSwept(const v1::Sweep& bound) {
  ++counts_.steps;
  if (bound.done()) {
    state_.set_sweeping(false);
    state_.clear_swept_to();
    unwritten_.clear();
  } else {
    state_.set_swept_to(bound.last_customer());
  }
}

absl::StatusOr<v1::Sweep> StepApplier::SweepSome(uint64_t step, size_t rows, Duration now) {
  v1::Sweep bound;
  bool at_end = true;
  // Without any time there has been no event, so there is no row.
  auto next = watermark() ? NextOfSweep(rows, at_end) : absl::StatusOr<std::vector<Swept>>(std::vector<Swept>());
  if (!next.ok()) return next.status();
  if (Mutated(Mutation::kSweepEndsEarly) && next->size() > 2) next->resize(2), at_end = true;
  for (const Swept& swept : *next) {
    if (absl::Status s = SweepRow(step, swept, 0, now); !s.ok()) return s;
  }
  bound.set_done(at_end);
  if (!at_end) bound.set_last_customer(next->back().customer_id);
  HasSwept(bound);
  if (Mutated(Mutation::kSweepBoundTooFar) && !bound.done()) {
    bound.set_last_customer(bound.last_customer() + "0");
    state_.set_swept_to(bound.last_customer());
  }
  return bound;
}

absl::Status StepApplier::SweepUpTo(uint64_t step, const v1::Sweep& bound, uint64_t floor, Duration now) {
  constexpr size_t kAtOnce = 256;
  const auto beyond = [&](const std::string& customer) {
    return !bound.done() && !Mutated(Mutation::kReplaySweepsAll) && customer > bound.last_customer();
  };
  bool at_end = !watermark();
  while (!at_end) {
    auto next = NextOfSweep(kAtOnce, at_end);
    if (!next.ok()) return next.status();
    for (const Swept& swept : *next) {
      if (beyond(swept.customer_id)) {
        at_end = true;
        break;
      }
      if (absl::Status s = SweepRow(step, swept, floor, now); !s.ok()) return s;
      state_.set_swept_to(swept.customer_id);
    }
  }
  HasSwept(bound);
  return absl::OkStatus();
}

}  // namespace portrait
