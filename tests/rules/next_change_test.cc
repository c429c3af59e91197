#include "operators/rules/next_change.h"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/rules/some_features.h"

namespace portrait::rules {
namespace {

constexpr int32_t kToday = 20'000;

// A customer whom time passes for: two instants, a growing number of days, a window that something leaves on a day, and
// a rate that changes each day.
class Life {
 public:
  Life() {
    last_ = StartOf(kToday) - days(30) + hours(7);
    first_ = StartOf(kToday) - days(200) + hours(1);
    for (const FeatureDescription& about : features_.descriptions()) {
      if (about.name != "shop.interests") features_.Changes(about.name, OverTime::Still());
    }
    features_.Changes("shop.silent", OverTime::Runs());
    features_.Changes("shop.rate", OverTime::EachDay());
    features_.Changes("shop.orders", ChangesOn<v1::OperatorState>(
                                         [](const v1::OperatorState&, const Moment& at) -> std::optional<int32_t> {
                                           if (at.day >= kToday + 25) return std::nullopt;
                                           return at.day < kToday + 10 ? kToday + 10 : kToday + 25;
                                         },
                                         OverTime::Trend::kFalls));
  }

  static Timestamp StartOf(int32_t day) { return Timestamp(days(day)); }

  void GoTo(Timestamp time) {
    const auto day = static_cast<int32_t>(std::chrono::floor<days>(time).time_since_epoch().count());
    features_.now = {time, day};
    features_.values = {{"shop.last", last_},
                        {"shop.first", first_},
                        {"shop.silent", InDays(time - last_)},
                        {"shop.orders", int64_t{day < kToday + 10   ? 5
                                                : day < kToday + 25 ? 3
                                                                    : 0}},
                        {"shop.rate", static_cast<double>(day % 7) / 7},
                        {"shop.vip", true}};
    features_.interests = {{"shoes", 1.0, int64_t{day % 3}, last_}};
  }

  const SomeFeatures& features() const { return features_; }

 private:
  SomeFeatures features_;
  Timestamp last_, first_;
};

// One condition, followed through time.
class Followed {
 public:
  Followed(Life& life, const std::string& source) : life_(life) {
    const auto node = Compiler(life.features().registry(), program_).Condition(source);
    INFO(source << "\n" << node.status().message());
    REQUIRE(node.ok());
    node_ = *node;
    next_.emplace(program_);
  }

  // Its value at a time: 1, 0, or -1 for an error.
  int ValueAt(Timestamp time) {
    life_.GoTo(time);
    const FeatureReader reader = life_.features().reader();
    const Scalar value = Evaluation(program_, reader, life_.features().now, Scratch::OfThisThread()).Run(node_);
    return value.failed() ? -1 : value.IsTrue() ? 1 : 0;
  }
  Timestamp NextAfter(Timestamp time) {
    life_.GoTo(time);
    const FeatureReader reader = life_.features().reader();
    Evaluation evaluation(program_, reader, life_.features().now, Scratch::OfThisThread());
    return next_->Of(evaluation, node_, [](int32_t day) { return Life::StartOf(day); });
  }
  bool Depends() const { return next_->Depends(node_); }

 private:
  Life& life_;
  Program program_;
  int32_t node_ = -1;
  std::optional<NextChange> next_;
};

std::string Told(Timestamp time) {
  if (time == kNever) return "never";
  const auto micros = (time - std::chrono::floor<seconds>(time)).count();
  const auto day = std::chrono::floor<days>(time).time_since_epoch().count() - kToday;
  return absl::StrCat("day ", day, " ", (std::chrono::floor<seconds>(time) - std::chrono::floor<days>(time)).count(),
                      "s", micros == 0 ? "" : absl::StrCat("+", micros, "us"));
}

TEST_CASE("the moment at which time changes a condition is found exactly", "[rules]") {
  Life life;
  struct Case {
    const char *source, *next;
  };
  // shop.last lies 30 days before the day 0, at 7 o'clock (25200 s); now is day 0, 12 o'clock.
  for (const Case& c : {
           Case{"now - shop.last >= days(60)", "day 30 25200s"},
           Case{"now - shop.last > days(60)", "day 30 25200s+1us"},
           Case{"now - shop.last < days(60)", "day 30 25200s"},
           Case{"now - shop.last <= days(60)", "day 30 25200s+1us"},
           Case{"days(60) <= now - shop.last", "day 30 25200s"},
           Case{"shop.last + days(60) < now", "day 30 25200s+1us"},
           Case{"shop.last + days(60) == now", "day 30 25200s"},
           Case{"now - days(60) > shop.last", "day 30 25200s+1us"},
           Case{"now - shop.last > days(10)", "never"},
           Case{"!(now - shop.last >= days(60))", "day 30 25200s"},
           Case{"shop.silent >= 60", "day 30 25200s"},
           Case{"shop.silent * 2.0 >= 120", "day 30 25200s"},
           Case{"60.0 - shop.silent <= 0", "day 30 25200s"},
           Case{"shop.silent / 2.0 >= 30", "day 30 25200s"},
           Case{"now > timestamp('2024-10-05T00:00:00Z')", "day 1 0s+1us"},
           // Windows by their own day, the rest each day, what stands still never.
           Case{"shop.orders >= 4", "day 10 0s"},
           Case{"shop.rate > 0.5", "day 1 0s"},
           // Orders can only fall meanwhile.
           Case{"shop.orders >= 6", "never"},
           Case{"6 <= shop.orders", "never"},
           Case{"shop.orders < 6", "never"},
           Case{"shop.orders > 4", "day 10 0s"},
           Case{"shop.orders == 3", "day 10 0s"},
           Case{"shop.orders != 6", "never"},
           Case{"double(shop.orders) >= 6.0", "never"},
           Case{"shop.orders + 1 >= 7", "day 10 0s"},
           Case{"shop.vip", "never"},
           Case{"shop.last > shop.first", "never"},
           Case{"shop.city == 'x'", "never"},
           // Only who decides counts.
           Case{"shop.orders < 4 && now - shop.last >= days(60)", "day 30 25200s"},
           Case{"shop.orders >= 4 && now - shop.last >= days(60)", "day 30 25200s"},
           Case{"shop.orders >= 4 || now - shop.last >= days(60)", "day 10 0s"},
           Case{"shop.vip || shop.rate > 0.5", "never"},
           Case{"!shop.vip && shop.rate > 0.5", "never"},
           Case{"shop.vip ? now - shop.last >= days(60) : shop.rate > 0.5", "day 30 25200s"},
           Case{"now - (shop.vip ? shop.last : shop.first) >= days(60)", "day 30 25200s"},
           Case{"shop.city == 'x' && now - shop.last >= days(60)", "day 30 25200s"},
           // Lists
           Case{"shop.interests.exists(i, i.views > 1)", "day 1 0s"},
           Case{"shop.interests.exists(i, now - i.last > days(60))", "day 1 0s"},
       }) {
    INFO(c.source);
    CHECK(Told(Followed(life, c.source).NextAfter(Life::StartOf(kToday) + hours(12))) == c.next);
  }
}

TEST_CASE("a condition that no time can change is known when it is loaded", "[rules]") {
  Life life;
  CHECK_FALSE(Followed(life, "shop.last > shop.first && shop.vip").Depends());
  CHECK(Followed(life, "shop.vip && shop.orders > 3").Depends());
  CHECK(Followed(life, "now > shop.last").Depends());
}

class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) {}
  int Draw(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }

  std::string Truth(int depth) {
    if (depth <= 0 || Draw(4) == 0) return Leaf();
    switch (Draw(4)) {
      case 0: return absl::StrCat("(", Truth(depth - 1), " && ", Truth(depth - 1), ")");
      case 1: return absl::StrCat("(", Truth(depth - 1), " || ", Truth(depth - 1), ")");
      case 2: return absl::StrCat("!(", Truth(depth - 1), ")");
      default: return absl::StrCat("(", Truth(depth - 1), " ? ", Truth(depth - 1), " : ", Truth(depth - 1), ")");
    }
  }

 private:
  std::string Sign() {
    constexpr const char* kSigns[] = {" < ", " <= ", " > ", " >= ", " == ", " != "};
    return kSigns[Draw(6)];
  }
  std::string Instant() { return Draw(2) == 0 ? "shop.last" : "shop.first"; }
  std::string Leaf() {
    switch (Draw(8)) {
      case 0: return absl::StrCat("now - ", Instant(), Sign(), "days(", 25 + Draw(40), ")");
      case 1: return absl::StrCat(Instant(), " + hours(", 24 * (20 + Draw(250)), ")", Sign(), "now");
      case 2: return absl::StrCat("(now - shop.last) + (now - shop.first)", Sign(), "days(", 220 + Draw(100), ")");
      case 3: return absl::StrCat("shop.silent * ", 1 + Draw(3), ".5 - 3", Sign(), 40 + Draw(100));
      case 4: return absl::StrCat("shop.orders", Sign(), Draw(6));
      case 5: return absl::StrCat("shop.rate", Sign(), "0.", Draw(9));
      case 6:
        return absl::StrCat("now - shop.last", Sign(), "(shop.orders > 3 ? days(", 35 + Draw(9), ") : hours(999))");
      default: return Draw(2) == 0 ? "shop.vip" : "shop.city == 'x'";
    }
  }
  std::mt19937 random_;
};

TEST_CASE("between the moments that are given, time changes no condition", "[rules]") {
  INFO("replay with --rng-seed " << Catch::getSeed());
  Maker maker(Catch::getSeed());
  Life life;
  int changes = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string source = maker.Truth(3);
    Followed followed(life, source);
    Timestamp now = Life::StartOf(kToday) + Duration(maker.Draw(1'000'000'000));
    const Timestamp end = now + days(90);
    for (int looks = 0; now < end; ++looks) {
      INFO(source << " at " << Told(now) << ", look " << looks);
      REQUIRE(looks < 400);  // each day of the 90, and a few more
      const int value = followed.ValueAt(now);
      const Timestamp next = std::min(followed.NextAfter(now), end);
      REQUIRE(next > now);
      for (int probe = 0; probe < 6; ++probe) {
        const auto span = static_cast<double>((next - now).count() - 1);
        const Timestamp at =
            probe == 0 ? next - Duration(1) : now + Duration(static_cast<int64_t>(span * maker.Draw(1000) / 1000));
        INFO("asked at " << Told(at) << ", next " << Told(next));
        REQUIRE(followed.ValueAt(at) == value);
      }
      changes += followed.ValueAt(next) != value;
      now = next;
    }
  }
  CHECK(changes > 100);
}

}  // namespace
}  // namespace portrait::rules
