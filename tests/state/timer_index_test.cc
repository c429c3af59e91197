#include "state/timer_index.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>
#include <set>

#include "state/memory_row_store.h"

namespace portrait {
namespace {

struct Indexed {
  MemoryDisk disk;
  MemoryRowStore store{&disk};
  TimerIndex index{store};

  std::string Take(int64_t until_us) {
    const auto taken = index.TakeBelow(JustAfter(until_us)).value();
    return taken ? std::to_string(taken->time_us) + " " + taken->customer_id : "none";
  }
  void Store(std::vector<TimerHint> hints) {
    RowBatch batch;
    batch.timers_added = std::move(hints);
    REQUIRE(store.Write(batch).ok());
  }
};

TEST_CASE("hints are taken in the order of time, then customer, up to a bound, from memory and store alike") {
  Indexed all;
  all.Store({{5, "a"}, {7'000'000'000, "far"}});
  all.index.Add(5, "b");
  all.index.Add(3, "z");
  CHECK(all.Take(2) == "none");
  CHECK(all.Take(5) == "3 z");
  CHECK(all.index.TakeBelow(JustAfter(TimerHint{5, "a"})).value()->customer_id == "a");
  CHECK_FALSE(all.index.TakeBelow(JustAfter(TimerHint{5, "a"})).value().has_value());
  CHECK(all.Take(5) == "5 b");
  CHECK(all.Take(6'999'999'999) == "none");
  CHECK(all.Take(7'000'000'000) == "7000000000 far");
  CHECK(all.Take(7'000'000'000) == "none");
}

TEST_CASE("what lies far ahead stays in the store, and many timers of one moment are read in parts") {
  Indexed all;
  std::vector<TimerHint> hints;
  for (int i = 0; i < 20'000; ++i) hints.push_back({1'000, std::to_string(100'000 + i)});
  for (int i = 0; i < 20'000; ++i) hints.push_back({90'000'000'000, std::to_string(i)});
  all.Store(hints);
  CHECK(all.index.StoreStandsFor(1'000, "100000"));
  CHECK(all.Take(1'000) == "1000 100000");
  CHECK(all.index.in_memory() < 5'000);
  CHECK_FALSE(all.index.StoreStandsFor(1'000, "100001"));
  CHECK(all.index.StoreStandsFor(1'000, "119999"));
  for (int i = 1; i < 20'000; ++i) REQUIRE(all.Take(1'000) == "1000 " + std::to_string(100'000 + i));
  CHECK(all.Take(1'000) == "none");
  CHECK(all.index.in_memory() == 0);
  CHECK(all.index.NotBeforeUs() > 1'000);
}

TEST_CASE("who comes next can be seen, as far as the index has been read") {
  Indexed all;
  all.Store({{5, "b"}, {7'000'000'000, "far"}});
  const auto next = [&](const TimerHint& end, size_t at_most) {
    std::string out;
    all.index.VisitBelow(end, at_most, [&](std::string_view customer) { out.append(customer); });
    return out;
  };
  all.index.Add(3, "x");
  all.index.Add(5, "a");
  all.index.Add(6, "c");
  CHECK(next(JustAfter(6), 9) == "xac");
  CHECK(all.Take(4) == "3 x");
  CHECK(next(JustAfter(6), 9) == "abc");
  CHECK(next(JustAfter(6), 2) == "ab");
  CHECK(next({5, "b"}, 9) == "a");
}

TEST_CASE("the index gives what an ordered set gives, wherever the hints lie") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    Indexed all;
    std::set<TimerHint> reference;
    for (int i = 0; i < 2000; ++i) {
      const int64_t time = static_cast<int64_t>(random() % 40) * 100'000'000 - 1'000'000'000;
      const std::string customer(1, static_cast<char>('a' + random() % 26));
      const unsigned what = random() % 4;
      if (what == 0) {
        all.index.Add(time, customer);
        reference.insert({time, customer});
      } else if (what == 1) {
        all.Store({{time, customer}});
        if (!all.index.StoreStandsFor(time, customer)) all.index.Add(time, customer);
        reference.insert({time, customer});
      } else if (what == 2) {
        if (!all.index.StoreStandsFor(time, customer)) {
          all.index.Remove(time, customer);
          reference.erase({time, customer});
        }
      } else {
        const auto taken = all.index.TakeBelow(JustAfter(time)).value();
        if (reference.empty() || reference.begin()->time_us > time) {
          REQUIRE_FALSE(taken.has_value());
        } else {
          REQUIRE(taken == *reference.begin());
          reference.erase(reference.begin());
        }
      }
      if (!reference.empty()) REQUIRE(all.index.NotBeforeUs() <= reference.begin()->time_us);
    }
  }
}

}  // namespace
}  // namespace portrait
