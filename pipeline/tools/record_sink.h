// Where the tools put records: a Kafka producer, files, memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "pipeline/ports/record.h"

namespace portrait {

// One thread.
class RecordSink {
 public:
  virtual ~RecordSink() = default;

  // Takes the record; it may still be lost until Finish has returned OK. Copies what it keeps.
  virtual absl::Status Write(const NewRecord& record) = 0;

  // Waits until everything is safely written. Not OK: something is not.
  virtual absl::Status Finish() = 0;
};

// Writes values as lines: one file for each topic in a folder (<topic>.ndjson), which is made if need be and whose
// files of these names are overwritten; or all of them to one stream. Keys, headers and timestamps are left out, so
// values must be text that says who and when: Segment-shaped JSON does.
class LineSink final : public RecordSink {
 public:
  explicit LineSink(std::filesystem::path folder) : folder_(std::move(folder)) {}
  explicit LineSink(std::ostream* stream) : stream_(stream) {}  // must outlive this

  absl::Status Write(const NewRecord& record) override;
  absl::Status Finish() override;

 private:
  std::filesystem::path folder_;
  std::ostream* stream_ = nullptr;
  std::map<std::string, std::ofstream, std::less<>> files_;
};

}  // namespace portrait
