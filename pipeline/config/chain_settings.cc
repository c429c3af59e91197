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
SettingType<int64_t> OffOrDays() {
  const SettingType<int64_t> some = SomeDays();
  return {absl::StrCat("off, or ", some.name),
          [some](std::string_view text) -> absl::StatusOr<int64_t> {
            return text == "off" ? absl::StatusOr<int64_t>(0) : some.parse(text);
          },
          [some](const int64_t& value) { return value == 0 ? std::string("off") : some.show(value); }};
}
SettingType<double> LogOddsRatio() { return NumberBetween(-20, 20); }

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

void AddContactProfit(std::vector<Setting>& all) {
  Add(all, "churn.profit.cost", NumberBetween(0, 1e9),
      "What contacting one customer costs, in `currency.home`. From then on the bands go by what a contact is expected "
      "to bring, instead of by `churn.medium` and `churn.high`; 0: they don't",
      [](auto& c) -> auto& { return c.chain.churn.profit.cost; });
  Add(all, "churn.profit.success", Share(), "… this share of those who would not order is won back by it",
      [](auto& c) -> auto& { return c.chain.churn.profit.success; });
  Add(all, "churn.profit.margin", Share(), "… this share of what they spend is profit",
      [](auto& c) -> auto& { return c.chain.churn.profit.margin; });
  Add(all, "churn.profit.medium", NumberBetween(0.01, 1000),
      "The band is medium where a contact is expected to bring this many times its cost",
      [](auto& c) -> auto& { return c.chain.churn.profit.medium; });
  Add(all, "churn.profit.high", NumberBetween(0.01, 1000), "… and high where it brings this many times",
      [](auto& c) -> auto& { return c.chain.churn.profit.high; });
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

// The models that both churn and predictions go by. Of a file its identity counts, not where it lies.
void AddModelSettings(std::vector<Setting>& all) {
  Setting file =
      Scalar("models.file", FileOrBuiltIn(),
             "A file of models that `portrait fit` has fitted to your own customers, from the folder of this file "
             "on: [predictions.md](predictions.md). `built-in`: those of a music shop (CDNOW)",
             [](auto& c) -> auto& { return c.chain.models.path; });
  file.substance = [](const Config& config) { return config.chain.models.fitted.name; };
  all.push_back(ChangesResults(Essential(std::move(file))));
  Add(all, "predictions.discount", NumberBetween(0, 10),
      "What comes in a year counts 1 / (1 + this) in the lifetime value of today",
      [](auto& c) -> auto& { return c.chain.predictions.discount; });
  Add(all, "predictions.holdout", Share(),
      "This share of the customers gets the mark `holdout`, so that what is done to the others can be measured",
      [](auto& c) -> auto& { return c.chain.predictions.holdout; });
}

void AddChurn(std::vector<Setting>& all) {
  Add(all, "churn.horizon", SomeDays(), "The probability is that of no order within this",
      [](auto& c) -> auto& { return c.chain.churn.horizon_days; });
  Add(all, "churn.medium", Share(), "The band is medium from this probability on",
      [](auto& c) -> auto& { return c.chain.churn.medium; });
  Add(all, "churn.high", Share(), "The band is high from this probability on",
      [](auto& c) -> auto& { return c.chain.churn.high; });
  AddContactProfit(all);
  AddChurnCauses(all);
  Add(all, "churn.examples.every", OffOrDays(),
      "A snapshot of each customer is taken this often, and written with what came of it once `churn.horizon` is over, "
      "to the output `churn-examples`: what `portrait train` learns from. A quarter of the horizon or more",
      [](auto& c) -> auto& { return c.chain.churn_examples.every_days; });
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
  AddModelSettings(all);
  AddChurn(all);
}

}  // namespace portrait
