#include "pipeline/config/config.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "pipeline/config/setting.h"
#include "tests/pipeline/documents.h"

namespace portrait {
namespace {

// All that a text gets: "ok", or its errors.
std::string Verdict(std::string_view yaml) {
  const auto config = ParseConfig(yaml, "f");
  return config.ok() ? "ok" : std::string(config.status().message());
}

std::string Show(const Config& config, std::string_view key) {
  for (const Setting& setting : Settings()) {
    if (setting.key == key) return setting.show(config);
  }
  return "no such setting";
}

TEST_CASE("an empty file is the default configuration") {
  const auto config = ParseConfig("# nothing\n", "f");
  REQUIRE(config.ok());
  for (const Setting& setting : Settings()) CHECK(setting.show(*config) == setting.show(Config()));
  CHECK(config->engine.sources.size() == 5);
}

TEST_CASE("what is set is read, each level a map of its own") {
  const auto config = ParseConfig(R"(
application: {id: shop}
brokers: kafka-1:9092,kafka-2:9092
workers: 4
state:
  dir: /var/lib/shop
sources:
  - {topic: clicks}
  - {topic: orders, format: protobuf}
outputs:
  tag-changes: {topic: shop-tags, format: json}
commit: {interval: 50ms}
memory: {limit: 1GiB}
clock: event
time_zone: Europe/Berlin
http: {listen: 8080}
log: {level: debug, format: json}
kafka: {security.protocol: ssl}
)",
                                  "f");
  REQUIRE(config.ok());
  const EngineOptions& engine = config->engine;
  CHECK(engine.application_id == "shop");
  CHECK(engine.JournalTopic() == "shop.journal");
  CHECK(config->kafka.brokers == "kafka-1:9092,kafka-2:9092");
  CHECK(engine.workers == 4);
  CHECK(engine.state_dir == "/var/lib/shop");
  CHECK(Show(*config, "sources") == "[{topic: clicks, format: json}, {topic: orders, format: protobuf}]");
  CHECK(Show(*config, "outputs") == "{tag-changes: {topic: shop-tags, format: json}}");
  CHECK(engine.commit_interval == std::chrono::milliseconds(50));
  CHECK(engine.memory_limit == 1u << 30);
  CHECK(engine.clock == ClockMode::kEvent);
  CHECK(engine.zone.name() == "Europe/Berlin");
  CHECK(config->http.listen->host == "127.0.0.1");
  CHECK(config->http.listen->port == 8080);
  CHECK(config->log.level == LogLevel::kDebug);
  CHECK(config->log.format == LogFormat::kJson);
  CHECK(config->kafka.properties == std::map<std::string, std::string>{{"security.protocol", "ssl"}});
}

TEST_CASE("a setting that does not exist is named with what comes near") {
  CHECK(Verdict("worker: 4") == "f:1: worker: no such setting; did you mean workers");
  CHECK(Verdict("log: {levl: info}") == "f:1: log.levl: no such setting; did you mean log.level");
  CHECK(Verdict("\n\ncomit: {interval: 1s}") == "f:3: comit: no such setting; did you mean commit");
  CHECK(Verdict("commit.interval: 1s") ==
        "f:1: commit.interval: each level is a map of its own; write commit: {interval: ...}");
  CHECK(Verdict("xyzzy: 1") == "f:1: xyzzy: no such setting");
}

TEST_CASE("every error of a file is told, in the order of its lines") {
  CHECK(Verdict("commit:\n  interval: 100\nworkers: many\nclock: wal\n") ==
        "f:2: commit.interval: needs a unit: us, ms, s, m, h or d, as in 100ms: 100\n"
        "f:3: workers: must be a whole number: many\n"
        "f:4: clock: must be wall or event: wal");
}

TEST_CASE("a value outside of its range is refused with the range") {
  CHECK(Verdict("workers: 0") == "f:1: workers: must be 1 to 256: 0");
  CHECK(Verdict("commit: {interval: 1h}") == "f:1: commit.interval: must be 1ms to 30s: 1h");
  CHECK(Verdict("memory: {limit: 1KiB}") == "f:1: memory.limit: must be at least 100MB: 1KiB");
  CHECK(Verdict("application: {id: 'my shop'}") ==
        "f:1: application.id: must be at most 200 letters, digits, dots, underscores and hyphens: my shop");
}

TEST_CASE("settings that contradict each other are refused") {
  CHECK(Verdict("commit: {interval: 20s}\ntransaction: {timeout: 1m}\nsession: {timeout: 1m}") ==
        "f: checkpoint.interval: must not be shorter than commit.interval");
  CHECK(Verdict("commit: {interval: 8s}") == "f: transaction.timeout: must be at least twice commit.interval");
  CHECK(
      Verdict("session: {timeout: 6s}") ==
      "f: transaction.timeout: must be at most session.timeout: who takes over would wait for the open transaction of "
      "the dead");
}

TEST_CASE("a key given twice is refused") {
  CHECK(Verdict("workers: 1\nworkers: 2") == "f:2: workers: given twice");
  CHECK(Verdict("log: {level: info}\nlog: {format: json}") == "f:2: log: given twice");
}

TEST_CASE("what is no map of settings is refused") {
  CHECK(Verdict("just words") == "f:1: must be a map of settings: just words");
  CHECK(Verdict("- a\n- b") == "f:1: must be a map of settings");
  CHECK(Verdict("log: debug") == "f:1: log: must be a map of settings: debug");
  CHECK(Verdict("workers: [1]") == "f:1: workers: must be a single value");
  CHECK(Verdict("workers:") == "f:1: workers: has no value");
  CHECK(Verdict("workers: 1\n---\nworkers: 2") == "f:3: a second document begins here; one is allowed");
  CHECK(Verdict("log: {level: info") == "f:1: not valid YAML: end of map flow not found");
  CHECK(Verdict("log:\n\tlevel: info").find("f:2: not valid YAML: ") == 0);
}

TEST_CASE("sources and outputs are checked") {
  CHECK(Verdict("sources: []").find("f:1: sources: must be a list with a topic or more") == 0);
  CHECK(Verdict("sources:\n  - {topic: a}\n  - {topic: a}") == "f:3: sources: two sources of one topic: a");
  CHECK(Verdict("sources:\n  - {format: json}") == "f:2: sources: a source needs a topic");
  CHECK(Verdict("sources:\n  - {topic: a, format: avro}") == "f:2: sources.format: must be protobuf or json: avro");
  CHECK(Verdict("sources:\n  - {topic: a, kind: x}") ==
        "f:2: sources.kind: no such setting; known here are topic and format");
  CHECK(Verdict("outputs: [a]").find("f:1: outputs: must be a map") == 0);
}

TEST_CASE("librdkafka judges its properties, and those that Portrait sets are refused") {
  CHECK(Verdict("kafka: {ssl.ca.locatin: /x}") ==
        "f:1: kafka.ssl.ca.locatin: librdkafka has no such property; did you mean ssl.ca.location: /x");
  CHECK(Verdict("kafka: {security.protocol: tls}") ==
        "f:1: kafka.security.protocol: librdkafka does not accept this value: tls");
  CHECK(Verdict("kafka: {group.id: x}") == "f:1: kafka.group.id: is set by application.id: x");
  CHECK(Verdict("kafka: {isolation.level: read_uncommitted}") ==
        "f:1: kafka.isolation.level: is set by Portrait; its guarantees depend on it: read_uncommitted");
  CHECK(Verdict("kafka: {ssl: {ca.location: x}}") ==
        "f:1: kafka.ssl: must be a single value; write the property's name with its dots");
}

TEST_CASE("a variable of the environment stands for its value, and the value is never shown") {
  setenv("PORTRAIT_TEST_PASSWORD", "hunter2", 1);
  setenv("PORTRAIT_TEST_COUNT", "hunter3", 1);
  const auto config = ParseConfig("kafka: {sasl.password: 'x${PORTRAIT_TEST_PASSWORD}y', sasl.username: '$${a}'}", "f");
  REQUIRE(config.ok());
  CHECK(config->kafka.properties.at("sasl.password") == "xhunter2y");
  CHECK(config->kafka.properties.at("sasl.username") == "${a}");
  CHECK(Show(*config, "kafka").find("hunter2") == std::string::npos);
  CHECK(Verdict("workers: ${PORTRAIT_TEST_COUNT}") == "f:1: workers: must be a whole number: ${PORTRAIT_TEST_COUNT}");
  CHECK(Verdict("kafka: {retries: '${PORTRAIT_TEST_COUNT}'}") ==
        "f:1: kafka.retries: librdkafka does not accept this value: ${PORTRAIT_TEST_COUNT}");
}

TEST_CASE("a variable that does not exist is named, once") {
  unsetenv("PORTRAIT_TEST_NOTHING");
  CHECK(Verdict("workers: ${PORTRAIT_TEST_NOTHING}") ==
        "f:1: workers: no such environment variable: PORTRAIT_TEST_NOTHING");
  CHECK(Verdict("brokers: ${PORTRAIT_TEST") ==
        "f:1: brokers: not a variable; write ${NAME}, or $${ for ${ itself: ${PORTRAIT_TEST");
}

TEST_CASE("a password in the file is not shown") {
  const auto config = ParseConfig("kafka: {sasl.password: hunter2, ssl.key.location: /k}", "f");
  REQUIRE(config.ok());
  CHECK(Show(*config, "kafka") == "{sasl.password: (hidden), ssl.key.location: /k}");
}

TEST_CASE("time zones of the database only") {
  for (const auto* zone : {"Mars/Olympus", "localtime", "/etc/localtime", "../zone", "''"}) {
    CHECK(Verdict(std::string("time_zone: ") + zone).find("must be a name of the time-zone database") !=
          std::string::npos);
  }
}

TEST_CASE("addresses are checked") {
  CHECK(Verdict("http: {listen: '[::1]:0'}") == "ok");
  CHECK(Verdict("http: {listen: 'localhost:99999'}").find("must be off or an address with a port") !=
        std::string::npos);
  CHECK(Verdict("brokers: 'a:9092, b:9093'") == "ok");
  CHECK(Verdict("brokers: 'a:port'").find("must be addresses with ports") != std::string::npos);
  CHECK(Verdict("brokers: ''").find("must be addresses with ports") != std::string::npos);
}

TEST_CASE("the options of the operators are settings too") {
  const auto config = ParseConfig(R"(
currency: {home: EUR, rates: {USD: 0.92, GBP: 1.17}}
site: {session_gap: 20m}
tags:
  silent: 45d
churn:
  horizon: 60d
  silence: {least: 36h}
predictions: {discount: 0.15, holdout: 0.05}
)",
                                  "f");
  REQUIRE(config.ok());
  CHECK(config->currency.home == "EUR");
  CHECK(Show(*config, "currency.rates") == "{GBP: 1.17, USD: 0.92}");
  CHECK(config->chain.site.session_gap == minutes(20));
  CHECK(config->chain.tags_silent_days == 45);
  CHECK(config->chain.churn.horizon_days == 60);
  CHECK(config->chain.churn.least_silence_days == 1.5);
  CHECK(Show(*config, "churn.silence.least") == "36h");
  CHECK(config->chain.predictions.discount == 0.15);
  CHECK(config->chain.predictions.holdout == 0.05);
}

TEST_CASE("thresholds that contradict each other are refused, all of them") {
  CHECK(Verdict("churn: {medium: 0.9, contacts: {drop: 0.8}}") ==
        "f: churn.medium: must be below churn.high\n"
        "f: churn.contacts.recovered: must not be below churn.contacts.drop");
  CHECK(Verdict("tags: {silent: 36h}") == "f:1: tags.silent: must be whole days: 36h");
  CHECK(Verdict("churn: {high: nan}") == "f:1: churn.high: must be 0 to 1: nan");
  CHECK(Verdict("churn: {profit: {cost: 2.5, success: 0.1}}") == "ok");
  CHECK(Verdict("churn: {profit: {cost: 2.5, margin: 0}}") ==
        "f: churn.profit.success: must be above 0 where churn.profit.cost is given: 0\n"
        "f: churn.profit.margin: must be above 0 where churn.profit.cost is given: 0");
  CHECK(Verdict("churn: {profit: {success: 0.1, medium: 4}}") ==
        "f: churn.profit.medium: must be below churn.profit.high\n"
        "f: churn.profit.success: has no effect without churn.profit.cost");
}

TEST_CASE("currencies and their rates are checked") {
  CHECK(Verdict("currency: {home: usd}") ==
        "f:1: currency.home: must be a currency code of three capital letters (ISO 4217), such as USD: usd");
  CHECK(Verdict("currency: {rates: {eur: 1, GBP: -2}}") ==
        "f:1: currency.rates.eur: must be a currency code of three capital letters (ISO 4217), such as USD\n"
        "f:1: currency.rates.GBP: must be 1e-09 to 1000000: -2");
  CHECK(Verdict("currency: {rates: {USD: 1}}") == "f: currency.rates: the home currency has no rate: USD");
}

TEST_CASE("a file that cannot be read is named") {
  CHECK(LoadConfig("/nowhere/portrait.yaml").status().message() ==
        "the configuration cannot be read (No such file or directory): /nowhere/portrait.yaml");
  CHECK(LoadConfig("/").status().message() == "the configuration is a directory: /");
}

TEST_CASE("deploy/portrait.yaml is good, and says what the defaults are") {
  const auto config = LoadConfig(std::string(PORTRAIT_SOURCE_DIR) + "/deploy/portrait.yaml");
  REQUIRE(config.ok());
  for (const Setting& setting : Settings()) {
    if (setting.key == "http.listen") continue;
    CHECK(setting.key + ": " + setting.show(*config) == setting.key + ": " + setting.show(Config()));
  }
  CHECK(Show(*config, "http.listen") == "127.0.0.1:8080");
}

std::vector<std::string> Rows(bool essential) {
  std::vector<std::string> rows;
  for (const Setting& setting : Settings()) {
    if (setting.essential != essential) continue;
    rows.push_back("| `" + setting.key + "` | " + setting.type + " | `" + setting.show(Config()) + "` | " +
                   (setting.changes_results ? "yes" : "") + " | " + setting.meaning + " |");
  }
  return rows;
}

TEST_CASE("docs/configuration.md lists every setting as the code has it") {
  CHECK(TableUnder("docs/configuration.md", "## The settings to know", Rows(true)) == Joined(Rows(true)));
  CHECK(TableUnder("docs/configuration.md", "## All others", Rows(false)) == Joined(Rows(false)));
}

TEST_CASE("what is shown of a setting reads back as the same") {
  for (const Setting& setting : Settings()) {
    const ConfigNode node = [&] {
      ConfigProblems problems("f");
      const ConfigNode root = ReadConfigTree("value: " + setting.show(Config()), problems);
      REQUIRE(problems.empty());
      return root.entries.at(0).value;
    }();
    Config again;
    ConfigProblems problems("f");
    setting.read(node, again, problems);
    CHECK(problems.empty());
    CHECK(setting.show(again) == setting.show(Config()));
  }
}

}  // namespace
}  // namespace portrait
