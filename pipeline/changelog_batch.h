// Rows on their way from the changelog into a store: of many records only the last of each customer is written.
//
//   ChangelogBatch batch(32 << 20);
//   while (auto record = next()) {
//     batch.Add(*record, number);
//     if (batch.full()) batch.WriteTo(store, meta);   // meta: the position after the last record added
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "pipeline/ports/record.h"
#include "state/row_store.h"

namespace portrait {

// One thread.
class ChangelogBatch {
 public:
  // Full when its rows take this much.
  explicit ChangelogBatch(size_t bytes) : bytes_limit_(bytes) {}
  ChangelogBatch(const ChangelogBatch&) = delete;
  ChangelogBatch& operator=(const ChangelogBatch&) = delete;

  // Records of one customer come in the order of their numbers, so the later one replaces the earlier; one without a
  // value removes the row. `number` is the record's.
  void Add(const Record& record, uint64_t number);

  bool full() const { return bytes_ >= bytes_limit_; }
  bool empty() const { return batch_.writes.empty(); }
  // Of the rows added since the beginning, written or not.
  uint64_t highest_number() const { return highest_number_; }

  // Writes what was gathered, with the index of its timers, and begins anew. The meta record's format and highest
  // number are filled in.
  absl::Status WriteTo(RowStore& store, v1::StoreMeta meta);

 private:
  // Finds a customer's place in batch_.writes.
  struct Places {
    const RowBatch* batch;
    std::string_view Of(uint32_t place) const { return batch->writes[place].first; }
    static std::string_view Of(std::string_view customer) { return customer; }
  };
  struct Hash : Places {
    using is_transparent = void;
    size_t operator()(const auto& key) const { return absl::HashOf(Of(key)); }
  };
  struct Equal : Places {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return Of(a) == Of(b); }
  };

  const size_t bytes_limit_;
  RowBatch batch_;
  absl::flat_hash_set<uint32_t, Hash, Equal> places_{0, Hash{{&batch_}}, Equal{{&batch_}}};
  size_t bytes_ = 0;
  uint64_t highest_number_ = 0;
};

}  // namespace portrait
