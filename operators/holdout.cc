#include "operators/holdout.h"

#include "xxhash.h"

namespace portrait {

uint32_t HoldoutPoint(std::string_view customer_id) {
  constexpr uint64_t kSeed = 0x686f6c646f7574;  // "holdout"
  return static_cast<uint32_t>(XXH3_64bits_withSeed(customer_id.data(), customer_id.size(), kSeed) >> 32U);
}

}  // namespace portrait
