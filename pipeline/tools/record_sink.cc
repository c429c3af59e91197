#include "pipeline/tools/record_sink.h"

#include <system_error>

#include "absl/strings/str_cat.h"

namespace portrait {

absl::Status LineSink::Write(const NewRecord& record) {
  std::ostream* out = stream_;
  if (out == nullptr) {
    auto file = files_.find(record.topic);
    if (file == files_.end()) {
      std::error_code error;
      std::filesystem::create_directories(folder_, error);
      const auto path = folder_ / (std::string(record.topic) + ".ndjson");
      file = files_.emplace(record.topic, std::ofstream(path, std::ios::binary)).first;
      if (!file->second) return absl::UnavailableError(absl::StrCat("cannot write this file: ", path.string()));
    }
    out = &file->second;
  }
  const std::string_view value = record.value.value_or(std::string_view());
  out->write(value.data(), static_cast<std::streamsize>(value.size())).put('\n');
  return *out ? absl::OkStatus() : absl::DataLossError("writing failed; is the disk full?");
}

absl::Status LineSink::Finish() {
  bool good = true;
  if (stream_ != nullptr) good = static_cast<bool>(stream_->flush());
  for (auto& [topic, file] : files_) {
    file.close();
    good = good && !file.fail();
  }
  return good ? absl::OkStatus() : absl::DataLossError("writing failed; is the disk full?");
}

}  // namespace portrait
