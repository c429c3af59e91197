#include "pipeline/kafka/options.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "pipeline/config/kafka_properties.h"

namespace portrait {
namespace {

absl::Status Wrong(const std::string& name, const std::string& value, std::string_view why) {
  const std::string shown = IsSecretKafkaProperty(name) ? "(not shown)" : absl::StrCat("\"", value, "\"");
  return absl::InvalidArgumentError(
      absl::StrCat("kafka property ", name, " = ", shown, ": ", absl::string_view(why.data(), why.size())));
}

absl::Status CheckTimeouts(const KafkaOptions& options) {
  const auto millis = [](Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); };
  if (millis(options.transaction_timeout) < 1 || options.session_timeout < options.transaction_timeout) {
    return absl::InvalidArgumentError(
        absl::StrCat("transaction time-out must be at least 1 ms and at most the session time-out: transaction ",
                     millis(options.transaction_timeout), " ms, session ", millis(options.session_timeout), " ms"));
  }
  if (options.max_poll_interval < options.session_timeout) {
    return absl::InvalidArgumentError(absl::StrCat(
        "longest time between polls must be at least the session time-out: ", millis(options.max_poll_interval),
        " ms, session ", millis(options.session_timeout), " ms"));
  }
  return absl::OkStatus();
}

}  // namespace

KafkaConf::KafkaConf() : conf_(rd_kafka_conf_new()) {}

void KafkaConf::Apply(const std::string& name, const std::string& value) {
  if (!status_.ok()) return;
  char why[512] = "";
  if (rd_kafka_conf_set(conf_.get(), name.c_str(), value.c_str(), why, sizeof why) == RD_KAFKA_CONF_OK) return;
  status_ = Wrong(name, value, IsSecretKafkaProperty(name) ? "librdkafka refuses the value" : why);
}

KafkaConf& KafkaConf::Set(const std::string& name, const std::string& value) {
  Apply(name, value);
  return *this;
}

KafkaConf& KafkaConf::SetMillis(const std::string& name, Duration value) {
  return Set(name, std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
}

KafkaConf& KafkaConf::AddUser(const KafkaOptions& options) {
  if (!status_.ok()) return *this;
  if (options.brokers.empty()) {
    status_ = absl::InvalidArgumentError("no Kafka brokers are given");
    return *this;
  }
  Apply("bootstrap.servers", options.brokers);
  Apply("client.id", options.client_id.empty() ? options.instance_id : options.client_id);
  for (const auto& [name, value] : options.properties) {
    const absl::Status checked = CheckKafkaProperty(name, value);
    if (status_.ok() && !checked.ok())
      status_ = Wrong(name, value, {checked.message().data(), checked.message().size()});
    Apply(name, value);
  }
  return *this;
}

absl::Status CheckKafkaOptions(const KafkaOptions& options) {
  KafkaConf conf;
  conf.AddUser(options);
  if (!conf.status().ok()) return conf.status();
  if (options.group_id.empty()) return absl::InvalidArgumentError("the application id is empty");
  if (options.instance_id.empty()) return absl::InvalidArgumentError("the instance id is empty");
  return CheckTimeouts(options);
}

}  // namespace portrait
