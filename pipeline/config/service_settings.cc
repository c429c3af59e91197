#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "pipeline/config/kafka_properties.h"
#include "pipeline/config/settings.h"

namespace portrait {
namespace {

bool ParsePort(absl::string_view text, int& port) {
  return absl::SimpleAtoi(text, &port) && port >= 0 && port <= 65535;
}

// "host:port", "[::1]:port", or a port alone, which stays on this machine.
absl::StatusOr<std::optional<HttpConfig::Address>> ParseListen(std::string_view text) {
  if (text == "off") return std::nullopt;
  HttpConfig::Address address{.host = "127.0.0.1", .port = 0};
  std::string_view port = text;
  if (const size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    port = text.substr(colon + 1);
    std::string_view host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    address.host = std::string(host);
  }
  if (address.host.empty() || !ParsePort({port.data(), port.size()}, address.port)) {
    return absl::InvalidArgumentError("must be off or an address with a port, as in 127.0.0.1:8080 or 0.0.0.0:8080");
  }
  return address;
}

std::string ShowListen(const std::optional<HttpConfig::Address>& listen) {
  if (!listen) return "off";
  const bool six = listen->host.find(':') != std::string::npos;
  return absl::StrCat(six ? "[" : "", listen->host, six ? "]" : "", ":", listen->port);
}

absl::StatusOr<std::string> ParseBrokers(std::string_view text) {
  for (const absl::string_view broker : absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    const absl::string_view address = absl::StripAsciiWhitespace(broker);
    const size_t colon = address.rfind(':');
    int port = 0;
    if (address.empty() || colon == 0 || address.find_first_of(" \t") != absl::string_view::npos ||
        (colon != absl::string_view::npos && address.back() != ']' && !ParsePort(address.substr(colon + 1), port))) {
      return absl::InvalidArgumentError("must be addresses with ports, as in kafka-1:9092,kafka-2:9092");
    }
  }
  return std::string(text);
}

void ReadKafka(const ConfigNode& node, Config& config, ConfigProblems& problems) {
  if (node.kind == ConfigNode::Kind::kNothing) return;
  if (node.kind != ConfigNode::Kind::kMap) {
    Refuse(node, "kafka", "must be a map of librdkafka's properties, as in {security.protocol: ssl}", problems);
    return;
  }
  for (const ConfigNode::Entry& entry : node.entries) {
    const std::string key = absl::StrCat("kafka.", entry.key);
    if (entry.value.kind != ConfigNode::Kind::kScalar) {
      Refuse(entry.value, key, "must be a single value; write the property's name with its dots", problems);
    } else if (!entry.value.usable) {
      continue;
    } else if (absl::Status s = CheckKafkaProperty(entry.key, entry.value.text); !s.ok()) {
      const bool hide = IsSecretKafkaProperty(entry.key);
      problems.Add(entry.line, key, absl::StrCat(s.message(), ": ", hide ? "(hidden)" : entry.value.written));
    } else {
      config.kafka.properties[entry.key] = entry.value.text;
    }
  }
}

std::string ShowKafka(const Config& config) {
  return absl::StrCat("{",
                      absl::StrJoin(config.kafka.properties, ", ",
                                    [&](std::string* out, const auto& property) {
                                      const auto written = config.from_environment.find("kafka." + property.first);
                                      const bool environment = written != config.from_environment.end();
                                      absl::StrAppend(out, property.first, ": ",
                                                      environment                             ? written->second
                                                      : IsSecretKafkaProperty(property.first) ? "(hidden)"
                                                                                              : property.second);
                                    }),
                      "}");
}

}  // namespace

SettingType<std::optional<HttpConfig::Address>> ListenAddress() {
  return {"off, host:port or port", ParseListen, ShowListen};
}

void AddServiceSettings(std::vector<Setting>& all) {
  all.push_back(Essential(Scalar(
      "brokers", SettingType<std::string>{"host:port, ...", ParseBrokers, [](const std::string& text) { return text; }},
      "Kafka's brokers to begin with, separated by commas", [](auto& c) -> auto& { return c.kafka.brokers; })));
  all.push_back({.key = "kafka",
                 .type = "map of property: value",
                 .meaning =
                     "Properties of librdkafka, written with their dots, for encryption (`security.protocol`, "
                     "`ssl.ca.location`), passwords (`sasl.*`) and tuning; those that Portrait sets itself are refused",
                 .read = ReadKafka,
                 .show = ShowKafka});
  all.push_back(
      Scalar("http.listen", ListenAddress(),
             "Where `/metrics`, `/healthz` and `/readyz` are served; a port alone is open to this machine only",
             [](auto& c) -> auto& { return c.http.listen; }));
  all.push_back(Scalar("log.level",
                       OneOf<LogLevel>({{"debug", LogLevel::kDebug},
                                        {"info", LogLevel::kInfo},
                                        {"warning", LogLevel::kWarning},
                                        {"error", LogLevel::kError}}),
                       "What is logged: this and what is worse", [](auto& c) -> auto& { return c.log.level; }));
  all.push_back(Scalar("log.format", OneOf<LogFormat>({{"text", LogFormat::kText}, {"json", LogFormat::kJson}}),
                       "`text` for people, `json` for machines: an object a line",
                       [](auto& c) -> auto& { return c.log.format; }));
}

}  // namespace portrait
