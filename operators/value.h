// The values of features: a small set of types that rules, models, explanations and the documentation share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "operators/time.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

enum class FeatureType { kBoolean, kInteger, kNumber, kText, kTimestamp, kDuration, kItems };

std::string_view FeatureTypeName(FeatureType type);

// monostate: there is no value, such as the last order of a customer who never ordered. Text points into the row's
// state and is valid until that state changes.
using Value = std::variant<std::monostate, bool, int64_t, double, std::string_view, Timestamp, Duration>;

inline bool HasValue(const Value& value) { return !std::holds_alternative<std::monostate>(value); }

// Integer, number, boolean and duration (in days) as a number; `otherwise` for everything else.
double AsNumber(const Value& value, double otherwise = 0);

v1::FeatureValue ToProto(const Value& value);

// A value as a person reads it: "3", "0.25", "2026-01-31 12:00:00", "12.5 days".
std::string ToText(const Value& value);

// One element of a feature that is a list, such as one category of site.interests: its name, and its columns in the
// order in which the feature declares them.
struct Item {
  std::string_view name;
  absl::InlinedVector<Value, 6> columns;
};
using Items = std::vector<Item>;

}  // namespace portrait
