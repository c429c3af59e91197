// The models that a chain of a configuration may go by: those of `models.file` at the start, and those that are applied
// while the service runs.
//
//   absl::StatusOr<ModelsConfig> models = ReadModelsFor(config, "models.json", text);
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/config/config.h"
#include "portrait/v1/model.pb.h"

namespace portrait {

// Of a file that was read (model_file.h).
ModelsConfig ModelsConfigOf(const v1::ModelFile& file);

// InvalidArgument: they were learned for another horizon, or fitted in another currency. Whether their features are
// there is seen when the chain is built.
absl::Status CheckModelsFor(const Config& config, const ModelsConfig& models);

// Both, from the text of a file. InvalidArgument: it is no such file, too; the message begins with the name.
absl::StatusOr<ModelsConfig> ReadModelsFor(const Config& config, std::string_view name, std::string_view text);

}  // namespace portrait
