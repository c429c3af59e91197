#include "view/json.h"

#include <type_traits>
#include <variant>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace portrait::view {

std::string TimeText(Timestamp time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromUnixMicros(ToMicros(time)), absl::UTCTimeZone());
}

std::string DayText(int32_t day) { return absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) + day); }

Json ToJson(const Value& value) {
  return std::visit(
      [](const auto& v) -> Json {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, Timestamp>) {
          return TimeText(v);
        } else if constexpr (std::is_same_v<T, Duration>) {
          return InDays(v);
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          return std::string(v);
        } else {
          return v;
        }
      },
      value);
}

Json ToJson(const v1::FeatureValue& value) {
  switch (value.value_case()) {
    case v1::FeatureValue::kBoolean: return value.boolean();
    case v1::FeatureValue::kInteger: return value.integer();
    case v1::FeatureValue::kNumber: return value.number();
    case v1::FeatureValue::kText: return value.text();
    case v1::FeatureValue::kTimestampUs: return TimeOf(value.timestamp_us());
    case v1::FeatureValue::kDurationUs: return InDays(Duration(value.duration_us()));
    case v1::FeatureValue::VALUE_NOT_SET: return nullptr;
  }
  return nullptr;
}

Json TextOrNull(std::string_view text) { return text.empty() ? Json() : Json(std::string(text)); }

Json ReasonJson(const v1::Reason& reason) {
  return {{"feature", reason.feature()},
          {"value", ToJson(reason.value())},
          {"comparison", TextOrNull(reason.comparison())},
          {"threshold", reason.has_threshold() ? ToJson(reason.threshold()) : Json()},
          {"contribution", reason.contribution() == 0 ? Json() : Json(reason.contribution())},
          {"text", reason.text()}};
}

Json CauseJson(const v1::Cause& cause) {
  const bool timer = !cause.timer().empty();
  return {{"event_id", TextOrNull(cause.event_id())},
          {"event_kind", TextOrNull(cause.event_kind())},
          {"topic", TextOrNull(cause.topic())},
          {"partition", timer ? Json() : Json(cause.partition())},
          {"offset", timer ? Json() : Json(cause.offset())},
          {"timer", TextOrNull(cause.timer())},
          {"timer_time", MaybeTime(cause.timer_time_us())}};
}

Json ItemsJson(const FeatureDescription& feature, const Items& items) {
  Json out = Json::array();
  for (const Item& item : items) {
    Json one = {{"name", std::string(item.name)}};
    for (size_t i = 0; i < item.columns.size() && i < feature.columns.size(); ++i) {
      one[feature.columns[i].name] = ToJson(item.columns[i]);
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace portrait::view
