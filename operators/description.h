// What an operator says about itself: the events it reads, the features it offers, the results it writes.
//
//   void Purchases::Describe(Description& about) {
//     about.Name("purchases").About("Orders, spend and the customer's own rhythm")
//         .Reads({Event::kOrderCompleted, Event::kOrderRefunded});
//     about.Feature<PurchasesState>(
//         "orders", "orders", "Orders so far",
//         [](const PurchasesState& state) -> int64_t { return state.orders(); });
//   }
//
// A feature is a pure function of the operator's own state, evaluated only when somebody reads it. Its full name is
// operator.feature. Its type follows from what the function returns: bool, int64_t, double, std::string_view,
// Timestamp, Duration, Items, or an optional of one of these where there may be no value.
//
// A function that also takes a Moment changes while no event comes. How it does is said by an OverTime: rules set their
// timers by it. A function that takes the state alone stands still.
//
//   about.Feature<State>("orders_90d", "orders", "Orders in the last 90 days",
//                        [](const State& s, const Moment& at) { return WindowCount(s.orders(), at.day, 90); },
//                        ChangesOn<State>([](const State& s, const Moment& at) {
//                          return WindowNextChange(s.orders(), at.day, 90);
//                        }));
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "google/protobuf/message.h"
#include "operators/event.h"
#include "operators/value.h"

namespace portrait {

struct FeatureDescription;

// How a feature changes while no event comes. One that says less than it does makes tags come late.
struct OverTime {
  enum class Kind : uint8_t {
    kStill,     // not at all
    kOnDay,     // not before a local day that is known; see ChangesOn
    kOnMoment,  // not before an instant that is known
    kEachDay,   // when a local day begins, if at all
    kRuns,      // with time: a length of time, or a number of days that grows by one a day
  };
  // Which way it goes then. A count that can only fall need not be watched until it has reached something.
  enum class Trend : uint8_t { kEither, kFalls, kRises };

  Kind kind = Kind::kEachDay;
  Trend trend = Trend::kEither;
  std::shared_ptr<const FeatureDescription> next;  // for kOnDay and kOnMoment: gives it

  static OverTime Still() { return {Kind::kStill, Trend::kEither, nullptr}; }
  static OverTime EachDay(Trend trend = Trend::kEither) { return {Kind::kEachDay, trend, nullptr}; }
  static OverTime Runs() { return {Kind::kRuns, Trend::kRises, nullptr}; }
};

struct FeatureColumn {
  std::string name;
  FeatureType type;
  std::string unit;
  std::string meaning;
  OverTime over_time = OverTime::EachDay();  // of a list that stands still, this does, too
};

// How to tell what has changed in a list without building it twice; for a list that is costly to build and that events
// change in one place. Of at most 32 elements.
struct ListChanges {
  // Null: `before` for an element that has come, `after` for one that has gone. Names are valid as long as the bytes
  // kept and the state, the rest only meanwhile.
  using Visit = absl::FunctionRef<void(const Item* before, const Item* after)>;

  // Appends what decides the list, whatever the moment.
  std::function<void(const google::protobuf::Message&, std::string& kept)> keep;
  // Visits all elements that differ between what was kept and the state now, both as of the moment; perhaps others.
  std::function<void(std::string_view kept, const google::protobuf::Message&, const Moment&, Visit)> visit;

  explicit operator bool() const { return visit != nullptr; }
};

struct FeatureDescription {
  std::string name;  // in full: purchases.spend_90d
  FeatureType type;
  std::string unit;
  std::string meaning;
  OverTime over_time;
  std::vector<FeatureColumn> columns;  // of a feature of type kItems
  std::function<Value(const google::protobuf::Message&, const Moment&)> value;
  std::function<Items(const google::protobuf::Message&, const Moment&)> items;
  ListChanges changes;    // of items; may be empty
  bool by_timers = true;  // whether a timer of its operator may change it
};

// `day` gives the local day (since 1970) on which the feature changes next by time alone, as an optional<int32_t>;
// nothing: not at all.
template <class State, class Function>
OverTime ChangesOn(Function day, OverTime::Trend trend = OverTime::Trend::kEither) {
  auto about = std::make_shared<FeatureDescription>();
  about->type = FeatureType::kInteger;
  about->value = [day](const google::protobuf::Message& state, const Moment& at) -> Value {
    const std::optional<int32_t> next = day(static_cast<const State&>(state), at);
    if (!next) return std::monostate{};
    return int64_t{*next};
  };
  return {OverTime::Kind::kOnDay, trend, std::move(about)};
}

struct OutputDescription {
  std::string topic;  // the default name of its topic
  std::string meaning;
  const google::protobuf::Descriptor* message;
};

struct TimerDescription {
  uint32_t id;
  std::string meaning;
};

class Description {
 public:
  // The name is the key of the operator's state in every row: it never changes. Lower case, digits and underscores.
  Description& Name(std::string name) {
    name_ = std::move(name);
    return *this;
  }
  Description& About(std::string about) {
    about_ = std::move(about);
    return *this;
  }
  Description& Reads(std::initializer_list<EventKind> kinds) {
    for (EventKind kind : kinds) reads_.set(static_cast<size_t>(kind));
    return *this;
  }
  // For operators that look at features after every event, whatever its kind.
  Description& ReadsEverything() {
    reads_.set();
    return *this;
  }
  // Result must have a ResultInfo as its field `info`.
  template <class Result>
  Description& Writes(std::string topic, std::string meaning) {
    outputs_.push_back({std::move(topic), std::move(meaning), Result::descriptor()});
    return *this;
  }
  Description& Timer(uint32_t id, std::string meaning) {
    timers_.push_back({id, std::move(meaning)});
    return *this;
  }

  // For operators that judge what others know: OnChange is called when a timer of an operator before this one has
  // fired, or a switch has changed it.
  Description& FollowsTimers() {
    follows_timers_ = true;
    return *this;
  }

  // For operators that compare what others know before and after an event: BeforeEvent is called before any operator
  // handles it, and, where the operator follows timers, BeforeTimer before one fires.
  Description& LooksBefore() {
    looks_before_ = true;
    return *this;
  }

  // Features declared already that no timer of this operator changes, by their names without the operator's. Another
  // name stops the building of the chain.
  Description& TimersLeave(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
      const auto named = [&](const FeatureDescription& feature) {
        return std::string_view(feature.name).substr(name_.size() + 1) == name;
      };
      const auto found = std::find_if(features_.begin(), features_.end(), named);
      if (found == features_.end()) {
        no_features_.emplace_back(name);
      } else {
        found->by_timers = false;
      }
    }
    return *this;
  }

  // For operators of which another version may come while the engine runs: all rows are asked, then, whether it changes
  // them (Reconsiders, OnSwitch).
  Description& FollowsSwitches() {
    follows_switches_ = true;
    return *this;
  }

  // `name` without the operator's. `unit`: "orders", "days", "currency" (the home currency), "1" for a ratio.
  template <class State, class Function>
  Description& Feature(std::string_view name, std::string_view unit, std::string_view meaning, Function function,
                       OverTime over_time = OverTime::EachDay()) {
    using Returned = decltype(Call<State>(function, std::declval<const State&>(), std::declval<const Moment&>()));
    FeatureDescription& feature = NewFeature(name, TypeOf<Returned>(), unit, meaning);
    feature.over_time = StandsStill<State, Function>() ? OverTime::Still() : std::move(over_time);
    feature.value = [function](const google::protobuf::Message& state, const Moment& at) -> Value {
      return ToValue(Call<State>(function, static_cast<const State&>(state), at));
    };
    return *this;
  }

  // A list: each item has a name and these columns, in this order.
  template <class State, class Function>
  Description& ItemsFeature(std::string_view name, std::vector<FeatureColumn> columns, std::string_view meaning,
                            Function function, OverTime over_time = OverTime::EachDay(), ListChanges changes = {}) {
    FeatureDescription& feature = NewFeature(name, FeatureType::kItems, "items", meaning);
    feature.over_time = StandsStill<State, Function>() ? OverTime::Still() : std::move(over_time);
    feature.columns = std::move(columns);
    feature.changes = std::move(changes);
    feature.items = [function](const google::protobuf::Message& state, const Moment& at) -> Items {
      return Call<State>(function, static_cast<const State&>(state), at);
    };
    return *this;
  }

  const std::string& name() const { return name_; }
  const std::string& about() const { return about_; }
  const EventKindSet& reads() const { return reads_; }
  bool follows_timers() const { return follows_timers_; }
  bool looks_before() const { return looks_before_; }
  bool follows_switches() const { return follows_switches_; }
  // What TimersLeave has named and is no feature.
  const std::vector<std::string>& no_features() const { return no_features_; }
  const std::vector<FeatureDescription>& features() const { return features_; }
  const std::vector<OutputDescription>& outputs() const { return outputs_; }
  const std::vector<TimerDescription>& timers() const { return timers_; }

 private:
  FeatureDescription& NewFeature(std::string_view name, FeatureType type, std::string_view unit,
                                 std::string_view meaning) {
    std::string full = name_;
    full.append(".").append(name);
    return features_.emplace_back(FeatureDescription{.name = std::move(full),
                                                     .type = type,
                                                     .unit = std::string(unit),
                                                     .meaning = std::string(meaning),
                                                     .over_time = {},
                                                     .columns = {},
                                                     .value = {},
                                                     .items = {},
                                                     .changes = {},
                                                     .by_timers = true});
  }

  template <class State, class Function>
  static constexpr bool StandsStill() {
    return std::is_invocable_v<Function, const State&>;
  }
  template <class State, class Function>
  static decltype(auto) Call(const Function& function, const State& state, const Moment& at) {
    if constexpr (StandsStill<State, Function>()) {
      static_cast<void>(at);
      return function(state);
    } else {
      return function(state, at);
    }
  }

  template <class T>
  struct Unwrapped {
    using type = T;
  };
  template <class T>
  struct Unwrapped<std::optional<T>> {
    using type = T;
  };

  template <class Returned>
  static constexpr FeatureType TypeOf() {
    using T = typename Unwrapped<std::remove_cvref_t<Returned>>::type;
    if constexpr (std::is_same_v<T, bool>) {
      return FeatureType::kBoolean;
    } else if constexpr (std::is_integral_v<T>) {
      return FeatureType::kInteger;
    } else if constexpr (std::is_floating_point_v<T>) {
      return FeatureType::kNumber;
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      return FeatureType::kTimestamp;
    } else if constexpr (std::is_same_v<T, Duration>) {
      return FeatureType::kDuration;
    } else {
      static_assert(std::is_same_v<T, std::string_view>,
                    "a feature returns bool, int64_t, double, std::string_view, "
                    "Timestamp, Duration, or an optional of these");
      return FeatureType::kText;
    }
  }

  template <class Returned>
  static Value ToValue(const Returned& returned) {
    if constexpr (std::is_same_v<Returned, bool> || std::is_same_v<Returned, std::string_view> ||
                  std::is_same_v<Returned, Timestamp> || std::is_same_v<Returned, Duration>) {
      return returned;
    } else if constexpr (std::is_integral_v<Returned>) {
      return static_cast<int64_t>(returned);
    } else if constexpr (std::is_floating_point_v<Returned>) {
      return static_cast<double>(returned);
    } else {
      if (!returned.has_value()) return std::monostate{};
      return ToValue(*returned);
    }
  }

  std::string name_;
  std::string about_;
  EventKindSet reads_;
  bool follows_timers_ = false;
  bool looks_before_ = false;
  bool follows_switches_ = false;
  std::vector<std::string> no_features_;
  std::vector<FeatureDescription> features_;
  std::vector<OutputDescription> outputs_;
  std::vector<TimerDescription> timers_;
};

}  // namespace portrait
