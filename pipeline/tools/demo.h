// The demonstration: events through a whole engine, and what came of it in words.
//
//   Demo demo({.config = config, .purchases = purchases}, chain, stop);
//   absl::Status status = demo.Run(std::cout);      // sends, waits until all is applied, tells
//   ... subscribe ...
//   status = demo.Stop();
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "pipeline/config/config.h"
#include "pipeline/engine.h"
#include "pipeline/health.h"
#include "pipeline/kafka/mock_cluster.h"
#include "pipeline/metrics.h"
#include "pipeline/service/companion.h"
#include "pipeline/service/kafka_ports.h"
#include "pipeline/tools/event_writer.h"
#include "pipeline/tools/population.h"
#include "pipeline/tools/result_topics.h"
#include "pipeline/tools/stop_signal.h"
#include "pipeline/tools/story.h"
#include "pipeline/tools/tally.h"

namespace portrait {

struct DemoOptions {
  Config config;  // brokers, topics (which must exist), state folder
  PopulationOptions population;
  std::vector<GivenPurchase> purchases;  // empty: a population is drawn
  double dirt = 0;
  // Events that may wait in the topics. librdkafka's mock cluster keeps 5 MB of each partition and drops the oldest
  // silently, so the producer must not run further ahead than one partition holds.
  uint64_t in_flight_most = 20'000;
  size_t stories = 3;
  CompanionFactory view;  // of the customers, where config.view.listen is set
};

// Run and Stop on one thread.
class Demo {
 public:
  // `chain` and `stop` must outlive this.
  Demo(DemoOptions options, const Chain& chain, const StopSignal& stop);
  ~Demo();
  Demo(const Demo&) = delete;
  Demo& operator=(const Demo&) = delete;

  // Progress goes to standard error if that is a terminal, what came of it to `out`. Cancelled: the user stopped it.
  // Aborted: the engine ended.
  absl::Status Run(std::ostream& out);

  // Null before Run, and where there is none.
  const Companion* view() const { return view_.get(); }

  // Ends the engine with its last commit.
  absl::Status Stop();

  struct Counts {
    uint64_t sent = 0;    // records, dirt included
    uint64_t orders = 0;  // of them
    uint64_t events = 0;  // of them clean
    uint64_t duplicates_sent = 0;
    uint64_t received = 0;  // by the engine
    uint64_t results = 0;   // written
    uint64_t read = 0;      // of the results
    uint64_t duplicates = 0;
    uint64_t late = 0;
    uint64_t dead_letters = 0;  // read
  };
  Counts counts() const;

 private:
  absl::Status StartEngine();
  absl::Status Send();
  absl::Status WaitUntilApplied();
  absl::Status CheckRunning() const;
  void ReadResults(ResultReader& reader);
  void Take(const google::protobuf::Message& result);
  absl::flat_hash_set<std::string> ChooseWatched() const;
  uint64_t Received() const;
  uint64_t Written() const;
  std::string Note() const;
  void Tell(std::ostream& out, double took_s) const;

  DemoOptions options_;
  const Chain& chain_;
  FixedChain chains_{chain_};
  const StopSignal& stop_;
  std::vector<ResultTopic> results_;
  mutable Metrics metrics_;
  Health health_;
  std::unique_ptr<Companion> view_;
  std::unique_ptr<KafkaPorts> ports_;
  std::unique_ptr<Engine> engine_;
  std::thread waiter_;  // for the end of the engine
  std::atomic<bool> ended_{false};
  std::thread reader_;
  std::atomic<bool> reader_stop_{false};
  std::atomic<uint64_t> read_{0};
  uint64_t sent_ = 0, orders_ = 0, sent_events_ = 0, duplicates_sent_ = 0;
  std::map<std::string, uint64_t> sent_by_topic_;
  std::string dirt_text_;

  mutable std::mutex mutex_;
  absl::Status engine_status_;  // guarded by mutex_, set before ended_
  absl::Status reader_status_;  // guarded by mutex_
  StoryBook stories_;           // guarded by mutex_
  ResultTally tally_;           // guarded by mutex_
};

// What the topics of a demonstration are called.
struct DemoPlace {
  std::string application_id;  // starts the names of the internal ones
  std::string topic_prefix;    // of sources and results
  int partitions = 4;
};

// The configuration of a demonstration: event time, its own application and topics, rows in `state_dir`.
Config DemoConfig(const Config& base, const DemoPlace& place, const std::vector<ResultTopic>& results,
                  const std::filesystem::path& state_dir);

// Creates its topics: in the mock cluster if there is one, else on the brokers of the configuration.
absl::Status CreateDemoTopics(const Config& config, int partitions, MockCluster* mock);

// The part of it that other commands need to look at it, as YAML.
std::string DemoConfigYaml(const Config& config);

}  // namespace portrait
