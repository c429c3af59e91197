// A file of fitted models, as `portrait fit` and `portrait train` write it and `models.file` of the configuration
// names it: one JSON object, proto/portrait/v1/model.proto says of what.
//
//   absl::StatusOr<v1::ModelFile> file = ReadModelFile("models.json");
//   FittedModels models = ModelsOf(*file);
//
// Exact: numbers are read as they were. Blanks and the order of fields are of no account; any other change is found by
// the checksum.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/models/fitted_models.h"
#include "portrait/v1/model.pb.h"

namespace portrait {

inline constexpr int kModelFileFormat = 1;
inline constexpr size_t kModelFileBytes = 1 << 20;

// InvalidArgument: cannot be read, is no such file or of another format, a number is out of range, or the checksum
// differs. The message begins with the path.
absl::StatusOr<v1::ModelFile> ReadModelFile(const std::filesystem::path& path);
// The same from text; messages have no path.
absl::StatusOr<v1::ModelFile> ParseModelFile(std::string_view json);

// Sets format, release and checksum, and gives the text; it ends with a line break. InvalidArgument: it could not be
// read back, since a number is out of range.
absl::StatusOr<std::string> ModelFileText(v1::ModelFile file);

// "name@checksum": another one whenever anything in the file differs.
std::string ModelIdentity(const v1::ModelFile& file);

// Writes the file, once it is seen to be one that ReadModelFile takes; what was written. InvalidArgument: it is not.
// Unavailable: it cannot be written.
absl::StatusOr<v1::ModelFile> WriteModelFile(const std::filesystem::path& path, v1::ModelFile file);

// Of a file that was read; the name is its identity.
FittedModels ModelsOf(const v1::ModelFile& file);

// The file that the models that are built in would be of, without checksum.
v1::ModelFile BuiltInModels();

}  // namespace portrait
