// One librdkafka handle with its callbacks: logs go to spdlog, an outage is told once, fatal errors are kept.
//
//   absl::StatusOr<std::shared_ptr<KafkaClient>> client =
//       KafkaClient::Create(RD_KAFKA_CONSUMER, std::move(conf), {.name = "topics"});
//   rd_kafka_metadata((*client)->get(), ...);
//
// Shared: records point into memory of the handle, so the last of them may outlive whoever polled it.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "operators/time.h"
#include "pipeline/kafka/errors.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/kafka/options.h"

namespace portrait {

// Called on the thread that polls the handle.
struct KafkaHooks {
  std::string name;  // what the handle is for; in logs
  std::function<void(rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*)> on_rebalance;
  std::function<void(const rd_kafka_message_t*)> on_delivery;
};

// get() may be used from any thread, as librdkafka says; the rest is for the thread that polls.
class KafkaClient {
 public:
  // InvalidArgument: librdkafka refuses the properties, or `conf` holds an error.
  static absl::StatusOr<std::shared_ptr<KafkaClient>> Create(rd_kafka_type_t type, KafkaConf conf, KafkaHooks hooks);

  ~KafkaClient();
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  rd_kafka_t* get() const { return handle_; }
  const std::string& name() const { return hooks_.name; }

  // OK, or what makes the handle useless for good.
  absl::Status Fatal() const;

  // OK while brokers can be reached as far as is known. While they are away, asks them again at most once a second
  // (and waits 0.1 s for the answer); still away: Unavailable with the last reason.
  absl::Status CheckReachable();
  // A broker has just answered.
  void HeardFromBroker();
  // A broker could not be reached, or went away, within this time.
  bool HadTrouble(Duration within) const;

 private:
  explicit KafkaClient(KafkaHooks hooks) : hooks_(std::move(hooks)) {}

  static void OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text);
  static void OnError(rd_kafka_t* handle, int error, const char* reason, void* self);
  static void OnRebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* list,
                          void* self);
  static void OnDelivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* self);
  void HandleError(rd_kafka_resp_err_t error, std::string_view reason);
  void TellAway(rd_kafka_resp_err_t error, std::string_view reason);

  KafkaHooks hooks_;
  rd_kafka_t* handle_ = nullptr;

  mutable std::mutex mutex_;  // error callbacks of a producer may come on any thread that flushes
  std::optional<std::chrono::steady_clock::time_point> trouble_;  // guarded by mutex_
  std::string reason_;                                            // guarded by mutex_: the last connection error
  std::chrono::steady_clock::time_point away_since_;              // guarded by mutex_
  std::chrono::steady_clock::time_point asked_;                   // guarded by mutex_
  std::atomic<bool> away_ = false;
};

}  // namespace portrait
