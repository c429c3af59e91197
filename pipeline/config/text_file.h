// Text files that people write, read as a whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "absl/status/statusor.h"

namespace portrait {

// InvalidArgument: "cannot be read (No such file or directory): rules.yaml", "is a directory: …", "is larger than 1024
// bytes: …", for a sentence that begins with what the file is.
absl::StatusOr<std::string> ReadTextFile(const std::filesystem::path& path, size_t most_bytes);

}  // namespace portrait
