// `portrait journal`: what was applied, in which order; one JSON object an entry.
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/cli/partition_logs.h"
#include "pipeline/tools/stop_signal.h"
#include "portrait/v1/journal.pb.h"

namespace portrait {
namespace {

constexpr Duration kRequestTimeout = seconds(10);

struct JournalOptions {
  ConfigArguments config;
  std::vector<int32_t> partitions;
  int64_t last = 0;
};

absl::StatusOr<std::string> EntryLine(const Record& record, int32_t partition) {
  v1::JournalEntry entry;
  const auto value = record.value.value_or(std::string_view());
  if (!entry.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return absl::DataLossError(absl::StrCat("no journal entry: partition ", partition, " offset ", record.offset));
  }
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
  print.always_print_primitive_fields = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(entry, &json, print).ok()) {
    return absl::InternalError(
        absl::StrCat("not to be shown as JSON: partition ", partition, " offset ", record.offset));
  }
  return absl::StrCat("{\"partition\":", partition, ",\"offset\":", record.offset,
                      ",\"timestamp_ms\":", record.timestamp_us / 1000, ",\"entry\":", json, "}");
}

absl::Status ShowPartition(KafkaLogReader& reader, const std::string& topic, int32_t partition, int64_t last) {
  const auto range = reader.Range(topic, partition, kRequestTimeout);
  if (!range.ok()) return range.status();
  // An entry takes two offsets: its own, and the marker of its transaction.
  const int64_t from = last > 0 ? std::max(range->begin, range->end - 2 * last) : range->begin;
  auto cursor = reader.Open(topic, partition, from, range->end);
  if (!cursor.ok()) return cursor.status();
  const StopSignal stop;
  std::deque<std::string> lines;
  while (!stop.raised()) {
    const auto record = (*cursor)->Next(kRequestTimeout);
    if (!record.ok()) return record.status();
    if (!record->has_value()) break;
    auto line = EntryLine(**record, partition);
    if (!line.ok()) return line.status();
    if (last == 0) {
      std::cout << *line << "\n";
      continue;
    }
    lines.push_back(*std::move(line));
    if (lines.size() > static_cast<size_t>(last)) lines.pop_front();
  }
  for (const std::string& line : lines) std::cout << line << "\n";
  return absl::OkStatus();
}

absl::Status Journal(const JournalOptions& options) {
  auto config = options.config.Load();
  if (!config.ok()) return config.status();
  const std::string topic = config->engine.JournalTopic();
  const auto logs = OpenPartitionLogs(*config, "journal", topic);
  if (!logs.ok()) return logs.status();
  for (int32_t partition = 0; partition < logs->partitions; ++partition) {
    const auto& chosen = options.partitions;
    if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), partition) == chosen.end()) continue;
    if (absl::Status s = ShowPartition(*logs->reader, topic, partition, options.last); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

void AddJournal(Program& program) {
  auto options = std::make_shared<JournalOptions>();
  CLI::App& app = program.AddCommand(
      {.name = "journal",
       .about = "Shows what was applied, in which order: the committed entries of the journal, as JSON, one a line",
       .examples = {"portrait journal --partition 3 --last 1      # who wrote last, and how far it came",
                    "portrait journal | jq -c '[.partition, .entry.first, .entry.last, .entry.floor]'"}},
      [options](const Program&) { return Journal(*options); });
  options->config.AddTo(app);
  app.add_option("--partition", options->partitions, "Only this partition; may be given again");
  app.add_option("--last", options->last, "Only the last entries of each partition, this many")
      ->check(CLI::PositiveNumber);
}

}  // namespace portrait
