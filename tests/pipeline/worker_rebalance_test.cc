// A worker whose partition is taken away and given back, over a broker in memory.
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/memory/memory_broker.h"
#include "pipeline/worker.h"
#include "portrait/v1/journal.pb.h"
#include "portrait/v1/result.pb.h"
#include "state/memory_row_store.h"

namespace portrait {
namespace {

class Count final : public Operator<v1::TaskState> {
 public:
  static void Describe(Description& about) {
    about.Name("count").ReadsEverything().Writes<v1::TagChange>("results", "how many events there were");
  }
  void OnEvent(const Event&, v1::TaskState& state, Context& context) const override {
    state.set_last_tick_us(state.last_tick_us() + 1);
    v1::TagChange change;
    change.set_tag(absl::StrCat(state.last_tick_us()));
    context.Emit(change);
  }
  void OnTimer(const Timer&, v1::TaskState&, Context&) const override {}
};

class PlainDecoder final : public EventDecoder {
 public:
  std::optional<Rejection> Decode(const Record& record, const SourceOptions&, Event& event) override {
    const std::string_view value = record.value.value_or("");
    if (event.ParseFromArray(value.data(), static_cast<int>(value.size()))) return std::nullopt;
    return Rejection{"bad", "not an event"};
  }
};

// A member of the group that can be told to go through a rebalance, as `range` does it: everything is revoked, then
// given back.
class RebalancedConsumer final : public GroupConsumer, private AssignmentListener {
 public:
  RebalancedConsumer(MemoryBroker& broker, std::function<void()>& between)
      : broker_(broker), between_(between), inner_(broker.NewConsumer("member")) {}

  absl::Status Subscribe(const std::vector<std::string>& sources, AssignmentListener* listener) override {
    sources_ = sources;
    listener_ = listener;
    return inner_->Subscribe(sources, this);
  }
  absl::Status Poll(Duration timeout, size_t max_records, std::vector<Record>& records) override {
    if (const auto between = std::exchange(between_, nullptr)) {
      listener_->OnRevoked({0});
      between();
      inner_ = broker_.NewConsumer("member");
      if (absl::Status s = inner_->Subscribe(sources_, this); !s.ok()) return s;
    }
    return inner_->Poll(timeout, max_records, records);
  }
  absl::StatusOr<std::vector<int64_t>> Committed(int32_t partition, Duration timeout) override {
    return inner_->Committed(partition, timeout);
  }
  int64_t EndOffset(int32_t source, int32_t partition) override { return inner_->EndOffset(source, partition); }
  absl::Status Pause(int32_t source, int32_t partition, bool paused) override {
    return inner_->Pause(source, partition, paused);
  }
  std::shared_ptr<const GroupGeneration> generation() const override { return inner_->generation(); }
  absl::Status Close() override { return inner_->Close(); }

 private:
  absl::StatusOr<std::vector<PartitionStart>> OnAssigned(const std::vector<int32_t>& partitions) override {
    return listener_->OnAssigned(partitions);
  }
  void OnRevoked(const std::vector<int32_t>& partitions) override { listener_->OnRevoked(partitions); }
  void OnLost(const std::vector<int32_t>& partitions) override { listener_->OnLost(partitions); }

  MemoryBroker& broker_;
  std::function<void()>& between_;
  std::unique_ptr<GroupConsumer> inner_;
  std::vector<std::string> sources_;
  AssignmentListener* listener_ = nullptr;
};

class OneProcess final : public PortFactory {
 public:
  OneProcess() : clock_(FromMicros(1'767'225'600'000'000)), broker(&clock_) {
    chain = std::move(ChainBuilder().Add<Count>()).Build("test").value();
    options.sources = {{"events", WireFormat::kProtobuf}};
    options.clock = ClockMode::kEvent;
    for (const auto& topic :
         {std::string("events"), std::string("results"), options.JournalTopic(), options.ChangelogTopic()}) {
      broker.CreateTopic(topic, 1);
    }
  }

  void Send(int count) {
    for (int i = 0; i < count; ++i) {
      Event event;
      event.set_event_id(absl::StrCat("e", ++sent_));
      event.set_customer_id("ann");
      event.set_event_time_us(ToMicros(clock_.Now()) + sent_);
      event.mutable_page_viewed();
      StoredRecord record;
      record.key = "ann";
      record.value = event.SerializeAsString();
      record.timestamp_us = ToMicros(clock_.Now());
      broker.Append("events", 0, std::move(record));
    }
  }
  absl::Status Run(Worker& worker, int rounds = 10) {
    for (int i = 0; i < rounds; ++i) {
      clock_.Advance(std::chrono::milliseconds(60));
      if (absl::Status s = worker.RunOnce(std::chrono::milliseconds(10)); !s.ok()) return s;
    }
    return absl::OkStatus();
  }
  // "1 2 3": what the results say, in order.
  std::string Results() {
    std::string out;
    for (const StoredRecord* record : broker.Committed("results", 0)) {
      v1::TagChange change;
      if (change.ParseFromString(record->value.value_or("")))
        absl::StrAppend(&out, out.empty() ? "" : " ", change.tag());
    }
    return out;
  }

  int32_t partitions() const override { return 1; }
  absl::StatusOr<std::unique_ptr<GroupConsumer>> NewConsumer(int) override {
    return std::make_unique<RebalancedConsumer>(broker, rebalance);
  }
  absl::StatusOr<std::unique_ptr<TransactionalProducer>> NewProducer(int) override { return broker.NewProducer("me"); }
  absl::StatusOr<std::unique_ptr<LogReader>> NewReader(int) override { return broker.NewReader(); }
  absl::StatusOr<std::unique_ptr<LogTrimmer>> NewTrimmer(int) override { return broker.NewTrimmer(); }
  absl::StatusOr<std::unique_ptr<RowStore>> OpenStore(int32_t) override {
    ++opened;
    return std::make_unique<MemoryRowStore>(&disk);
  }
  std::unique_ptr<EventDecoder> NewDecoder() override { return std::make_unique<PlainDecoder>(); }
  const Clock& clock() const override { return clock_; }

 private:
  ManualClock clock_;
  int64_t sent_ = 0;

 public:
  MemoryBroker broker;
  MemoryDisk disk;
  std::unique_ptr<Chain> chain;
  EngineOptions options;
  Metrics metrics;
  std::function<void()> rebalance;  // set: the next Poll goes through one, and calls this in the middle of it
  int opened = 0;
};

TEST_CASE("a partition that comes back goes on from memory: nothing replayed, no store opened again") {
  OneProcess process;
  FixedChain chains(*process.chain);
  Worker worker(0, chains, process.options, process, process.metrics);
  REQUIRE(worker.Start().ok());
  process.Send(3);
  REQUIRE(process.Run(worker).ok());
  process.rebalance = [&] { process.Send(2); };
  REQUIRE(process.Run(worker).ok());
  CHECK(process.Results() == "1 2 3 4 5");
  CHECK(process.opened == 1);
  CHECK(process.metrics.replayed_steps.Value() == 0);
}

TEST_CASE("what is not committed when a rebalance begins is committed before the partition is given up") {
  OneProcess process;
  process.options.commit_interval = seconds(5);
  process.options.transaction_timeout = seconds(10);
  FixedChain chains(*process.chain);
  Worker worker(0, chains, process.options, process, process.metrics);
  REQUIRE(worker.Start().ok());
  process.Send(3);
  REQUIRE(process.Run(worker, 3).ok());
  REQUIRE(process.Results().empty());
  std::string then;
  process.rebalance = [&] { then = process.Results(); };
  REQUIRE(process.Run(worker, 1).ok());
  CHECK(then == "1 2 3");
}

TEST_CASE("a partition in which somebody else wrote meanwhile is recovered") {
  OneProcess process;
  FixedChain chains(*process.chain);
  Worker worker(0, chains, process.options, process, process.metrics);
  REQUIRE(worker.Start().ok());
  process.Send(3);
  REQUIRE(process.Run(worker).ok());
  process.rebalance = [&] {
    // An owner in between: applies one more event, on a machine of its own, and leaves.
    process.Send(1);
    Worker other(0, chains, process.options, process, process.metrics);
    REQUIRE(other.Start().ok());
    REQUIRE(process.Run(other).ok());
    REQUIRE(other.Stop().ok());
    process.Send(1);
  };
  const absl::Status ran = process.Run(worker);
  CHECK(process.opened == 3);
  if (absl::IsAborted(ran)) {  // the other used the same transactional id
    REQUIRE(worker.Start().ok());
    REQUIRE(process.Run(worker).ok());
  }
  CHECK(process.Results() == "1 2 3 4 5");
}

}  // namespace
}  // namespace portrait
