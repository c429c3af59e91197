#include <iostream>
#include <set>
#include <string>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/tool/commands.h"
#include "pipeline/kafka/log_reader.h"
#include "pipeline/kafka/topics.h"
#include "portrait/v1/result.pb.h"

namespace portrait::bench {
namespace {

using Results = std::unordered_map<std::string, std::string>;  // by id: what must be the same

absl::Status Take(const Record& record, const std::string& topic, Results& results) {
  v1::TagChange result;
  if (!record.value || !result.ParseFromArray(record.value->data(), static_cast<int>(record.value->size()))) {
    return absl::FailedPreconditionError(absl::StrCat("no result: topic ", topic, ", offset ", record.offset));
  }
  const std::string id = result.info().id();
  if (record.key != result.info().customer_id()) {
    return absl::FailedPreconditionError(absl::StrCat("a result under a wrong key: topic ", topic, ", id ", id));
  }
  result.mutable_info()->clear_version();
  result.mutable_info()->clear_emission_time_us();
  result.mutable_info()->clear_event_time_us();
  if (!results.emplace(id, result.SerializeAsString()).second) {
    return absl::FailedPreconditionError(absl::StrCat("a result twice: topic ", topic, ", id ", id));
  }
  return absl::OkStatus();
}

absl::StatusOr<Results> ReadAll(const KafkaOptions& kafka, const std::string& topic, uint64_t expected) {
  auto topics = KafkaTopics::Create(kafka);
  if (!topics.ok()) return topics.status();
  const auto partitions = (*topics)->SourcePartitions({topic}, seconds(10));
  if (!partitions.ok()) return partitions.status();
  auto reader = KafkaLogReader::Create(kafka);
  if (!reader.ok()) return reader.status();
  Results results;
  results.reserve(expected);
  for (int partition = 0; partition < *partitions; ++partition) {
    const auto range = (*reader)->Range(topic, partition, seconds(10));
    if (!range.ok()) return range.status();
    auto cursor = (*reader)->Open(topic, partition, range->begin, range->end);
    if (!cursor.ok()) return cursor.status();
    for (auto record = (*cursor)->Next(seconds(20));; record = (*cursor)->Next(seconds(20))) {
      if (!record.ok()) return record.status();
      if (!record->has_value()) break;
      if (absl::Status s = Take(**record, topic, results); !s.ok()) return s;
    }
  }
  if (results.size() != expected) {
    return absl::FailedPreconditionError(
        absl::StrCat("number of results: topic ", topic, ", ", results.size(), " instead of ", expected));
  }
  return results;
}

}  // namespace

absl::Status Compare(const CompareOptions& options) {
  const KafkaOptions kafka{.brokers = options.brokers, .client_id = "bench-compare"};
  const auto expected = ReadAll(kafka, options.expected, options.results);
  if (!expected.ok()) return expected.status();
  const auto actual = ReadAll(kafka, options.actual, options.results);
  if (!actual.ok()) return actual.status();
  std::set<std::string> customers;
  for (const auto& [id, bytes] : *expected) {
    const auto other = actual->find(id);
    v1::TagChange result;
    result.ParseFromString(bytes);
    if (other == actual->end() || other->second != bytes) {
      v1::TagChange found;
      if (other != actual->end()) found.ParseFromString(other->second);
      return absl::FailedPreconditionError(absl::StrCat("a result differs: expected ", result.ShortDebugString(),
                                                        ", topic ", options.actual, " has ", found.ShortDebugString()));
    }
    customers.insert(result.info().customer_id());
  }
  std::cout << absl::StrFormat(R"({"results": %d, "customers": %d})", expected->size(), customers.size()) << std::endl;
  return absl::OkStatus();
}

}  // namespace portrait::bench
