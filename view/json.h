// JSON as the API writes it: view/openapi.yaml.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"
#include "operators/features.h"
#include "operators/time.h"
#include "operators/value.h"
#include "portrait/v1/result.pb.h"

namespace portrait::view {

using Json = nlohmann::ordered_json;

// "2026-01-31T12:00:00.000000Z".
std::string TimeText(Timestamp time);
inline Json TimeOf(int64_t time_us) { return TimeText(FromMicros(time_us)); }
// Null for 0, which stands for no time.
inline Json MaybeTime(int64_t time_us) { return time_us == 0 ? Json() : TimeOf(time_us); }

// "2026-01-31", of a day counted from 1970.
std::string DayText(int32_t day);

// Null where there is no value; durations in days.
Json ToJson(const Value& value);
Json ToJson(const v1::FeatureValue& value);

// An empty text is null.
Json TextOrNull(std::string_view text);

inline double Amount(int64_t micros) { return static_cast<double>(micros) / 1e6; }

Json ReasonJson(const v1::Reason& reason);
Json CauseJson(const v1::Cause& cause);

// An array of the elements of a list: each its name, and its columns by name.
Json ItemsJson(const FeatureDescription& feature, const Items& items);

// As bytes; what is no UTF-8 is replaced.
std::string Dump(const Json& json);

}  // namespace portrait::view
