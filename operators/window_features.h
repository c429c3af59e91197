// Declares the features of a window: one for each of 1, 7, 30, 90 and 365 days, and one for the lifetime.
//
//   DescribeWindow(about, "views", "views", "Page views", &v1::state::Site::visits, WindowPart::kCount);
//
// declares views_1d, views_7d, views_30d, views_90d, views_365d and views.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/description.h"
#include "operators/window.h"

namespace portrait {

inline constexpr std::array<int, 5> kWindowDays = {1, 7, 30, 90, 365};

// A window holds two numbers for each day; an operator says what each of them is.
enum class WindowPart { kCount, kSum };

inline int64_t WithinDays(const std::string& window, WindowPart part, const Moment& at, int window_days) {
  return part == WindowPart::kCount ? WindowCount(window, at.day, window_days) : WindowSum(window, at.day, window_days);
}

inline int64_t Lifetime(const std::string& window, WindowPart part) {
  return part == WindowPart::kCount ? LifetimeCount(window) : LifetimeSum(window);
}

// The first local day after `today` on which something leaves one of these windows; none when all are empty.
inline std::optional<int32_t> FirstChange(std::initializer_list<const std::string*> windows, int32_t today,
                                          int window_days) {
  std::optional<int32_t> first;
  for (const std::string* window : windows) {
    const auto day = WindowNextChange(*window, today, window_days);
    if (day) first = std::min(first.value_or(*day), *day);
  }
  return first;
}

// `window` as in DescribeWindow.
template <class State, class Getter>
OverTime ChangesAsWindow(Getter window, int window_days) {
  return ChangesOn<State>([=](const State& state, const Moment& at) {
    return WindowNextChange(std::invoke(window, state), at.day, window_days);
  });
}

inline std::string WindowSuffix(int window_days) { return absl::StrCat("_", window_days, "d"); }

inline std::string WindowWords(int window_days) {
  return window_days == 1 ? " today" : absl::StrCat(" in the last ", window_days, " days");
}

// `window` is the getter of the window in the state; `what` starts with a capital letter.
template <class State>
void DescribeWindow(Description& about, const std::string& name, const std::string& unit, const std::string& what,
                    const std::string& (State::*window)() const, WindowPart part) {
  for (const int window_days : kWindowDays) {
    about.Feature<State>(
        name + WindowSuffix(window_days), unit, what + WindowWords(window_days),
        [=](const State& state, const Moment& at) -> int64_t {
          return WithinDays((state.*window)(), part, at, window_days);
        },
        ChangesAsWindow<State>(window, window_days));
  }
  about.Feature<State>(name, unit, what + " so far",
                       [=](const State& state) -> int64_t { return Lifetime((state.*window)(), part); });
}

}  // namespace portrait
