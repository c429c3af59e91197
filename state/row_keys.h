// The keys of a store in RocksDB (docs/formats.md): one byte says what it is, and puts each kind into a range of its
// own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/row_store.h"

namespace portrait {

inline constexpr std::string_view kMetaKey("\0", 1);  // before all others
inline constexpr char kRowPrefix = '\1';              // then the customer id
inline constexpr char kTimerPrefix = '\2';            // then the time, then the customer id
inline constexpr char kGonePrefix = '\3';             // then the number, then the customer id

inline std::string RowKeyOf(std::string_view customer_id) {
  std::string key;
  key.reserve(1 + customer_id.size());
  key.push_back(kRowPrefix);
  key.append(customer_id);
  return key;
}

// One byte, a number in eight bytes, highest first, and an id: so keys are in the order of number, then id.
inline std::string NumberedKey(char prefix, uint64_t number, std::string_view customer_id) {
  std::string key;
  key.reserve(9 + customer_id.size());
  key.push_back(prefix);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
  key.append(customer_id);
  return key;
}

// `key` is at least nine bytes.
inline uint64_t NumberOfKey(std::string_view key) {
  uint64_t number = 0;
  for (size_t i = 1; i < 9; ++i) number = number << 8 | static_cast<unsigned char>(key[i]);
  return number;
}

// The sign of a time is turned, so that those before 1970 come first.
inline constexpr uint64_t kSign = uint64_t{1} << 63;

inline std::string IndexKeyOf(const TimerHint& hint) {
  return NumberedKey(kTimerPrefix, static_cast<uint64_t>(hint.time_us) ^ kSign, hint.customer_id);
}

inline std::string IndexKeyOf(const GoneRow& row) { return NumberedKey(kGonePrefix, row.number, row.customer_id); }

inline TimerHint TimerOfKey(std::string_view key) {
  return {static_cast<int64_t>(NumberOfKey(key) ^ kSign), std::string(key.substr(9))};
}

}  // namespace portrait
