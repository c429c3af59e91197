// Keeps the rules and models of a running process up with the control topic, and the control topic up with the rule
// file.
//
//   RuleFollower follower(options, editions, control, publish, clock, metrics);
//   follower.Begin();      // everything there is, before the engine starts
//   follower.Start();      // from now on
//
// A file that is new to the control topic is published when the process starts; one that is edited, when it is. A file
// whose text was in force once, and is not, is taken for an old copy: nothing happens at the start, and it is told.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/config/config.h"
#include "pipeline/control/control_log.h"
#include "pipeline/control/rule_editions.h"
#include "pipeline/metrics.h"
#include "pipeline/ports/clock.h"

namespace portrait {

class RuleFollower {
 public:
  struct Options {
    RulesConfig rules;    // of the configuration
    std::string process;  // who publishes them
    Duration interval = std::chrono::milliseconds(300);
    Duration timeout = seconds(10);  // of one request
  };

  // What is given must outlive the follower, the reader too.
  RuleFollower(Options options, RuleEditions& editions, RuleEditions::Build build, LogReader& reader, std::string topic,
               PublishControl publish, const Clock& clock, Metrics& metrics);
  ~RuleFollower();  // ends the thread

  // Learns all that there is, publishes the rules of the configuration where they are new, and learns them.
  absl::Status Begin();
  // One look at topic and file; what goes wrong is logged, and tried again the next time. One thread.
  void Look();
  void Start();

 private:
  absl::Status LearnNew();
  // Tells of a record, learned or not.
  void Tell(const ControlLog::Entry& entry, const absl::Status& learned);
  bool InForce(const std::string& version) const;
  absl::Status Publish(const RulesConfig& rules, const std::string& version, v1::ControlRecord::Origin origin);
  // Where nothing that is later stands in the topic.
  absl::Status PublishConfigured();
  void LookAtFile();
  // Rules that are no good are logged and counted.
  absl::Status PublishEdited(const RulesConfig& rules);

  const Options options_;
  RuleEditions& editions_;
  const RuleEditions::Build build_;
  ControlLog log_;
  const PublishControl publish_;
  const Clock& clock_;
  Metrics& metrics_;
  std::vector<v1::ControlRecord> history_;                  // of rules that came into force; without their texts
  std::optional<std::filesystem::file_time_type> written_;  // the file, when last looked at
  std::jthread thread_;
};

}  // namespace portrait
