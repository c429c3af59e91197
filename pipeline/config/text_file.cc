#include "pipeline/config/text_file.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace portrait {

absl::StatusOr<std::string> ReadTextFile(const std::filesystem::path& path, size_t most_bytes) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat("is a directory: ", path.string()));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    error.assign(errno, std::generic_category());
    return absl::InvalidArgumentError(absl::StrCat("cannot be read (", error.message(), "): ", path.string()));
  }
  std::string text(most_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > most_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("is larger than ", most_bytes, " bytes: ", path.string()));
  }
  return text;
}

}  // namespace portrait
