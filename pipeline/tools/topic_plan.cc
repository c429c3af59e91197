#include "pipeline/tools/topic_plan.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace portrait {

namespace {

using Gravity = TopicFinding::Gravity;

constexpr int64_t kDayMs = 86'400'000;
// Local rows that were last brought up longer ago than half of this are thrown away and restored.
constexpr int64_t kDeleteRetentionMs = 7 * kDayMs;

bool IsInternal(TopicPurpose purpose) {
  return purpose == TopicPurpose::kJournal || purpose == TopicPurpose::kChangelog || purpose == TopicPurpose::kControl;
}

std::map<std::string, std::string> ConfigsOf(TopicPurpose purpose, const TopicPlanOptions& options) {
  std::map<std::string, std::string> configs;
  if (options.replication >= 3) configs["min.insync.replicas"] = "2";
  switch (purpose) {
    case TopicPurpose::kJournal:
    case TopicPurpose::kControl:
      configs["cleanup.policy"] = "delete";
      configs["retention.ms"] = "-1";
      configs["retention.bytes"] = "-1";
      break;
    case TopicPurpose::kChangelog:
      configs["cleanup.policy"] = "compact";
      configs["delete.retention.ms"] = absl::StrCat(kDeleteRetentionMs);
      break;
    default:
      configs["cleanup.policy"] = "delete";
      configs["message.timestamp.type"] = "LogAppendTime";
      configs["retention.ms"] =
          options.retention <= Duration::zero() ? "-1" : absl::StrCat(options.retention / std::chrono::milliseconds(1));
  }
  return configs;
}

class Checker {
 public:
  Checker(const PlannedTopic& planned, const ActualTopic& actual, std::vector<TopicFinding>& findings)
      : planned_(planned), actual_(actual), findings_(findings) {}

  void Check() {
    CheckPolicy();
    if (planned_.purpose == TopicPurpose::kJournal || planned_.purpose == TopicPurpose::kControl) CheckUnlimited();
    if (!IsInternal(planned_.purpose)) CheckTimestamps();
    if (planned_.purpose == TopicPurpose::kChangelog) CheckDeletes();
    CheckReplicas();
  }

 private:
  // Nothing: the broker did not tell.
  const std::string* Config(const char* name) const {
    const auto found = actual_.configs.find(name);
    return found == actual_.configs.end() ? nullptr : &found->second;
  }

  int64_t Number(const char* name, int64_t otherwise) const {
    const std::string* text = Config(name);
    int64_t number = otherwise;
    return text != nullptr && absl::SimpleAtoi(*text, &number) ? number : otherwise;
  }

  void Add(Gravity gravity, std::string text) { findings_.push_back({gravity, planned_.name, std::move(text)}); }

  void CheckPolicy() {
    const std::string* policy = Config("cleanup.policy");
    const std::string& wanted = planned_.configs.at("cleanup.policy");
    if (policy == nullptr || *policy == wanted) return;
    const bool compacts = policy->find("compact") != std::string::npos;
    switch (planned_.purpose) {
      case TopicPurpose::kSource:
        return Add(Gravity::kWrong,
                   "compaction drops events that a recovery needs; set cleanup.policy=delete: is " + *policy);
      case TopicPurpose::kOutput:
        return Add(compacts ? Gravity::kDoubtful : Gravity::kWrong,
                   "keeps only the last result of a customer; set cleanup.policy=delete: is " + *policy);
      default:
        return Add(Gravity::kWrong,
                   absl::StrCat("a recovery would fail; set cleanup.policy=", wanted, ": is ", *policy));
    }
  }

  void CheckUnlimited() {
    for (const char* name : {"retention.ms", "retention.bytes"}) {
      if (const int64_t value = Number(name, -1); value >= 0) {
        Add(Gravity::kWrong,
            absl::StrCat("entries that a recovery needs would be deleted; set ", name, "=-1: is ", value));
      }
    }
  }

  void CheckTimestamps() {
    const std::string* type = Config("message.timestamp.type");
    const int64_t retention_ms = Number("retention.ms", -1);
    if (type == nullptr || *type == "LogAppendTime") return;
    if (retention_ms >= 0) {
      Add(Gravity::kDoubtful, absl::StrFormat("records older than %.1f days by their own timestamp are deleted at "
                                              "once, so old events cannot be imported; "
                                              "set message.timestamp.type=LogAppendTime, or retention.ms=-1",
                                              static_cast<double>(retention_ms) / kDayMs));
    }
    const int64_t before_ms = Number("message.timestamp.before.max.ms", INT64_MAX);
    if (before_ms < int64_t{365} * kDayMs) {
      Add(Gravity::kDoubtful,
          absl::StrCat("the broker refuses records with old timestamps; set message.timestamp.type=LogAppendTime: "
                       "message.timestamp.before.max.ms is ",
                       before_ms));
    }
  }

  void CheckDeletes() {
    if (const int64_t value = Number("delete.retention.ms", kDeleteRetentionMs); value < kDayMs) {
      Add(Gravity::kDoubtful,
          absl::StrCat("local rows must be restored after ", value / 2'000,
                       " s of absence already; set delete.retention.ms=", kDeleteRetentionMs, ": is ", value));
    }
  }

  void CheckReplicas() {
    if (actual_.replication == 0) return;
    const int64_t in_sync = Number("min.insync.replicas", 1);
    if (in_sync > actual_.replication) {
      Add(Gravity::kWrong,
          absl::StrCat("nothing can be written: min.insync.replicas is ", in_sync, ", replicas ", actual_.replication));
    } else if (actual_.replication < planned_.replication) {
      Add(Gravity::kDoubtful, absl::StrCat("a broker that fails may take data with it; replicas wanted: ",
                                           planned_.replication, ", are: ", actual_.replication));
    } else if (actual_.replication >= 3 && in_sync < 2) {
      Add(Gravity::kDoubtful,
          absl::StrCat("an acknowledged record may lie on one broker only; set min.insync.replicas=2: is ", in_sync));
    }
  }

  const PlannedTopic& planned_;
  const ActualTopic& actual_;
  std::vector<TopicFinding>& findings_;
};

// All sources, the journal and the changelog have the same number of partitions.
void CheckPartitions(const std::vector<PlannedTopic>& planned, const std::vector<ActualTopic>& actual,
                     std::vector<TopicFinding>& findings) {
  const auto source = std::find_if(planned.begin(), planned.end(), [&](const PlannedTopic& topic) {
    return topic.purpose == TopicPurpose::kSource &&
           actual[static_cast<size_t>(&topic - planned.data())].partitions > 0;
  });
  if (source == planned.end()) return;
  const int wanted = actual[static_cast<size_t>(source - planned.begin())].partitions;
  for (size_t i = 0; i < planned.size(); ++i) {
    const int partitions = actual[i].partitions;
    if (planned[i].purpose == TopicPurpose::kOutput || partitions == 0) continue;
    if (planned[i].purpose == TopicPurpose::kControl) {
      if (partitions != 1) {
        findings.push_back({Gravity::kWrong, planned[i].name,
                            absl::StrCat("the engine does not start: must have one partition, has ", partitions)});
      }
      continue;
    }
    if (partitions == wanted) continue;
    findings.push_back({Gravity::kWrong, planned[i].name,
                        absl::StrCat("the engine does not start: partition count differs: ", source->name, " ", wanted,
                                     ", ", planned[i].name, " ", partitions)});
  }
}

struct Acl {
  std::string operations;
  std::string kind;
  std::string name;
  bool prefixed = false;
};

std::vector<Acl> AclsOf(const EngineOptions& engine, const std::vector<PlannedTopic>& planned) {
  std::vector<Acl> acls;
  for (const PlannedTopic& topic : planned) {
    const char* operations = topic.purpose == TopicPurpose::kSource   ? "Read Describe DescribeConfigs"
                             : topic.purpose == TopicPurpose::kOutput ? "Write Describe DescribeConfigs"
                             : topic.purpose == TopicPurpose::kJournal
                                 ? "Read Write Delete Describe DescribeConfigs"  // its beginning is cut off
                                 : "Read Write Describe DescribeConfigs";
    acls.push_back({operations, "Topic", topic.name});
  }
  acls.push_back({"Read", "Group", engine.application_id});
  acls.push_back({"Write Describe", "TransactionalId", engine.application_id + ".", true});
  return acls;
}

}  // namespace

std::vector<PlannedTopic> PlanTopics(const EngineOptions& engine, const std::vector<std::string>& outputs,
                                     const TopicPlanOptions& options) {
  std::vector<PlannedTopic> planned;
  const auto add = [&](const std::string& name, TopicPurpose purpose) {
    const bool there =
        std::any_of(planned.begin(), planned.end(), [&](const PlannedTopic& topic) { return topic.name == name; });
    const int partitions = purpose == TopicPurpose::kControl ? 1 : options.partitions;
    if (!there) planned.push_back({name, purpose, partitions, options.replication, ConfigsOf(purpose, options)});
  };
  for (const SourceOptions& source : engine.sources) add(source.topic, TopicPurpose::kSource);
  for (const std::string& output : outputs) add(output, TopicPurpose::kOutput);
  add(engine.JournalTopic(), TopicPurpose::kJournal);
  add(engine.ChangelogTopic(), TopicPurpose::kChangelog);
  add(engine.ControlTopic(), TopicPurpose::kControl);
  return planned;
}

std::vector<TopicFinding> CheckTopics(const std::vector<PlannedTopic>& planned,
                                      const std::vector<ActualTopic>& actual) {
  std::vector<TopicFinding> findings;
  for (size_t i = 0; i < planned.size(); ++i) {
    if (actual[i].partitions == 0) {
      findings.push_back({Gravity::kMissing, planned[i].name, "does not exist"});
    } else {
      Checker(planned[i], actual[i], findings).Check();
    }
  }
  CheckPartitions(planned, actual, findings);
  return findings;
}

int PartitionsOfSources(const std::vector<PlannedTopic>& planned, const std::vector<ActualTopic>& actual) {
  int partitions = 0;
  for (size_t i = 0; i < planned.size(); ++i) {
    if (planned[i].purpose != TopicPurpose::kSource || actual[i].partitions == 0) continue;
    if (partitions != 0 && partitions != actual[i].partitions) return 0;
    partitions = actual[i].partitions;
  }
  return partitions;
}

std::string AclText(const EngineOptions& engine, const std::vector<PlannedTopic>& planned) {
  std::string text;
  for (const Acl& acl : AclsOf(engine, planned)) {
    absl::StrAppendFormat(&text, "  %-43s %-16s %s%s\n", acl.operations, acl.kind, acl.name, acl.prefixed ? "*" : "");
  }
  return text;
}

std::string AclCommands(const EngineOptions& engine, const std::vector<PlannedTopic>& planned,
                        const std::string& brokers, const std::string& principal) {
  std::string text;
  for (const Acl& acl : AclsOf(engine, planned)) {
    absl::StrAppend(&text, "kafka-acls.sh --bootstrap-server ", brokers, " --add --allow-principal ", principal);
    size_t begin = 0;
    while (begin < acl.operations.size()) {
      const size_t end = std::min(acl.operations.find(' ', begin), acl.operations.size());
      absl::StrAppend(&text, " --operation ", acl.operations.substr(begin, end - begin));
      begin = end + 1;
    }
    const char* kind = acl.kind == "Topic" ? "--topic" : acl.kind == "Group" ? "--group" : "--transactional-id";
    absl::StrAppend(&text, " ", kind, " ", acl.name, acl.prefixed ? " --resource-pattern-type prefixed" : "", "\n");
  }
  return text;
}

}  // namespace portrait
