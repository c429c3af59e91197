#include "operators/rules/kinds.h"

namespace portrait::rules {

Kind KindOf(FeatureType type) {
  switch (type) {
    case FeatureType::kBoolean: return Kind::kTruth;
    case FeatureType::kInteger: return Kind::kWhole;
    case FeatureType::kNumber: return Kind::kFraction;
    case FeatureType::kText: return Kind::kText;
    case FeatureType::kTimestamp: return Kind::kTime;
    case FeatureType::kDuration: return Kind::kDuration;
    case FeatureType::kItems: return Kind::kError;
  }
  return Kind::kError;
}

std::string_view WordFor(Kind kind) {
  switch (kind) {
    case Kind::kTruth: return "true or false";
    case Kind::kWhole: return "a whole number";
    case Kind::kFraction: return "a number with a fraction";
    case Kind::kText: return "a text";
    case Kind::kTime: return "a point in time";
    case Kind::kDuration: return "a length of time";
    case Kind::kError: return "a list";
  }
  return "";
}

}  // namespace portrait::rules
