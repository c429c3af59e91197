// Many timers due at the same moment, and events that wait meanwhile.
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/task.h"
#include "portrait/v1/journal.pb.h"
#include "state/memory_row_store.h"

namespace portrait {
namespace {

const Timestamp kBegin = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
const Timestamp kMoment = kBegin + std::chrono::hours(24);
constexpr int kCustomers = 1000, kWaiting = 700;

// Every customer that it hears of has a timer at kMoment.
class AtTheMoment final : public Operator<v1::TaskState> {
 public:
  static void Describe(Description& about) { about.Name("moment").ReadsEverything().Timer(1, "the moment"); }
  void OnEvent(const Event&, v1::TaskState&, Context& context) const override {
    if (context.now() < kMoment) context.SetTimer(1, kMoment);
  }
  void OnTimer(const Timer&, v1::TaskState& state, Context&) const override { state.set_any_time(true); }
};

class Storm {
 public:
  explicit Storm(ClockMode clock)
      : chain_(std::move(ChainBuilder().Add<AtTheMoment>()).Build("test").value()), chains_(*chain_) {
    options_.sources = {{"events", WireFormat::kProtobuf}};
    options_.clock = clock;
    task_ =
        std::make_unique<Task>(0, 1, chains_, options_, decoder_, std::make_unique<MemoryRowStore>(&disk_), 1 << 20);
    task_->Start({.next_offsets = {0}, .known_ends = {0}});
  }

  // `count` events of customers of their own at this moment; the broker got them at `received`.
  void Add(int count, Timestamp time, Timestamp received) {
    for (int i = 0; i < count; ++i, ++offset_) {
      Event event;
      event.set_event_id(absl::StrCat("e", offset_));
      event.set_customer_id(absl::StrCat("c", offset_));
      event.set_event_time_us(ToMicros(time));
      event.mutable_page_viewed()->set_path("/");
      const auto bytes = std::make_shared<std::string>(event.SerializeAsString());
      task_->Add({.offset = offset_, .timestamp_us = ToMicros(received), .value = *bytes, .owner = bytes});
    }
  }

  // kCustomers with a timer at kMoment, none of which has fired.
  void Fill() {
    Add(kCustomers, kBegin, kBegin);
    while (Advance(kCustomers, kBegin) == Task::Progress::kBusy) {
    }
    REQUIRE(Fired() == 0);
  }

  Task::Progress Advance(size_t steps, Timestamp wall) {
    const auto progress = task_->Advance(steps, Duration(0), wall, [&](size_t) { return offset_; });
    REQUIRE(progress.ok());
    return *progress;
  }
  // Timers that fired since the last call.
  uint64_t Fired() { return task_->TakeCounts().timers; }

  int at_once() const { return options_.rows_fired_at_once; }

 private:
  std::unique_ptr<Chain> chain_;
  FixedChain chains_;
  EngineOptions options_;
  MemoryDisk disk_;
  Decoder decoder_{DecoderOptions{}};
  std::unique_ptr<Task> task_;
  int64_t offset_ = 0;
};

// Fires timers, one input at a time; those that fired with each.
std::vector<uint64_t> FiredWithEach(Storm& storm, Timestamp wall) {
  const Timestamp after = kMoment + std::chrono::minutes(1);
  storm.Add(kWaiting, after, after);
  std::vector<uint64_t> fired;
  for (int i = 0; i < kWaiting; ++i) {
    REQUIRE(storm.Advance(1, wall) == Task::Progress::kBusy);
    fired.push_back(storm.Fired());
  }
  return fired;
}

TEST_CASE("while events of now wait, timers that are due at the same moment fire a few at a time, far apart") {
  Storm storm(ClockMode::kWall);
  storm.Fill();
  const Timestamp now = kMoment + std::chrono::minutes(1) + seconds(5);
  const std::vector<uint64_t> fired = FiredWithEach(storm, now);
  const auto at_once = static_cast<size_t>(storm.at_once());
  for (size_t i = 0; i < fired.size(); ++i) {
    INFO("input " << i);
    CHECK(fired[i] == (i % (4 * at_once) == 0 ? at_once : 0));
  }

  // When nothing waits, the rest fires, and the task asks for inputs in between.
  uint64_t rest = 0;
  size_t looks = 0;
  for (auto progress = Task::Progress::kSweeping; progress != Task::Progress::kIdle; ++looks) {
    progress = storm.Advance(32, now);
    const uint64_t some = storm.Fired();
    CHECK(some <= at_once);
    rest += some;
    REQUIRE(looks < 100);
  }
  CHECK(rest == kCustomers - 3 * at_once);
  CHECK(looks >= rest / at_once);
}

TEST_CASE("history waits for no one: all timers that are due fire as soon as they may") {
  const auto all_early = [](Storm& storm, Timestamp wall) {
    storm.Fill();
    const std::vector<uint64_t> fired = FiredWithEach(storm, wall);
    const auto at_once = static_cast<uint64_t>(storm.at_once());
    for (size_t i = 0; i < fired.size(); ++i) {
      INFO("input " << i);
      const uint64_t before = i * at_once;
      CHECK(fired[i] == (before < kCustomers ? std::min<uint64_t>(at_once, kCustomers - before) : 0));
    }
  };
  SECTION("the time of events, whenever they come") {
    Storm storm(ClockMode::kEvent);
    all_early(storm, kMoment + std::chrono::minutes(1));
  }
  SECTION("events that the broker got long ago") {
    Storm storm(ClockMode::kWall);
    all_early(storm, kMoment + std::chrono::minutes(10));
  }
}

}  // namespace
}  // namespace portrait
