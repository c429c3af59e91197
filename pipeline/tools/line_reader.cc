#include "pipeline/tools/line_reader.h"

#include <unistd.h>

#include <cstring>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace portrait {

namespace {

constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";

std::string Latin1ToUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LineReader>> LineReader::Open(const std::filesystem::path& path, TextEncoding encoding) {
  if (path == "-") {
    return std::unique_ptr<LineReader>(new LineReader(File(gzdopen(dup(STDIN_FILENO), "rb")), encoding, 0));
  }
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return absl::NotFoundError(absl::StrCat("no such file: ", path.string()));
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat("a folder, not a file: ", path.string()));
  }
  File file(gzopen(path.c_str(), "rb"));  // reads plain files too
  if (file == nullptr) return absl::UnavailableError(absl::StrCat("cannot read: ", path.string()));
  const uint64_t size = std::filesystem::file_size(path, error);
  return std::unique_ptr<LineReader>(new LineReader(std::move(file), encoding, error ? 0 : size));
}

bool LineReader::Fill() {
  const int got = gzread(file_.get(), buffer_.data(), static_cast<unsigned>(buffer_.size()));
  begin_ = 0;
  end_ = got > 0 ? static_cast<size_t>(got) : 0;
  int code = Z_OK;
  const char* message = gzerror(file_.get(), &code);
  // A gzip file that was cut gives Z_BUF_ERROR at its end.
  if (got < 0 || (got == 0 && code != Z_OK && code != Z_STREAM_END)) {
    status_ = absl::DataLossError(absl::StrCat("reading failed after line ", number_, ": ", message));
  }
  return end_ > 0;
}

bool LineReader::Next(Line& line) {
  text_.clear();
  line = Line();
  bool any = false;
  while (begin_ < end_ || Fill()) {
    any = true;
    const char* start = buffer_.data() + begin_;
    const char* found = static_cast<const char*>(std::memchr(start, '\n', end_ - begin_));
    const size_t length = found != nullptr ? static_cast<size_t>(found - start) : end_ - begin_;
    const size_t kept = std::min(length, kLongest - text_.size());
    text_.append(start, kept);
    line.too_long |= kept < length;
    begin_ += length + (found != nullptr ? 1 : 0);
    if (found != nullptr) {
      Finish(line);
      return true;
    }
  }
  if (!any || !status_.ok()) return false;
  line.ended = false;
  Finish(line);
  return true;
}

void LineReader::Finish(Line& line) {
  line.number = ++number_;
  if (line.number == 1 && std::string_view(text_).starts_with(kUtf8Mark)) text_.erase(0, kUtf8Mark.size());
  if (!text_.empty() && text_.back() == '\r') text_.pop_back();
  if (encoding_ == TextEncoding::kLatin1) text_ = Latin1ToUtf8(text_);
  line.text = text_;
}

}  // namespace portrait
