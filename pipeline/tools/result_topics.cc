#include "pipeline/tools/result_topics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "pipeline/service/kafka_client_options.h"
#include "pipeline/service/wait_for_brokers.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

namespace {

constexpr Duration kRequestTimeout = seconds(5);

std::string TopicOf(const EngineOptions& options, const std::string& name) {
  for (const OutputOptions& output : options.outputs) {
    if (output.output == name) return output.topic;
  }
  return name;
}

}  // namespace

std::vector<ResultTopic> ResultTopics(const Chain& chain, const EngineOptions& options) {
  std::vector<ResultTopic> topics;
  for (const OutputDescription& output : chain.outputs())
    topics.push_back({output.topic, TopicOf(options, output.topic), output.message});
  topics.push_back({"dead-letters", TopicOf(options, "dead-letters"), v1::DeadLetter::descriptor()});
  return topics;
}

absl::StatusOr<std::vector<ResultTopic>> ChooseResultTopics(const std::vector<ResultTopic>& all,
                                                            const std::vector<std::string>& names) {
  std::vector<ResultTopic> chosen;
  for (const std::string& name : names) {
    const auto found = std::find_if(
        all.begin(), all.end(), [&](const ResultTopic& topic) { return topic.output == name || topic.topic == name; });
    if (found == all.end()) {
      std::string there;
      for (const ResultTopic& topic : all) absl::StrAppend(&there, there.empty() ? "" : ", ", topic.output);
      return absl::InvalidArgumentError(absl::StrCat("no such output: ", name, "; there are: ", there));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

absl::StatusOr<std::unique_ptr<ResultReader>> ResultReader::Open(const Config& config, std::string_view role,
                                                                 std::vector<ResultTopic> topics,
                                                                 KafkaTail::Start start) {
  std::unique_ptr<ResultReader> reader(new ResultReader());
  reader->topics_ = std::move(topics);
  for (const ResultTopic& topic : reader->topics_) {
    absl::Status status = WaitForBrokers(config, [&] {
      auto tail = KafkaTail::Open(KafkaClientOptions(config, role), topic.topic, start, kRequestTimeout);
      if (!tail.ok()) return tail.status();
      reader->tails_.push_back(*std::move(tail));
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
  }
  return reader;
}

absl::StatusOr<std::optional<ResultReader::Result>> ResultReader::Next(Duration timeout) {
  // Looks at all of them first, and waits for each in turn only when none has anything.
  const Duration share = timeout / static_cast<int64_t>(std::max<size_t>(1, tails_.size()));
  for (const Duration wait : {Duration::zero(), share}) {
    for (size_t i = 0; i < tails_.size(); ++i) {
      const size_t at = turn_;
      auto record = tails_[at]->Next(wait);
      if (!record.ok()) return record.status();
      if (record->has_value()) return Result{&topics_[at], **std::move(record)};
      turn_ = (turn_ + 1) % tails_.size();
    }
  }
  return std::nullopt;
}

bool ResultReader::at_end() const {
  return std::all_of(tails_.begin(), tails_.end(), [](const auto& tail) { return tail->at_end(); });
}

}  // namespace portrait
