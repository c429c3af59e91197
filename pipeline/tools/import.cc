#include "pipeline/tools/import.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/row_mapper.h"
#include "pipeline/tools/table_reader.h"

namespace portrait {

namespace {

constexpr uint64_t kRowsBetweenProgress = 1000;

uint64_t Sum(const std::map<std::string, uint64_t>& counts) {
  uint64_t sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

// Tabs and line breaks would break the table of rejects.
std::string OneField(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

}  // namespace

uint64_t ImportReport::left_out_rows() const { return Sum(left_out); }
uint64_t ImportReport::rejected_rows() const { return Sum(rejected); }

std::string ImportReport::Text() const {
  std::string text = absl::StrFormat("%12s rows read\n%12s events sent", LongCount(rows), LongCount(events));
  absl::StrAppend(&text,
                  joined > 0 ? absl::StrCat(" (", LongCount(joined), " rows joined others of their group)\n") : "\n");
  for (const auto& [condition, count] : left_out) {
    absl::StrAppendFormat(&text, "%12s left out, because not: %s\n", LongCount(count), condition);
  }
  absl::StrAppendFormat(&text, "%12s rejected\n", LongCount(rejected_rows()));
  for (const auto& [reason, count] : rejected) {
    absl::StrAppendFormat(&text, "%12s   %s\n", LongCount(count), reason);
    for (const Reject& example : examples) {
      if (example.reason == reason)
        absl::StrAppend(&text, "                 ", example.file, ":", example.line, ": ", example.detail, "\n");
    }
  }
  return text;
}

absl::Status Importer::Add(const std::filesystem::path& path) {
  const std::string file = path.filename().string();
  auto mapper = RowMapper::Create(options_.mapping, file);
  if (!mapper.ok()) return mapper.status();
  auto table = TableReader::Open(path, options_.mapping.table, (*mapper)->columns());
  if (!table.ok())
    return absl::Status(table.status().code(), absl::StrCat(path.string(), ": ", table.status().message()));
  std::string group;
  Event event;
  for (TableRow row; (*table)->Next(row);) {
    ++report_.rows;
    if (options_.progress && report_.rows % kRowsBetweenProgress == 0) {
      options_.progress(report_.rows, (*table)->bytes_read(), (*table)->bytes_total());
    }
    switch ((*mapper)->Map(row, event, group)) {
      case RowMapper::Outcome::kEvent:
        if (absl::Status status = Take(event, group); !status.ok()) return status;
        break;
      case RowMapper::Outcome::kLeftOut: ++report_.left_out[(*mapper)->reason()]; break;
      case RowMapper::Outcome::kRejected:
        Reject({file, row.line, (*mapper)->reason(), (*mapper)->detail(), row.text});
        break;
    }
  }
  if (absl::Status status = Flush(); !status.ok()) return status;
  const absl::Status& status = (*table)->status();
  return status.ok() ? status : absl::Status(status.code(), absl::StrCat(path.string(), ": ", status.message()));
}

absl::Status Importer::Take(Event& event, const std::string& group) {
  const bool joins = has_open_ && !group.empty() && group == group_ && event.customer_id() == open_.customer_id() &&
                     event.body_case() == open_.body_case();
  if (joins && RowMapper::Join(event, open_)) {
    ++report_.joined;
    return absl::OkStatus();
  }
  if (absl::Status status = Flush(); !status.ok()) return status;
  open_.Swap(&event);
  group_ = group;
  has_open_ = true;
  return group.empty() ? Flush() : absl::OkStatus();
}

absl::Status Importer::Flush() {
  if (!has_open_) return absl::OkStatus();
  has_open_ = false;
  if (!options_.sort) return Send(open_);
  held_.push_back({open_.event_time_us(), open_.SerializeAsString()});
  return absl::OkStatus();
}

absl::Status Importer::Send(const Event& event) {
  if (absl::Status status = consumer_(event); !status.ok()) return status;
  ++report_.events;
  return absl::OkStatus();
}

absl::Status Importer::Finish() {
  if (absl::Status status = Flush(); !status.ok()) return status;
  std::stable_sort(held_.begin(), held_.end(), [](const Held& a, const Held& b) { return a.time_us < b.time_us; });
  Event event;
  for (Held& held : held_) {
    event.ParseFromString(held.bytes);
    held.bytes = std::string();
    if (absl::Status status = Send(event); !status.ok()) return status;
  }
  held_.clear();
  return absl::OkStatus();
}

void Importer::Reject(ImportReport::Reject reject) {
  if (options_.rejects != nullptr) {
    *options_.rejects << reject.file << '\t' << reject.line << '\t' << reject.reason << '\t' << OneField(reject.detail)
                      << '\t' << OneField(reject.text) << '\n';
  }
  if (++report_.rejected[reject.reason] <= options_.examples_each) report_.examples.push_back(std::move(reject));
}

}  // namespace portrait
