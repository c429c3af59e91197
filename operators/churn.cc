#include "operators/churn.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "operators/chain.h"
#include "operators/churn_assessment.h"
#include "operators/churn_signs.h"
#include "operators/holdout.h"
#include "operators/window_features.h"
#include "xxhash.h"

namespace portrait {
namespace {

using State = v1::state::Churn;
using Band = v1::ChurnAlert::Band;

bool IsPurchase(const Event& event) {
  const auto kind = event.body_case();
  return kind == Event::kOrderCompleted || kind == Event::kOrderRefunded || kind == Event::kOrderCancelled;
}

std::string EpisodeId(std::string_view customer, Timestamp opened, uint32_t causes, uint32_t ordinal) {
  const std::string text =
      absl::StrCat(customer.size(), ":", std::string(customer), ToMicros(opened), ":", causes, ":", ordinal);
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return absl::StrCat(absl::Hex(hash.high64, absl::kZeroPad16), absl::Hex(hash.low64, absl::kZeroPad16));
}

// The moment is found to this, where it cannot be computed at once.
constexpr Duration kToWithin = std::chrono::hours(1);

int64_t Micros(double value) { return static_cast<int64_t>(std::llround(std::clamp(value, 0.0, 1e18))); }

}  // namespace

double BandFrom(const ChurnOptions& options, Band band, double spend_micros) {
  const bool high = band == v1::ChurnAlert::HIGH;
  const ContactProfit& profit = options.profit;
  if (!profit.given()) return high ? options.high : options.medium;
  return profit.ProbabilityFor(high ? profit.high : profit.medium, spend_micros / 1e6);
}

Band BandOf(const ChurnOptions& options, double probability, double spend_micros) {
  for (const Band band : {v1::ChurnAlert::HIGH, v1::ChurnAlert::MEDIUM}) {
    if (probability >= BandFrom(options, band, spend_micros)) return band;
  }
  return v1::ChurnAlert::LOW;
}

struct Churn::Verdict {
  ChurnForecast forecast;
  double probability = 0;
  Band band = v1::ChurnAlert::NONE;
};

Churn::Churn(ChurnOptions options, std::unique_ptr<ChurnModel> model, std::unique_ptr<Churn> shadow)
    : options_(std::move(options)),
      model_(model ? std::move(model) : MakePopulationModel({})),
      shadow_(std::move(shadow)) {}

void Churn::Describe(Description& about) {
  about.Name("churn").About("Customers about to be lost, and why").FollowsSwitches();
  about.Reads(
      {Event::kPageViewed,       Event::kPageLeft,          Event::kClicked,           Event::kProductViewed,
       Event::kProductClicked,   Event::kProductAdded,      Event::kProductRemoved,    Event::kProductListViewed,
       Event::kProductsSearched, Event::kCartViewed,        Event::kCheckoutStarted,   Event::kEmailOpened,
       Event::kEmailLinkClicked, Event::kOrderCompleted,    Event::kOrderRefunded,     Event::kOrderCancelled,
       Event::kQuestionAsked,    Event::kComplaintFiled,    Event::kIssueResolved,     Event::kSatisfactionRated,
       Event::kPhoneCall,        Event::kFeedbackSubmitted, Event::kSocialInteraction, Event::kCustomerErased});
  about.Writes<v1::ChurnAlert>("churn-alerts", "An episode opens, worsens or closes");
  about.Timer(kSilenceTimer, "silence outgrows the customer's own rhythm");
  about.Timer(kBandTimer, "the probability reaches the next band");
  about.Timer(kContactsTimer, "a day with contact leaves the last 30 days");
  about.Timer(kComplaintsTimer, "a complaint becomes overdue, or is forgotten");
  about.Timer(kShadowTimer, "models in the shadow would open or worsen an episode");
  about.Feature<State>("at_risk", "1", "Whether an episode is open",
                       [](const State& s) -> bool { return !s.episode_id().empty(); });
  about.Feature<State>("opened", "time", "When the open episode opened",
                       [](const State& s) -> std::optional<Timestamp> {
                         if (s.episode_id().empty()) return std::nullopt;
                         return FromMicros(s.opened_us());
                       });
  about.Feature<State>("probability", "1",
                       "Of no order within the horizon, when last judged: at an order, alert or timer",
                       [](const State& s) -> std::optional<double> {
                         if (!s.judged()) return std::nullopt;
                         return FromLogOdds(s.score());
                       });
  about.Feature<State>("expected_profit", "currency",
                       "What a contact is expected to bring, less its cost, when last judged: see churn.profit.cost",
                       [](const State& s) -> std::optional<double> {
                         if (!s.judged() || !s.has_expected_profit()) return std::nullopt;
                         return s.expected_profit();
                       });
  about.Feature<State>("silence_limit_days", "days", "How long a pause between orders the customer's own rhythm allows",
                       [](const State& s) -> std::optional<double> {
                         if (s.last_order_us() == 0) return std::nullopt;
                         return s.silence_limit_days();
                       });
  about.Feature<State>(
      "silent_days", "days", "Time since the last order",
      [](const State& s, const Moment& at) -> std::optional<double> {
        if (s.last_order_us() == 0) return std::nullopt;
        return std::max(0.0, InDays(at.time - FromMicros(s.last_order_us())));
      },
      OverTime::Runs());
  about.Feature<State>(
      "contact_days_30d", "days", "Days with site, mail or service activity in the last 30",
      [](const State& s, const Moment& at) { return WindowCount(s.contacts(), at.day, kRecentDays); },
      ChangesAsWindow<State>(&State::contacts, kRecentDays));
  about.Feature<State>("contact_days_usual", "days", "The customer's usual number of such days in 30; 0: not known yet",
                       [](const State& s, const Moment& at) { return UsualContactDays(s, at.day); });
  about.Feature<State>("open_complaints", "complaints", "Complaints not resolved, at most 8",
                       [](const State& s) -> int64_t { return s.complaints_size(); });
}

absl::Status Churn::Bind(const FeatureRegistry& features) {
  const bool bands_in_order = options_.medium > 0 && options_.medium < options_.high && options_.high < 1;
  if (options_.horizon_days <= 0 || !bands_in_order) {
    return absl::InvalidArgumentError(
        absl::StrCat("horizon_days > 0 and 0 < medium < high < 1 do not hold: horizon_days ", options_.horizon_days,
                     ", medium ", options_.medium, ", high ", options_.high));
  }
  if (const ContactProfit& profit = options_.profit;
      profit.given() &&
      !(profit.success > 0 && profit.margin > 0 && profit.medium > 0 && profit.medium < profit.high)) {
    return absl::InvalidArgumentError(
        absl::StrCat("success > 0, margin > 0 and 0 < medium < high do not hold of a contact's profit: success ",
                     profit.success, ", margin ", profit.margin, ", medium ", profit.medium, ", high ", profit.high));
  }
  const absl::Status found = features.FindAll({{"purchases.occasions", &occasions_},
                                               {"purchases.last", &last_},
                                               {"purchases.gaps", &gaps_},
                                               {"purchases.gap_mean_days", &gap_mean_},
                                               {"purchases.gap_log_spread", &gap_log_spread_},
                                               {"purchases.expected_next", &expected_next_}});
  if (!found.ok()) return found;
  if (absl::Status s = model_->Bind(features); !s.ok() || !shadow_) return s;
  const absl::Status shadow = shadow_->Bind(features);
  return shadow.ok() ? shadow : absl::Status(shadow.code(), absl::StrCat("in the shadow: ", shadow.message()));
}

void Churn::OnEvent(const Event& event, State& state, Context& context) const {
  if (event.has_customer_erased()) {
    if (!state.episode_id().empty()) {
      Assessment now = Assess(state, KnownCauses(state), state.silence_limit_days(), context);
      now.erased = true;
      Close(now, /*came_back=*/false, state, context);
    }
    return;
  }
  const Timestamp time = EventTime(event);
  const bool purchase = IsPurchase(event);
  bool look = purchase;
  if (event.body_case() == Event::kComplaintFiled) {
    FileComplaint(state, event.complaint_filed(), event.event_time_us());
    look = true;
  } else if (event.body_case() == Event::kIssueResolved) {
    ResolveComplaint(state, event.issue_resolved());
    look = true;
  }
  if (IsContact(event) && CountContact(state, context.DayOf(time))) look = true;
  if (look) Evaluate(state, context, purchase ? Occasion::kPurchase : Occasion::kOther);
}

void Churn::OnTimer(const Timer& timer, State& state, Context& context) const {
  if (timer.id != kShadowTimer) return Evaluate(state, context, Occasion::kTimer);
  context.StayAside();
  SettleShadow(state, context);
  LookInShadow(Occasion::kTimer, state.last_order_us(), /*judge=*/true, state, context);
}

bool Churn::Reconsiders(const State& state, const Context&) const {
  if (HasStaleShadow(state)) return true;
  return state.last_order_us() != 0 &&
         (state.models() != options_.models_begun || (shadow_ != nullptr && !state.has_shadow()));
}

void Churn::OnSwitch(State& state, Context& context) const {
  if (state.last_order_us() != 0 && state.models() != options_.models_begun) {
    return Evaluate(state, context, Occasion::kTimer);
  }
  context.StayAside();
  if (!Reconsiders(state, context)) return;
  SettleShadow(state, context);
  LookInShadow(Occasion::kTimer, state.last_order_us(), /*judge=*/true, state, context);
}

double Churn::SilenceLimit(const Context& context) const {
  const auto gaps = static_cast<int>(AsNumber(context.Get(gaps_)));
  if (gaps < 2) return std::max(options_.least_silence_days, options_.first_silence_days);
  const Rhythm own{gaps, std::log(AsNumber(context.Get(gap_mean_), 1)), AsNumber(context.Get(gap_log_spread_))};
  return std::clamp(QuantileDays(Shrunk(own, options_.rhythm), options_.silence_spreads), options_.least_silence_days,
                    kLongestDays);
}

Churn::Assessment Churn::Assess(const State& state, uint32_t known, std::optional<double> limit,
                                const Context& context) const {
  Assessment now;
  now.time = context.now();
  now.customer = AsNumber(context.Get(occasions_)) >= 1;
  if (!now.customer) return now;
  static_cast<ChurnSigns&>(now) =
      SignsAt(options_, state, known, now.time, context.moment().day, std::get<Timestamp>(context.Get(last_)),
              limit ? *limit : SilenceLimit(context));
  return now;
}

double Churn::ScoreOf(const Assessment& now, const Context& context) const {
  const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
  return model_->Score(features, now.time, options_.horizon_days) + BesideModel(options_, now.causes);
}

Churn::Verdict Churn::Judge(const Assessment& now, const Context& context) const {
  Verdict out;
  if (!now.customer) return out;
  const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
  out.forecast = model_->Forecast(features, now.time, options_.horizon_days);
  out.forecast.score += BesideModel(options_, now.causes);
  out.probability = FromLogOdds(out.forecast.score);
  out.band = BandOf(options_, out.probability, out.forecast.spend_at_risk_micros);
  return out;
}

void Churn::Evaluate(State& state, Context& context, Occasion occasion) const {
  auto& complaints = *state.mutable_complaints();
  const Timestamp forget = context.now() - FromDays(options_.complaint_forget_days);
  while (!complaints.empty() && FromMicros(complaints[0].time_us()) <= forget) complaints.erase(complaints.begin());
  const bool shadow_begins = SettleShadow(state, context);

  // Only a purchase changes the rhythm; a timer looks again, for the options may have changed since.
  const bool other_models = state.models() != options_.models_begun;
  const bool new_limit = occasion != Occasion::kOther || other_models;
  Assessment now =
      Assess(state, KnownCauses(state), new_limit ? std::nullopt : std::optional(state.silence_limit_days()), context);
  const bool open = !state.episode_id().empty(), purchase = occasion == Occasion::kPurchase;
  const int64_t last_us = state.last_order_us();
  const bool came_back = purchase && now.CameBack(last_us);
  state.set_last_order_us(now.customer ? ToMicros(now.last) : 0);
  state.set_silence_limit_days(now.limit_days);
  state.set_muted(MutedThen(state.muted(), open && came_back, now.causes));
  const uint32_t causes = now.causes & ~state.muted();

  state.set_models(now.customer ? options_.models_begun : 0);
  state.set_judged(state.judged() && now.customer);
  const bool judge = now.customer && (open || causes != 0 || purchase || other_models);
  if (judge) {
    state.set_score(ScoreOf(now, context));
    state.set_judged(true);
    JudgeProfit(now, state, context);
  }
  if (open || causes != 0) FollowEpisode(now, causes, came_back, state, context);
  SetTimers(now, state, context);
  LookInShadow(occasion, last_us, judge || shadow_begins, state, context);
}

void Churn::JudgeProfit(Assessment& now, State& state, const Context& context) const {
  if (!options_.profit.given()) return state.clear_expected_profit();
  const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
  now.spend_at_risk_micros = model_->SpendAtRiskMicros(features, now.time, options_.horizon_days);
  state.set_expected_profit(options_.profit.Net(FromLogOdds(state.score()), now.spend_at_risk_micros / 1e6));
}

void Churn::FollowEpisode(const Assessment& now, uint32_t causes, bool came_back, State& state,
                          Context& context) const {
  const bool open = !state.episode_id().empty();
  const auto band = [&] { return BandOf(options_, FromLogOdds(state.score()), now.spend_at_risk_micros); };
  const EpisodeStep step = NextStep({open, causes, came_back, state.worst()}, band);
  if (step == EpisodeStep::kOpens) {
    Verdict verdict = Judge(now, context);
    state.set_opened_us(ToMicros(now.time));
    state.set_episode_id(EpisodeId(context.customer_id(), now.time, causes, state.episodes()));
    state.set_episodes(state.episodes() + 1);
    state.set_worst(verdict.band);
    state.set_causes(causes);
    TellReasons(now, causes, verdict);
    Write(v1::ChurnAlert::OPENED, v1::ChurnAlert::NONE, now, causes, std::move(verdict), state, context);
    return CountTold(v1::ChurnAlert::OPENED, state, context);
  }
  if (step == EpisodeStep::kCloses) return Close(now, came_back, state, context);
  state.set_causes(causes);
  if (step != EpisodeStep::kWorsens) return;
  const Band worst = state.worst();
  Verdict verdict = Judge(now, context);
  state.set_worst(verdict.band);
  TellReasons(now, causes, verdict);
  Write(v1::ChurnAlert::WORSENED, worst, now, causes, std::move(verdict), state, context);
  CountTold(v1::ChurnAlert::WORSENED, state, context);
}

void Churn::Close(const Assessment& now, bool came_back, State& state, Context& context) const {
  Verdict verdict = Judge(now, context);
  const v1::Reason why =
      now.erased      ? Because("churn.at_risk", false, "", {}, 0, "the customer is erased")
      : !now.customer ? Because("purchases.occasions", int64_t{0}, "", {}, 0, "no order is left")
      : came_back     ? Because("purchases.last", now.last, "", {}, 0, "ordered again")
                      : Because("churn.at_risk", false, "", {}, 0,
                                absl::StrCat("no longer holds: ", absl::StrJoin(CauseNames(state.causes()), ",")));
  TellReasons(now, now.causes, verdict);
  verdict.forecast.reasons.insert(verdict.forecast.reasons.begin(), why);
  Write(v1::ChurnAlert::CLOSED, state.worst(), now, state.causes(), std::move(verdict), state, context);
  state.clear_episode_id(), state.clear_opened_us(), state.clear_worst(), state.clear_causes();
}

void Churn::TellReasons(const Assessment& now, uint32_t causes, Verdict& verdict) const {
  ChurnForecast& forecast = verdict.forecast;
  forecast.reasons = ReasonsOf(options_, now, causes & kSilence, std::move(forecast.reasons));
  if (now.customer && options_.profit.given()) {
    forecast.reasons.push_back(ProfitReason(options_, verdict.probability, forecast.spend_at_risk_micros));
  }
}

void Churn::Write(v1::ChurnAlert::Phase phase, Band before, const Assessment& now, uint32_t causes, Verdict verdict,
                  const State& state, Context& context) const {
  v1::ChurnAlert alert;
  alert.set_episode_id(state.episode_id());
  alert.set_phase(phase);
  alert.set_probability(verdict.probability);
  alert.set_horizon_days(options_.horizon_days);
  alert.set_band(verdict.band);
  alert.set_band_before(before);
  alert.set_value_at_risk_micros(Micros(verdict.forecast.spend_at_risk_micros));
  if (now.customer && options_.profit.given()) {
    const double net = options_.profit.Net(verdict.probability, verdict.forecast.spend_at_risk_micros / 1e6);
    alert.set_expected_profit_micros(std::llround(std::clamp(net * 1e6, -1e18, 1e18)));
  }
  alert.set_currency(options_.home_currency);
  if (now.customer) alert.set_last_order_us(ToMicros(now.last));
  const Value expected = context.Get(expected_next_);
  if (const auto* time = std::get_if<Timestamp>(&expected)) alert.set_expected_order_us(ToMicros(*time));
  alert.set_score(verdict.forecast.score);
  alert.set_expected_orders(verdict.forecast.expected_orders);
  alert.set_opened_us(state.opened_us());
  for (std::string& name : CauseNames(causes)) alert.add_causes(std::move(name));
  alert.set_model(std::string(model_->name()));
  alert.set_holdout(HeldOut(HoldoutPoint(context.customer_id()), options_.holdout));
  for (v1::Reason& reason : verdict.forecast.reasons) *alert.mutable_info()->add_reasons() = std::move(reason);
  context.Emit(std::move(alert));
}

// Where a contact's profit is given, the probability that is asked for rises as the spend falls that silence leaves to
// expect: the moment is approached from before. What is not found by then is looked for from there.
std::optional<Timestamp> Churn::Rises(Band band, const Assessment& now, const Context& context) const {
  constexpr int kSteps = 8;
  constexpr double kNearEnough = 1.0001;
  const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
  std::optional<Timestamp> at;
  double from = BandFrom(options_, band, now.spend_at_risk_micros);
  for (int step = 0; step < kSteps; ++step) {
    if (from >= 1) return std::nullopt;
    at = model_->Reaches(LogOdds(from) - BesideModel(options_, now.causes), context, options_.horizon_days,
                         FromDays(kLongestDays));
    if (!at || !options_.profit.given()) return at;
    const double then = BandFrom(options_, band, model_->SpendAtRiskMicros(features, *at, options_.horizon_days));
    if (then <= from * kNearEnough) break;
    from = then;
  }
  return std::max(*at, now.time + kToWithin);
}

std::optional<Timestamp> Churn::SilenceBegins(const Assessment& now) {
  if (now.causes & kSilence) return std::nullopt;
  return now.last + FromDays(now.limit_days);
}

std::optional<Timestamp> Churn::Worsens(Band worst, const Assessment& now, const Context& context) const {
  if (worst >= v1::ChurnAlert::HIGH) return std::nullopt;
  return Rises(worst < v1::ChurnAlert::MEDIUM ? v1::ChurnAlert::MEDIUM : v1::ChurnAlert::HIGH, now, context);
}

void Churn::SetTimers(const Assessment& now, const State& state, Context& context) const {
  for (const uint32_t id : {kSilenceTimer, kBandTimer, kContactsTimer, kComplaintsTimer}) context.CancelTimer(id);
  if (!now.customer) return;
  if (const auto at = SilenceBegins(now)) context.SetTimer(kSilenceTimer, *at);
  if (!state.episode_id().empty()) {
    if (const auto at = Worsens(state.worst(), now, context)) context.SetTimer(kBandTimer, *at);
  }

  // Contacts can only drop, as seen from the usual number, when a day leaves the last 30; and to matter at all there
  // must be as many days as the least usual number asks for.
  const double least = options_.usual_contact_days * kUsualDaysLeast / kRecentDays;
  if (static_cast<double>(WindowCount(state.contacts(), context.moment().day, kWindowDaysMax)) >= least) {
    if (const auto day = WindowNextChange(state.contacts(), context.moment().day, kRecentDays)) {
      context.SetTimer(kContactsTimer, context.StartOf(*day));
    }
  }

  std::optional<Timestamp> complaint;
  for (const auto& open : state.complaints()) {
    const Timestamp due = FromMicros(open.time_us()) + FromDays(options_.complaint_days);
    const Timestamp next = due > now.time ? due : FromMicros(open.time_us()) + FromDays(options_.complaint_forget_days);
    complaint = std::min(complaint.value_or(next), next);
  }
  if (complaint) context.SetTimer(kComplaintsTimer, *complaint);
}

const Churn* ChurnOfChain(const Chain& chain) {
  for (const Chain::Link& link : chain.operators()) {
    if (const auto* churn = dynamic_cast<const Churn*>(link.op.get())) return churn;
  }
  return nullptr;
}

void Churn::Fetch(const State& state, Fetcher& fetch) const {
  fetch.Text(state.contacts());
  fetch.Each(state.complaints());
}

}  // namespace portrait
