// The lines of a text file, plain or compressed by gzip, each with its number.
//
//   auto reader = LineReader::Open("events.csv.gz");
//   for (Line line; (*reader)->Next(line);) ...
//   if (!(*reader)->status().ok()) ...
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace portrait {

struct Line {
  int64_t number = 0;     // from 1
  std::string_view text;  // without its end (LF or CR LF); valid until the next call
  bool too_long = false;  // text is only the start
  bool ended = true;      // false: the file ends without a line break
};

enum class TextEncoding { kUtf8, kLatin1 };

// One thread.
class LineReader {
 public:
  static constexpr size_t kLongest = 4u << 20;  // what is longer is cut and marked

  // NotFound or Unavailable with the path. "-" is standard input.
  static absl::StatusOr<std::unique_ptr<LineReader>> Open(const std::filesystem::path& path,
                                                          TextEncoding encoding = TextEncoding::kUtf8);

  // False at the end of the file, or after an error. A byte order mark is dropped; Latin-1 becomes UTF-8.
  bool Next(Line& line);

  const absl::Status& status() const { return status_; }
  uint64_t bytes_read() const { return static_cast<uint64_t>(gzoffset(file_.get())); }  // of the file as it lies there
  uint64_t bytes_total() const { return bytes_total_; }                                 // 0: unknown

 private:
  struct Closer {
    void operator()(gzFile file) const { gzclose(file); }
  };
  using File = std::unique_ptr<gzFile_s, Closer>;

  LineReader(File file, TextEncoding encoding, uint64_t bytes_total)
      : file_(std::move(file)), encoding_(encoding), bytes_total_(bytes_total), buffer_(1u << 16) {}

  bool Fill();
  void Finish(Line& line);

  File file_;
  TextEncoding encoding_;
  uint64_t bytes_total_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;  // what is not read yet in buffer_
  int64_t number_ = 0;
  std::string text_;
  absl::Status status_;
};

}  // namespace portrait
