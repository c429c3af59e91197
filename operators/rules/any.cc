#include "operators/rules/any.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"

namespace portrait::rules {
namespace {

constexpr int64_t kMostWeight = int64_t{1} << 50;  // far from an overflow

bool IsNumber(const Any& value) {
  return value.As<int64_t>() != nullptr || value.As<uint64_t>() != nullptr || value.As<double>() != nullptr;
}

template <class T>
T NumberAs(const Any& value) {
  if (const auto* i = value.As<int64_t>()) return static_cast<T>(*i);
  if (const auto* u = value.As<uint64_t>()) return static_cast<T>(*u);
  return static_cast<T>(*value.As<double>());
}

template <class T>
Ordering Three(const T& a, const T& b) {
  return a < b ? Ordering::kLess : b < a ? Ordering::kMore : Ordering::kEqual;
}

// Beside a fraction, as fractions: 9223372036854775807 is as much as 9223372036854775808.0, as in other CELs.
Ordering OrderOfNumbers(const Any& a, const Any& b) {
  if (a.As<double>() != nullptr || b.As<double>() != nullptr) {
    const auto x = NumberAs<double>(a), y = NumberAs<double>(b);
    return std::isnan(x) || std::isnan(y) ? Ordering::kUnordered : Three(x, y);
  }
  // A long double holds every int64_t and uint64_t, on x86-64 and on arm64.
  return Three(NumberAs<long double>(a), NumberAs<long double>(b));
}

template <class T>
std::optional<Ordering> IfBoth(const Any& a, const Any& b) {
  const auto *x = a.As<T>(), *y = b.As<T>();
  if (x == nullptr || y == nullptr) return std::nullopt;
  return Three(*x, *y);
}

bool SameLists(const AnyList& a, const AnyList& b) {
  return a.items.size() == b.items.size() && std::equal(a.items.begin(), a.items.end(), b.items.begin(), Same);
}

bool SameMaps(const AnyMap& a, const AnyMap& b) {
  return a.entries.size() == b.entries.size() &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), [](const auto& x, const auto& y) {
           return x.first == y.first && Same(x.second.second, y.second.second);
         });
}

}  // namespace

const AnyList* Any::list() const {
  const auto* shared = As<std::shared_ptr<const AnyList>>();
  return shared == nullptr ? nullptr : shared->get();
}

const AnyMap* Any::map() const {
  const auto* shared = As<std::shared_ptr<const AnyMap>>();
  return shared == nullptr ? nullptr : shared->get();
}

Any ListOf(std::vector<Any> items, bool named) {
  auto list = std::make_shared<AnyList>();
  for (const Any& item : items) list->weight = std::min(kMostWeight, list->weight + WeightOf(item));
  list->items = std::move(items);
  list->named = named;
  return std::shared_ptr<const AnyList>(std::move(list));
}

Any MapOf(std::map<Key, std::pair<Any, Any>> entries) {
  auto map = std::make_shared<AnyMap>();
  for (const auto& [key, entry] : entries) {
    map->weight = std::min(kMostWeight, map->weight + WeightOf(entry.first) + WeightOf(entry.second));
  }
  map->entries = std::move(entries);
  return std::shared_ptr<const AnyMap>(std::move(map));
}

int64_t WeightOf(const Any& value) {
  constexpr size_t kBytesOfOne = 64;
  if (const auto* text = value.As<std::string>()) return static_cast<int64_t>(1 + text->size() / kBytesOfOne);
  if (const auto* bytes = value.As<Bytes>()) return static_cast<int64_t>(1 + bytes->content.size() / kBytesOfOne);
  if (const AnyList* list = value.list()) return list->weight;
  if (const AnyMap* map = value.map()) return map->weight;
  return 1;
}

std::optional<Key> KeyOf(const Any& value) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (const auto* truth = value.As<bool>()) return Key(*truth);
  if (const auto* whole = value.As<int64_t>()) return Key(*whole);
  if (const auto* text = value.As<std::string>()) return Key(*text);
  if (const auto* number = value.As<uint64_t>()) {
    const bool fits = *number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    return fits ? Key(static_cast<int64_t>(*number)) : Key(*number);
  }
  const auto* fraction = value.As<double>();
  if (fraction == nullptr || *fraction != std::trunc(*fraction)) return std::nullopt;
  if (*fraction >= -kTwoTo63 && *fraction < kTwoTo63) return Key(static_cast<int64_t>(*fraction));
  if (*fraction >= kTwoTo63 && *fraction < 2 * kTwoTo63) return Key(static_cast<uint64_t>(*fraction));
  return std::nullopt;
}

bool Same(const Any& a, const Any& b) {
  if (IsNumber(a) && IsNumber(b)) return OrderOfNumbers(a, b) == Ordering::kEqual;
  if (a.content.index() != b.content.index()) return false;
  if (a.As<Nothing>() != nullptr) return true;
  if (const auto* type = a.As<TypeName>()) return type->name == b.As<TypeName>()->name;
  if (const AnyList* list = a.list()) return SameLists(*list, *b.list());
  if (const AnyMap* map = a.map()) return SameMaps(*map, *b.map());
  return OrderOf(a, b) == Ordering::kEqual;
}

Ordering OrderOf(const Any& a, const Any& b) {
  if (IsNumber(a) && IsNumber(b)) return OrderOfNumbers(a, b);
  if (const auto order = IfBoth<std::string>(a, b)) return *order;
  if (const auto order = IfBoth<bool>(a, b)) return *order;
  if (const auto order = IfBoth<absl::Time>(a, b)) return *order;
  if (const auto order = IfBoth<absl::Duration>(a, b)) return *order;
  const auto *p = a.As<Bytes>(), *q = b.As<Bytes>();
  return p != nullptr && q != nullptr ? Three(p->content, q->content) : Ordering::kNotComparable;
}

std::string_view TypeOf(const Any& value) {
  constexpr std::string_view kNames[] = {"error",
                                         "null_type",
                                         "bool",
                                         "int",
                                         "uint",
                                         "double",
                                         "string",
                                         "bytes",
                                         "google.protobuf.Timestamp",
                                         "google.protobuf.Duration",
                                         "list",
                                         "map",
                                         "type"};
  return kNames[value.content.index()];
}

Any TimeOrFailure(absl::Time time) {
  const absl::Time first = absl::FromCivil(absl::CivilDay(1), absl::UTCTimeZone());
  const absl::Time end = absl::FromCivil(absl::CivilDay(10'000), absl::UTCTimeZone());
  if (time < first || time >= end) return Failed{"a point in time out of range: from the year 1 to 9999"};
  return time;
}

Any LengthOrFailure(absl::Duration length) {
  constexpr int64_t kMostSeconds = 315'576'000'000;
  if (absl::AbsDuration(length) > absl::Seconds(kMostSeconds)) {
    return Failed{"a length of time out of range: at most 10 000 years"};
  }
  return length;
}

std::string TextOfTime(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%d%ET%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

std::string TextOfLength(absl::Duration length) {
  const bool negative = length < absl::ZeroDuration();
  absl::Duration rest = absl::AbsDuration(length);
  const int64_t whole = absl::IDivDuration(rest, absl::Seconds(1), &rest);
  std::string fraction = absl::StrCat(1'000'000'000 + absl::ToInt64Nanoseconds(rest)).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return absl::StrCat(negative ? "-" : "", whole, fraction.empty() ? "" : ".", fraction, "s");
}

}  // namespace portrait::rules
