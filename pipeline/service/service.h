// The service: the engine on Kafka, with its endpoint for operations.
//
//   absl::StatusOr<std::unique_ptr<KafkaService>> service = KafkaService::Start(config, *chain);
//   ...
//   (*service)->Stop();
//   absl::Status status = (*service)->Wait();
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "pipeline/closed_examples.h"
#include "pipeline/config/config.h"
#include "pipeline/control/rule_follower.h"
#include "pipeline/engine.h"
#include "pipeline/health.h"
#include "pipeline/http_server.h"
#include "pipeline/metrics.h"
#include "pipeline/service/companion.h"
#include "pipeline/service/kafka_control.h"
#include "pipeline/service/kafka_ports.h"

namespace portrait {

// Not to be called Service, which is an operator's name. Safe from any thread.
class KafkaService {
 public:
  // Answers health checks at once, then waits for the brokers as KafkaPorts::Connect. `chain` must outlive the service.
  // With `build`, which makes the same chain with other rules, its rules follow the control topic.
  // `companion` makes what runs beside the engine, if anything.
  static absl::StatusOr<std::unique_ptr<KafkaService>> Start(const Config& config, const Chain& chain,
                                                             RuleEditions::Build build = {},
                                                             const CompanionFactory& companion = {});
  ~KafkaService();

  void Stop() { engine_->Stop(); }
  absl::Status Wait() { return engine_->Wait(); }
  bool Idle() const { return engine_->Idle(); }

  const Metrics& metrics() const { return metrics_; }
  const Health& health() const { return health_; }
  int http_port() const { return http_ ? http_->port() : 0; }  // 0: there is none

 private:
  explicit KafkaService(const Config& config) : config_(config) {}
  absl::Status FollowRules(const Chain& chain, const RuleEditions::Build& build);

  Config config_;  // constant once the engine runs
  Metrics metrics_;
  Health health_;
  std::unique_ptr<HttpServer> http_;
  ClosedExamples closed_examples_{metrics_};
  std::unique_ptr<Companion> companion_;
  std::unique_ptr<ResultListeners> listeners_;
  std::unique_ptr<KafkaPorts> ports_;
  std::unique_ptr<ChainCatalog> chains_;
  std::unique_ptr<KafkaControl> control_;
  std::unique_ptr<RuleFollower> follower_;  // uses those above
  std::unique_ptr<Engine> engine_;
};

}  // namespace portrait
