#include "pipeline/tools/latest_rows.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "pipeline/absl_view.h"

namespace portrait {
namespace {

// A transaction that a dead process has left open is ended by the brokers, after its time-out.
constexpr Duration kTimeout = seconds(30);

uint64_t HashOf(const Record& record) {
  return absl::Hash<absl::string_view>()(AbslView(record.key.value_or(std::string_view())));
}

}  // namespace

absl::Status LatestRows::Read(const std::function<absl::Status(const Record&)>& take) {
  auto cursor = reader_.Open(topic_, partition_, range_.begin, range_.end);
  if (!cursor.ok()) return cursor.status();
  const uint64_t length = static_cast<uint64_t>(range_.end - range_.begin);
  while (true) {
    const auto record = (*cursor)->Next(kTimeout);
    if (!record.ok()) return record.status();
    if (!record->has_value()) break;
    if (absl::Status s = take(**record); !s.ok()) return s;
    if (progress_) progress_(done_ + static_cast<uint64_t>((*record)->offset - range_.begin), 2 * length);
  }
  done_ += length;
  return absl::OkStatus();
}

absl::Status LatestRows::ForEach(const Visit& visit) {
  const auto range = reader_.Range(topic_, partition_, kTimeout);
  if (!range.ok()) return range.status();
  range_ = *range;
  done_ = 0;
  last_.clear();
  absl::Status status = Read([this](const Record& record) {
    last_[HashOf(record)] = record.value ? record.offset : -record.offset - 1;
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  overtaken_ = static_cast<uint64_t>(
      std::count_if(last_.begin(), last_.end(), [](const auto& customer) { return customer.second >= 0; }));
  // Compaction between the passes may have moved the beginning on.
  const auto again = reader_.Range(topic_, partition_, kTimeout);
  if (!again.ok()) return again.status();
  range_.begin = std::max(range_.begin, again->begin);
  return Read([&](const Record& record) {
    const auto last = last_.find(HashOf(record));
    if (last == last_.end() || last->second != record.offset) return absl::OkStatus();
    --overtaken_;
    return visit(record.key.value_or(std::string_view()), *record.value);
  });
}

}  // namespace portrait
