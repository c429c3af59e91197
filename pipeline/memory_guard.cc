#include "pipeline/memory_guard.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace portrait {

size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t size = 0, resident = 0;  // in pages
  statm >> size >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t MemoryGuard::Adjust(size_t resident) {
  constexpr int kPatience = 5;  // looks
  const size_t high = limit_ / 100 * 95, low = limit_ / 100 * 92;
  if (wait_ > 0) --wait_;
  if (resident > high) {
    if (wait_ > 0 && resident <= limit_) return rows_;
    const size_t step = std::min(resident - high, planned_ / 20);
    rows_ = std::max(planned_ / 3, rows_ - std::min(rows_, step));
    wait_ = kPatience;
  } else if (resident < low) {
    rows_ = std::min(planned_, rows_ + planned_ / 100);
  }
  return rows_;
}

}  // namespace portrait
