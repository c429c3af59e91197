#include "pipeline/merge.h"

#include <algorithm>
#include <utility>

#include "pipeline/invariant.h"

namespace portrait {

void Merge::Start(const std::vector<int64_t>& next_offsets, const std::vector<int64_t>& known_ends) {
  for (size_t s = 0; s < sources_.size(); ++s) {
    sources_[s] = Source();
    sources_[s].next_offset = next_offsets[s];
    sources_[s].known_end = known_ends[s];
  }
  buffered_ = 0;
}

void Merge::Push(size_t source, Input&& input) {
  Source& from = sources_[source];
  from.next_offset = input.record.offset + 1;
  from.inputs.push_back(std::move(input));
  from.waiting_since.reset();
  ++buffered_;
}

bool Merge::MustWaitFor(Source& source, Duration now, int64_t end) {
  if (!source.inputs.empty()) return false;
  if (end >= 0) source.known_end = end;  // it falls again when its last offsets prove to hold no records
  if (source.known_end <= source.next_offset || source.known_end == source.given_up_end) {
    source.waiting_since.reset();
    return false;
  }
  if (!source.waiting_since) source.waiting_since = now;
  if (now - *source.waiting_since < merge_wait_) return true;
  // Markers and aborted records have offsets but never come: not to be waited for again.
  source.given_up_end = source.known_end;
  source.waiting_since.reset();
  return false;
}

Merge::State Merge::Look(Duration now, const EndOffset& end_offset) {
  bool wait = false;
  for (size_t s = 0; s < sources_.size(); ++s) wait |= MustWaitFor(sources_[s], now, end_offset(s));
  if (wait) return State::kWaiting;
  return buffered_ > 0 ? State::kReady : State::kIdle;
}

const Input& Merge::First() {
  first_ = nullptr;
  for (Source& source : sources_) {
    if (!source.inputs.empty() && (first_ == nullptr || source.inputs.front().time < first_->inputs.front().time)) {
      first_ = &source;
    }
  }
  Invariant(first_ != nullptr, "the first of no inputs");
  return first_->inputs.front();
}

void Merge::Pop() {
  first_->inputs.pop_front();
  --buffered_;
}

int64_t Merge::Lag(size_t source, int64_t end_offset) const {
  const Source& from = sources_[source];
  const int64_t next = from.inputs.empty() ? from.next_offset : from.inputs.front().record.offset;
  return std::max<int64_t>(0, (end_offset >= 0 ? end_offset : from.known_end) - next);
}

}  // namespace portrait
