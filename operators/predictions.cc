#include "operators/predictions.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/first_silence.h"
#include "operators/holdout.h"
#include "operators/learned_churn_model.h"
#include "operators/models/normal_tail.h"
#include "operators/rfm_features.h"

namespace portrait {
namespace {

using State = v1::state::Predictions;
using Trend = OverTime::Trend;

constexpr int32_t kLongestDays = 3650;  // of silence: beyond it nothing changes any more
constexpr int kMonths = 12;
constexpr double kMonthDays = 365.0 / kMonths;
constexpr double kEarly = 0.1, kLate = 0.9;
constexpr uint32_t kLookTimer = 1;
constexpr int32_t kLooks[] = {7, 30, 90};  // days of silence after which windows of features have run empty

int32_t SilentDays(const State& state, int32_t day) { return std::clamp(day - state.last_day(), 0, kLongestDays); }

PurchaseHistory HistoryAfter(const State& state, int32_t silent_days) {
  PurchaseHistory out;
  out.repeats = static_cast<double>(state.occasions() - 1);
  out.last_days = state.last_day() - state.first_day();
  out.age_days = out.last_days + silent_days;
  return out;
}

double PopulationNoOrder(const PredictionsOptions& options, const State& state, int32_t silent_days) {
  return 1 - options.models.orders.ProbabilityOfOrder(HistoryAfter(state, silent_days), options.horizon_days);
}

// Log-odds of a probability that may be 0 or 1.
double BoundedLogOdds(double probability) { return LogOdds(std::clamp(probability, 1e-9, 1 - 1e-9)); }

double NoOrder(const PredictionsOptions& options, const State& state, int32_t silent_days) {
  const double population = PopulationNoOrder(options, state, silent_days);
  if (state.learned_shift() == 0 || !options.models.learned) return population;
  return FromLogOdds(BoundedLogOdds(population) + state.learned_shift());
}

// Steps of the probability of no order, which silence only raises.
int StepOf(double no_order) {
  constexpr double kEven = 0.975;
  constexpr int kStepsOfOne = 40;
  if (no_order < kEven) return static_cast<int>(no_order * kStepsOfOne);
  return kStepsOfOne - 1 + (no_order >= 0.99 ? 1 : 0) + (no_order >= 0.995 ? 1 : 0) + (no_order >= 0.999 ? 1 : 0);
}

// The first silence after `below` and up to `reached` with this step or a higher one; `reached` has it, `below` not.
int32_t FirstWith(int step, const PredictionsOptions& options, const State& state, int32_t below, int32_t reached) {
  return FirstSilence(below, reached, [&](int32_t silent) { return StepOf(NoOrder(options, state, silent)) >= step; });
}

// The silence as of which predictions are given. Rules look when a step has just been reached, so it is mostly near.
int32_t SilenceOfStep(const PredictionsOptions& options, const State& state, int32_t silent_days) {
  if (silent_days == 0) return 0;
  const int step = StepOf(NoOrder(options, state, silent_days));
  int32_t reached = silent_days, distance = 1;
  while (reached > distance && StepOf(NoOrder(options, state, reached - distance)) >= step) {
    reached -= distance, distance *= 2;
  }
  if (reached > distance) return FirstWith(step, options, state, reached - distance, reached);
  if (StepOf(NoOrder(options, state, 0)) >= step) return 0;
  return FirstWith(step, options, state, 0, reached);
}

std::optional<int32_t> NextStepDay(const PredictionsOptions& options, const State& state, int32_t day) {
  const int32_t silent = SilentDays(state, day);
  if (state.occasions() == 0 || silent >= kLongestDays) return std::nullopt;
  const int step = StepOf(NoOrder(options, state, silent)) + 1;
  // It is often near, so the distance is doubled until it is passed.
  int32_t below = silent, distance = 1;
  while (below + distance < kLongestDays && StepOf(NoOrder(options, state, below + distance)) < step) {
    below += distance, distance *= 2;
  }
  const int32_t reached = std::min(below + distance, kLongestDays);
  if (StepOf(NoOrder(options, state, reached)) < step) return std::nullopt;
  return state.last_day() + FirstWith(step, options, state, below, reached);
}

double DayValue(const State& state) { return state.spend() / static_cast<double>(state.occasions()); }

double OrderValue(const PredictionsOptions& options, const State& state) {
  return ExpectedOrderValue(options.models.value, static_cast<double>(state.occasions()), DayValue(state));
}

double YearValue(const PredictionsOptions& options, const State& state, int32_t silent_days) {
  const PurchaseHistory history = HistoryAfter(state, silent_days);
  double before = 0, orders = 0;
  for (int month = 1; month <= kMonths; ++month) {
    const double until = options.models.orders.ExpectedOrders(history, month * kMonthDays);
    orders += (until - before) * std::pow(1 + options.discount, -(month - 0.5) / kMonths);
    before = until;
  }
  return orders * OrderValue(options, state);
}

// ---- The next order

Rhythm RhythmNow(const PredictionsOptions& options, const State& state) {
  const Rhythm own{static_cast<int>(state.gaps()), state.gap_log_mean(), state.gap_log_spread()};
  return Shrunk(own, options.models.rhythm);
}

// The date that was expected has passed: another one counts from then on. The last such silence up to now, and the
// next.
struct Expectation {
  int32_t since_days = 0;
  int32_t until_days = 0;
};

Expectation ExpectationAt(const Rhythm& rhythm, int32_t silent_days) {
  Expectation out;
  for (;;) {
    const double median = PauseQuantile(rhythm, out.since_days, 0.5);
    out.until_days = std::max(out.since_days + 1, static_cast<int32_t>(std::ceil(median)));
    if (out.until_days > silent_days || out.until_days >= kLongestDays) return out;
    out.since_days = out.until_days;
  }
}

std::optional<Timestamp> NextOrder(const PredictionsOptions& options, const State& state, int32_t day, double share) {
  const int32_t silent = SilentDays(state, day);
  if (state.occasions() == 0 || silent >= kLongestDays) return std::nullopt;
  const Rhythm rhythm = RhythmNow(options, state);
  const double pause = PauseQuantile(rhythm, ExpectationAt(rhythm, silent).since_days, share);
  return FromMicros(state.last_us()) + Duration(static_cast<int64_t>(pause * 86'400e6));
}

std::optional<int32_t> NextExpectationDay(const PredictionsOptions& options, const State& state, int32_t day) {
  const int32_t silent = SilentDays(state, day);
  if (state.occasions() == 0 || silent >= kLongestDays) return std::nullopt;
  return state.last_day() + ExpectationAt(RhythmNow(options, state), silent).until_days;
}

// ---- Features

// `function`: of options, state and silence, a number.
template <class Function>
void AddPrediction(Description& about, const PredictionsOptions* options, std::string_view name, std::string_view unit,
                   const std::string& meaning, Trend trend, Function function) {
  about.Feature<State>(
      name, unit, meaning,
      [options, function](const State& s, const Moment& at) -> std::optional<double> {
        if (s.occasions() == 0) return std::nullopt;
        return function(*options, s, SilenceOfStep(*options, s, SilentDays(s, at.day)));
      },
      ChangesOn<State>([options](const State& s, const Moment& at) { return NextStepDay(*options, s, at.day); },
                       trend));
}

void AddNextOrder(Description& about, const PredictionsOptions* options, std::string_view name,
                  std::string_view meaning, double share) {
  about.Feature<State>(
      name, "time", meaning,
      [options, share](const State& s, const Moment& at) { return NextOrder(*options, s, at.day, share); },
      ChangesOn<State>(
          [options](const State& s, const Moment& at) { return NextExpectationDay(*options, s, at.day); }));
}

}  // namespace

double PauseQuantile(const Rhythm& rhythm, double silent_days, double share) {
  constexpr double kRootOfTwo = 1.4142135623730951, kFarTail = 30;
  double spreads = 0;
  if (silent_days <= 0) {
    spreads = NormalUpperQuantile(1 - share);
  } else if (const double from = (std::log(silent_days) - rhythm.log_mean) / rhythm.log_spread; from < kFarTail) {
    spreads = NormalUpperQuantile((1 - share) * std::erfc(from / kRootOfTwo) / 2);
  } else {
    spreads = from - std::log1p(-share) / from;  // the tail falls as exp(−from · z) there; erfc would be 0
  }
  return std::clamp(QuantileDays(rhythm, spreads), silent_days, std::max<double>(kLongestDays, silent_days));
}

Predictions::Predictions(PredictionsOptions options)
    : options_(std::make_shared<const PredictionsOptions>(std::move(options))) {
  if (options_->models.learned) learned_ = MakeChurnModel(options_->models);
}

void Predictions::Describe(Description& about) const {
  about.Name("predictions")
      .About("What to expect of a customer: orders, spend, lifetime value, the next order")
      .FollowsSwitches()
      .Reads({Event::kOrderCompleted, Event::kOrderRefunded, Event::kOrderCancelled});
  if (learned_ != nullptr) {
    about.Reads({Event::kComplaintFiled, Event::kIssueResolved});
    about.Timer(kLookTimer, "the learned model is asked anew after 7, 30 or 90 days of silence");
  }
  const std::string within = absl::StrCat(" within ", options_->horizon_days, " days");
  AddPrediction(about, options_.get(), "no_order", "1", "Probability of no order" + within, Trend::kRises, NoOrder);
  AddPrediction(about, options_.get(), "orders", "orders", "Purchase days to expect" + within, Trend::kFalls,
                [](const PredictionsOptions& o, const State& s, int32_t silent) {
                  return o.models.orders.ExpectedOrders(HistoryAfter(s, silent), o.horizon_days);
                });
  AddPrediction(about, options_.get(), "spend", "currency", "Spend to expect" + within, Trend::kFalls,
                [](const PredictionsOptions& o, const State& s, int32_t silent) {
                  return ExpectedSpend(o.models, HistoryAfter(s, silent), DayValue(s), o.horizon_days);
                });
  AddPrediction(about, options_.get(), "value_12m", "currency",
                "Customer lifetime value: spend of 12 months, discounted", Trend::kFalls, YearValue);
  for (const int length : {7, 14, 30}) {
    AddPrediction(about, options_.get(), absl::StrCat("order_", length, "d"), "1",
                  absl::StrCat("Probability of an order within ", length, " days"), Trend::kFalls,
                  [length](const PredictionsOptions& o, const State& s, int32_t silent) {
                    return o.models.orders.ProbabilityOfOrder(HistoryAfter(s, silent), length);
                  });
  }
  AddNextOrder(about, options_.get(), "next", "When the next order comes, if one does: as likely earlier as later",
               0.5);
  AddNextOrder(about, options_.get(), "next_from", "… not before this, in nine cases of ten", kEarly);
  AddNextOrder(about, options_.get(), "next_until", "… not after this, in nine cases of ten", kLate);
  AddRfmFeatures(about, &options_->models);
  about.Feature<State>("holdout", "1", "Whether the customer is held out, to measure what is done to others",
                       [options = options_.get()](const State& s) -> bool {
                         return s.occasions() > 0 && HeldOut(s.holdout_point(), options->holdout);
                       });
}

absl::Status Predictions::Bind(const FeatureRegistry& features) {
  if (absl::Status s = options_->models.orders.Validate(); !s.ok()) return s;
  if (absl::Status s = Validate(options_->models.value); !s.ok()) return s;
  const double discount = options_->discount, holdout = options_->holdout;
  const bool good = options_->horizon_days >= 1 && discount >= 0 && holdout >= 0 && holdout <= 1;  // false for NaN
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat("predictions need a horizon of a day, a discount of 0 or more, and a share from 0 to 1: ",
                     options_->horizon_days, ", ", discount, ", ", holdout));
  }
  const absl::Status found = features.FindAll({{"purchases.occasions", &occasions_},
                                               {"purchases.first", &first_},
                                               {"purchases.last", &last_},
                                               {"purchases.spend", &spend_},
                                               {"purchases.gaps", &gaps_},
                                               {"purchases.gap_mean_days", &gap_mean_},
                                               {"purchases.gap_log_spread", &gap_log_spread_}});
  if (!found.ok()) return found;
  return learned_ != nullptr ? learned_->Bind(features) : absl::OkStatus();
}

void Predictions::OnEvent(const Event&, State& state, Context& context) const {
  const Value first = context.Get(first_), last = context.Get(last_);
  const auto* const first_time = std::get_if<Timestamp>(&first);
  const auto* const last_time = std::get_if<Timestamp>(&last);
  const auto occasions = static_cast<int64_t>(AsNumber(context.Get(occasions_)));
  if (occasions < 1 || first_time == nullptr || last_time == nullptr) {
    context.CancelTimer(kLookTimer);
    return state.Clear();
  }
  // Of an event, rules see what it changes. What other models have changed before, they see by the sweep.
  if (state.occasions() == 0) state.set_models(options_->models.begun);
  state.set_occasions(occasions);
  state.set_last_us(ToMicros(*last_time));
  state.set_last_day(context.DayOf(*last_time));
  // Several orders of one day are one occasion, at the time of the last.
  state.set_first_day(occasions == 1 ? state.last_day() : std::min(context.DayOf(*first_time), state.last_day()));
  state.set_spend(std::max(0.0, AsNumber(context.Get(spend_))));
  state.set_gaps(static_cast<uint32_t>(std::max(0.0, AsNumber(context.Get(gaps_)))));
  state.set_gap_log_mean(state.gaps() > 0 ? std::log(std::max(1.0, AsNumber(context.Get(gap_mean_), 1))) : 0);
  state.set_gap_log_spread(state.gaps() > 1 ? AsNumber(context.Get(gap_log_spread_)) : 0);
  state.set_holdout_point(HoldoutPoint(context.customer_id()));
  LookByLearned(state, context);
}

void Predictions::OnTimer(const Timer&, State& state, Context& context) const { LookByLearned(state, context); }

bool Predictions::Reconsiders(const State& state, const Context&) const {
  return state.occasions() > 0 && state.models() != options_->models.begun;
}

void Predictions::OnSwitch(State& state, Context& context) const {
  if (!Reconsiders(state, context)) return context.StayAside();
  state.set_models(options_->models.begun);
  LookByLearned(state, context);
}

void Predictions::LookByLearned(State& state, Context& context) const {
  state.clear_learned_shift();
  context.CancelTimer(kLookTimer);
  if (learned_ == nullptr || state.occasions() == 0) return;
  const double score =
      learned_->Score([&](const FeatureRef& ref) { return context.Get(ref); }, context.now(), options_->horizon_days);
  const int32_t silent = SilentDays(state, context.moment().day);
  state.set_learned_shift(score - BoundedLogOdds(PopulationNoOrder(*options_, state, silent)));
  for (const int32_t look : kLooks) {
    if (look > silent) return context.SetTimer(kLookTimer, context.StartOf(state.last_day() + look));
  }
}

}  // namespace portrait
