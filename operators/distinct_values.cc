#include "operators/distinct_values.h"

#include <xxhash.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace portrait {
namespace {

// The bytes: for each value the hash and the time, four bytes each, the lowest first. Those seen last come first, and
// of those seen at one time the ones with the lower hash, so that equal sets are equal bytes.
constexpr size_t kEntry = 8;

struct Seen {
  uint32_t value = 0;
  int32_t time = 0;

  bool Before(const Seen& other) const { return time != other.time ? time > other.time : value < other.value; }
};

uint32_t Number(const char* at) {
  uint32_t out = 0;
  for (size_t i = 4; i-- > 0;) out = out << 8 | static_cast<unsigned char>(at[i]);
  return out;
}

void PutNumber(uint32_t number, std::string& out) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(number >> 8 * i & 0xFF);
}

Seen At(const std::string& set, size_t i) {
  const char* const at = set.data() + i * kEntry;
  return {Number(at), static_cast<int32_t>(Number(at + 4))};
}

bool Within(const Seen& seen, int32_t now, int32_t length) { return seen.time > now - length && seen.time <= now; }

}  // namespace

void DistinctAdd(std::string& set, std::string_view value, int32_t time, int32_t keep) {
  Seen added{static_cast<uint32_t>(XXH3_64bits(value.data(), value.size())), time};
  std::vector<Seen> all;
  all.reserve(kDistinctMost + 1);
  for (size_t i = 0; i < set.size() / kEntry; ++i) {
    const Seen seen = At(set, i);
    if (seen.value == added.value) {
      added.time = std::max(added.time, seen.time);
    } else {
      all.push_back(seen);
    }
  }
  all.insert(std::find_if(all.begin(), all.end(), [&](const Seen& seen) { return added.Before(seen); }), added);
  const int32_t newest = all.front().time;
  while (all.back().time <= newest - keep || all.size() > kDistinctMost) all.pop_back();
  set.clear();
  for (const Seen& seen : all) {
    PutNumber(seen.value, set);
    PutNumber(static_cast<uint32_t>(seen.time), set);
  }
}

int64_t DistinctCount(const std::string& set, int32_t now, int32_t length) {
  int64_t out = 0;
  for (size_t i = 0; i < set.size() / kEntry; ++i) out += Within(At(set, i), now, length) ? 1 : 0;
  return out;
}

std::optional<int32_t> DistinctNextChange(const std::string& set, int32_t now, int32_t length) {
  for (size_t i = set.size() / kEntry; i-- > 0;) {
    const Seen seen = At(set, i);
    if (Within(seen, now, length)) return seen.time + length;
  }
  return std::nullopt;
}

}  // namespace portrait
