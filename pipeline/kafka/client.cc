#include "pipeline/kafka/client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/log.h"

namespace portrait {
namespace {

using SteadyClock = std::chrono::steady_clock;

LogLevel LevelOf(int syslog_level, std::string_view facility) {
  // Failed connections come for every broker and every attempt; KafkaClient tells the outage itself, once. CONFWARN
  // complains of a consumer's property on a producer and the reverse, but the user gives one list for both.
  if (facility == "FAIL" || facility == "CONFWARN") return LogLevel::kDebug;
  if (facility == "ERROR") return LogLevel::kInfo;
  if (syslog_level <= 2) return LogLevel::kError;
  if (syslog_level <= 4) return LogLevel::kWarning;
  return syslog_level <= 6 ? LogLevel::kInfo : LogLevel::kDebug;
}

}  // namespace

absl::StatusOr<std::shared_ptr<KafkaClient>> KafkaClient::Create(rd_kafka_type_t type, KafkaConf conf,
                                                                 KafkaHooks hooks) {
  if (!conf.status().ok()) return conf.status();
  std::shared_ptr<KafkaClient> client(new KafkaClient(std::move(hooks)));
  rd_kafka_conf_set_opaque(conf.get(), client.get());
  rd_kafka_conf_set_log_cb(conf.get(), OnLog);
  rd_kafka_conf_set_error_cb(conf.get(), OnError);
  if (client->hooks_.on_rebalance) rd_kafka_conf_set_rebalance_cb(conf.get(), OnRebalance);
  if (client->hooks_.on_delivery) rd_kafka_conf_set_dr_msg_cb(conf.get(), OnDelivery);

  char why[512] = "";
  client->handle_ = rd_kafka_new(type, conf.get(), why, sizeof why);
  if (client->handle_ == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("kafka client ", client->name(), ": ", why));
  }
  conf.Release();  // the handle's now
  return client;
}

KafkaClient::~KafkaClient() {
  // Whoever wants to leave a group properly has closed the consumer before.
  if (handle_ != nullptr) rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void KafkaClient::OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  const auto* self = static_cast<const KafkaClient*>(handle != nullptr ? rd_kafka_opaque(handle) : nullptr);
  const std::string_view name = self != nullptr ? std::string_view(self->name()) : std::string_view("-");
  Log(LevelOf(level, facility), "librdkafka", {{"client", name}, {"facility", facility}, {"text", text}});
}

void KafkaClient::OnError(rd_kafka_t*, int error, const char* reason, void* self) {
  static_cast<KafkaClient*>(self)->HandleError(static_cast<rd_kafka_resp_err_t>(error), reason);
}

void KafkaClient::OnRebalance(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* list,
                              void* self) {
  static_cast<KafkaClient*>(self)->hooks_.on_rebalance(error, list);
}

void KafkaClient::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  static_cast<KafkaClient*>(self)->hooks_.on_delivery(message);
}

void KafkaClient::HandleError(rd_kafka_resp_err_t error, std::string_view reason) {
  if (error == RD_KAFKA_RESP_ERR__FATAL) {
    char text[512] = "";
    const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(handle_, text, sizeof text);
    LogError("Kafka client has failed for good",
             {{"client", name()}, {"error", rd_kafka_err2name(cause)}, {"reason", text}});
    return;
  }
  if (error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    const std::lock_guard lock(mutex_);
    trouble_ = SteadyClock::now();
  }
  const bool refused = StatusCodeOf(error) == absl::StatusCode::kUnauthenticated;
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || refused) {
    TellAway(error, reason);
  } else {
    const std::lock_guard lock(mutex_);
    reason_ = std::string(reason);
    LogDebug("Kafka client error", {{"client", name()}, {"error", rd_kafka_err2name(error)}, {"reason", reason}});
  }
}

void KafkaClient::TellAway(rd_kafka_resp_err_t error, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || reason_.empty()) reason_ = std::string(reason);
  if (away_.exchange(true)) return;
  away_since_ = SteadyClock::now();
  LogWarning("Kafka brokers are away", {{"client", name()}, {"error", rd_kafka_err2name(error)}, {"reason", reason_}});
}

void KafkaClient::HeardFromBroker() {
  if (!away_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  if (!away_.exchange(false)) return;
  reason_.clear();
  const std::chrono::duration<double> away = SteadyClock::now() - away_since_;
  LogInfo("Kafka brokers are back", {{"client", name()}, {"away_s", away.count()}});
}

bool KafkaClient::HadTrouble(Duration within) const {
  const std::lock_guard lock(mutex_);
  return trouble_ && SteadyClock::now() - *trouble_ <= within;
}

absl::Status KafkaClient::Fatal() const {
  char text[512] = "";
  const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(handle_, text, sizeof text);
  return StatusOf(cause, absl::StrCat("kafka client ", name()), text);
}

absl::Status KafkaClient::CheckReachable() {
  if (!away_.load(std::memory_order_relaxed)) return absl::OkStatus();
  bool ask = false;
  std::string reason;
  {
    const std::lock_guard lock(mutex_);
    const SteadyClock::time_point now = SteadyClock::now();
    ask = now - asked_ >= seconds(1);
    if (ask) asked_ = now;
    reason = reason_;
  }
  if (ask) {
    const rd_kafka_metadata_t* answer = nullptr;
    if (rd_kafka_metadata(handle_, /*all_topics=*/0, nullptr, &answer, 100) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(answer);
      HeardFromBroker();
      return absl::OkStatus();
    }
  }
  return absl::UnavailableError(absl::StrCat("kafka brokers are away: ", reason));
}

}  // namespace portrait
