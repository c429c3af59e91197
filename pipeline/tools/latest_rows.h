// The rows of one partition as its changelog holds them: of each customer the latest image, read from the log alone.
//
//   LatestRows rows(reader, "portrait.changelog", 3);
//   status = rows.ForEach([&](std::string_view customer, std::string_view row) { …; return absl::OkStatus(); });
//
// The log is read twice up to one end: first to learn where each customer's last record lies, then to visit those. So
// no row is kept: memory is about 32 bytes for each customer of the partition.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "pipeline/ports/log_reader.h"

namespace portrait {

// One thread. The reader must outlive it.
class LatestRows {
 public:
  // The customer and the stored row (v1.Row), valid during the call. An error ends the reading.
  using Visit = std::function<absl::Status(std::string_view customer, std::string_view row)>;
  using Progress = std::function<void(uint64_t done, uint64_t total)>;  // offsets of this partition, both passes

  LatestRows(LogReader& reader, std::string topic, int32_t partition, Progress progress = {})
      : reader_(reader), topic_(std::move(topic)), partition_(partition), progress_(std::move(progress)) {}

  // Rows that are gone come as they are stored; of those that are removed nothing comes. Customers are told apart by 64
  // bits of a hash of their ids: among ten million, the chance that one is left out is about 3 in a million.
  // Unavailable: the brokers are away, or a transaction stays open for too long.
  absl::Status ForEach(const Visit& visit);

  // Customers whose row was written anew between the two passes, and the older image removed meanwhile: not visited.
  uint64_t overtaken() const { return overtaken_; }

 private:
  absl::Status Read(const std::function<absl::Status(const Record&)>& take);

  LogReader& reader_;
  const std::string topic_;
  const int32_t partition_;
  const Progress progress_;
  LogRange range_;
  uint64_t done_ = 0;                            // offsets of earlier passes
  absl::flat_hash_map<uint64_t, int64_t> last_;  // by the customer's hash; negative, less one: a removal
  uint64_t overtaken_ = 0;
};

}  // namespace portrait
