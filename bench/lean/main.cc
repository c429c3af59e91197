// The service with the lean work as its whole chain, as a benchmark needs it:
//
//   portrait-lean topics FILE     makes all topics of that configuration
//   portrait-lean run FILE        the service, until SIGTERM
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bench/lean/lean.h"
#include "operators/chain.h"
#include "pipeline/kafka/topics.h"
#include "pipeline/log.h"
#include "pipeline/service/kafka_client_options.h"
#include "pipeline/service/service.h"
#include "pipeline/tools/topic_plan.h"

namespace portrait::bench {
namespace {

constexpr int kPartitions = 2;

// The sources are there already.
absl::Status MakeTopics(const Config& config) {
  std::vector<std::string> outputs;
  for (const OutputOptions& output : config.engine.outputs) outputs.push_back(output.topic);
  std::vector<NewTopic> topics;
  for (const PlannedTopic& topic : PlanTopics(config.engine, outputs, {.partitions = kPartitions, .replication = 1})) {
    if (topic.purpose == TopicPurpose::kSource) continue;
    topics.push_back({topic.name, topic.partitions, topic.replication, topic.configs});
  }
  auto admin = KafkaTopics::Create(KafkaClientOptions(config, "topics"));
  if (!admin.ok()) return admin.status();
  return (*admin)->CreateAll(topics, seconds(30));
}

absl::Status RunService(const Config& config) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is started
  const auto chain = std::move(ChainBuilder().Add<Lean>()).Build("lean-1");
  if (!chain.ok()) return chain.status();
  auto service = KafkaService::Start(config, **chain);
  if (!service.ok()) return service.status();
  std::thread stop([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    (*service)->Stop();
  });
  const absl::Status ended = (*service)->Wait();
  kill(getpid(), SIGTERM);  // where the service ended by itself
  stop.join();
  return ended;
}

absl::Status RunCommand(int argc, char** argv) {
  const std::string_view command = argc == 3 ? argv[1] : "";
  if (command != "topics" && command != "run")
    return absl::InvalidArgumentError("usage: portrait-lean topics|run FILE");
  const auto config = LoadConfig(argv[2]);
  if (!config.ok()) return config.status();
  StartLog(config->log);
  return command == "run" ? RunService(*config) : MakeTopics(*config);
}

}  // namespace
}  // namespace portrait::bench

int main(int argc, char** argv) {
  const absl::Status status = portrait::bench::RunCommand(argc, argv);
  if (status.ok()) return 0;
  std::cerr << "portrait-lean: " << status.message() << std::endl;
  return 1;
}
