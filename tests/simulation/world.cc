#include "tests/simulation/world.h"

#include <utility>

#include "operators/testing/harness.h"
#include "pipeline/partitioner.h"
#include "portrait/v1/journal.pb.h"
#include "portrait/v1/result.pb.h"
#include "xxhash.h"

namespace portrait::simulation {
namespace {

// Its state is a hash over everything that was applied, in order; each result carries it.
class Fold final : public Operator<v1::TaskState> {
 public:
  static void Describe(Description& about) {
    about.Name("fold").ReadsEverything().Writes<v1::TagChange>("results", "a step of the fold");
  }
  void OnEvent(const Event& event, v1::TaskState& state, Context& context) const override {
    Mix(state, event.event_id(), event.event_time_us() + (context.late() ? 1 : 0));
    if (event.has_page_viewed()) context.SetTimer(1, EventTime(event) + seconds(7));
    if (event.has_clicked() && !context.TimerAt(2)) context.SetTimer(2, context.now() + seconds(20));
    Tell("event", state, context);
  }
  void OnTimer(const Timer& timer, v1::TaskState& state, Context& context) const override {
    Mix(state, "timer", ToMicros(timer.time) + timer.id);
    if (timer.id == 1) context.SetTimer(3, timer.time + seconds(2));
    Tell("timer", state, context);
  }

 private:
  static void Mix(v1::TaskState& state, std::string_view text, int64_t number) {
    const auto seed = static_cast<uint64_t>(state.highest_time_us()) * 31 + static_cast<uint64_t>(number);
    state.set_highest_time_us(static_cast<int64_t>(XXH3_64bits_withSeed(text.data(), text.size(), seed)));
  }
  static void Tell(const char* what, const v1::TaskState& state, Context& context) {
    v1::TagChange change;
    change.set_tag(std::string(what) + " " + std::to_string(state.highest_time_us()));
    context.Emit(change);
  }
};

}  // namespace

std::unique_ptr<Chain> FoldingChain() { return std::move(ChainBuilder().Add<Fold>()).Build("simulated").value(); }

std::optional<Rejection> PlainDecoder::Decode(const Record& record, const SourceOptions&, Event& event) {
  const std::string_view value = record.value.value_or("bad");
  if (value == "bad" || !event.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return Rejection{"bad", "not an event"};
  }
  return std::nullopt;
}

const std::vector<std::string>& World::Sources() {
  static const auto* const sources = new std::vector<std::string>{"browsing", "purchases", "service"};
  return *sources;
}

World::World(uint64_t seed, const std::function<void(EngineOptions&)>& change)
    : broker(&clock_),
      clock_(At("2026-01-01")),
      random_(seed),
      chain_(FoldingChain()),
      event_time_us_(ToMicros(At("2026-01-01"))) {
  for (const std::string& source : Sources()) {
    options_.sources.push_back({source, WireFormat::kProtobuf});
    broker.CreateTopic(source, kPartitions);
  }
  options_.checkpoint_interval = Pick(3) == 0 ? options_.commit_interval : seconds(1 + static_cast<int64_t>(Pick(5)));
  options_.allowed_lateness = seconds(3);
  options_.clock = Pick(2) == 0 ? ClockMode::kWall : ClockMode::kEvent;
  options_.cache_bytes = Pick(2) == 0 ? 1 : 1 << 20;
  options_.startup_timeout = seconds(60);
  options_.journal_trim_interval = Pick(2) == 0 ? Duration(0) : seconds(2);
  if (change) change(options_);
  broker.CreateTopic(options_.JournalTopic(), kPartitions);
  broker.CreateTopic(options_.ChangelogTopic(), kPartitions);
  broker.CreateTopic("results", 1);
  broker.CreateTopic("dead-letters", 1);
  broker.LimitPolls(Pick(3) == 0 ? 0 : 1 + Pick(20));
}

absl::StatusOr<std::unique_ptr<GroupConsumer>> World::NewConsumer(int) { return broker.NewConsumer("instance"); }
absl::StatusOr<std::unique_ptr<TransactionalProducer>> World::NewProducer(int) {
  return broker.NewProducer("portrait-1-0");
}
absl::StatusOr<std::unique_ptr<LogReader>> World::NewReader(int) { return broker.NewReader(); }
absl::StatusOr<std::unique_ptr<LogTrimmer>> World::NewTrimmer(int) { return broker.NewTrimmer(); }
absl::StatusOr<std::unique_ptr<RowStore>> World::OpenStore(int32_t partition) {
  return std::make_unique<MemoryRowStore>(&disks_[partition]);
}

void World::SendEvents(int count) {
  for (int i = 0; i < count; ++i) {
    const std::string customer = "c" + std::to_string(Pick(12));
    const std::string& source = Sources()[Pick(Sources().size())];
    event_time_us_ += static_cast<int64_t>(Pick(1'500'000));
    if (Pick(40) == 0) event_time_us_ += 30'000'000;  // silence
    Event event =
        EventFor(customer, FromMicros(event_time_us_ - (Pick(6) == 0 ? static_cast<int64_t>(Pick(8'000'000)) : 0)));
    event.set_event_id("e" + std::to_string(++sent_));
    if (Pick(25) == 0)
      event.mutable_customer_erased();
    else if (Pick(2) == 0)
      event.mutable_page_viewed();
    else if (Pick(2) == 0)
      event.mutable_clicked();
    else
      event.mutable_order_completed();
    StoredRecord record;
    record.key = customer;
    record.value = Pick(20) == 0 ? "bad" : event.SerializeAsString();
    int32_t partition = PartitionOf(customer, kPartitions);
    if (Pick(50) == 0) partition = 1 - partition;  // a client with another partitioner
    broker.Append(source, partition, std::move(record));
    ++counts["events"];
  }
}

void World::StartWorker() {
  if (!worker_) worker_ = std::make_unique<Worker>(0, *chain_, options_, *this, metrics_);
  const absl::Status started = worker_->Start();
  if (!started.ok()) failure_ = started.ToString();
  up_ = started.ok();
  ++counts["starts"];
}

void World::Kill() {
  worker_.reset();
  up_ = false;
  for (auto& [partition, disk] : disks_) disk.Crash(Pick(disk.pending_batches() + 1));
  ++counts["kills"];
}

void World::RunWorker() {
  if (!up_) StartWorker();
  if (!failure_.empty()) return;
  clock_.Advance(Duration(Pick(60'000)));
  const absl::Status ran = worker_->RunOnce(std::chrono::milliseconds(50));
  if (absl::IsAborted(ran)) {
    ++counts["transactions lost"];
    up_ = false;
  } else if (!ran.ok()) {
    failure_ = ran.ToString();
  }
}

void World::Step() {
  const uint64_t what = Pick(100);
  if (what < 25) {
    SendEvents(1 + static_cast<int>(Pick(30)));
  } else if (what < 94) {
    RunWorker();
  } else if (what < 96) {
    Kill();
  } else if (what < 97) {
    Restart();
  } else {
    broker.FailNextCommit("portrait-1-0", Pick(2) == 0 ? CommitFault::kAnswerLost : CommitFault::kRequestLost);
    ++counts["commits that go wrong"];
  }
}

void World::Restart() {
  if (up_) {
    const absl::Status stopped = worker_->Stop();
    if (!stopped.ok() && !absl::IsAborted(stopped)) failure_ = stopped.ToString();
    ++counts["clean stops"];
  }
  up_ = false;
}

void World::Settle() {
  broker.FailNextCommit("portrait-1-0", CommitFault::kNone);
  int idle = 0;
  for (int i = 0; i < 20'000 && idle < 20 && failure_.empty(); ++i) {
    RunWorker();
    idle = up_ && worker_->status().idle ? idle + 1 : 0;
  }
}

}  // namespace portrait::simulation
