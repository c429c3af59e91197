#include "operators/rules/event_windows.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "operators/distinct_values.h"
#include "operators/insert_at.h"
#include "operators/rules/event_fields.h"
#include "operators/window.h"

namespace portrait::rules {
namespace {

using v1::state::EventWindow;
using Unit = WindowLength::Unit;
static_assert(kMostWindowUnits == kWindowDaysMax);

constexpr int64_t kMinuteMicros = 60'000'000;

int64_t MicrosOf(Unit unit) {
  switch (unit) {
    case Unit::kMinute: return kMinuteMicros;
    case Unit::kQuarter: return 15 * kMinuteMicros;
    case Unit::kHour: return 60 * kMinuteMicros;
    case Unit::kDay: return 24 * 60 * kMinuteMicros;
  }
  return kMinuteMicros;
}

std::string_view WordOf(Unit unit) {
  switch (unit) {
    case Unit::kMinute: return "minute";
    case Unit::kQuarter: return "quarter of an hour";
    case Unit::kHour: return "hour";
    case Unit::kDay: return "day";
  }
  return "";
}

std::string_view NameOf(EventFunction function) {
  switch (function) {
    case EventFunction::kCount: return "count";
    case EventFunction::kSum: return "sum";
    case EventFunction::kDistinct: return "distinct";
    case EventFunction::kFirst: return "first";
    case EventFunction::kLast: return "last";
  }
  return "";
}

// Which unit an instant lies in.
int32_t UnitAt(Unit unit, const Moment& at) {
  if (unit == Unit::kDay) return at.day;
  const int64_t micros = ToMicros(at.time), length = MicrosOf(unit);
  return static_cast<int32_t>(micros / length - (micros % length < 0 ? 1 : 0));
}

const EventWindow& WindowIn(const google::protobuf::Message& state, uint64_t key) {
  const auto& all = static_cast<const v1::state::Tags&>(state).windows();
  const auto it =
      std::lower_bound(all.begin(), all.end(), key, [](const EventWindow& w, uint64_t k) { return w.key() < k; });
  return it != all.end() && it->key() == key ? *it : EventWindow::default_instance();
}

EventWindow& WindowFor(v1::state::Tags& state, uint64_t key) {
  auto& all = *state.mutable_windows();
  const auto it =
      std::lower_bound(all.begin(), all.end(), key, [](const EventWindow& w, uint64_t k) { return w.key() < k; });
  const int at = static_cast<int>(it - all.begin());
  if (it != all.end() && it->key() == key) return all[at];
  EventWindow& added = InsertAt(at, all);
  added.set_key(key);
  return added;
}

// Sums are kept as whole numbers: money and other fractions in millionths, lengths in microseconds.
constexpr double kMillionths = 1e6;

int64_t Summand(const Value& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) return *whole;
  if (const auto* length = std::get_if<Duration>(&value)) return length->count();
  const auto* fraction = std::get_if<double>(&value);
  return fraction == nullptr ? 0 : static_cast<int64_t>(std::llround(*fraction * kMillionths));
}

Value SumOf(int64_t sum, FeatureType type) {
  if (type == FeatureType::kInteger) return sum;
  if (type == FeatureType::kDuration) return Duration(sum);
  return static_cast<double>(sum) / kMillionths;
}

// By its bytes; texts and numbers never meet in one set.
std::string BytesOf(const Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  const auto* whole = std::get_if<int64_t>(&value);
  return whole == nullptr ? std::string() : absl::StrCat(*whole);
}

// When what is counted by units changes by time alone, as OverTime wants it.
template <class NextUnit>
OverTime ChangesByUnit(const WindowLength& length, NextUnit next, OverTime::Trend trend) {
  auto about = std::make_shared<FeatureDescription>();
  const bool days = length.unit == Unit::kDay;
  about->type = days ? FeatureType::kInteger : FeatureType::kTimestamp;
  about->value = [next, days, unit = length.unit](const google::protobuf::Message& state, const Moment& at) -> Value {
    const std::optional<int32_t> changes = next(state, UnitAt(unit, at));
    if (!changes) return {};
    if (days) return int64_t{*changes};
    return FromMicros(*changes * MicrosOf(unit));
  };
  return {days ? OverTime::Kind::kOnDay : OverTime::Kind::kOnMoment, trend, std::move(about)};
}

void DescribeTimes(FeatureDescription& about, bool first, uint64_t key) {
  about.type = FeatureType::kTimestamp;
  about.unit = "time";
  about.over_time = OverTime::Still();
  about.value = [key, first](const google::protobuf::Message& state, const Moment&) -> Value {
    const EventWindow& window = WindowIn(state, key);
    if (!window.has_first_us()) return {};
    return FromMicros(first ? window.first_us() : window.last_us());
  };
}

void DescribeCounts(FeatureDescription& about, const EventWindows::Wanted& wanted, uint64_t key) {
  const bool sum = wanted.function == EventFunction::kSum;
  const Unit unit = wanted.length->unit;
  const int units = wanted.length->units;
  about.type = sum ? wanted.field->description().type : FeatureType::kInteger;
  about.unit = sum ? wanted.field->description().unit : "events";
  about.value = [key, sum, unit, units, type = about.type](const google::protobuf::Message& state,
                                                           const Moment& at) -> Value {
    const std::string& counts = WindowIn(state, key).counts();
    const int32_t now = UnitAt(unit, at);
    if (sum) return SumOf(WindowSum(counts, now, units), type);
    return WindowCount(counts, now, units);
  };
  about.over_time = ChangesByUnit(
      *wanted.length,
      [key, units](const google::protobuf::Message& state, int32_t now) {
        return WindowNextChange(WindowIn(state, key).counts(), now, units);
      },
      sum ? OverTime::Trend::kEither : OverTime::Trend::kFalls);
}

void DescribeValues(FeatureDescription& about, const WindowLength& length, uint64_t key) {
  about.type = FeatureType::kInteger;
  about.unit = std::string(kDistinctUnit);
  about.value = [key, unit = length.unit, units = length.units](const google::protobuf::Message& state,
                                                                const Moment& at) -> Value {
    return DistinctCount(WindowIn(state, key).values(), UnitAt(unit, at), units);
  };
  about.over_time = ChangesByUnit(
      length,
      [key, units = length.units](const google::protobuf::Message& state, int32_t now) {
        return DistinctNextChange(WindowIn(state, key).values(), now, units);
      },
      OverTime::Trend::kFalls);
}

std::string SubjectOf(const EventWindows::Wanted& wanted) {
  const std::string kind(EventKindName(wanted.kind));
  return wanted.field ? absl::StrCat(kind, ".", wanted.field->description().name) : kind;
}

std::string NameOf(const EventWindows::Wanted& wanted) {
  std::string name = absl::StrCat(std::string(NameOf(wanted.function)), "(", SubjectOf(wanted));
  if (wanted.length) absl::StrAppend(&name, ", \"", wanted.length->text, "\"");
  if (wanted.filter >= 0) absl::StrAppend(&name, ", ", wanted.filter_text);
  return name + ")";
}

}  // namespace

absl::StatusOr<WindowLength> ParseWindowLength(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(what), ": \"", std::string(text), "\""));
  };
  constexpr std::string_view kForm =
      "not the length of a window; write it in minutes, hours or days, as \"30m\", \"2h\" or \"7d\"";
  int64_t number = 0;
  if (text.empty() || !absl::SimpleAtoi(std::string(text.substr(0, text.size() - 1)), &number)) return wrong(kForm);
  const char letter = text.back();
  if (letter != 'm' && letter != 'h' && letter != 'd') {
    return wrong(absl::StrCat(std::string(kForm), ", at most 365 of them"));
  }
  if (number <= 0) return wrong("a window is longer than nothing");
  if (number > kMostWindowUnits) {
    const std::string_view word = letter == 'm' ? "minutes; write hours" : letter == 'h' ? "hours; write days" : "days";
    return wrong(absl::StrCat("a window is too long; at most 365 ", std::string(word)));
  }
  WindowLength out;
  const int n = static_cast<int>(number);
  if (letter == 'd') {
    out = {Unit::kDay, n, absl::StrCat(n, "d"), hours(24 * n)};
    return out;
  }
  const int in_minutes = letter == 'm' ? n : 60 * n;
  out.exact = minutes(in_minutes);
  if (in_minutes <= kMostWindowUnits) {
    out.unit = Unit::kMinute;
    out.units = in_minutes;
  } else if (n <= 48) {
    out.unit = Unit::kQuarter;
    out.units = 4 * n;
  } else {
    out.unit = Unit::kHour;
    out.units = n;
  }
  out.text = in_minutes % 60 == 0 ? absl::StrCat(in_minutes / 60, "h") : absl::StrCat(in_minutes, "m");
  return out;
}

EventWindows::EventWindows(const FeatureRegistry& features) {
  if (const auto owner = features.Find(kDecided); owner.ok()) owner_ = *owner;
}

absl::StatusOr<FeatureRef> EventWindows::Find(const Wanted& wanted) {
  const std::string name = NameOf(wanted);
  const auto index = RingOf(wanted);
  if (!index.ok()) return index.status();
  if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second.feature;
  Ring& ring = rings_[*index];
  if (wanted.length) ring.keep = std::max(ring.keep, wanted.length->units);
  FeatureDescription& about = features_.emplace_back();
  about.name = name;
  switch (wanted.function) {
    case EventFunction::kCount:
    case EventFunction::kSum: DescribeCounts(about, wanted, ring.key); break;
    case EventFunction::kDistinct: DescribeValues(about, *wanted.length, ring.key); break;
    case EventFunction::kFirst:
    case EventFunction::kLast: DescribeTimes(about, wanted.function == EventFunction::kFirst, ring.key); break;
  }
  return by_name_.emplace(name, Known{owner_->Unlisted(&about, &ring.kinds), *index, wanted.length})
      .first->second.feature;
}

// The words are hashed into the key under which customers' rows hold it, so they never change.
absl::StatusOr<size_t> EventWindows::RingOf(const Wanted& wanted) {
  std::string text = SubjectOf(wanted);
  const bool distinct = wanted.function == EventFunction::kDistinct;
  if (wanted.length) {
    absl::StrAppend(&text, distinct ? ", different values by the " : " by the ",
                    std::string(WordOf(wanted.length->unit)));
  } else {
    absl::StrAppend(&text, ", first and last");
  }
  if (wanted.filter >= 0) absl::StrAppend(&text, " where ", wanted.filter_text);
  const auto known = by_text_.find(text);
  const size_t index = known == by_text_.end() ? rings_.size() : known->second;
  if (of_set_.insert(index).second && of_set_.size() > kMostEventWindows) {
    of_set_.erase(index);
    return absl::InvalidArgumentError(
        absl::StrCat("too many windows in these rules; at most ", kMostEventWindows, " kinds of events and filters"));
  }
  if (known != by_text_.end()) return index;
  Ring ring;
  ring.key = XXH3_64bits(text.data(), text.size());
  ring.text = text;
  ring.content = !wanted.length ? Content::kTimes : distinct ? Content::kValues : Content::kCounts;
  ring.field = wanted.field;
  ring.filter = wanted.filter;
  if (wanted.length) ring.unit = wanted.length->unit;
  ring.kinds.set(static_cast<size_t>(wanted.kind));
  by_kind_[static_cast<size_t>(wanted.kind)].push_back(index);
  by_text_.emplace(std::move(text), index);
  rings_.push_back(std::move(ring));
  return index;
}

void EventWindows::Take(const Event& event, const Context& context, v1::state::Tags& state) const {
  const std::vector<size_t>& concerned = by_kind_[static_cast<size_t>(event.body_case())];
  if (concerned.empty()) return;
  const EventReader reader(event);
  Evaluation evaluation(filters_, reader, {}, Scratch::OfThisThread());
  for (const size_t i : concerned) {
    const Ring& ring = rings_[i];
    if (ring.filter >= 0 && !evaluation.Holds(ring.filter)) continue;
    if (ring.field && !HasValue(reader.Get(*ring.field))) continue;
    Enter(ring, event, context, WindowFor(state, ring.key));
  }
}

void EventWindows::Enter(const Ring& ring, const Event& event, const Context& context, EventWindow& window) const {
  const int64_t time_us = event.event_time_us();
  const Timestamp time = EventTime(event);
  const auto value = [&] { return ring.field ? EventReader(event).Get(*ring.field) : Value(); };
  const auto unit = [&] { return UnitAt(ring.unit, {time, ring.unit == Unit::kDay ? context.DayOf(time) : 0}); };
  switch (ring.content) {
    case Content::kCounts: return WindowAdd(*window.mutable_counts(), unit(), 1, Summand(value()), ring.keep);
    case Content::kValues: return DistinctAdd(*window.mutable_values(), BytesOf(value()), unit(), ring.keep);
    case Content::kTimes:
      if (!window.has_first_us() || time_us < window.first_us()) window.set_first_us(time_us);
      if (!window.has_last_us() || time_us > window.last_us()) window.set_last_us(time_us);
  }
}

void EventWindows::Forget(v1::state::Tags& state) const {
  auto& all = *state.mutable_windows();
  const auto named = [&](const EventWindow& window) {
    return std::any_of(rings_.begin(), rings_.end(), [&](const Ring& ring) { return ring.key == window.key(); });
  };
  all.erase(std::remove_if(all.begin(), all.end(), [&](const EventWindow& w) { return !named(w); }), all.end());
}

std::vector<std::string> EventWindows::Kept() const {
  std::vector<std::string> out;
  for (const Ring& ring : rings_) out.push_back(ring.text);
  return out;
}

std::vector<EventWindows::Named> EventWindows::Windows() const {
  std::vector<Named> out;
  for (const auto& [name, known] : by_name_) out.push_back({name, rings_[known.ring].text, known.length});
  return out;
}

}  // namespace portrait::rules
