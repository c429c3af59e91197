#include "pipeline/tools/journal_end.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr Duration kReadWithin = seconds(30);

absl::StatusOr<std::optional<v1::JournalEntry>> LastBetween(LogReader& reader, const std::string& topic,
                                                            int32_t partition, int64_t from, int64_t end) {
  std::optional<v1::JournalEntry> last;
  auto cursor = reader.Open(topic, partition, from, end);
  if (!cursor.ok()) return cursor.status();
  while (true) {
    const auto record = (*cursor)->Next(kReadWithin);
    if (!record.ok()) return record.status();
    if (!record->has_value()) return last;
    const auto value = (*record)->value.value_or(std::string_view());
    if (!last.emplace().ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return absl::DataLossError(
          absl::StrCat("no journal entry: ", topic, " partition ", partition, " offset ", (*record)->offset));
    }
  }
}

}  // namespace

absl::StatusOr<std::optional<v1::JournalEntry>> LastJournalEntry(LogReader& reader, const std::string& topic,
                                                                 int32_t partition) {
  const auto range = reader.Range(topic, partition, kReadWithin);
  if (!range.ok()) return range.status();
  // An entry takes two offsets, its own and the marker of its transaction; aborted ones may follow it.
  for (int64_t back = 16;; back *= 8) {
    const int64_t from = std::max(range->begin, range->end - back);
    auto last = LastBetween(reader, topic, partition, from, range->end);
    if (!last.ok() || last->has_value() || from == range->begin) return last;
  }
}

}  // namespace portrait
