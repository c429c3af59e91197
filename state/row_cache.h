// A write-back cache of decoded rows, bounded by bytes.
//
// Entry must have: std::string customer_id; size_t bytes; bool referenced; bool evictable() const.
// Only evictable entries leave; so the cache may grow beyond its limit while many rows wait to be written, and whoever
// fills it looks at over_limit().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"

namespace portrait {

// One thread. Pointers to entries stay valid until the entry is evicted, which happens in Evict and Clear only.
template <class Entry>
class RowCache {
 public:
  explicit RowCache(size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  Entry* Find(std::string_view customer_id) {
    const auto it = entries_.find(customer_id);
    if (it == entries_.end()) return nullptr;
    (*it)->referenced = true;
    return it->get();
  }

  // As Find, but this is no use of the entry.
  const Entry* Peek(std::string_view customer_id) const {
    const auto it = entries_.find(customer_id);
    return it == entries_.end() ? nullptr : it->get();
  }
  Entry* Peek(std::string_view customer_id) {
    return const_cast<Entry*>(static_cast<const RowCache*>(this)->Peek(customer_id));
  }
  // Brings what Find looks at first into the processor's cache.
  void Prefetch(std::string_view customer_id) const { entries_.prefetch(customer_id); }

  // The customer must not be there yet.
  Entry* Insert(std::unique_ptr<Entry> entry) {
    Entry* inserted = entry.get();
    bytes_ += entry->bytes;
    clock_.push_back(inserted);
    entries_.insert(std::move(entry));
    return inserted;
  }

  void SetBytes(Entry& entry, size_t bytes) {
    bytes_ += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  // Drops entries that were not used lately (second chance) until the limit is kept, looking at no more than
  // `look_at_most` entries, nor more than twice at each.
  void Evict(size_t look_at_most = SIZE_MAX) {
    size_t looked_at = 0;
    while (bytes_ > limit_bytes_ && !clock_.empty() && looked_at < std::min(look_at_most, 2 * clock_.size())) {
      if (hand_ >= clock_.size()) hand_ = 0;
      Entry* entry = clock_[hand_];
      ++looked_at;
      if (entry->referenced) {
        entry->referenced = false;
        ++hand_;
      } else if (!entry->evictable()) {
        ++hand_;
      } else {
        bytes_ -= entry->bytes;
        clock_[hand_] = clock_.back();
        clock_.pop_back();
        entries_.erase(std::string_view(entry->customer_id));
        ++evictions_;
      }
    }
  }

  void Clear() {
    entries_.clear();
    clock_.clear();
    hand_ = bytes_ = 0;
  }

  // A lower limit is kept from the next Evict on.
  void Limit(size_t bytes) { limit_bytes_ = bytes; }

  bool over_limit() const { return bytes_ > limit_bytes_; }
  size_t over_limit_by() const { return over_limit() ? bytes_ - limit_bytes_ : 0; }
  size_t limit_bytes() const { return limit_bytes_; }
  size_t bytes() const { return bytes_; }
  size_t rows() const { return clock_.size(); }
  size_t evictions() const { return evictions_; }
  auto begin() const { return clock_.begin(); }
  auto end() const { return clock_.end(); }

 private:
  struct Key {
    using is_transparent = void;
    static std::string_view Of(std::string_view key) { return key; }
    static std::string_view Of(const std::unique_ptr<Entry>& entry) { return entry->customer_id; }
  };
  struct Hash : Key {
    size_t operator()(const auto& key) const { return absl::HashOf(Key::Of(key)); }
  };
  struct Equal : Key {
    bool operator()(const auto& a, const auto& b) const { return Key::Of(a) == Key::Of(b); }
  };

  size_t limit_bytes_;
  size_t bytes_ = 0;
  size_t evictions_ = 0;
  absl::flat_hash_set<std::unique_ptr<Entry>, Hash, Equal> entries_;
  std::vector<Entry*> clock_;
  size_t hand_ = 0;
};

}  // namespace portrait
