// A record as it lies in a log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace portrait {

struct HeaderView {
  std::string_view name;
  std::optional<std::string_view> value;  // Kafka headers may be null
};

// Views point into memory that `owner` keeps; they stay valid as long as this record (or what it was moved to) lives.
struct Record {
  int32_t source = 0;  // which of the reader's topics
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_us = 0;  // as Kafka keeps it
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // nothing: a tombstone
  absl::InlinedVector<HeaderView, 2> headers;
  std::shared_ptr<const void> owner;
};

// A record to be written.
struct NewRecord {
  std::string_view topic;
  int32_t partition = -1;  // -1: by the key, as partitioner.h
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  absl::InlinedVector<HeaderView, 2> headers;
  int64_t timestamp_us = 0;  // 0: now
};

}  // namespace portrait
