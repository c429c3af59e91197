#include "pipeline/journal.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr uint64_t kTick = 0;
constexpr uint64_t kFiring = 1;
constexpr uint64_t kSwitch = 2;
constexpr uint64_t kSweep = 3;
constexpr uint64_t kFirstSource = 4;

absl::Status Contradiction(const v1::JournalEntry& entry, std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("journal entry ", EntryName(entry), " contradicts itself: ", std::string(what)));
}

}  // namespace

void StepLog::Append(uint64_t what, uint64_t how) {
  order_.push_back(what);
  order_.push_back(how);
  ++steps_;
}

void StepLog::Input(size_t source, int64_t offset) {
  Range& range = ranges_[source];
  if (range.count++ == 0) range.first = offset;
  range.last = offset;
  const uint64_t what = kFirstSource + source;
  if (order_.size() >= 2 && order_[order_.size() - 2] == what) {
    ++order_.back();
    ++steps_;
  } else {
    Append(what, 1);
  }
}

void StepLog::Tick(int64_t time_us) {
  Append(kTick, ticks_.size());
  ticks_.push_back(time_us);
}

void StepLog::Firing(const TimerHint& bound) {
  Append(kFiring, firings_.size());
  firings_.push_back(bound);
}

void StepLog::Switch(v1::Switch to) {
  Append(kSwitch, switches_.size());
  switches_.push_back(std::move(to));
}

void StepLog::Sweep(v1::Sweep bound) {
  Append(kSweep, sweeps_.size());
  sweeps_.push_back(std::move(bound));
}

void StepLog::MoveTo(v1::JournalEntry& entry, const std::vector<std::string>& topics,
                     const std::vector<int64_t>& next_offsets) {
  entry.mutable_order()->Add(order_.begin(), order_.end());
  for (size_t s = 0; s < ranges_.size(); ++s) {
    auto* source = entry.add_sources();
    source->set_topic(topics[s]);
    source->set_count(ranges_[s].count);
    source->set_first_offset(ranges_[s].first);
    source->set_last_offset(ranges_[s].last);
    source->set_next_offset(next_offsets[s]);
  }
  entry.mutable_ticks_us()->Add(ticks_.begin(), ticks_.end());
  for (const TimerHint& bound : firings_) {
    auto* firing = entry.add_firings();
    firing->set_time_us(bound.time_us);
    firing->set_customer_id(bound.customer_id);
  }
  for (v1::Switch& to : switches_) *entry.add_switches() = std::move(to);
  for (v1::Sweep& bound : sweeps_) *entry.add_sweeps() = std::move(bound);
  const size_t sources = ranges_.size();
  *this = StepLog(sources);
}

absl::Status VisitSteps(const v1::JournalEntry& entry, StepVisitor& visitor) {
  uint64_t step = entry.first();
  if (entry.order_size() % 2 != 0) return Contradiction(entry, "an order of odd length");
  for (int i = 0; i < entry.order_size(); i += 2) {
    const uint64_t what = entry.order(i), how = entry.order(i + 1);
    absl::Status status;
    if (what == kTick && how < static_cast<uint64_t>(entry.ticks_us_size())) {
      status = visitor.OnTick(step++, entry.ticks_us(static_cast<int>(how)));
    } else if (what == kFiring && how < static_cast<uint64_t>(entry.firings_size())) {
      const auto& firing = entry.firings(static_cast<int>(how));
      status = visitor.OnFiring(step++, {firing.time_us(), firing.customer_id()});
    } else if (what == kSwitch && how < static_cast<uint64_t>(entry.switches_size())) {
      status = visitor.OnSwitch(step++, entry.switches(static_cast<int>(how)));
    } else if (what == kSweep && how < static_cast<uint64_t>(entry.sweeps_size())) {
      status = visitor.OnSweep(step++, entry.sweeps(static_cast<int>(how)));
    } else if (what >= kFirstSource && what - kFirstSource < static_cast<uint64_t>(entry.sources_size())) {
      for (uint64_t n = 0; n < how && status.ok(); ++n) status = visitor.OnInput(step++, what - kFirstSource);
    } else {
      return Contradiction(entry, absl::StrCat("step of an unknown kind ", what, " ", how));
    }
    if (!status.ok()) return status;
  }
  if (step != entry.last() + 1) return Contradiction(entry, absl::StrCat("its steps end at ", step - 1));
  return absl::OkStatus();
}

bool SameId(const v1::EntryId& a, const v1::EntryId& b) {
  return a.transactional_id() == b.transactional_id() && a.incarnation() == b.incarnation() && a.number() == b.number();
}

std::string EntryName(const v1::JournalEntry& entry) {
  return absl::StrCat("steps ", entry.first(), "..", entry.last(), " by ", entry.id().transactional_id(), "/",
                      entry.id().number());
}

}  // namespace portrait
