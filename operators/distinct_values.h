// How many different values were seen lately, in bounded space: which they are, and when each was seen last.
//
//   std::string seen;  // the set is its bytes, in a field of a state message
//   DistinctAdd(seen, "p17", /*day=*/20'000, /*keep=*/30);
//   DistinctCount(seen, moment.day, 30);  // seen within the 30 days that end with today
//
// Times are whole numbers of any unit, as those of a window (operators/window.h).
//
// How exact. Up to kDistinctMost (64) values are told apart; of more, those seen last stay, so the count is never above
// 64 and then means 64 or more. Values are known by 32 bits of their hash: of 64 different ones, two are taken for one
// with a probability below one in a million. Values may come in any order of time.
//
// How large. 8 bytes a value, so at most 512 bytes. The functions are pure, and as thread-safe as the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portrait {

inline constexpr int kDistinctMost = 64;

// What was seen last `keep` or more units before the newest one is forgotten.
void DistinctAdd(std::string& set, std::string_view value, int32_t time, int32_t keep);

// Of those seen within the `length` units that end with `now`.
int64_t DistinctCount(const std::string& set, int32_t now, int32_t length);

// The first unit after `now` at which the count falls by the passing of time alone; none when it is 0.
std::optional<int32_t> DistinctNextChange(const std::string& set, int32_t now, int32_t length);

}  // namespace portrait
