#include "pipeline/control/control_log.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace portrait {

absl::StatusOr<std::vector<ControlLog::Entry>> ControlLog::ReadNew(Duration timeout) {
  std::vector<Entry> entries;
  const auto range = reader_.Range(topic_, 0, timeout);
  if (!range.ok()) return range.status();
  if (next_ < range->begin) {
    return absl::DataLossError(absl::StrCat("records are missing from ", topic_, ": it begins at ", range->begin,
                                            "; it must keep all (cleanup.policy=delete, retention.ms=-1)"));
  }
  if (next_ >= range->end) return entries;
  auto cursor = reader_.Open(topic_, 0, next_, range->end);
  if (!cursor.ok()) return cursor.status();
  while (true) {
    auto record = (*cursor)->Next(timeout);
    if (!record.ok()) return record.status();
    if (!record->has_value()) break;
    Entry& entry = entries.emplace_back();
    entry.offset = (*record)->offset;
    const auto value = (*record)->value.value_or(std::string_view());
    if (!entry.record.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return absl::DataLossError(absl::StrCat("no control record: ", topic_, " offset ", entry.offset));
    }
  }
  next_ = range->end;
  return entries;
}

}  // namespace portrait
