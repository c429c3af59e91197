// Rules look at what an event or a timer changes, and, by a timer of their own, at what time alone does. So after every
// step a look by all rules finds nothing that is not so already, and no moment that has no timer. The look is that of
// the same rules under another version, as after a switch.
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"
#include "pipeline/config/default_chain.h"
#include "pipeline/config/rule_file.h"
#include "pipeline/tools/population.h"

namespace portrait {
namespace {

// The default rules read little that timers of operators change.
constexpr char kOfTimers[] = R"(
- {tag: here, when: site.in_session}
- {tag: stays, when: site.session_length_mean > minutes(4)}
- {tag: bounces, when: site.bounce_share > 0.4 && site.in_session == false}
- {tag: at_risk, when: churn.at_risk}
- {tag: doubtful, when: churn.probability > 0.7, until: churn.probability < 0.5}
- {tag: leaving, when: predictions.no_order > 0.6}
- {tag: worth, when: predictions.value_12m > 60.0 && predictions.order_30d > 0.2}
- {tag: awaited, when: predictions.next < now + days(10), until: predictions.next_until < now}
- {tag: due, when: purchases.expected_next < now}
- {tag: fan, each: site.interests, when: item.score > 3 && site.in_session}
)";

class NoResults final : public OutputSink {
 public:
  void Add(size_t, std::string_view, const google::protobuf::Message&) override {}
};

class KeptUp {
 public:
  void Apply(const Event& event) {
    RowState& row = rows_.try_emplace(event.customer_id(), chain_->EmptyRow()).first->second;
    chain_->OnEvent(event, {"events", 0, events_++}, false, event.customer_id(), row, calendar_, sink_);
    Look(event.customer_id(), row, event.event_id());
  }

  void FireUpTo(Timestamp time) {
    for (auto& [customer, row] : rows_) {
      const int fired = chain_->FireTimers(time, customer, row, calendar_, sink_);
      fired_ += fired;
      if (fired > 0) Look(customer, row, "timers");
    }
  }

  int64_t events() const { return events_; }
  int64_t fired() const { return fired_; }

 private:
  void Look(const std::string& customer, RowState& row, const std::string& step) {
    INFO(customer << " after " << step << " at " << ToText(row.time));
    REQUIRE(!renamed_->Reconsiders(row.time, customer, row, calendar_));
  }

  static std::unique_ptr<Chain> ChainWith(std::string_view more) {
    return BuildDefaultChain(Config(),
                             {"rules", absl::StrCat(std::string(kDefaultRules), kOfTimers, std::string(more))})
        .value();
  }

  std::unique_ptr<Chain> chain_ = ChainWith("");
  std::unique_ptr<Chain> renamed_ = ChainWith("- {tag: nobody, when: 'false'}\n");
  Calendar calendar_;
  NoResults sink_;
  std::map<std::string, RowState> rows_;
  int64_t events_ = 0, fired_ = 0;
};

TEST_CASE("after every event and timer, a look by all rules would change nothing") {
  Population population({.seed = 5, .customers = 60, .begin = At("2026-01-01"), .end = At("2026-08-01")});
  KeptUp kept_up;
  Event event, held_back;
  bool holds = false;
  int32_t day = 0;
  while (population.Next(event)) {
    // Some come late.
    if (!holds && kept_up.events() % 17 == 3) {
      std::swap(event, held_back);
      holds = true;
      continue;
    }
    const auto today = static_cast<int32_t>(event.event_time_us() / 86'400'000'000);
    if (today % 5 == 0 && std::exchange(day, today) != today) kept_up.FireUpTo(FromMicros(event.event_time_us()));
    kept_up.Apply(event);
    if (holds && kept_up.events() % 7 == 0) {
      kept_up.Apply(held_back);
      holds = false;
    }
  }
  kept_up.FireUpTo(At("2027-06-01"));
  CHECK(kept_up.events() > 5000);
  CHECK(kept_up.fired() > 1000);
}

}  // namespace
}  // namespace portrait
