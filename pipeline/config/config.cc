#include "pipeline/config/config.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "operators/nearest_name.h"
#include "pipeline/config/model_file.h"
#include "pipeline/config/models_config.h"
#include "pipeline/config/rule_file.h"
#include "pipeline/config/setting.h"
#include "pipeline/config/settings.h"
#include "pipeline/config/text_file.h"

namespace portrait {

Config::Config() {
  for (const char* topic : {"browsing-events", "email-events", "purchase-events", "service-events", "profile-events"}) {
    engine.sources.push_back({topic, WireFormat::kJson});
  }
}

namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

const Setting* FindSetting(std::string_view key) {
  const auto& all = Settings();
  const auto it = std::find_if(all.begin(), all.end(), [&](const Setting& setting) { return setting.key == key; });
  return it == all.end() ? nullptr : &*it;
}

bool IsGroup(std::string_view key) {
  const std::string prefix = std::string(key) + ".";
  return std::any_of(Settings().begin(), Settings().end(),
                     [&](const Setting& setting) { return setting.key.starts_with(prefix); });
}

// Records which values came from the environment, so that nobody shows them.
void NoteEnvironment(const ConfigNode& node, const std::string& key, Config& config) {
  if (node.from_environment()) config.from_environment.emplace(key, node.written);
  for (const ConfigNode& item : node.items) NoteEnvironment(item, key, config);
  for (const ConfigNode::Entry& entry : node.entries) {
    NoteEnvironment(entry.value, absl::StrCat(key, ".", entry.key), config);
  }
}

// "commit.interval" as it must stand in the file.
std::string Nested(std::string_view key) {
  std::string out = absl::StrReplaceAll(absl::string_view(key.data(), key.size()), {{".", ": {"}});
  out += ": ...";
  return out + std::string(static_cast<size_t>(std::count(key.begin(), key.end(), '.')), '}');
}

std::string UnknownKey(const std::string& path, const std::string& key) {
  if (key.find('.') != std::string::npos && (FindSetting(path) != nullptr || IsGroup(path))) {
    return absl::StrCat("each level is a map of its own; write ", Nested(path));
  }
  std::vector<std::string_view> names;
  for (const Setting& setting : Settings()) {
    names.push_back(setting.key);
    for (size_t dot = setting.key.find('.'); dot != std::string::npos; dot = setting.key.find('.', dot + 1)) {
      names.push_back(std::string_view(setting.key).substr(0, dot));
    }
  }
  return "no such setting" + DidYouMean(path, names);
}

void ReadGroup(const ConfigNode& node, const std::string& above, Config& config, ConfigProblems& problems) {
  for (const ConfigNode::Entry& entry : node.entries) {
    const std::string path = above.empty() ? entry.key : absl::StrCat(above, ".", entry.key);
    if (const Setting* setting = entry.key.find('.') == std::string::npos ? FindSetting(path) : nullptr) {
      setting->read(entry.value, config, problems);
      NoteEnvironment(entry.value, path, config);
    } else if (!IsGroup(path) || entry.key.find('.') != std::string::npos) {
      problems.Add(entry.line, path, UnknownKey(path, entry.key));
    } else if (entry.value.kind == ConfigNode::Kind::kMap) {
      ReadGroup(entry.value, path, config, problems);
    } else if (entry.value.kind != ConfigNode::Kind::kNothing) {
      Refuse(entry.value, path, "must be a map of settings", problems);
    }
  }
}

// A path that is not absolute begins at the folder of the configuration.
void ReadRulesOf(std::string_view config_name, Config& config, ConfigProblems& problems) {
  RulesConfig& rules = config.chain.rules;
  if (rules.path.empty()) return;
  const std::filesystem::path path = std::filesystem::path(config_name).parent_path() / rules.path;
  auto text = ReadTextFile(path, kRuleFileBytes);
  if (!text.ok()) return problems.Add(0, "tags.rules", std::string(text.status().message()));
  rules.name = path.string();
  rules.text = *std::move(text);
}

void ReadModelsOf(std::string_view config_name, Config& config, ConfigProblems& problems) {
  ModelsConfig& models = config.chain.models;
  if (models.path.empty()) return;
  const auto file = ReadModelFile(std::filesystem::path(config_name).parent_path() / models.path);
  if (!file.ok()) return problems.Add(0, "models.file", std::string(file.status().message()));
  const std::string path = models.path;
  models = ModelsConfigOf(*file);
  models.path = path;
}

// What the horizon is to be to examples.
void CheckHorizon(const ChainConfig& chain, ConfigProblems& problems) {
  const int horizon = chain.churn.horizon_days, every = chain.churn_examples.every_days;
  if (every > 0 && every * ChurnExamplesOptions::kMostOpen < horizon) {
    problems.Add(0, "churn.examples.every",
                 absl::StrCat("must be a quarter of churn.horizon (", horizon, "d) or more: ", every, "d"));
  }
}

void CheckChurn(const ChurnOptions& churn, ConfigProblems& problems) {
  if (churn.medium >= churn.high) problems.Add(0, "churn.medium", "must be below churn.high");
  const ContactProfit& profit = churn.profit;
  if (profit.medium >= profit.high) problems.Add(0, "churn.profit.medium", "must be below churn.profit.high");
  if (profit.given() && profit.success == 0) {
    problems.Add(0, "churn.profit.success", "must be above 0 where churn.profit.cost is given: 0");
  }
  if (profit.given() && profit.margin == 0) {
    problems.Add(0, "churn.profit.margin", "must be above 0 where churn.profit.cost is given: 0");
  }
  if (!profit.given() && profit.success > 0) {
    problems.Add(0, "churn.profit.success", "has no effect without churn.profit.cost");
  }
  if (churn.contact_recovered < churn.contact_drop) {
    problems.Add(0, "churn.contacts.recovered", "must not be below churn.contacts.drop");
  }
  if (churn.complaint_forget_days <= churn.complaint_days) {
    problems.Add(0, "churn.complaints.forget", "must be longer than churn.complaints.after");
  }
}

// What no setting can judge alone.
void CheckTogether(const Config& config, ConfigProblems& problems) {
  CheckChurn(config.chain.churn, problems);
  CheckHorizon(config.chain, problems);
  if (absl::Status s = CheckModelsFor(config, config.chain.models); !s.ok()) {
    problems.Add(0, "models.file", std::string(s.message()));
  }
  if (config.currency.rates.count(config.currency.home) > 0) {
    problems.Add(0, "currency.rates", absl::StrCat("the home currency has no rate: ", config.currency.home));
  }
  const EngineOptions& engine = config.engine;
  if (engine.checkpoint_interval < engine.commit_interval) {
    problems.Add(0, "checkpoint.interval", "must not be shorter than commit.interval");
  }
  if (engine.transaction_timeout < 2 * engine.commit_interval) {
    problems.Add(0, "transaction.timeout", "must be at least twice commit.interval");
  }
  if (engine.transaction_timeout > engine.session_timeout) {
    problems.Add(0, "transaction.timeout",
                 "must be at most session.timeout: who takes over would wait for the open transaction of the dead");
  }
}

}  // namespace

RulesConfig::RulesConfig() : name("the rules that are built in"), text(kDefaultRules) {}

absl::StatusOr<Config> ParseConfig(std::string_view text, std::string_view name) {
  ConfigProblems problems(name);
  const ConfigNode root = ReadConfigTree(text, problems);
  Config config;
  if (root.kind == ConfigNode::Kind::kMap) {
    ReadGroup(root, "", config, problems);
  } else if (root.kind != ConfigNode::Kind::kNothing) {
    Refuse(root, "", "must be a map of settings", problems);
  }
  if (problems.empty()) ReadRulesOf(name, config, problems);
  if (problems.empty()) CompleteView(name, config, problems);
  if (problems.empty()) ReadModelsOf(name, config, problems);
  if (problems.empty()) CheckTogether(config, problems);
  if (!problems.empty()) return absl::InvalidArgumentError(problems.Text());
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::filesystem::path& path) {
  const auto text = ReadTextFile(path, kMaxFileBytes);
  if (!text.ok()) return absl::InvalidArgumentError(absl::StrCat("the configuration ", text.status().message()));
  return ParseConfig(*text, path.string());
}

}  // namespace portrait
