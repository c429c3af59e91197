// The files of the page, read once when the server starts: nothing else of the disk can be asked for.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "view/http_message.h"

namespace portrait::view {

// Constant.
class Page {
 public:
  // A folder's files, those of its folders too, 16 MB at most. An empty path: those that are part of the program.
  // InvalidArgument: there is no such folder, or too much in it.
  static absl::StatusOr<Page> Load(const std::filesystem::path& folder);

  // The answer for a path in segments; index.html for none. 404 where there is no such file.
  HttpResponse Get(const std::vector<std::string>& segments) const;

 private:
  struct File {
    std::string type, content;
  };
  std::map<std::string, File> files_;
};

}  // namespace portrait::view
