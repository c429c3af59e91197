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
  // A customer's place in batch_.writes. With its hash, so that a table that grows need not look at the customers.
  struct Place {
    uint32_t place;
    size_t hash;
  };
  struct Wanted {
    std::string_view customer;
    size_t hash;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const auto& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    const RowBatch* batch;
    bool operator()(const Place& a, const Place& b) const { return a.place == b.place; }
    bool operator()(const Place& a, const Wanted& b) const {
      return a.hash == b.hash && batch->writes[a.place].first == b.customer;
    }
  };

  void AddTimerBefore(const Record& record);

  const size_t bytes_limit_;
  RowBatch batch_;
  absl::flat_hash_set<Place, Hash, Equal> places_{0, Hash(), Equal{&batch_}};
  size_t bytes_ = 0;
  uint64_t highest_number_ = 0;
};

}  // namespace portrait
