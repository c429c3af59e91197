#include "pipeline/cli/trial_values.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "operators/nearest_name.h"

namespace portrait {
namespace {

using nlohmann::json;
using rules::Any;

constexpr int kMostLevels = 64;
constexpr std::string_view kNow = "now";

// The kind follows from the JSON: 3 is a whole number, 3.0 a fraction.
Any AnyOf(const json& from, int levels) {
  if (levels > kMostLevels) return rules::Failed{absl::StrCat("values nested too deeply; at most ", kMostLevels)};
  switch (from.type()) {
    case json::value_t::boolean: return from.get<bool>();
    case json::value_t::number_integer: return from.get<int64_t>();
    case json::value_t::number_float: return from.get<double>();
    case json::value_t::string: return from.get<std::string>();
    case json::value_t::number_unsigned: {
      const auto value = from.get<uint64_t>();
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        return rules::Failed{"a whole number is too large"};
      }
      return static_cast<int64_t>(value);
    }
    case json::value_t::array: {
      std::vector<Any> items;
      for (const json& item : from) {
        items.push_back(AnyOf(item, levels + 1));
        if (items.back().failed()) return items.back();
      }
      return rules::ListOf(std::move(items));
    }
    case json::value_t::object: {
      std::map<rules::Key, std::pair<Any, Any>> entries;
      for (const auto& [key, item] : from.items()) {
        Any value = AnyOf(item, levels + 1);
        if (value.failed()) return value;
        entries.emplace(rules::Key(key), std::make_pair(Any(key), std::move(value)));
      }
      return rules::MapOf(std::move(entries));
    }
    default: return rules::Nothing();
  }
}

// A text as CEL's function reads it; nothing when it does not.
std::optional<Any> Parsed(std::string_view function, const json& from) {
  if (!from.is_string()) return std::nullopt;
  auto value = rules::CallFunction({function, false, {Any(from.get<std::string>())}});
  if (!value || value->failed()) return std::nullopt;
  return value;
}

// Nothing: not a value of this type.
std::optional<Any> AnyOfType(const json& from, FeatureType type) {
  switch (type) {
    case FeatureType::kBoolean: return from.is_boolean() ? std::optional(Any(from.get<bool>())) : std::nullopt;
    case FeatureType::kText: return from.is_string() ? std::optional(Any(from.get<std::string>())) : std::nullopt;
    case FeatureType::kNumber: return from.is_number() ? std::optional(Any(from.get<double>())) : std::nullopt;
    case FeatureType::kTimestamp: return Parsed("timestamp", from);
    case FeatureType::kDuration: return Parsed("duration", from);
    case FeatureType::kInteger: {
      if (!from.is_number_integer()) return std::nullopt;
      Any value = AnyOf(from, 0);
      return value.failed() ? std::nullopt : std::optional(std::move(value));
    }
    case FeatureType::kItems: break;
  }
  return std::nullopt;
}

std::optional<Any> ItemsOf(const json& from, const FeatureDescription& about) {
  if (!from.is_array()) return std::nullopt;
  std::vector<Any> items;
  for (const json& item : from) {
    if (!item.is_object() || !item.contains("name") || !item["name"].is_string()) return std::nullopt;
    std::map<rules::Key, std::pair<Any, Any>> parts;
    for (const auto& [key, part] : item.items()) {
      if (part.is_null()) continue;  // no value
      std::optional<Any> value = Any(part.is_string() ? part.get<std::string>() : "");
      if (key != "name") {
        value.reset();
        for (const auto& column : about.columns) {
          if (column.name == key) value = AnyOfType(part, column.type);
        }
      }
      if (!value) return std::nullopt;
      parts.emplace(rules::Key(key), std::make_pair(Any(key), *std::move(value)));
    }
    items.push_back(rules::MapOf(std::move(parts)));
  }
  return rules::ListOf(std::move(items), true);
}

std::string Wanted(const FeatureDescription& about) {
  switch (about.type) {
    case FeatureType::kBoolean: return "true or false";
    case FeatureType::kInteger: return "a whole number";
    case FeatureType::kNumber: return "a number";
    case FeatureType::kText: return "a text";
    case FeatureType::kTimestamp: return "a point in time, such as \"2026-01-31T00:00:00Z\"";
    case FeatureType::kDuration: return "a length of time, such as \"36h\"";
    case FeatureType::kItems: {
      std::string parts = "name";
      for (const auto& column : about.columns) absl::StrAppend(&parts, ", ", column.name);
      return absl::StrCat("a list of objects with ", parts);
    }
  }
  return "";
}

// Texts stay where they are.
Value ValueOf(const Any& any) {
  if (const auto* truth = any.As<bool>()) return *truth;
  if (const auto* whole = any.As<int64_t>()) return *whole;
  if (const auto* fraction = any.As<double>()) return *fraction;
  if (const auto* text = any.As<std::string>()) return std::string_view(*text);
  if (const auto* time = any.As<absl::Time>()) return FromMicros(absl::ToUnixMicros(*time));
  if (const auto* length = any.As<absl::Duration>()) return Duration(absl::ToInt64Microseconds(*length));
  return {};
}

const json* AtIn(const json& object, std::string_view name) {
  for (size_t dot = name.size(); dot != std::string_view::npos; dot = dot == 0 ? dot - 1 : name.rfind('.', dot - 1)) {
    const auto it = object.find(std::string(name.substr(0, dot)));
    if (it == object.end()) continue;
    if (dot == name.size()) return &*it;
    if (!it->is_object()) continue;
    if (const json* found = AtIn(*it, name.substr(dot + 1))) return found;
  }
  return nullptr;
}

}  // namespace

TrialValues::TrialValues(const FeatureRegistry& features, const json& with, absl::Time now)
    : features_(features), with_(with), now_(now) {}

const json* TrialValues::At(std::string_view name) const { return AtIn(with_, name); }

absl::Status TrialValues::Prepare(const std::set<std::string>& names) {
  if (const json* now = At(kNow)) {
    if (const auto time = Parsed("timestamp", *now)) now_ = *time->As<absl::Time>();
  }
  size_t known = 0, clock = names.count(std::string(kNow));
  for (const std::string& name : names) {
    const auto feature = features_.Find(name);
    if (!feature.ok()) continue;
    ++known;
    const json* given = At(name);
    if (given == nullptr || given->is_null()) {
      const bool list = feature->description().type == FeatureType::kItems;
      prepared_[name] = list ? rules::ListOf({}, true) : Any(rules::Failed{"no value: " + name, 0, true});
      continue;
    }
    const FeatureDescription& about = feature->description();
    auto value = about.type == FeatureType::kItems ? ItemsOf(*given, about) : AnyOfType(*given, about.type);
    if (!value) return absl::InvalidArgumentError(absl::StrCat("--with: ", name, " is ", Wanted(about)));
    prepared_[name] = *std::move(value);
  }
  only_features_ = known > 0 && known + clock == names.size();
  return absl::OkStatus();
}

absl::StatusOr<bool> TrialValues::PrepareWindow(const FeatureDescription& window) {
  const auto given = with_.find(window.name);
  if (given == with_.end() || given->is_null()) return false;
  auto value = AnyOfType(*given, window.type);
  if (!value) return absl::InvalidArgumentError(absl::StrCat("--with: ", window.name, " is ", Wanted(window)));
  prepared_[window.name] = *std::move(value);
  return true;
}

Moment TrialValues::moment() const {
  const Timestamp time = FromMicros(absl::ToUnixMicros(now_));
  return {time, static_cast<int32_t>(std::chrono::floor<days>(time).time_since_epoch().count())};
}

std::optional<Any> TrialValues::Find(std::string_view name) const {
  if (const auto it = prepared_.find(name); it != prepared_.end()) return it->second;
  if (const auto it = others_.find(name); it != others_.end()) return it->second;
  const auto given = with_.find(std::string(name));
  if (name == kNow && (given == with_.end() || Parsed("timestamp", *given))) return Any(now_);
  if (given == with_.end()) return std::nullopt;
  return others_.emplace(name, AnyOf(*given, 0)).first->second;
}

std::string TrialValues::Unknown(std::string_view name) const {
  std::vector<std::string_view> names = {kNow};
  for (const FeatureRef& feature : features_.all()) names.push_back(feature.description().name);
  for (const auto& [key, value] : with_.items()) names.push_back(key);
  return absl::StrCat("no such name: ", std::string(name), DidYouMean(name, names));
}

Value TrialValues::Get(const FeatureRef& feature) const {
  const auto it = prepared_.find(feature.description().name);
  return it == prepared_.end() ? Value() : ValueOf(it->second);
}

Items TrialValues::GetItems(const FeatureRef& feature) const {
  Items out;
  const auto it = prepared_.find(feature.description().name);
  const rules::AnyList* list = it == prepared_.end() ? nullptr : it->second.list();
  if (list == nullptr) return out;
  for (const Any& item : list->items) {
    const auto& parts = item.map()->entries;
    Item& made = out.emplace_back();
    made.name = *parts.at(rules::Key(std::string("name"))).second.As<std::string>();
    for (const auto& column : feature.description().columns) {
      const auto part = parts.find(rules::Key(column.name));
      made.columns.push_back(part == parts.end() ? Value() : ValueOf(part->second.second));
    }
  }
  return out;
}

json JsonOfAny(const Any& value) {
  if (const auto* truth = value.As<bool>()) return *truth;
  if (const auto* whole = value.As<int64_t>()) return *whole;
  if (const auto* number = value.As<uint64_t>()) return *number;
  if (const auto* fraction = value.As<double>()) {
    if (std::isnan(*fraction)) return "NaN";
    if (std::isinf(*fraction)) return *fraction > 0 ? "Infinity" : "-Infinity";
    return *fraction;
  }
  if (const auto* text = value.As<std::string>()) return *text;
  if (const auto* bytes = value.As<rules::Bytes>()) return absl::Base64Escape(bytes->content);
  if (const auto* time = value.As<absl::Time>()) return rules::TextOfTime(*time);
  if (const auto* length = value.As<absl::Duration>()) return rules::TextOfLength(*length);
  if (const auto* type = value.As<rules::TypeName>()) return type->name;
  if (const rules::AnyList* list = value.list()) {
    json out = json::array();
    for (const Any& item : list->items) out.push_back(JsonOfAny(item));
    return out;
  }
  if (const rules::AnyMap* map = value.map()) {
    json out = json::object();
    for (const auto& [key, entry] : map->entries) {
      const json name = JsonOfAny(entry.first);
      out[name.is_string() ? name.get<std::string>() : name.dump()] = JsonOfAny(entry.second);
    }
    return out;
  }
  return nullptr;
}

}  // namespace portrait
