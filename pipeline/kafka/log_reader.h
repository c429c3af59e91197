// The port for reading any log, on Kafka.
//
//   auto reader = KafkaLogReader::Create(options);
//   absl::StatusOr<LogRange> range = (*reader)->Range("portrait.journal", 3, seconds(10));
//   auto cursor = (*reader)->Open("portrait.journal", 3, range->begin, range->end);
//   for (auto record = (*cursor)->Next(seconds(10)); record.ok() && record->has_value(); record = ...)
//
// How a cursor knows that it has read everything below its end, though the last offsets are often markers and aborted
// records, which are never handed out. Any one of these is proof, since librdkafka delivers in offset order:
//   1. a record at or above end - 1 has come;
//   2. PARTITION_EOF has come with an offset at or above the end. Its offset is the last stable offset, where fetching
//      stands; one below the end proves nothing: a transaction below the end is still open.
// For 2 to come, whatever lies open below the end must be settled: that is the wait that the port promises.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/options.h"
#include "pipeline/ports/log_reader.h"

namespace portrait {

// One librdkafka handle reads many partitions, but each only once; the reader makes another handle when needed.
struct KafkaReadHandle {
  std::shared_ptr<KafkaClient> client;
  std::set<std::pair<std::string, int32_t>> open;
};

class KafkaLogReader final : public LogReader {
 public:
  // InvalidArgument: a property is refused. Does not wait for a broker.
  static absl::StatusOr<std::unique_ptr<KafkaLogReader>> Create(const KafkaOptions& options);

  absl::StatusOr<LogRange> Range(std::string_view topic, int32_t partition, Duration timeout) override;
  // Asks the broker for the range first, waiting at most the request time-out.
  absl::StatusOr<std::unique_ptr<LogCursor>> Open(std::string_view topic, int32_t partition, int64_t from,
                                                  int64_t end) override;
  // The first offset whose record is at or after the time, or the end of the range when there is none.
  absl::StatusOr<int64_t> OffsetAt(std::string_view topic, int32_t partition, Timestamp time, Duration timeout);

 private:
  explicit KafkaLogReader(KafkaOptions options) : options_(std::move(options)) {}

  absl::StatusOr<std::shared_ptr<KafkaReadHandle>> HandleFor(const std::string& topic, int32_t partition);

  KafkaOptions options_;
  std::shared_ptr<KafkaClient>
      uncommitted_;  // for high watermarks: under read_committed librdkafka gives the last stable offset
  std::vector<std::shared_ptr<KafkaReadHandle>> handles_;
};

}  // namespace portrait
