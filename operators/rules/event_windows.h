// Windows over events of any kind, as functions in rules: count(page_viewed, "7d", category == "shoes").
//
//   EventWindows windows(features);
//   absl::StatusOr<FeatureRef> count = windows.Find({.function = EventFunction::kCount, .kind = kind, …});
//   windows.Take(event, context, state);  // each event of a customer, once
//
// What a rule set names of events becomes features of the operator `tags`: read, watched for change and explained as
// those of other operators. What they are computed from is kept in its state, an EventWindow for each kind of event
// and filter that is named, however many rules and lengths share it:
//
//   what is kept            for                      bytes in a row
//   counts, sums by unit    count, sum               3 to 8 a unit with events, at most about 400 (operators/window.h)
//   different values        distinct                 8 a value, at most 512 (operators/distinct_values.h)
//   first and last time     first, last, after       at most 20
//
// and 13 each for itself. At most kMostEventWindows of them, and nothing for events that have not come.
//
// A window counts in units: minutes up to "6h", quarters of an hour up to "48h", then hours; of "7d" local days.
// It is the current unit and those before it, so a window of n units reaches back between n - 1 and n.
// An event counts at its own time, also when it comes late.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "operators/context.h"
#include "operators/features.h"
#include "operators/rules/program.h"
#include "portrait/v1/state/tags.pb.h"

namespace portrait::rules {

inline constexpr std::string_view kDecided = "tags.held";  // the feature that rules decide, and may not name
inline constexpr size_t kMostEventWindows = 64;            // of a rule set
inline constexpr int kMostWindowUnits = 365;
inline constexpr std::string_view kDistinctUnit = "values";  // the unit of distinct(…)

enum class EventFunction : uint8_t { kCount, kSum, kDistinct, kFirst, kLast };

// How far a window reaches back, in units.
struct WindowLength {
  enum class Unit : uint8_t { kMinute, kQuarter, kHour, kDay };
  Unit unit = Unit::kDay;
  int units = 0;
  std::string text;  // "7d": one for each pair of the above
  Duration exact{};  // a day as 24 hours
};

// "30m", "2h", "7d". InvalidArgument: what is wrong with it.
absl::StatusOr<WindowLength> ParseWindowLength(std::string_view text);

// Filled while conditions are compiled; constant then, and safe from any thread. Two rule sets may share one: an event
// enters a window that both name once, and it is kept for the longer of both.
class EventWindows {
 public:
  // The windows are part of the state of the operator that offers kDecided; with other features there are none.
  explicit EventWindows(const FeatureRegistry& features);
  EventWindows(const EventWindows&) = delete;
  EventWindows& operator=(const EventWindows&) = delete;

  bool available() const { return owner_.has_value(); }

  struct Wanted {
    EventFunction function = EventFunction::kCount;
    EventKind kind = Event::BODY_NOT_SET;
    std::optional<FeatureRef> field;     // of kSum and kDistinct: of EventFields
    std::optional<WindowLength> length;  // but of kFirst and kLast
    int32_t filter = -1;                 // a node of filters(); -1: none
    std::string filter_text;             // its NormalText
  };
  // The feature; its name is the function in its normal form. InvalidArgument: too many windows.
  absl::StatusOr<FeatureRef> Find(const Wanted& wanted);

  // What is named from here on is of another rule set: each may name kMostEventWindows.
  void BeginSet() { of_set_.clear(); }

  // Where filters are compiled to.
  Program& filters() { return filters_; }

  // Enters an event into the windows that it belongs to.
  void Take(const Event& event, const Context& context, v1::state::Tags& state) const;

  // Drops what these rules do not name.
  void Forget(v1::state::Tags& state) const;

  // What is kept, in words: "page_viewed by the day where category == \"shoes\"".
  std::vector<std::string> Kept() const;

  // A window as rules name it.
  struct Named {
    std::string name;                    // count(page_viewed, "7d")
    std::string kept;                    // one of Kept()
    std::optional<WindowLength> length;  // but of first and last
  };
  std::vector<Named> Windows() const;  // by name

 private:
  enum class Content : uint8_t { kCounts, kValues, kTimes };
  struct Ring {
    uint64_t key = 0;
    std::string text;
    Content content = Content::kCounts;
    std::optional<FeatureRef> field;
    int32_t filter = -1;
    WindowLength::Unit unit = WindowLength::Unit::kDay;
    int keep = 1;  // the longest of its windows
    EventKindSet kinds;
  };

  struct Known {
    FeatureRef feature;
    size_t ring;  // of rings_
    std::optional<WindowLength> length;
  };

  absl::StatusOr<size_t> RingOf(const Wanted& wanted);
  void Enter(const Ring& ring, const Event& event, const Context& context, v1::state::EventWindow& window) const;

  std::optional<FeatureRef> owner_;
  Program filters_;
  std::deque<Ring> rings_;
  std::deque<FeatureDescription> features_;
  std::map<std::string, Known> by_name_;
  absl::flat_hash_map<std::string, size_t> by_text_;
  std::array<std::vector<size_t>, kEventKinds> by_kind_;  // of rings_
  std::set<size_t> of_set_;                               // of rings_: named by the set that is being compiled
};

}  // namespace portrait::rules
