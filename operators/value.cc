#include "operators/value.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace portrait {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// In the largest unit of which there is one.
std::string LengthText(Duration length) {
  const auto in = [&](Duration unit) {
    return static_cast<double>(length.count()) / static_cast<double>(unit.count());
  };
  const Duration size = length < Duration(0) ? -length : length;
  if (size == Duration(0) || size >= days(1)) return absl::StrFormat("%.1f days", in(days(1)));
  if (size >= hours(1)) return absl::StrFormat("%.1f hours", in(hours(1)));
  if (size >= minutes(1)) return absl::StrFormat("%.1f minutes", in(minutes(1)));
  return absl::StrFormat("%.1f seconds", in(seconds(1)));
}

}  // namespace

std::string_view FeatureTypeName(FeatureType type) {
  switch (type) {
    case FeatureType::kBoolean: return "boolean";
    case FeatureType::kInteger: return "integer";
    case FeatureType::kNumber: return "number";
    case FeatureType::kText: return "text";
    case FeatureType::kTimestamp: return "timestamp";
    case FeatureType::kDuration: return "duration";
    case FeatureType::kItems: return "items";
  }
  return "unknown";
}

double AsNumber(const Value& value, double otherwise) {
  return std::visit(Overloaded{[&](bool v) { return v ? 1.0 : 0.0; }, [&](int64_t v) { return static_cast<double>(v); },
                               [&](double v) { return v; }, [&](Duration v) { return InDays(v); },
                               [&](const auto&) { return otherwise; }},
                    value);
}

v1::FeatureValue ToProto(const Value& value) {
  v1::FeatureValue out;
  std::visit(
      Overloaded{[&](std::monostate) {}, [&](bool v) { out.set_boolean(v); }, [&](int64_t v) { out.set_integer(v); },
                 [&](double v) { out.set_number(v); }, [&](std::string_view v) { out.set_text(std::string(v)); },
                 [&](Timestamp v) { out.set_timestamp_us(ToMicros(v)); },
                 [&](Duration v) { out.set_duration_us(v.count()); }},
      value);
  return out;
}

std::string ToText(const Value& value) {
  return std::visit(
      Overloaded{[](std::monostate) { return std::string("none"); },
                 [](bool v) { return std::string(v ? "true" : "false"); }, [](int64_t v) { return absl::StrCat(v); },
                 [](double v) { return absl::StrFormat("%.4g", v); }, [](std::string_view v) { return std::string(v); },
                 [](Timestamp v) {
                   return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMicros(ToMicros(v)), absl::UTCTimeZone());
                 },
                 [](Duration v) { return LengthText(v); }},
      value);
}

}  // namespace portrait
