// A broker of the test's own is killed and comes back: nothing that was reported is wrong, nothing is lost or repeated.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/group_consumer.h"
#include "pipeline/kafka/log_reader.h"
#include "pipeline/kafka/topics.h"
#include "pipeline/kafka/transactional_producer.h"
#include "tests/kafka/test_cluster.h"

namespace portrait {
namespace {

using std::chrono::milliseconds;

// Runs deploy/kafka/local.sh in a folder of its own.
class LocalBroker {
 public:
  LocalBroker() {
    std::string folder = (std::filesystem::temp_directory_path() / "portrait-outage-XXXXXX").string();
    REQUIRE(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    REQUIRE(Run("start --port 0") == 0);
    std::ifstream(folder_ / "port") >> port_;
  }
  ~LocalBroker() {
    Run("stop");
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string brokers() const { return "127.0.0.1:" + port_; }
  int Run(const std::string& command) const {
    return std::system(
        absl::StrCat(PORTRAIT_SOURCE_DIR, "/deploy/kafka/local.sh ", command, " --dir ", folder_.string(), " >&2")
            .c_str());
  }

 private:
  std::filesystem::path folder_;
  std::string port_;
};

// Writes 0, 1, 2 ... in transactions of ten, as the engine does: after a commit of unknown outcome a new producer under
// the same id settles it, and the log tells what was committed.
class Counter {
 public:
  Counter(KafkaOptions options, std::string topic) : options_(std::move(options)), topic_(std::move(topic)) {
    auto reader = KafkaLogReader::Create(options_);
    REQUIRE(reader.ok());
    reader_ = *std::move(reader);
    Settle();
  }

  void Step() {
    absl::Status status = producer_->Begin();
    for (int i = 0; i < 10 && status.ok(); ++i) {
      const std::string value = absl::StrCat(next_ + i);
      status = producer_->Write({.topic = topic_, .partition = 0, .key = "k", .value = value});
    }
    if (!status.ok()) return Settle();
    const CommitOutcome outcome = producer_->Commit(seconds(2));
    outcomes_.insert(outcome);
    if (outcome == CommitOutcome::kCommitted) next_ += 10;
    if (outcome == CommitOutcome::kUnknown || outcome == CommitOutcome::kFenced) Settle();
  }

  int next() const { return next_; }
  const std::set<CommitOutcome>& outcomes() const { return outcomes_; }

 private:
  void Settle() {
    producer_.reset();
    auto producer = KafkaTransactionalProducer::Create(options_, "counter");
    REQUIRE(producer.ok());
    producer_ = *std::move(producer);
    Patiently([&] { return producer_->Init(seconds(1)); });
    std::string values;
    Patiently([&] {
      values = ReadAll(*reader_, topic_, 0, seconds(2));
      return values.starts_with("UNAVAILABLE") ? absl::UnavailableError(values) : absl::OkStatus();
    });
    const int written = values.empty() ? 0 : std::stoi(values.substr(values.rfind(' ') + 1)) + 1;
    REQUIRE((written == next_ || written == next_ + 10));
    next_ = written;
  }

  template <typename Action>
  void Patiently(Action action) {
    absl::Status status = absl::UnavailableError("");
    for (int i = 0; i < 60 && absl::IsUnavailable(status); ++i) status = action();
    INFO(status);
    REQUIRE(status.ok());
  }

  const KafkaOptions options_;
  const std::string topic_;
  std::unique_ptr<KafkaLogReader> reader_;
  std::unique_ptr<TransactionalProducer> producer_;
  int next_ = 0;
  std::set<CommitOutcome> outcomes_;
};

TEST_CASE("a broker that dies and comes back makes nothing lost or seen twice") {
  TestCluster::Real();  // only where a real broker is wanted
  LocalBroker broker;
  const KafkaOptions options{.brokers = broker.brokers(), .group_id = "group", .instance_id = "one"};
  auto topics = KafkaTopics::Create(options);
  REQUIRE((*topics)->CreateAll({{"out", 1}}, seconds(30)).ok());
  TestListener listener(1);
  auto consumer = KafkaGroupConsumer::Create(options);
  REQUIRE((*consumer)->Subscribe({"out"}, &listener).ok());
  std::vector<Record> seen;
  const auto poll = [&] {
    listener.starts = {{0, {seen.empty() ? 0 : seen.back().offset + 1}}};
    const absl::Status status = (*consumer)->Poll(milliseconds(10), 1000, seen);
    INFO(status);
    REQUIRE((status.ok() || absl::IsUnavailable(status) || absl::IsAborted(status)));
  };

  Counter counter(options, "out");
  while (counter.next() < 50) counter.Step(), poll();
  int started = -1;
  std::jthread outage([&] {
    std::this_thread::sleep_for(milliseconds(150));
    broker.Run("kill");
    std::this_thread::sleep_for(seconds(4));
    started = broker.Run("start");
  });
  while (counter.outcomes().size() == 1) counter.Step(), poll();
  outage.join();
  REQUIRE(started == 0);
  for (const int end = counter.next() + 100; counter.next() < end;) counter.Step(), poll();

  std::string expected;
  for (int i = 0; i < counter.next(); ++i) absl::StrAppend(&expected, i == 0 ? "" : " ", i);
  auto reader = KafkaLogReader::Create(options);
  CHECK(ReadAll(**reader, "out", 0) == expected);
  // The broker may have fenced the static member while it came back, by its own second attempt to join; then, as in a
  // worker that begins anew, another one under the same instance id goes on.
  int life = 0;
  for (; life < 4 && seen.size() < static_cast<size_t>(counter.next()); ++life) {
    if (life > 0) {
      consumer->reset();
      consumer = KafkaGroupConsumer::Create(options);
      REQUIRE((*consumer)->Subscribe({"out"}, &listener).ok());
    }
    const auto until = std::chrono::steady_clock::now() + seconds(15);
    while (seen.size() < static_cast<size_t>(counter.next()) && std::chrono::steady_clock::now() < until) {
      listener.starts = {{0, {seen.empty() ? 0 : seen.back().offset + 1}}};
      const absl::Status polled = (*consumer)->Poll(milliseconds(10), 1000, seen);
      REQUIRE_FALSE(absl::IsFailedPrecondition(polled));  // would say that it is over
      if (absl::IsAborted(polled)) break;
    }
  }
  CHECK(Values(seen) == expected);

  // One that has seen the outage cannot know whether it was itself that has taken its name, so it does not say that it
  // is over.
  TestListener twin_listener(1);
  KafkaOptions patient = options;
  patient.session_timeout = seconds(45);  // does not end by itself in what follows
  auto twin = KafkaGroupConsumer::Create(patient);
  REQUIRE((*twin)->Subscribe({"out"}, &twin_listener).ok());
  twin_listener.starts = {{0, {0}}};
  absl::Status fenced;
  for (const auto end = std::chrono::steady_clock::now() + seconds(60);
       (fenced.ok() || absl::IsUnavailable(fenced)) && std::chrono::steady_clock::now() < end;) {
    std::vector<Record> ignored;
    static_cast<void>((*twin)->Poll(milliseconds(10), 1000, ignored));
    fenced = (*consumer)->Poll(milliseconds(10), 1000, ignored);
  }
  INFO(fenced);
  CHECK(fenced.code() == (life <= 1 ? absl::StatusCode::kAborted : absl::StatusCode::kFailedPrecondition));

  // Nor does one that was busy with something else during the outage, and hears of it and of its end in one poll.
  REQUIRE(broker.Run("kill") == 0);
  REQUIRE(broker.Run("start") == 0);
  TestListener heir_listener(1);
  heir_listener.starts = {{0, {0}}};
  auto heir = KafkaGroupConsumer::Create(options);
  REQUIRE((*heir)->Subscribe({"out"}, &heir_listener).ok());
  std::vector<Record> ignored;
  for (const auto end = std::chrono::steady_clock::now() + seconds(60);
       ignored.empty() && std::chrono::steady_clock::now() < end;) {
    static_cast<void>((*heir)->Poll(milliseconds(10), 1000, ignored));
  }
  REQUIRE_FALSE(ignored.empty());
  std::this_thread::sleep_for(seconds(3));  // several heartbeats of the twin
  fenced = (*twin)->Poll(milliseconds(10), 1000, ignored);
  INFO(fenced);
  CHECK(absl::IsAborted(fenced));
}

}  // namespace
}  // namespace portrait
