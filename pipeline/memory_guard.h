// Keeps the process within memory.limit where its shares turn out larger than planned: what the allocator, RocksDB and
// librdkafka keep beside theirs can only be estimated. The rows, the one share that may shrink at any time, give way.
//
//   MemoryGuard guard(options.memory_limit, options.cache_bytes);
//   every two seconds: worker.LimitCache(guard.Adjust(ResidentBytes()) / workers);
#pragma once

#include <cstddef>

namespace portrait {

// What the process takes now, in bytes, as the kernel says. Safe from any thread.
size_t ResidentBytes();

// One thread.
class MemoryGuard {
 public:
  // `limit` of the process; `planned` for its rows.
  MemoryGuard(size_t limit, size_t planned) : limit_(limit), planned_(planned), rows_(planned) {}

  // What the rows may take from now on; between a third of what was planned and all of it. A step at a time, and then
  // a few looks later: rows that leave free a place in a page here and there, which the system sees late or never, but
  // which the next rows live in. So there is little between what is too much and where they grow again: with a wide gap
  // they would stay at their least beside free memory.
  size_t Adjust(size_t resident);

 private:
  const size_t limit_, planned_;
  size_t rows_;
  int wait_ = 0;  // looks until the next step, but for a process beyond its limit
};

}  // namespace portrait
