// The outputs of a chain: their names, topics and types.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "operators/chain.h"
#include "pipeline/config/config.h"
#include "pipeline/kafka/tail.h"
#include "pipeline/options.h"

namespace portrait {

struct ResultTopic {
  std::string output;  // the name the operator declares, or dead-letters
  std::string topic;
  const google::protobuf::Descriptor* type = nullptr;
};

// All of them, dead letters last; two outputs may share a topic.
std::vector<ResultTopic> ResultTopics(const Chain& chain, const EngineOptions& options);

// Those with these names (of the output or the topic). InvalidArgument names one that is not there, and those that are.
absl::StatusOr<std::vector<ResultTopic>> ChooseResultTopics(const std::vector<ResultTopic>& all,
                                                            const std::vector<std::string>& names);

// Reads several result topics at once, as they come. One thread.
class ResultReader {
 public:
  struct Result {
    const ResultTopic* topic = nullptr;
    Record record;
  };

  // NotFound: a topic does not exist.
  static absl::StatusOr<std::unique_ptr<ResultReader>> Open(const Config& config, std::string_view role,
                                                            std::vector<ResultTopic> topics, KafkaTail::Start start);

  // The next result of any of them; nothing when none came within about the timeout. Unavailable: the brokers are away;
  // call again.
  absl::StatusOr<std::optional<Result>> Next(Duration timeout);

  // Everything that was there has been handed out.
  bool at_end() const;

 private:
  ResultReader() = default;

  std::vector<ResultTopic> topics_;
  std::vector<std::unique_ptr<KafkaTail>> tails_;
  size_t turn_ = 0;
};

}  // namespace portrait
