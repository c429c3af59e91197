#include "state/timer_index.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace portrait {
namespace {

constexpr int64_t kAheadUs = 600'000'000;  // read at once: ten minutes
constexpr size_t kReadAtOnce = 4096;       // … but no more than this: many timers may be due at midnight

}  // namespace

void TimerIndex::Add(int64_t time_us, std::string_view customer_id) {
  near_.insert({time_us, std::string(customer_id)});
}

void TimerIndex::Remove(int64_t time_us, std::string_view customer_id) {
  near_.erase({time_us, std::string(customer_id)});
}

bool TimerIndex::StoreStandsFor(int64_t time_us, std::string_view customer_id) const {
  return time_us > open_end_.time_us || (time_us == open_end_.time_us && customer_id >= open_end_.customer_id);
}

int64_t TimerIndex::NotBeforeUs() const {
  return near_.empty() ? open_end_.time_us : std::min(open_end_.time_us, near_.begin()->time_us);
}

absl::Status TimerIndex::OpenMore(int64_t until_us) {
  auto read = store_.ReadTimers(open_end_, until_us, kReadAtOnce);
  if (!read.ok()) return read.status();
  if (read->size() < kReadAtOnce) {
    open_end_ = JustAfter(until_us);
  } else {
    open_end_ = JustAfter(read->back());
  }
  for (TimerHint& hint : *read) near_.insert(std::move(hint));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TimerHint>> TimerIndex::TakeBelow(const TimerHint& end) {
  while (open_end_ < (near_.empty() ? end : std::min(end, *near_.begin()))) {
    if (absl::Status s = OpenMore(end.time_us + kAheadUs); !s.ok()) return s;
  }
  if (near_.empty() || *near_.begin() >= end) return std::nullopt;
  std::optional<TimerHint> hint = *near_.begin();
  near_.erase(near_.begin());
  return hint;
}

void TimerIndex::VisitBelow(const TimerHint& end, size_t at_most,
                            absl::FunctionRef<void(std::string_view)> visit) const {
  for (auto it = near_.begin(); it != near_.end() && at_most > 0 && *it < end; ++it, --at_most) visit(it->customer_id);
}

void TimerIndex::Reset() {
  near_.clear();
  open_end_ = {INT64_MIN, ""};
}

}  // namespace portrait
