#include "view/other_results.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>

#include "pipeline/log.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/result_text.h"

namespace portrait::view {
namespace {

constexpr Duration kBack = seconds(10);  // what was written since partitions went elsewhere
constexpr Duration kLook = std::chrono::milliseconds(100);
constexpr Duration kAgain = seconds(1);          // after an error
constexpr Duration kBrokersWithin = seconds(2);  // a process that ends does not wait longer for brokers that are away

const v1::ResultInfo& InfoOf(bool alert, const google::protobuf::Message& result) {
  return alert ? static_cast<const v1::ChurnAlert&>(result).info() : static_cast<const v1::TagChange&>(result).info();
}

}  // namespace

OtherResults::OtherResults(const Chain& chain, const Config& config, ResultHub& hub) : config_(config), hub_(hub) {
  config_.engine.startup_timeout = kBrokersWithin;
  std::vector<ResultTopic> all = ResultTopics(chain, config.engine);
  std::copy_if(all.begin(), all.end(), std::back_inserter(topics_), [](const ResultTopic& topic) {
    return topic.type == v1::TagChange::descriptor() || topic.type == v1::ChurnAlert::descriptor();
  });
  thread_ = std::thread([this] { Work(); });
}

OtherResults::~OtherResults() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void OtherResults::Follow(bool elsewhere) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = elsewhere && !topics_.empty();
  }
  changed_.notify_all();
}

void OtherResults::Work() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return wanted_ || stop_; });
    }
    if (stop_) return;
    // From offsets that are known: the end itself is found out some time after a reader is told to begin there.
    const Timestamp since = SystemClock().Now() - kBack;
    auto reader = ResultReader::Open(config_, "view-results", topics_, KafkaTail::Start::At(since));
    if (reader.ok()) {
      hub_.OnGapElsewhere();
      LogInfo("the results of other processes are followed", {{"topics", topics_.size()}});
      Read(**reader);
      continue;
    }
    LogWarning("the results of other processes cannot be followed",
               {{"reason", std::string(reader.status().message())}});
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kAgain, [this] { return stop_.load(); });
  }
}

// Until nobody wants it any more, or the reader is of no more use.
void OtherResults::Read(ResultReader& reader) {
  while (wanted_ && !stop_) {
    auto next = reader.Next(kLook);
    if (absl::IsUnavailable(next.status())) continue;
    if (!next.ok()) {
      LogWarning("the results of other processes cannot be read", {{"reason", std::string(next.status().message())}});
      return;
    }
    if (!next->has_value() || !(*next)->record.value) continue;
    const ResultTopic& topic = *(*next)->topic;
    const auto result = DecodeResult(*topic.type, (*next)->record);
    if (!result.ok()) continue;  // of another build, or not ours
    const bool alert = topic.type == v1::ChurnAlert::descriptor();
    hub_.OnElsewhere(alert, InfoOf(alert, **result), (*result)->SerializeAsString());
  }
}

}  // namespace portrait::view
