# Writes a source with the page's files: cmake -DOUT=embedded.cc -DFILES=list-file -P EmbedPage.cmake
# The list file names one file a line, as path=file, sorted by path.
file(STRINGS ${FILES} lines)
set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")
set(count 0)
set(texts "")
set(entries "")
foreach(line IN LISTS lines)
  string(REGEX MATCH "^([^=]*)=(.*)$" _ "${line}")
  set(path "${CMAKE_MATCH_1}")
  set(file "${CMAKE_MATCH_2}")
  string(REGEX REPLACE ".*\\." "" extension "${file}")
  if(NOT DEFINED type_${extension})
    message(FATAL_ERROR "${file}: no content type is known for .${extension}")
  endif()
  file(SHA256 "${file}" hash)
  string(SUBSTRING ${hash} 0 16 etag)
  # As numbers, for a string may be too long for a compiler or hold its own end.
  file(READ "${file}" bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND texts "constexpr unsigned char kFile${count}[] = {${bytes}};\n")
  string(APPEND entries "    {\"${path}\", \"${type_${extension}}\", \"\\\"${etag}\\\"\", Text(kFile${count})},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "// Made by cmake/EmbedPage.cmake.
#include \"view/page/files.h\"

namespace portrait {
namespace {

${texts}
template <size_t kSize>
std::string_view Text(const unsigned char (&bytes)[kSize]) {
  return {reinterpret_cast<const char*>(bytes), kSize};
}

}  // namespace

std::span<const PageFile> PageFiles() {
  static const PageFile files[] = {
${entries}  };
  return files;
}

}  // namespace portrait
")
