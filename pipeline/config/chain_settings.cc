#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/config/settings.h"

namespace portrait {
namespace {

constexpr double kMany = 1e12;
constexpr int64_t kDaysMost = 3650;
constexpr std::string_view kBuiltIn = "built-in";

SettingType<std::string> FileOrBuiltIn() {
  return {"path of a file",
          [](std::string_view text) -> absl::StatusOr<std::string> {
            return text == kBuiltIn ? std::string() : std::string(text);
          },
          [](const std::string& path) { return path.empty() ? std::string(kBuiltIn) : path; }};
}
SettingType<int64_t> SomeDays() { return WholeDaysBetween(1, kDaysMost); }
SettingType<double> Share() { return NumberBetween(0, 1); }
SettingType<double> LogOddsRatio() { return NumberBetween(-20, 20); }
SettingType<double> Positive() { return NumberBetween(1e-9, kMany); }

void ReadRates(const ConfigNode& node, Config& config, ConfigProblems& problems) {
  if (node.kind != ConfigNode::Kind::kMap && node.kind != ConfigNode::Kind::kNothing) {
    Refuse(node, "currency.rates", "must be a map, as in {EUR: 1.08}", problems);
    return;
  }
  config.currency.rates.clear();
  for (const ConfigNode::Entry& entry : node.entries) {
    const std::string key = absl::StrCat("currency.rates.", entry.key);
    if (absl::StatusOr<std::string> code = CurrencyCode().parse(entry.key); !code.ok()) {
      problems.Add(entry.line, key, std::string(code.status().message()));
    }
    double rate = 0;
    if (ReadScalar(entry.value, key, NumberBetween(1e-9, 1e6), problems, rate)) {
      config.currency.rates[entry.key] = rate;
    }
  }
}

Setting Rates() {
  const SettingType<double> number = NumberBetween(0, kMany);
  return {.key = "currency.rates",
          .type = "map of currency code: number",
          .meaning =
              "What one unit of another currency is worth in the home currency. An amount in a currency that is "
              "not here is a dead letter",
          .read = ReadRates,
          .show = [number](const Config& config) {
            auto shown = [&](std::string* out, const auto& rate) {
              absl::StrAppend(out, rate.first, ": ", number.show(rate.second));
            };
            return absl::StrCat("{", absl::StrJoin(config.currency.rates, ", ", shown), "}");
          }};
}

// Adds one setting of an operator; all of them change results.
template <class T, class Get>
void Add(std::vector<Setting>& all, std::string key, SettingType<T> type, std::string meaning, Get get) {
  all.push_back(ChangesResults(Scalar(std::move(key), std::move(type), std::move(meaning), get)));
}

void AddClean(std::vector<Setting>& all) {
  Add(all, "clean.max_ahead", DurationBetween(std::chrono::milliseconds(1), days(365)),
      "An event whose time lies further beyond its record's timestamp is a dead letter",
      [](auto& c) -> auto& { return c.chain.clean.max_ahead; });
  Add(all, "clean.clock_tolerance", DurationBetween(std::chrono::milliseconds(1), days(365)),
      "When the times of sending and receiving lie further apart, the sender's clock is corrected",
      [](auto& c) -> auto& { return c.chain.clean.clock_tolerance; });
  Add(all, "clean.max_amount", WholeBetween(1, 9'000'000'000'000),
      "An event with a larger amount of money, in the home currency, is a dead letter",
      [](auto& c) -> auto& { return c.chain.clean.max_amount; });
  Add(all, "clean.remembered.events", WholeBetween(1, 4096),
      "How many events each customer's row remembers to know duplicates by their id",
      [](auto& c) -> auto& { return c.chain.clean.remembered_events; });
  Add(all, "clean.remembered.keys", WholeBetween(1, 4096), "… and by their order, or by mail, recipient and link",
      [](auto& c) -> auto& { return c.chain.clean.remembered_keys; });
}

void AddSite(std::vector<Setting>& all) {
  Add(all, "site.session_gap", DurationBetween(seconds(1), days(1)), "Silence that ends a session",
      [](auto& c) -> auto& { return c.chain.site.session_gap; });
  Add(all, "site.dwell_max", DurationBetween(seconds(1), days(1)), "A page left open for longer counts as this",
      [](auto& c) -> auto& { return c.chain.site.dwell_max; });
  Add(all, "site.interest_half_life", DurationBetween(days(1), days(kDaysMost)),
      "After this an interest weighs half, unless it is shown again",
      [](auto& c) -> auto& { return c.chain.site.interest_half_life; });
}

void AddTags(std::vector<Setting>& all) {
  Setting rules = Scalar("tags.rules", FileOrBuiltIn(),
                         "A file of rules for tags, from the folder of this file on: [rules.md](rules.md). A "
                         "file that is edited takes effect at once. `built-in`: those of `deploy/tags.yaml`",
                         [](auto& c) -> auto& { return c.chain.rules.path; });
  all.push_back(Essential(std::move(rules)));
  Add(all, "tags.silent", SomeDays(), "A customer who is active again after this long has come back: `tags.returned`",
      [](auto& c) -> auto& { return c.chain.tags_silent_days; });
}

void AddChurnCauses(std::vector<Setting>& all) {
  Add(all, "churn.silence.spreads", NumberBetween(0, 10),
      "An alert opens when a silence is longer than the customer's own pauses by this many standard deviations",
      [](auto& c) -> auto& { return c.chain.churn.silence_spreads; });
  Add(all, "churn.silence.first", DaysBetween(1, kDaysMost), "… of a customer with fewer than two pauses, than this",
      [](auto& c) -> auto& { return c.chain.churn.first_silence_days; });
  Add(all, "churn.silence.least", DaysBetween(0, kDaysMost), "… and in any case than this",
      [](auto& c) -> auto& { return c.chain.churn.least_silence_days; });
  Add(all, "churn.contacts.usual", NumberBetween(1, 30),
      "Contacts are judged for customers who usually have them on this many of 30 days",
      [](auto& c) -> auto& { return c.chain.churn.usual_contact_days; });
  Add(all, "churn.contacts.drop", Share(), "An alert opens when contacts drop to this share of the usual",
      [](auto& c) -> auto& { return c.chain.churn.contact_drop; });
  Add(all, "churn.contacts.recovered", Share(), "… and this cause is gone above this share",
      [](auto& c) -> auto& { return c.chain.churn.contact_recovered; });
  Add(all, "churn.contacts.log_odds", LogOddsRatio(), "What dropped contacts add to the log-odds of the probability",
      [](auto& c) -> auto& { return c.chain.churn.contact_log_odds; });
  Add(all, "churn.complaints.after", DaysBetween(0, kDaysMost), "An alert opens when a complaint stands this long",
      [](auto& c) -> auto& { return c.chain.churn.complaint_days; });
  Add(all, "churn.complaints.forget", DaysBetween(1, kDaysMost), "… and this cause is gone after this",
      [](auto& c) -> auto& { return c.chain.churn.complaint_forget_days; });
  Add(all, "churn.complaints.log_odds", LogOddsRatio(), "What a complaint adds to the log-odds of the probability",
      [](auto& c) -> auto& { return c.chain.churn.complaint_log_odds; });
}

void AddRhythm(std::vector<Setting>& all) {
  Add(all, "churn.rhythm.log_mean", NumberBetween(-10, 10),
      "Population of purchase pauses (in days): mean of their logarithms",
      [](auto& c) -> auto& { return c.chain.churn.rhythm.log_mean; });
  Add(all, "churn.rhythm.log_spread", Positive(), "… standard deviation of their logarithms within a customer",
      [](auto& c) -> auto& { return c.chain.churn.rhythm.log_spread; });
  Add(all, "churn.rhythm.mean_weight", Positive(), "… how many pauses of a customer's own weigh as much as that mean",
      [](auto& c) -> auto& { return c.chain.churn.rhythm.mean_weight; });
  Add(all, "churn.rhythm.spread_weight", Positive(), "… and as that standard deviation",
      [](auto& c) -> auto& { return c.chain.churn.rhythm.spread_weight; });
}

void AddChurnModel(std::vector<Setting>& all) {
  Add(all, "churn.model.name", Text(), "Name of the fitted model below, as alerts carry it; a new one for every fit",
      [](auto& c) -> auto& { return c.chain.churn_model.name; });
  Add(all, "churn.model.r", Positive(), "MBG/NBD: shape of the order rates over the population",
      [](auto& c) -> auto& { return c.chain.churn_model.orders.r; });
  Add(all, "churn.model.alpha", Positive(), "MBG/NBD: scale of the order rates, in days",
      [](auto& c) -> auto& { return c.chain.churn_model.orders.alpha_days; });
  Add(all, "churn.model.a", Positive(), "MBG/NBD: first parameter of leaving after an order",
      [](auto& c) -> auto& { return c.chain.churn_model.orders.a; });
  Add(all, "churn.model.b", Positive(), "MBG/NBD: second parameter of leaving after an order",
      [](auto& c) -> auto& { return c.chain.churn_model.orders.b; });
  Add(all, "churn.model.p", Positive(), "Gamma-Gamma: shape of a customer's order values",
      [](auto& c) -> auto& { return c.chain.churn_model.value.p; });
  Add(all, "churn.model.q", NumberBetween(1.000001, kMany), "Gamma-Gamma: shape over the population",
      [](auto& c) -> auto& { return c.chain.churn_model.value.q; });
  Add(all, "churn.model.v", Positive(), "Gamma-Gamma: scale over the population, in the home currency",
      [](auto& c) -> auto& { return c.chain.churn_model.value.v; });
}

void AddChurn(std::vector<Setting>& all) {
  Add(all, "churn.horizon", SomeDays(), "The probability is that of no order within this",
      [](auto& c) -> auto& { return c.chain.churn.horizon_days; });
  Add(all, "churn.medium", Share(), "The band is medium from this probability on",
      [](auto& c) -> auto& { return c.chain.churn.medium; });
  Add(all, "churn.high", Share(), "The band is high from this probability on",
      [](auto& c) -> auto& { return c.chain.churn.high; });
  AddChurnCauses(all);
  AddRhythm(all);
  AddChurnModel(all);
}

}  // namespace

void AddChainSettings(std::vector<Setting>& all) {
  all.push_back(ChangesResults(
      Essential(Scalar("currency.home", CurrencyCode(), "All amounts are in this currency once they are cleaned",
                       [](auto& c) -> auto& { return c.currency.home; }))));
  all.push_back(ChangesResults(Rates()));
  AddClean(all);
  AddSite(all);
  AddTags(all);
  AddChurn(all);
}

}  // namespace portrait
