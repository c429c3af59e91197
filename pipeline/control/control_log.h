// The control topic, read from its beginning: what people decided, in order.
//
//   ControlLog control(reader, "portrait.control");
//   for (const ControlLog::Entry& entry : *control.ReadNew(seconds(10))) …
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/ports/log_reader.h"
#include "portrait/v1/control.pb.h"

namespace portrait {

// One thread.
class ControlLog {
 public:
  struct Entry {
    int64_t offset = 0;
    v1::ControlRecord record;
  };

  // The reader must outlive this.
  ControlLog(LogReader& reader, std::string topic) : reader_(reader), topic_(std::move(topic)) {}

  // All that has come since the last call. Unavailable: not all could be read within the time; call again. DataLoss: a
  // record is none of ours, or the beginning of the topic has been deleted.
  absl::StatusOr<std::vector<Entry>> ReadNew(Duration timeout);

 private:
  LogReader& reader_;
  std::string topic_;
  int64_t next_ = 0;
};

// Writes one record, and returns when the brokers have it.
using PublishControl = std::function<absl::Status(const v1::ControlRecord&)>;

}  // namespace portrait
