#include "state/timer_index.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace portrait {

int64_t TimerIndex::BucketOf(int64_t time_us) {
  return time_us >= 0 ? time_us / kBucketUs : -((-time_us + kBucketUs - 1) / kBucketUs);
}

void TimerIndex::Add(int64_t time_us, std::string_view customer_id) {
  ++size_;
  const int64_t bucket = BucketOf(time_us);
  if (bucket < open_end_) {
    open_.push_back({time_us, std::string(customer_id)});
    std::push_heap(open_.begin(), open_.end(), std::greater<>());
  } else {
    buckets_[bucket].push_back({time_us, std::string(customer_id)});
  }
}

void TimerIndex::OpenUntilNonEmpty() {
  if (!open_.empty() || buckets_.empty()) return;
  auto first = buckets_.begin();
  open_end_ = first->first + 1;
  open_ = std::move(first->second);
  buckets_.erase(first);
  std::make_heap(open_.begin(), open_.end(), std::greater<>());
}

std::optional<int64_t> TimerIndex::NotBeforeUs() const {
  // Opening early would order a bucket that still grows: its lower edge is enough to say that nothing is due.
  if (open_.empty() && !buckets_.empty()) return buckets_.begin()->first * kBucketUs;
  if (open_.empty()) return std::nullopt;
  return open_.front().time_us;
}

TimerHint TimerIndex::TakeFirst() {
  std::pop_heap(open_.begin(), open_.end(), std::greater<>());
  TimerHint hint = std::move(open_.back());
  open_.pop_back();
  --size_;
  while (!open_.empty() && open_.front() == hint) {  // the same hint twice says no more than once
    std::pop_heap(open_.begin(), open_.end(), std::greater<>());
    open_.pop_back();
    --size_;
  }
  return hint;
}

std::optional<TimerHint> TimerIndex::TakeUpTo(const TimerHint& bound) {
  if (open_.empty() && (buckets_.empty() || buckets_.begin()->first > BucketOf(bound.time_us))) return std::nullopt;
  OpenUntilNonEmpty();
  if (open_.front() > bound) return std::nullopt;
  return TakeFirst();
}

std::optional<TimerHint> TimerIndex::TakeUpTo(int64_t time_us) {
  if (open_.empty() && (buckets_.empty() || buckets_.begin()->first > BucketOf(time_us))) return std::nullopt;
  OpenUntilNonEmpty();
  if (open_.front().time_us > time_us) return std::nullopt;
  return TakeFirst();
}

void TimerIndex::Clear() {
  open_.clear();
  buckets_.clear();
  open_end_ = INT64_MIN;
  size_ = 0;
}

}  // namespace portrait
