// The page's files, which are part of the program: nothing has to be installed beside it.
//
//   if (const PageFile* file = FindPageFile("/")) Send(file->content_type, file->bytes);
//
// Threads: constant data.
#pragma once

#include <span>
#include <string_view>

namespace portrait {

struct PageFile {
  std::string_view path;          // as it is asked for: "/", or "/assets/" and a name
  std::string_view content_type;  // as in the header of that name
  std::string_view etag;          // in quotes; changes with the bytes
  std::string_view bytes;
};

// All files, in the order of their paths.
std::span<const PageFile> PageFiles();

// Null when the page has no such file. The path is compared byte by byte: decode it before.
const PageFile* FindPageFile(std::string_view path);

// What the page may load: its own files, nothing else, and no script or style that stands in markup. To be sent with
// each file.
inline constexpr std::string_view kPageSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri "
    "'none'; "
    "form-action 'none'; frame-ancestors 'none'";

}  // namespace portrait
