#include "pipeline/config/default_chain.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "operators/churn.h"
#include "operators/churn_examples.h"
#include "operators/clean.h"
#include "operators/email.h"
#include "operators/learned_churn_model.h"
#include "operators/nearest_name.h"
#include "operators/person.h"
#include "operators/predictions.h"
#include "operators/purchases.h"
#include "operators/service.h"
#include "operators/site.h"
#include "operators/tags.h"
#include "pipeline/config/build_fingerprint.h"
#include "pipeline/config/models_config.h"
#include "pipeline/config/rule_file.h"
#include "pipeline/config/setting.h"

namespace portrait {
namespace {

constexpr std::string_view kDeadLetters = "dead-letters";  // written by the engine, not by an operator

std::string SettingsHash(const Config& config) {
  std::string text;
  for (const Setting& setting : Settings()) {
    if (!setting.changes_results) continue;
    const auto& counts = setting.substance ? setting.substance : setting.show;
    absl::StrAppend(&text, setting.key, "=", counts(config), "\n");
  }
  return absl::StrCat(absl::Hex(XXH3_64bits(text.data(), text.size()), absl::kZeroPad16)).substr(0, 12);
}

rules::RuleSource RulesOf(const std::string& name, const std::string& text) {
  return [name, text](const FeatureRegistry& features) -> absl::StatusOr<std::vector<rules::Rule>> {
    auto file = ReadRules(name, text, features);
    if (!file.ok()) return absl::InvalidArgumentError(absl::StrCat("not good rules\n", file.status().message()));
    return std::move(file->rules);
  };
}

CleanOptions CleaningOf(const Config& config) {
  CleanOptions clean = config.chain.clean;
  clean.home_currency = config.currency.home;
  clean.rates = config.currency.rates;
  return clean;
}

std::unique_ptr<Churn> ChurnInShadow(ChurnOptions churn, const std::optional<FittedModels>& models) {
  if (!models) return nullptr;
  churn.rhythm = models->rhythm;
  churn.models_begun = models->begun;
  return std::make_unique<Churn>(churn, MakeChurnModel(*models));
}

// The order matters: an operator reads the features of those before it. Tags come last, so that rules may name
// everything, the features of an extension, too.
void AddOperators(const Config& config, const ChainExtension& extension, ChainBuilder& builder) {
  builder.Cleaning(std::make_unique<Clean>(CleaningOf(config)));
  builder.Add<Site>(config.chain.site);
  builder.Add<Email>();
  builder.Add<Service>();
  builder.Add<Person>();
  builder.Add<Purchases>(PurchasesOptions{.home_currency = config.currency.home});
  const FittedModels& models = config.chain.models.fitted;
  PredictionsOptions predictions = config.chain.predictions;
  predictions.models = models;
  predictions.horizon_days = config.chain.churn.horizon_days;
  builder.Add<Predictions>(predictions);
  ChurnOptions churn = config.chain.churn;
  churn.home_currency = config.currency.home;
  churn.rhythm = models.rhythm;
  churn.models_begun = models.begun;
  churn.holdout = predictions.holdout;
  builder.Add<Churn>(churn, MakeChurnModel(models), ChurnInShadow(churn, config.chain.models_shadow));
  ChurnExamplesOptions examples = config.chain.churn_examples;
  examples.horizon_days = churn.horizon_days;
  examples.home_currency = config.currency.home;
  if (examples.every_days > 0) builder.Add<ChurnExamples>(examples, models, config.chain.models_shadow);
  if (extension.add) extension.add(builder);
  TagsOptions tags{.rules = RulesOf(config.chain.rules.name, config.chain.rules.text),
                   .silent_days = config.chain.tags_silent_days};
  if (const auto& shadow = config.chain.shadow) {
    tags.shadow = RulesOf(shadow->name, shadow->text);
    tags.shadow_begun = static_cast<uint64_t>(shadow->begun);
  }
  builder.Add<Tags>(std::move(tags));
}

absl::Status CheckOutputs(const Config& config, const Chain& chain) {
  std::vector<std::string_view> known = {kDeadLetters};
  for (const OutputDescription& output : chain.outputs()) known.push_back(output.topic);
  for (const OutputOptions& output : config.engine.outputs) {
    if (std::find(known.begin(), known.end(), output.output) != known.end()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("outputs: no operator writes it", DidYouMean(output.output, known), ": ", output.output));
  }
  return absl::OkStatus();
}

absl::Status TakeModelsInShadow(const DecidedModels& decided, Config& config) {
  auto models = ReadModelsFor(config, decided.name, decided.text);
  if (!models.ok()) return models.status();
  config.chain.models_shadow = std::move(models->fitted);
  config.chain.models_shadow->begun = static_cast<uint64_t>(decided.begun);
  return absl::OkStatus();
}

absl::Status TakeModels(const DecidedModels& decided, Config& config) {
  if (!decided.text.empty()) {
    auto models = ReadModelsFor(config, decided.name, decided.text);
    if (!models.ok()) return models.status();
    config.chain.models = *std::move(models);
  }
  config.chain.models.fitted.begun = static_cast<uint64_t>(decided.begun);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Chain>> BuildVersion(std::string version, const Config& config,
                                                    const ChainExtension& extension) {
  if (absl::Status s = CheckOptions(CleaningOf(config)); !s.ok()) return s;
  ChainBuilder builder;
  AddOperators(config, extension, builder);
  auto chain = std::move(builder).Build(std::move(version));
  if (!chain.ok()) return chain;
  if (absl::Status s = CheckOutputs(config, **chain); !s.ok()) return s;
  return chain;
}

}  // namespace

std::string ReleaseVersion() { return PORTRAIT_VERSION; }

std::string ChainVersion(const Config& config, const ChainExtension& extension) {
  std::string version = absl::StrCat(PORTRAIT_VERSION "+" PORTRAIT_BUILD_FINGERPRINT ".", SettingsHash(config));
  if (!extension.version.empty()) absl::StrAppend(&version, ".", extension.version);
  return version;
}

absl::StatusOr<std::unique_ptr<Chain>> BuildDefaultChain(Config config, const DecidedRules& rules,
                                                         const ChainExtension& extension) {
  std::string version = ChainVersion(config, extension);
  if (!rules.name.empty() || !rules.text.empty()) {
    config.chain.rules.name = rules.name;
    config.chain.rules.text = rules.text;
  }
  config.chain.shadow = rules.shadow;
  if (rules.models) {
    if (absl::Status s = TakeModels(*rules.models, config); !s.ok()) return s;
  }
  if (rules.models_shadow) {
    if (absl::Status s = TakeModelsInShadow(*rules.models_shadow, config); !s.ok()) return s;
  }
  return BuildVersion(std::move(version), config, extension);
}

absl::StatusOr<std::unique_ptr<Chain>> BuildDefaultChain(const Config& config, const ChainExtension& extension) {
  return BuildVersion(ChainVersion(config, extension), config, extension);
}

}  // namespace portrait
