// Counts and sums over the last 1 … 365 days and the lifetime, in bounded space.
//
//   std::string views;  // a window is its bytes, in a field of a state message
//   WindowAdd(views, /*day=*/20'000, /*count=*/1);
//   WindowAdd(orders, context.DayOf(EventTime(event)), 1, order.total_micros());
//   WindowCount(views, moment.day, 30);  // of the 30 local days that end with today
//
// A day is a local day, counted from 1970-01-01 (Moment::day). A window of n days is today and the n - 1 days before.
//
// How exact. A customer who was active on at most kWindowBuckets (48) days of the last year is counted to the day.
// Beyond that the oldest days are joined: those more than a week old into calendar weeks, and weeks more than 90 days
// old into blocks of four, only as many as needed and the oldest first. A joined bucket belongs to a window when its
// middle day does. So windows up to 8 days are always exact; windows up to 91 days are wrong by at most the events of
// one week at their far edge, and longer ones by those of one block of four weeks. The lifetime is always exact.
//
// How large. At most 48 buckets of 3 bytes (counts up to 63) to 8 bytes (with sums up to 17 000 currency units in
// micros), so up to about 400 bytes in a row; 20 varying active days with sums take some 130 bytes. Whatever the
// numbers, never more than 1 200 bytes.
//
// Days may come in any order: a late day goes to where it belongs, or, when it lies a year or more before the newest
// one, to the lifetime alone. Adding to the newest day changes the first few bytes. Additions saturate. The functions
// are pure, and as thread-safe as the bytes. A window is bytes rather than a message because a row has many, and a
// message takes several times the memory: docs/decisions/2026-11-26-rows-at-rest.md says what that costs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace portrait {

inline constexpr int kWindowBuckets = 48;
inline constexpr int kWindowDaysMax = 365;

// Counts and sums may be negative, such as that of a refund booked on the day of its order. Of what lies `keep` days or
// more before the newest day only the lifetime is kept: for windows of which no longer one is asked, at most
// kWindowDaysMax.
void WindowAdd(std::string& window, int32_t day, int64_t count, int64_t sum = 0, int keep = kWindowDaysMax);

// `window_days` from 1 to kWindowDaysMax.
int64_t WindowCount(const std::string& window, int32_t today, int window_days);
int64_t WindowSum(const std::string& window, int32_t today, int window_days);

int64_t LifetimeCount(const std::string& window);
int64_t LifetimeSum(const std::string& window);

// The first day after `today` on which something leaves the window by the passing of time alone; none when the window
// is empty. This is the day for which to set a timer when a threshold on the window matters.
std::optional<int32_t> WindowNextChange(const std::string& window, int32_t today, int window_days);

// The buckets, oldest first, for whoever looks at a window as it is.
struct WindowBucket {
  int32_t first = 0;  // day
  int32_t last = 0;
  int64_t count = 0;
  int64_t sum = 0;
};
std::vector<WindowBucket> WindowBuckets(const std::string& window);

}  // namespace portrait
