// Warns when a customer is about to be lost, and why; one alert an episode.
//
//   builder.Add<Purchases>().Add<Churn>(ChurnOptions{.horizon_days = 60});
//
// An episode opens, for customers with at least one purchase day, when one of these causes begins to hold:
//   silence     no order for longer than this customer's own rhythm allows (operators/rhythm.h): with two pauses or
//   more,
//               the pause that `silence_spreads` standard deviations of the logarithms lie below, drawn to the
//               population; with fewer, first_silence_days
//   contacts    days with site, mail or service activity in the last 30: at most contact_drop of the customer's own
//               usual number, which is at least usual_contact_days and learned over 60 days or more
//   complaints  a complaint stands unresolved for complaint_days (and for less than complaint_forget_days)
// The moment is computed beforehand and becomes a timer; the level of the probability alone opens nothing, since that
// of a one-time buyer is high from the first day. An episode worsens when its band rises above any before, so at most
// twice. It closes when the customer orders and is not silent by that order, whatever else holds, or when no cause is
// left, or when the customer is erased. A cause that held when an order closed its episode opens another only after it
// has gone in between.
//
// The probability is that of no order within the horizon, by the ChurnModel; score = its log-odds = the sum of the
// contributions of all reasons. Causes that the model does not know (contacts, complaints) decide about the alert and
// say why, but enter the probability only with the log-odds in the options, 0 by default: a number here should be the
// logarithm of a likelihood ratio that was measured, and none has been. value_at_risk: see
// ChurnForecast::spend_at_risk_micros.
//
// Bands go by the probability; or, where the cost of a contact is given, by what a contact is expected to bring
// (contact_profit.h). That an episode worsens is then found to an hour: what a silent customer would spend falls while
// the probability rises.
//
// When other models come into force while the service runs, every customer with an order is looked at as by a timer:
// the score is that of the new model, and the silence that is allowed that of the new rhythm. So an episode may open,
// worsen or close; one whose band falls stays as it is. The next moments are computed anew.
//
// Models may be in the shadow beside those in force: the same episodes by other models and another rhythm, with a timer
// of their own, of which nothing is told but to be counted. A row has of them the episode that would be open, which
// begins as the one that is, and how many alerts they would have raised; below 20 bytes. Whenever either side judges,
// both do, and are compared. Rows that meet a chain without this shadow let go of it.
//
// Contacts are counted once a local day, so a page view costs a few nanoseconds except the first of a day. Bounds of
// the state: a window (operators/window.h) without sums, 8 complaints, 4 resolutions: below 400 bytes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "operators/churn_model.h"
#include "operators/contact_profit.h"
#include "operators/operator.h"
#include "operators/rhythm.h"
#include "portrait/v1/state/churn.pb.h"

namespace portrait {

class Chain;

struct ChurnOptions {
  int horizon_days = 90;
  std::string home_currency;

  // Probabilities from which the band is medium and high.
  double medium = 0.6;
  double high = 0.85;
  ContactProfit profit;  // given: bands go by it instead

  double silence_spreads = 1.645;   // 95 % of a customer's pauses are shorter, were they log-normal
  double first_silence_days = 128;  // 90 % of the pauses in CDNOW are shorter
  double least_silence_days = 7;    // daily buyers get a week
  RhythmPrior rhythm;
  uint64_t models_begun = 0;  // FittedModels::begun of the rhythm and the model

  double usual_contact_days = 6;   // of 30
  double contact_drop = 0.3;       // of the usual number: the cause begins to hold
  double contact_recovered = 0.6;  // and holds up to here, or until the usual number itself has halved
  double complaint_days = 7;
  double complaint_forget_days = 90;

  double contact_log_odds = 0;
  double complaint_log_odds = 0;

  double holdout = 0;  // share of the customers whose alerts are marked (operators/holdout.h)
};

// The probability from which the band, medium or high, is that; above 1: it never is. `spend_micros`: as in
// ChurnForecast; it counts only where a contact's profit is given.
double BandFrom(const ChurnOptions& options, v1::ChurnAlert::Band band, double spend_micros);
v1::ChurnAlert::Band BandOf(const ChurnOptions& options, double probability, double spend_micros);

class Churn final : public Operator<v1::state::Churn> {
 public:
  // Without a model: that of FittedModels{}, MBG/NBD with the CDNOW fit. `shadow` has the same options but for
  // models_begun and rhythm: of the models in the shadow.
  explicit Churn(ChurnOptions options = {}, std::unique_ptr<ChurnModel> model = nullptr,
                 std::unique_ptr<Churn> shadow = nullptr);

  static void Describe(Description& about);
  absl::Status Bind(const FeatureRegistry& features) override;
  void OnEvent(const Event& event, v1::state::Churn& state, Context& context) const override;
  void OnTimer(const Timer& timer, v1::state::Churn& state, Context& context) const override;
  bool Reconsiders(const v1::state::Churn& state, const Context& context) const override;
  void OnSwitch(v1::state::Churn& state, Context& context) const override;
  void Fetch(const v1::state::Churn& state, Fetcher& fetch) const override;

  // As they judge; bound with the chain.
  const ChurnOptions& options() const { return options_; }
  const ChurnModel& model() const { return *model_; }
  // Null: no models are in the shadow.
  const Churn* shadow() const { return shadow_.get(); }
  // What both say of a stored customer at a moment; nothing of one without an order. Needs models in the shadow.
  std::optional<ShadowJudgement> Compare(const v1::state::Churn& state, const FeatureReader& reader,
                                         Timestamp now) const;

 private:
  static constexpr uint32_t kSilenceTimer = 1, kBandTimer = 2, kContactsTimer = 3, kComplaintsTimer = 4,
                            kShadowTimer = 5;
  enum class Occasion { kPurchase, kOther, kTimer };
  struct Assessment;
  struct Verdict;

  // `known` as in SignsAt; without a limit, that of the rhythm as it is now.
  Assessment Assess(const v1::state::Churn& state, uint32_t known, std::optional<double> limit,
                    const Context& context) const;
  double SilenceLimit(const Context& context) const;
  double ScoreOf(const Assessment& now, const Context& context) const;
  Verdict Judge(const Assessment& now, const Context& context) const;
  void Evaluate(v1::state::Churn& state, Context& context, Occasion occasion) const;
  void JudgeProfit(Assessment& now, v1::state::Churn& state, const Context& context) const;
  void FollowEpisode(const Assessment& now, uint32_t causes, bool came_back, v1::state::Churn& state,
                     Context& context) const;
  void Close(const Assessment& now, bool came_back, v1::state::Churn& state, Context& context) const;
  void SetTimers(const Assessment& now, const v1::state::Churn& state, Context& context) const;
  // When silence begins to hold; none: it does. When an open episode of this band worsens; none: it does not.
  static std::optional<Timestamp> SilenceBegins(const Assessment& now);
  std::optional<Timestamp> Worsens(v1::ChurnAlert::Band worst, const Assessment& now, const Context& context) const;
  void Write(v1::ChurnAlert::Phase phase, v1::ChurnAlert::Band before, const Assessment& now, uint32_t causes,
             Verdict verdict, const v1::state::Churn& state, Context& context) const;
  std::optional<Timestamp> Rises(v1::ChurnAlert::Band band, const Assessment& now, const Context& context) const;
  void TellReasons(const Assessment& now, uint32_t causes, Verdict& verdict) const;

  // The shadow: churn_shadow.cc.
  bool HasStaleShadow(const v1::state::Churn& state) const;
  // Begins what a row has of the shadow, or ends it; before the models in force look at the row. Whether it begins.
  bool SettleShadow(v1::state::Churn& state, Context& context) const;
  // `last_us`: the last order as it was known before this step; `judge`: compare, whatever the shadow makes of it.
  void LookInShadow(Occasion occasion, int64_t last_us, bool judge, v1::state::Churn& state, Context& context) const;
  // Of the models in the shadow: when they would open or worsen an episode next, if nothing happens.
  std::optional<Timestamp> NextInShadow(const v1::state::ShadowChurn& shadow, Assessment now,
                                        const Context& context) const;
  ShadowJudgement::Said SaidAt(ChurnModel::Features features, Timestamp now, uint32_t causes) const;
  void CountTold(v1::ChurnAlert::Phase phase, v1::state::Churn& state, Context& context) const;

  ChurnOptions options_;
  std::unique_ptr<ChurnModel> model_;
  std::unique_ptr<Churn> shadow_;
  FeatureRef occasions_, last_, gaps_, gap_mean_, gap_log_spread_, expected_next_;
};

// Null: the chain has none.
const Churn* ChurnOfChain(const Chain& chain);

}  // namespace portrait
