// The configuration of the program: one YAML file, documented in docs/configuration.md.
//
//   absl::StatusOr<Config> config = LoadConfig("portrait.yaml");
//   if (!config.ok()) std::cerr << config.status().message();  // every error of the file, one a line
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/churn.h"
#include "operators/churn_examples.h"
#include "operators/clean.h"
#include "operators/predictions.h"
#include "operators/site.h"
#include "pipeline/options.h"

namespace portrait {

struct KafkaConfig {
  std::string brokers = "localhost:9092";
  std::map<std::string, std::string> properties;  // for librdkafka as they are: TLS, SASL, tuning
};

struct HttpConfig {
  struct Address {
    std::string host;
    int port = 0;  // 0: any free port
  };
  std::optional<Address> listen;  // nothing: no HTTP server
};

// What a token of the view may do: docs/view.md.
enum class ViewRole { kReader, kAnalyst, kOperator, kAdmin };

struct ViewToken {
  std::string name;  // whose it is, for the audit log
  ViewRole role = ViewRole::kReader;
  std::string token;

  friend bool operator==(const ViewToken&, const ViewToken&) = default;
};

// The HTTP API for people and programs that look customers up.
struct ViewConfig {
  std::optional<HttpConfig::Address> listen;  // nothing: there is none
  std::string address;                        // by which other instances reach it; empty: they do not
  std::vector<ViewToken> tokens;              // none: whoever is on this machine is an admin
  std::string tokens_file;                    // more of them
  std::string tls_certificate, tls_key;       // PEM files; empty: no encryption
  std::string tls_authorities;                // PEM file; empty: those that the system trusts
  std::string page;                           // folder; empty: that of the installation
  Duration session = hours(12);               // for how long a login lasts
  size_t recent_bytes = 32u << 20;            // results remembered for streams and timelines
};

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

struct CurrencyConfig {
  std::string home = "USD";
  std::map<std::string, double> rates;  // what one unit of another currency is worth in the home currency
};

// The rules of tags: a file, or those that are built in.
struct RulesConfig {
  RulesConfig();

  std::string path;  // as it is written; empty: those that are built in
  std::string name;  // for messages
  std::string text;
};

// Rules that run beside those in force, without an effect. They are decided while the service runs (control.proto).
struct ShadowRules {
  std::string name;  // of their file, for messages
  std::string text;
  int64_t begun = 0;  // control position of the record that put them there
};

// Models that were brought into force while the service ran.
struct DecidedModels {
  std::string name;   // of their file, for messages
  std::string text;   // of that file; empty: those of the configuration again
  int64_t begun = 0;  // control position of the record that brought them
};

// The rules and models of a chain, as they were decided while the service ran.
struct DecidedRules {
  std::string name;  // empty, like the text: the rules of the configuration
  std::string text;
  std::optional<ShadowRules> shadow = std::nullopt;
  std::optional<DecidedModels> models = std::nullopt;         // none: those of the configuration
  std::optional<DecidedModels> models_shadow = std::nullopt;  // beside those in force, without an effect
};

// The fitted models of churn, value and rhythm: a file (model_file.h), or those that are built in.
struct ModelsConfig {
  std::string path;  // as it is written; empty: those that are built in
  FittedModels fitted;
  std::string currency;  // that they were fitted in; empty: any
};

// Options of the operators. The currencies among them are left open: BuildDefaultChain fills them in from
// CurrencyConfig.
struct ChainConfig {
  CleanOptions clean;
  SiteOptions site;
  RulesConfig rules;
  std::optional<ShadowRules> shadow;
  int tags_silent_days = 60;
  // Of these three, models, rhythm, horizon and holdout have one place each: models, churn.horizon_days, predictions.
  ChurnOptions churn;
  PredictionsOptions predictions;
  ChurnExamplesOptions churn_examples;
  ModelsConfig models;
  std::optional<FittedModels> models_shadow;  // decided while the service runs, like the shadow
};

// Config{} is the default configuration.
struct Config {
  Config();

  EngineOptions engine;
  CurrencyConfig currency;
  ChainConfig chain;
  KafkaConfig kafka;
  HttpConfig http;
  ViewConfig view;
  LogConfig log;

  // What was taken from the environment, as it was written: {"kafka.sasl.password", "${PASSWORD}"}. Shown in place of
  // the value.
  std::map<std::string, std::string> from_environment;
};

// InvalidArgument: the file cannot be read or is refused; the message has a line for every error, such as
//   portrait.yaml:7: commit.interval: needs a unit: ms, s, m, h or d, as in 100ms: 100
absl::StatusOr<Config> LoadConfig(const std::filesystem::path& path);

// The same from text; `name` stands for the file in messages.
absl::StatusOr<Config> ParseConfig(std::string_view text, std::string_view name);

}  // namespace portrait
