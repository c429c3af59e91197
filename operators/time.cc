#include "operators/time.h"

#include <limits>

namespace portrait {

Moment Calendar::At(Timestamp time) const {
  const int64_t us = ToMicros(time);
  if (us < valid_from_us_ || us >= valid_to_us_) {
    const absl::Time at = absl::FromUnixMicros(us);
    offset_us_ = int64_t{zone_.At(at).offset} * 1'000'000;
    absl::TimeZone::CivilTransition transition;
    valid_to_us_ = zone_.NextTransition(at, &transition) ? absl::ToUnixMicros(absl::FromCivil(transition.from, zone_))
                                                         : std::numeric_limits<int64_t>::max();
    valid_from_us_ = us;
    // A transition that this zone data places oddly must not make the range empty.
    if (valid_to_us_ <= us) valid_to_us_ = us + 1;
  }
  const int64_t local = us + offset_us_;
  constexpr int64_t kDay = 86'400'000'000;
  const int64_t day = local >= 0 ? local / kDay : -((-local + kDay - 1) / kDay);
  return {time, static_cast<int32_t>(day)};
}

Timestamp Calendar::StartOf(int32_t day) const {
  // Where the offset is known to hold it is reckoned. Hours away from where that begins, no clock can just have been
  // put back over a midnight.
  const int64_t us = int64_t{day} * 86'400'000'000 - offset_us_;
  if (us - int64_t{3} * 3'600'000'000 >= valid_from_us_ && us < valid_to_us_) return FromMicros(us);
  // Where midnight is skipped, the instant of the change; where it comes twice, the first.
  const absl::TimeZone::TimeInfo info = zone_.At(absl::CivilSecond(absl::CivilDay(1970, 1, 1) + day));
  return FromMicros(absl::ToUnixMicros(info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre));
}

}  // namespace portrait
