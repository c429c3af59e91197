#include "view/page/files.h"

#include <algorithm>

namespace portrait {

const PageFile* FindPageFile(std::string_view path) {
  const std::span<const PageFile> files = PageFiles();
  const auto found = std::lower_bound(files.begin(), files.end(), path,
                                      [](const PageFile& file, std::string_view wanted) { return file.path < wanted; });
  return found != files.end() && found->path == path ? &*found : nullptr;
}

}  // namespace portrait
