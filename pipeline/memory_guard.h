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

  // What the rows may take from now on; between a third of what was planned and all of it. A step at a time: memory
  // that is given up goes back to the system later.
  size_t Adjust(size_t resident);

 private:
  const size_t limit_, planned_;
  size_t rows_;
};

}  // namespace portrait
