#include "state/timer_index.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>

namespace portrait {
namespace {

TEST_CASE("hints are taken in the order of time, then customer, up to a bound") {
  TimerIndex index;
  index.Add(5, "b");
  index.Add(5, "a");
  index.Add(3, "z");
  index.Add(7'000'000'000, "far");
  CHECK(index.TakeUpTo(2) == std::nullopt);
  CHECK(index.TakeUpTo(5)->customer_id == "z");
  CHECK(index.TakeUpTo(TimerHint{5, "a"})->customer_id == "a");
  CHECK(index.TakeUpTo(TimerHint{5, "a"}) == std::nullopt);
  CHECK(index.TakeUpTo(5)->customer_id == "b");
  CHECK(index.TakeUpTo(6'999'999'999) == std::nullopt);
  CHECK(index.size() == 1);
  CHECK(index.TakeUpTo(7'000'000'000)->customer_id == "far");
  CHECK(index.NotBeforeUs() == std::nullopt);
}

TEST_CASE("the index gives what an ordered set gives, equal hints once") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    TimerIndex index;
    std::multiset<TimerHint> reference;
    for (int i = 0; i < 2000; ++i) {
      const int64_t time = static_cast<int64_t>(random() % 40) * 100'000'000 - 1'000'000'000;
      if (random() % 3 != 0) {
        const TimerHint hint{time, std::string(1, static_cast<char>('a' + random() % 26))};
        index.Add(hint.time_us, hint.customer_id);
        reference.insert(hint);
      } else {
        const auto taken = index.TakeUpTo(time);
        if (reference.empty() || reference.begin()->time_us > time) {
          CHECK(taken == std::nullopt);
        } else {
          CHECK(taken == *reference.begin());
          reference.erase(TimerHint(*reference.begin()));
        }
      }
      if (!reference.empty()) CHECK(index.NotBeforeUs().value() <= reference.begin()->time_us);
      REQUIRE(index.size() == reference.size());
    }
  }
}

}  // namespace
}  // namespace portrait
