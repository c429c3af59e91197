#include "view/page.h"

#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "view/page/files.h"

namespace portrait::view {
namespace {

constexpr size_t kBytesMost = 16u << 20;

std::string TypeOf(const std::filesystem::path& file) {
  static const std::map<std::string, std::string> types = {{".html", "text/html; charset=utf-8"},
                                                           {".js", "text/javascript; charset=utf-8"},
                                                           {".mjs", "text/javascript; charset=utf-8"},
                                                           {".css", "text/css; charset=utf-8"},
                                                           {".json", "application/json"},
                                                           {".svg", "image/svg+xml"},
                                                           {".png", "image/png"},
                                                           {".ico", "image/x-icon"},
                                                           {".woff2", "font/woff2"},
                                                           {".webmanifest", "application/manifest+json"},
                                                           {".txt", "text/plain; charset=utf-8"}};
  const auto found = types.find(file.extension().string());
  return found == types.end() ? "application/octet-stream" : found->second;
}

}  // namespace

absl::StatusOr<Page> Page::Load(const std::filesystem::path& folder) {
  Page page;
  if (folder.empty()) {
    for (const PageFile& file : PageFiles()) {
      const std::string_view name = file.path == "/" ? "index.html" : file.path.substr(1);
      page.files_[std::string(name)] = {std::string(file.content_type), std::string(file.bytes)};
    }
    return page;
  }
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return absl::InvalidArgumentError(absl::StrCat("view.page: no such folder: ", folder.string()));
  }
  size_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    bytes += content.size();
    if (bytes > kBytesMost) {
      return absl::InvalidArgumentError(absl::StrCat("view.page: more than 16 MB are in ", folder.string()));
    }
    page.files_[entry.path().lexically_relative(folder).generic_string()] = {TypeOf(entry.path()), std::move(content)};
  }
  if (error) return absl::InvalidArgumentError(absl::StrCat("view.page: ", error.message(), ": ", folder.string()));
  return page;
}

HttpResponse Page::Get(const std::vector<std::string>& segments) const {
  const std::string path = absl::StrJoin(segments, "/");
  const auto found = files_.find(path.empty() ? "index.html" : path);
  if (found != files_.end()) {
    return {.type = found->second.type, .body = found->second.content, .headers = {{"Cache-Control", "no-cache"}}};
  }
  if (path.empty()) {
    return {.type = "text/plain; charset=utf-8",
            .body = "Portrait: the page is not installed; the API is described at /v1/openapi.yaml\n"};
  }
  return ErrorResponse(404, "not_found", "there is no such file");
}

}  // namespace portrait::view
