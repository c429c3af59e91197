#include "pipeline/config/models_config.h"

#include "absl/strings/str_cat.h"
#include "pipeline/config/model_file.h"

namespace portrait {

ModelsConfig ModelsConfigOf(const v1::ModelFile& file) {
  ModelsConfig models;
  models.fitted = ModelsOf(file);
  models.currency = file.source().currency();
  return models;
}

absl::Status CheckModelsFor(const Config& config, const ModelsConfig& models) {
  const int horizon = config.chain.churn.horizon_days;
  if (const auto& learned = models.fitted.learned; learned && learned->horizon_days != horizon) {
    return absl::InvalidArgumentError(absl::StrCat("the learned model is of no order within ", learned->horizon_days,
                                                   "d, churn.horizon is ", horizon, "d"));
  }
  if (!models.currency.empty() && models.currency != config.currency.home) {
    return absl::InvalidArgumentError(
        absl::StrCat("the models are for amounts in ", models.currency, ", currency.home is ", config.currency.home));
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelsConfig> ReadModelsFor(const Config& config, std::string_view name, std::string_view text) {
  const auto file = ParseModelFile(text);
  ModelsConfig models;
  absl::Status status = file.status();
  if (file.ok()) {
    models = ModelsConfigOf(*file);
    status = CheckModelsFor(config, models);
  }
  if (status.ok()) return models;
  return absl::InvalidArgumentError(absl::StrCat(absl::string_view(name.data(), name.size()), ": ", status.message()));
}

}  // namespace portrait
