// Time as the operators see it: microseconds of event time, and the local day.
#pragma once

#include <chrono>
#include <cstdint>

#include "absl/time/time.h"

namespace portrait {

using Duration = std::chrono::microseconds;
using Timestamp = std::chrono::sys_time<Duration>;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp FromMicros(int64_t micros) { return Timestamp(Duration(micros)); }
constexpr int64_t ToMicros(Timestamp time) { return time.time_since_epoch().count(); }

// A length of time as days with a fraction.
constexpr double InDays(Duration duration) { return std::chrono::duration<double, days::period>(duration).count(); }

// An instant together with its day in the configured time zone.
struct Moment {
  Timestamp time;
  int32_t day = 0;  // days since 1970-01-01, local
};

// Finds the local day of an instant. Remembers the last zone offset, so it is quick for instants near one another, and
// not thread-safe: one for each task.
class Calendar {
 public:
  explicit Calendar(absl::TimeZone zone = absl::UTCTimeZone()) : zone_(zone) {}

  Moment At(Timestamp time) const;
  // The first instant of a local day.
  Timestamp StartOf(int32_t day) const;
  const absl::TimeZone& zone() const { return zone_; }

 private:
  absl::TimeZone zone_;
  mutable int64_t offset_us_ = 0;
  mutable int64_t valid_from_us_ = 0;  // offset_us_ holds from here
  mutable int64_t valid_to_us_ = 0;    // to here, excluded
};

}  // namespace portrait
