#include "pipeline/service/service.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "pipeline/config/default_chain.h"
#include "pipeline/log.h"
#include "pipeline/service/wait_for_brokers.h"

namespace portrait {
namespace {

// All workers recover at the same time, as after a restart, and nothing else runs. Beyond a few, reading is the limit.
int RecoveryThreads(int workers) {
  constexpr int kMost = 8;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()) / workers, 1, kMost);
}

}  // namespace

KafkaService::~KafkaService() {
  if (http_) http_->ServeBackups({});  // waits for one under way, which uses the ports
  if (engine_) engine_->Stop();
  if (engine_) static_cast<void>(engine_->Wait());
  if (companion_) companion_->Detach();
}

absl::Status KafkaService::FollowRules(const Chain& chain, const RuleEditions::Build& build) {
  if (!build || RulesVersionOf(chain).empty()) {
    chains_ = std::make_unique<FixedChain>(chain);
    return absl::OkStatus();
  }
  const absl::Status opened = WaitForBrokers(config_, [&] {
    auto control = KafkaControl::Open(config_);
    if (control.ok()) control_ = *std::move(control);
    return control.status();
  });
  if (!opened.ok()) return opened;
  auto editions = std::make_unique<RuleEditions>(chain, build);
  follower_ = std::make_unique<RuleFollower>(
      RuleFollower::Options{.rules = config_.chain.rules, .process = config_.engine.instance_id}, *editions, build,
      control_->reader(), config_.engine.ControlTopic(),
      [control = control_.get()](const v1::ControlRecord& record) { return control->Publish(record); }, ports_->clock(),
      metrics_);
  chains_ = std::move(editions);
  if (absl::Status s = WaitForBrokers(config_, [&] { return follower_->Begin(); }); !s.ok()) return s;
  follower_->Start();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<KafkaService>> KafkaService::Start(const Config& config, const Chain& chain,
                                                                  RuleEditions::Build build,
                                                                  const CompanionFactory& companion) {
  std::unique_ptr<KafkaService> service(new KafkaService(config));
  service->metrics_.SetBuild(ReleaseVersion(), chain.version());
  if (config.http.listen) {
    auto http = HttpServer::Start(*config.http.listen, service->metrics_, service->health_);
    if (!http.ok()) return http.status();
    service->http_ = *std::move(http);
  }
  if (companion) {
    auto made = companion({service->config_, chain, service->metrics_, service->health_});
    if (!made.ok()) return made.status();
    service->companion_ = *std::move(made);
  }
  service->health_.Wait("brokers", "waiting for the brokers");
  auto ports = KafkaPorts::Connect(config);
  if (!ports.ok()) return ports.status();
  service->ports_ = *std::move(ports);
  service->ports_->CountSetAside(service->metrics_.stores_set_aside);
  EngineOptions& engine = service->config_.engine;
  engine.changelog_tombstones_kept = service->ports_->tombstones_kept().value_or(engine.changelog_tombstones_kept);
  Divide(service->ports_->memory_plan(), engine);
  engine.recovery_threads = RecoveryThreads(engine.workers);
  service->health_.Ready("brokers");
  if (absl::Status s = service->ports_->StartStandby(service->metrics_); !s.ok()) return s;
  if (absl::Status s = service->FollowRules(chain, build); !s.ok()) return s;
  Companion* const beside = service->companion_.get();
  std::vector<ResultListener*> listeners = {&service->closed_examples_};
  if (beside != nullptr && beside->results() != nullptr) listeners.push_back(beside->results());
  service->listeners_ = std::make_unique<ResultListeners>(std::move(listeners));
  service->engine_ = std::make_unique<Engine>(*service->chains_, service->config_.engine, *service->ports_,
                                              service->metrics_, service->health_, service->listeners_.get());
  if (beside != nullptr) {
    auto members = service->ports_->NewMembers();
    if (!members.ok()) return members.status();
    beside->Attach(*service->engine_, *service->chains_, service->ports_->partitions(), *std::move(members));
  }
  service->engine_->Start();
  if (service->http_) {
    service->http_->ServeBackups([ports = service->ports_.get()](const std::filesystem::path& to) {
      auto backup = ports->BackUp(to);
      if (backup.ok()) {
        LogInfo("a backup is made", {{"to", to.string()}, {"partitions", backup->partitions_size()}});
      }
      return backup.ok() ? absl::StatusOr<std::string>(DescribeBackup(*backup)) : backup.status();
    });
  }
  LogInfo("started", {{"application", config.engine.application_id},
                      {"instance", config.engine.instance_id},
                      {"chain", chain.version()},
                      {"partitions", service->ports_->partitions()},
                      {"workers", config.engine.workers}});
  return service;
}

}  // namespace portrait
