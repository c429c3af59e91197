#include "pipeline/config/kafka_properties.h"

#include <librdkafka/rdkafka.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "operators/nearest_name.h"

namespace portrait {
namespace {

struct Owned {
  std::string_view name;
  std::string_view instead;  // what the user sets; empty: nothing
};

// Exactly-once and the placement of partitions rest on these.
constexpr Owned kOwned[] = {
    {"bootstrap.servers", "brokers"},
    {"metadata.broker.list", "brokers"},
    {"group.id", "application.id"},
    {"group.instance.id", "instance.id"},
    {"transactional.id", "instance.id"},
    {"transaction.timeout.ms", "transaction.timeout"},
    {"client.id", "instance.id"},
    {"session.timeout.ms", "session.timeout"},
    {"max.poll.interval.ms", ""},
    {"isolation.level", ""},
    {"enable.idempotence", ""},
    {"enable.gapless.guarantee", ""},
    {"acks", ""},
    {"request.required.acks", ""},
    {"delivery.report.only.error", ""},
    {"enable.auto.commit", ""},
    {"enable.auto.offset.store", ""},
    {"auto.commit.enable", ""},
    {"auto.offset.reset", ""},
    {"partition.assignment.strategy", ""},
    {"enable.partition.eof", ""},
    {"partitioner", ""},
};

// The names of all properties, for suggestions: the first column of librdkafka's own table.
std::vector<std::string> AllProperties() {
  char* text = nullptr;
  size_t size = 0;
  std::vector<std::string> names;
  FILE* file = open_memstream(&text, &size);
  if (file == nullptr) return names;
  rd_kafka_conf_properties_show(file);
  std::fclose(file);
  for (const absl::string_view line : absl::StrSplit(absl::string_view(text, size), '\n')) {
    const absl::string_view name = line.substr(0, line.find_first_of(" |"));
    if (absl::StrContains(line, "|") && absl::StrContains(name, ".")) names.emplace_back(name);
  }
  std::free(text);
  return names;
}

}  // namespace

absl::Status CheckKafkaProperty(const std::string& name, const std::string& value) {
  for (const Owned& owned : kOwned) {
    if (name != owned.name) continue;
    if (owned.instead.empty()) return absl::InvalidArgumentError("is set by Portrait; its guarantees depend on it");
    return absl::InvalidArgumentError(absl::StrCat("is set by ", std::string(owned.instead)));
  }
  const std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)> conf(rd_kafka_conf_new(),
                                                                                rd_kafka_conf_destroy);
  char error[512];
  switch (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), error, sizeof(error))) {
    case RD_KAFKA_CONF_OK: return absl::OkStatus();
    case RD_KAFKA_CONF_INVALID: return absl::InvalidArgumentError("librdkafka does not accept this value");
    case RD_KAFKA_CONF_UNKNOWN: break;
  }
  const std::vector<std::string> all = AllProperties();
  return absl::InvalidArgumentError("librdkafka has no such property" + DidYouMean(name, {all.begin(), all.end()}));
}

bool IsSecretKafkaProperty(std::string_view name) {
  for (const std::string_view part : {"password", "secret", ".pem", "jaas", "oauthbearer.config", "token"}) {
    if (name.find(part) != std::string_view::npos) return name.find("location") == std::string_view::npos;
  }
  return false;
}

}  // namespace portrait
