// `portrait topics`: checks the topics the engine needs, creates what is missing, lists the permissions.
#include "pipeline/kafka/topics.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/config/units.h"
#include "pipeline/service/kafka_client_options.h"
#include "pipeline/service/wait_for_brokers.h"
#include "pipeline/tools/result_topics.h"
#include "pipeline/tools/topic_plan.h"

namespace portrait {
namespace {

constexpr Duration kRequestTimeout = seconds(10);

struct TopicsOptions {
  ConfigArguments config;
  bool create = false, acls = false;
  int partitions = 0, replication = 0;
  std::string retention = "30d";
  std::string principal = "User:portrait";
};

std::vector<std::string> NamesOf(const std::vector<PlannedTopic>& planned) {
  std::vector<std::string> names;
  for (const PlannedTopic& topic : planned) names.push_back(topic.name);
  return names;
}

// The topics as they are. A broker that tells no settings (librdkafka's mock) is asked for the rest.
absl::StatusOr<std::vector<ActualTopic>> Look(const Config& config, KafkaTopics& admin,
                                              const std::vector<PlannedTopic>& planned) {
  std::vector<ActualTopic> actual;
  const auto look = [&](bool with_configs) {
    return WaitForBrokers(config, [&] {
      auto found = admin.Describe(NamesOf(planned), with_configs, kRequestTimeout);
      if (!found.ok()) return found.status();
      actual.clear();
      for (const TopicDescription& topic : *found)
        actual.push_back({topic.partitions, topic.replication, topic.configs});
      return absl::OkStatus();
    });
  };
  absl::Status status = look(false);
  if (!status.ok()) return status;
  if (status = look(true); status.ok()) return actual;
  std::cout << "The settings of the topics are not checked: " << status.message() << "\n";
  if (status = look(false); !status.ok()) return status;
  return actual;
}

absl::Status CreateMissing(KafkaTopics& admin, const std::vector<PlannedTopic>& planned,
                           const std::vector<ActualTopic>& actual) {
  std::vector<NewTopic> missing;
  for (size_t i = 0; i < planned.size(); ++i) {
    const PlannedTopic& topic = planned[i];
    if (actual[i].partitions > 0) continue;
    missing.push_back({.name = topic.name,
                       .partitions = topic.partitions,
                       .replication = topic.replication,
                       .configs = topic.configs});
  }
  if (missing.empty()) return absl::OkStatus();
  if (absl::Status status = admin.CreateAll(missing, seconds(30)); !status.ok()) return status;
  for (const NewTopic& topic : missing) {
    std::cout << absl::StrFormat("created   %-24s %d partitions", topic.name, topic.partitions);
    for (const auto& [name, value] : topic.configs) std::cout << " " << name << "=" << value;
    std::cout << "\n";
  }
  return absl::OkStatus();
}

void Show(const std::vector<PlannedTopic>& planned, const std::vector<ActualTopic>& actual,
          const std::vector<TopicFinding>& findings) {
  for (size_t i = 0; i < planned.size(); ++i) {
    if (actual[i].partitions == 0) continue;
    std::cout << absl::StrFormat("exists    %-24s %d partitions, replicated %dx\n", planned[i].name,
                                 actual[i].partitions, actual[i].replication);
  }
  for (const TopicFinding& finding : findings) {
    const char* gravity = finding.gravity == TopicFinding::Gravity::kMissing ? "missing"
                          : finding.gravity == TopicFinding::Gravity::kWrong ? "WRONG"
                                                                             : "doubtful";
    std::cout << absl::StrFormat("%-9s %s: %s\n", gravity, finding.topic, finding.text);
  }
}

absl::StatusOr<TopicPlanOptions> PlanOf(const TopicsOptions& options) {
  TopicPlanOptions plan;
  if (options.partitions > 0) plan.partitions = options.partitions;
  plan.replication = options.replication > 0 ? options.replication : -1;
  if (options.retention == "unlimited") {
    plan.retention = Duration::zero();
  } else {
    auto retention = ParseDuration(options.retention);
    if (!retention.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("--retention ", options.retention, ": ", retention.status().message()));
    plan.retention = *retention;
  }
  return plan;
}

absl::Status Topics(const TopicsOptions& options, const Program& program) {
  auto config = options.config.Load();
  if (!config.ok()) return config.status();
  auto chain = program.BuildChain(*config);
  if (!chain.ok()) return chain.status();
  auto plan = PlanOf(options);
  if (!plan.ok()) return plan.status();
  std::vector<std::string> outputs;
  for (const ResultTopic& topic : ResultTopics(**chain, config->engine)) outputs.push_back(topic.topic);
  std::vector<PlannedTopic> planned = PlanTopics(config->engine, outputs, *plan);
  if (options.acls) {
    std::cout << "What the engine must be allowed to do:\n"
              << AclText(config->engine, planned) << "\n"
              << AclCommands(config->engine, planned, config->kafka.brokers, options.principal);
    return absl::OkStatus();
  }
  auto admin = KafkaTopics::Create(KafkaClientOptions(*config, "topics"));
  if (!admin.ok()) return admin.status();
  auto actual = Look(*config, **admin, planned);
  if (!actual.ok()) return actual.status();
  if (const int partitions = PartitionsOfSources(planned, *actual);
      partitions > 0) {  // what is missing is to match what is there
    plan->partitions = partitions;
    planned = PlanTopics(config->engine, outputs, *plan);
  }
  if (options.create) {
    if (absl::Status status = CreateMissing(**admin, planned, *actual); !status.ok()) return status;
    if (actual = Look(*config, **admin, planned); !actual.ok()) return actual.status();
  }
  const std::vector<TopicFinding> findings = CheckTopics(planned, *actual);
  Show(planned, *actual, findings);
  const auto bad = std::count_if(findings.begin(), findings.end(), [](const TopicFinding& finding) {
    return finding.gravity != TopicFinding::Gravity::kDoubtful;
  });
  if (bad > 0)
    return absl::FailedPreconditionError(absl::StrCat(
        "topics are missing or wrong", options.create ? "" : "; --create makes what is missing", ": ", bad));
  return absl::OkStatus();
}

}  // namespace

void AddTopics(Program& program) {
  auto options = std::make_shared<TopicsOptions>();
  CLI::App& app = program.AddCommand(
      {.name = "topics",
       .about = "Checks the topics that the engine needs, creates what is missing, lists the permissions needed",
       .examples = {"portrait topics                                    # what is there, and what is wrong with it",
                    "portrait topics --create --partitions 12",
                    "portrait topics --acls --principal User:portrait    # as commands for kafka-acls.sh"}},
      [options](const Program& chosen) { return Topics(*options, chosen); });
  options->config.AddTo(app);
  app.add_flag("--create", options->create, "Create what is missing; what exists is never changed");
  app.add_option("--partitions", options->partitions, "Of new topics; those of the sources that exist, else 6")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--replication", options->replication, "Of new topics; the broker's default otherwise")
      ->check(CLI::Range(1, 10));
  app.add_option("--retention", options->retention,
                 "Of new sources and results, counted from arrival: 30d, or unlimited")
      ->capture_default_str();
  app.add_flag("--acls", options->acls, "List the permissions that the engine needs; asks no broker");
  app.add_option("--principal", options->principal, "Whose permissions")->capture_default_str();
}

}  // namespace portrait
