// Which topics an engine needs, with which settings, and what is wrong with those that exist. Pure: the command
// `topics` asks the brokers and creates.
//
// Old event times. Kafka deletes by a record's timestamp, and clients stamp records with the time of the event: an
// import of last year's orders would be gone at the next clean-up, within minutes. So sources and results are stamped
// by the broker on arrival (message.timestamp.type=LogAppendTime), and are kept for a time after that; a broken clock
// of a sender is then judged by the broker's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "operators/time.h"
#include "pipeline/options.h"

namespace portrait {

enum class TopicPurpose { kSource, kOutput, kJournal, kChangelog, kControl };

struct PlannedTopic {
  std::string name;
  TopicPurpose purpose = TopicPurpose::kSource;
  int partitions = 1;
  int replication = 1;
  std::map<std::string, std::string> configs;
};

struct TopicPlanOptions {
  int partitions = 6;             // of sources and internal topics; results get as many
  int replication = 3;            // -1: the broker's default
  Duration retention = days(30);  // of sources, results and dead letters; at or below zero: for ever
};

// The topics in the order in which they are shown. `outputs` are the topics of results, dead letters included.
std::vector<PlannedTopic> PlanTopics(const EngineOptions& engine, const std::vector<std::string>& outputs,
                                     const TopicPlanOptions& options);

// A topic as it is. `configs` may lack settings that the broker does not tell; those are not judged.
struct ActualTopic {
  int partitions = 0;  // 0: does not exist
  int replication = 0;
  std::map<std::string, std::string> configs;
};

struct TopicFinding {
  enum class Gravity { kMissing, kWrong, kDoubtful };  // wrong: results may be lost or the engine refuses to start
  Gravity gravity = Gravity::kMissing;
  std::string topic;
  std::string text;  // what is wrong, and what to do
};

// `actual` has an entry for each planned topic, in the same order.
std::vector<TopicFinding> CheckTopics(const std::vector<PlannedTopic>& planned, const std::vector<ActualTopic>& actual);

// The number of partitions that the sources have, if they agree; else 0. What is missing should be made with as many.
int PartitionsOfSources(const std::vector<PlannedTopic>& planned, const std::vector<ActualTopic>& actual);

// What the engine's user must be allowed to do, one a line: "Read Describe  Topic  browsing-events".
std::string AclText(const EngineOptions& engine, const std::vector<PlannedTopic>& planned);

// The same as commands for Kafka's kafka-acls.sh.
std::string AclCommands(const EngineOptions& engine, const std::vector<PlannedTopic>& planned,
                        const std::string& brokers, const std::string& principal);

}  // namespace portrait
