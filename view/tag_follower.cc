#include "view/tag_follower.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <utility>

#include "pipeline/log.h"
#include "portrait/v1/result.pb.h"
#include "view/findings.h"

namespace portrait::view {
namespace {

constexpr size_t kRowsAtOnce = 64;
constexpr Duration kPause = std::chrono::milliseconds(2);  // between slices
constexpr Duration kCheckAgain = std::chrono::milliseconds(250);
constexpr size_t kWaitingBytesMost = 32u << 20;
constexpr size_t kResultBytes = 64;  // beside its texts
constexpr int kPriority = 10;        // "nice"

}  // namespace

TagFollower::TagFollower(const Chain& chain, const Config& config, const Clock& clock, std::unique_ptr<TagIndex> index)
    : clock_(clock), portraits_(chain, config), index_(std::move(index)) {
  thread_.Start();
  // Of the thread alone, which Linux allows.
  thread_.Run([] { setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kPriority); });
}

TagFollower::~TagFollower() { thread_.Stop(); }

void TagFollower::Attach(Source source) {
  thread_.Run([this, source = std::move(source)]() mutable {
    source_ = std::move(source);
    Check();
  });
}

void TagFollower::Detach() {
  std::promise<void> done;
  thread_.Run([&] {
    source_ = {};
    reading_.reset();
    done.set_value();
  });
  done.get_future().wait();
}

void TagFollower::OnCommitted(const CommittedResults& results) {
  std::vector<Result> taken;
  size_t bytes = 0;
  ForFindings(results, [&](bool alert, std::string_view customer, std::string_view payload) {
    taken.push_back({results.partition, alert, std::string(customer), std::string(payload)});
    bytes += customer.size() + payload.size() + kResultBytes;
  });
  if (taken.empty()) return;
  if (waiting_bytes_.fetch_add(bytes) + bytes > kWaitingBytesMost) {
    waiting_bytes_ -= bytes;
    missed_ = true;
    return;
  }
  thread_.Run([this, bytes, taken = std::move(taken)] {
    waiting_bytes_ -= bytes;
    Apply(taken);
  });
}

void TagFollower::OnGap() { missed_ = true; }

void TagFollower::Apply(const std::vector<Result>& results) {
  if (!failure_.ok()) return;
  for (const Result& result : results) Note(Apply(result));
  Publish();
}

absl::Status TagFollower::Apply(const Result& result) {
  if (result.alert) {
    v1::ChurnAlert alert;
    if (!alert.ParseFromString(result.bytes)) return absl::OkStatus();
    const bool open = alert.phase() != v1::ChurnAlert::CLOSED;
    return index_->SetValueAtRisk(result.partition, result.customer,
                                  open ? std::optional(alert.value_at_risk_micros()) : std::nullopt);
  }
  v1::TagChange change;
  if (!change.ParseFromString(result.bytes)) return absl::OkStatus();
  if (!change.after()) return index_->Lose(result.partition, result.customer, change.tag());
  return index_->Gain(result.partition, result.customer, change.tag(), change.info().event_time_us());
}

// A failing index is not used any more: what it has may be wrong.
void TagFollower::Note(const absl::Status& status) {
  if (status.ok() || !failure_.ok()) return;
  failure_ = status;
  LogError("customers are no longer listed by their tags", {{"reason", std::string(status.message())}});
  reading_.reset();
  for (auto& [partition, state] : partitions_) state.known = false;
  Publish();
}

void TagFollower::Publish() {
  Counts now;
  for (const auto& [partition, state] : partitions_) {
    if (state.known) now.partitions.insert(partition);
  }
  for (const auto& [tag, by_partition] : index_->counts()) {
    int64_t& customers = now.customers[tag];
    for (const auto& [partition, count] : by_partition) {
      if (now.partitions.contains(partition)) customers += count;
    }
  }
  const std::lock_guard lock(mutex_);
  counts_ = std::move(now);
}

TagFollower::Counts TagFollower::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void TagFollower::Check() {
  if (!source_.partitions) return;
  thread_.After(kCheckAgain, [this] { Check(); });
  if (!failure_.ok()) return;
  if (missed_.exchange(false)) {
    for (auto& [partition, state] : partitions_) state.known = false;
    reading_.reset();
  }
  const std::map<int32_t, uint64_t> here = source_.partitions();
  bool changed = false;
  for (auto it = partitions_.begin(); it != partitions_.end();) {
    const auto now = here.find(it->first);
    if (now != here.end() && now->second == it->second.number) {
      ++it;
      continue;
    }
    if (reading_ && reading_->partition == it->first) reading_.reset();
    Note(index_->Drop(it->first));
    it = partitions_.erase(it);
    changed = true;
  }
  for (const auto& [partition, number] : here) changed |= partitions_.try_emplace(partition, Partition{number}).second;
  if (changed) Publish();
  ReadNext();
}

void TagFollower::ReadNext() {
  if (reading_ || !failure_.ok() || !source_.rows_of) return;
  const auto next =
      std::find_if(partitions_.begin(), partitions_.end(), [](const auto& one) { return !one.second.known; });
  if (next == partitions_.end()) return;
  Note(index_->Drop(next->first));
  reading_ = Reading{.partition = next->first};
  ++readings_;
  ReadMore();
}

void TagFollower::ReadMore() {
  const uint64_t reading = readings_;
  const auto rows = source_.rows_of(reading_->partition);
  if (!rows.ok()) return Later(reading);
  const auto take_rows = [this, reading](absl::StatusOr<CopiedRows> copied) {
    // Behind the results that were committed before: they wait already.
    thread_.Post([this, reading, copied = std::move(copied)]() mutable { TakeRows(reading, std::move(copied)); });
  };
  if (!reading_->stored_read) {
    return (*rows)->AskStored(reading_->partition, reading_->after, kRowsAtOnce, take_rows);
  }
  auto& left = reading_->unwritten;
  const auto begin = left.end() - static_cast<ptrdiff_t>(std::min(kRowsAtOnce, left.size()));
  std::vector<std::string> customers(std::make_move_iterator(begin), std::make_move_iterator(left.end()));
  left.erase(begin, left.end());
  (*rows)->AskMany(reading_->partition, std::move(customers), take_rows);
}

void TagFollower::Later(uint64_t reading) {
  thread_.After(kPause, [this, reading] {
    if (reading_ && reading == readings_ && source_.rows_of) ReadMore();
  });
}

void TagFollower::TakeRows(uint64_t reading, absl::StatusOr<CopiedRows> rows) {
  if (!reading_ || reading != readings_ || !source_.rows_of) return;
  if (!rows.ok()) {
    // Partitions come and go: Check sees to it. What was to be read of them is asked for again.
    reading_.reset();
    return;
  }
  const Timestamp now = clock_.Now();
  if (source_.chain) portraits_.Use(source_.chain());
  for (const auto& [customer, bytes] : *rows) {
    const auto row = portraits_.Read(bytes);
    if (!row.ok()) return Note(row.status());
    if (!row->has_value()) continue;
    Note(index_->Put(reading_->partition, customer, portraits_.Standing(**row, portraits_.AsOf((*row)->state, now))));
  }
  if (!failure_.ok()) return;
  if (!reading_->stored_read && !rows->empty()) {
    reading_->after = rows->back().first;
    return Later(reading);
  }
  if (!reading_->stored_read) {
    reading_->stored_read = true;
    const auto access = source_.rows_of(reading_->partition);
    if (!access.ok()) return reading_.reset();
    return (*access)->AskUnwritten(reading_->partition, [this, reading](auto customers) {
      thread_.Post([this, reading, customers = std::move(customers)]() mutable {
        TakeUnwritten(reading, std::move(customers));
      });
    });
  }
  if (!reading_->unwritten.empty()) return Later(reading);
  partitions_[reading_->partition].known = true;
  reading_.reset();
  Publish();
  ReadNext();
}

void TagFollower::TakeUnwritten(uint64_t reading, absl::StatusOr<std::vector<std::string>> customers) {
  if (!reading_ || reading != readings_ || !source_.rows_of) return;
  if (!customers.ok()) return reading_.reset();
  reading_->unwritten = *std::move(customers);
  ReadMore();
}

void TagFollower::List(std::string tag, TagSort sort, std::string after, size_t limit,
                       std::function<void(Holders)> done) {
  thread_.Run([this, tag = std::move(tag), sort, after = std::move(after), limit, done = std::move(done)] {
    Holders out;
    if (!failure_.ok()) {
      out.page = absl::UnavailableError(failure_.message());
      return done(std::move(out));
    }
    std::set<int32_t> known;
    for (const auto& [partition, state] : partitions_) {
      if (!state.known) continue;
      known.insert(partition);
      out.partitions.push_back(partition);
    }
    for (const auto& [partition, count] : index_->Count(tag)) out.total += known.contains(partition) ? count : 0;
    out.page = index_->List(tag, sort, known, after, limit);
    done(std::move(out));
  });
}

}  // namespace portrait::view
