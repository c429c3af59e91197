#include "operators/churn.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "operators/holdout.h"
#include "operators/window_features.h"
#include "xxhash.h"

namespace portrait {
namespace {

using State = v1::state::Churn;
using Band = v1::ChurnAlert::Band;

constexpr uint32_t kSilenceTimer = 1;
constexpr uint32_t kBandTimer = 2;
constexpr uint32_t kContactsTimer = 3;
constexpr uint32_t kComplaintsTimer = 4;

// Causes, as bits of the state. The numbers stay what they are.
constexpr uint32_t kSilence = 1;
constexpr uint32_t kContacts = 2;
constexpr uint32_t kComplaints = 4;

constexpr int kRecentDays = 30;      // over which contacts are compared
constexpr int kUsualDaysLeast = 60;  // over which the usual number is learned, at least
constexpr int kMostComplaints = 8;
constexpr int kMostResolved = 4;
constexpr double kLongestDays = 3650;  // no timer lies further ahead

uint64_t Hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

Duration FromDays(double length) { return Duration(static_cast<int64_t>(std::min(length, kLongestDays) * 86'400e6)); }

// What the customer does on the site, with mails and with the service.
bool IsContact(const Event& event) {
  const auto kind = event.body_case();
  switch (kind) {
    case Event::kEmailOpened:
    case Event::kEmailLinkClicked:
    case Event::kQuestionAsked:
    case Event::kComplaintFiled:
    case Event::kSatisfactionRated:
    case Event::kFeedbackSubmitted:
    case Event::kSocialInteraction: return true;
    case Event::kPhoneCall: return event.phone_call().direction() != v1::PhoneCall::OUTBOUND;
    default: return kind >= Event::kPageViewed && kind <= Event::kCheckoutStarted;
  }
}

bool IsPurchase(const Event& event) {
  const auto kind = event.body_case();
  return kind == Event::kOrderCompleted || kind == Event::kOrderRefunded || kind == Event::kOrderCancelled;
}

// Counts the local day of a contact once. Returns whether it was new.
bool CountContact(State& state, int32_t day) {
  auto& contacts = *state.mutable_contacts();
  const bool first = contacts.empty();
  if (WindowCount(contacts, day, 1) > 0) return false;
  WindowAdd(contacts, day, 1);
  state.set_first_contact_day(first ? day : std::min(state.first_contact_day(), day));
  return true;
}

void FileComplaint(State& state, uint64_t ticket, int64_t time_us) {
  auto& resolved = *state.mutable_resolved();
  const auto done = std::find(resolved.begin(), resolved.end(), ticket);
  if (ticket != 0 && done != resolved.end()) {
    resolved.erase(done);
    return;
  }
  auto& complaints = *state.mutable_complaints();
  const bool known = ticket != 0 && std::any_of(complaints.begin(), complaints.end(),
                                                [&](const auto& open) { return open.ticket() == ticket; });
  if (known) return;
  if (complaints.size() >= kMostComplaints) complaints.erase(complaints.begin());
  auto* added = complaints.Add();
  added->set_ticket(ticket);
  added->set_time_us(time_us);
  for (int i = complaints.size() - 1; i > 0 && complaints[i - 1].time_us() > complaints[i].time_us(); --i) {
    complaints.SwapElements(i, i - 1);
  }
}

// A resolution without a ticket settles the oldest complaint.
void ResolveComplaint(State& state, uint64_t ticket) {
  auto& complaints = *state.mutable_complaints();
  const auto it = ticket == 0 ? complaints.begin()
                              : std::find_if(complaints.begin(), complaints.end(),
                                             [&](const auto& open) { return open.ticket() == ticket; });
  if (it != complaints.end()) {
    complaints.erase(it);
  } else if (ticket != 0) {
    if (state.resolved_size() >= kMostResolved) state.mutable_resolved()->erase(state.resolved().begin());
    state.add_resolved(ticket);
  }
}

uint64_t TicketOf(const v1::ServiceContact& contact) {
  return contact.ticket_id().empty() ? 0 : Hash(contact.ticket_id());
}

// Days with contact in 30, as usual before the last 30; 0 while not enough is known.
double UsualContactDays(const State& state, int32_t today) {
  const int32_t before = std::min(today - state.first_contact_day() + 1, kWindowDaysMax) - kRecentDays;
  if (state.contacts().empty() || before < kUsualDaysLeast) return 0;
  const int64_t days =
      WindowCount(state.contacts(), today, kWindowDaysMax) - WindowCount(state.contacts(), today, kRecentDays);
  return static_cast<double>(days) * kRecentDays / before;
}

std::string CauseNames(uint32_t causes) {
  std::string out;
  for (const auto& [bit, name] :
       {std::pair{kSilence, "silence"}, {kContacts, "contacts"}, {kComplaints, "complaints"}}) {
    if (causes & bit) absl::StrAppend(&out, out.empty() ? "" : ",", name);
  }
  return out;
}

std::string EpisodeId(std::string_view customer, Timestamp opened, uint32_t causes, uint32_t ordinal) {
  const std::string text =
      absl::StrCat(customer.size(), ":", std::string(customer), ToMicros(opened), ":", causes, ":", ordinal);
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return absl::StrCat(absl::Hex(hash.high64, absl::kZeroPad16), absl::Hex(hash.low64, absl::kZeroPad16));
}

v1::Reason Because(std::string_view feature, const Value& value, std::string_view comparison, const Value& threshold,
                   double contribution, std::string text) {
  v1::Reason reason;
  reason.set_feature(std::string(feature));
  *reason.mutable_value() = ToProto(value);
  reason.set_comparison(std::string(comparison));
  if (HasValue(threshold)) *reason.mutable_threshold() = ToProto(threshold);
  reason.set_contribution(contribution);
  reason.set_text(std::move(text));
  return reason;
}

int64_t Micros(double value) { return static_cast<int64_t>(std::llround(std::clamp(value, 0.0, 1e18))); }

}  // namespace

// The customer at one moment.
struct Churn::Assessment {
  Timestamp time;
  bool customer = false;  // has a purchase day
  bool erased = false;
  Timestamp last;
  double silent_days = 0, limit_days = 0;
  int64_t contact_days = 0;
  double usual_days = 0, contact_limit = 0;
  int complaints = 0;  // overdue
  double complaint_days = 0;
  uint32_t causes = 0;
};

struct Churn::Verdict {
  ChurnForecast forecast;
  double probability = 0;
  Band band = v1::ChurnAlert::NONE;
};

Churn::Churn(ChurnOptions options, std::unique_ptr<ChurnModel> model)
    : options_(std::move(options)), model_(model ? std::move(model) : MakePopulationModel({})) {}

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
  const absl::Status found = features.FindAll({{"purchases.occasions", &occasions_},
                                               {"purchases.last", &last_},
                                               {"purchases.gaps", &gaps_},
                                               {"purchases.gap_mean_days", &gap_mean_},
                                               {"purchases.gap_log_spread", &gap_log_spread_},
                                               {"purchases.expected_next", &expected_next_}});
  if (!found.ok()) return found;
  return model_->Bind(features);
}

void Churn::OnEvent(const Event& event, State& state, Context& context) const {
  if (event.has_customer_erased()) {
    if (!state.episode_id().empty()) {
      Assessment now = Assess(state, context, /*new_limit=*/false);
      now.erased = true;
      Close(now, /*came_back=*/false, state, context);
    }
    return;
  }
  const Timestamp time = EventTime(event);
  const bool purchase = IsPurchase(event);
  bool look = purchase;
  if (event.body_case() == Event::kComplaintFiled) {
    FileComplaint(state, TicketOf(event.complaint_filed()), event.event_time_us());
    look = true;
  } else if (event.body_case() == Event::kIssueResolved) {
    ResolveComplaint(state, TicketOf(event.issue_resolved()));
    look = true;
  }
  if (IsContact(event) && CountContact(state, context.DayOf(time))) look = true;
  if (look) Evaluate(state, context, purchase ? Occasion::kPurchase : Occasion::kOther);
}

void Churn::OnTimer(const Timer&, State& state, Context& context) const { Evaluate(state, context, Occasion::kTimer); }

bool Churn::Reconsiders(const State& state, const Context&) const {
  return state.last_order_us() != 0 && state.models() != options_.models_begun;
}

void Churn::OnSwitch(State& state, Context& context) const {
  if (!Reconsiders(state, context)) return context.StayAside();
  Evaluate(state, context, Occasion::kTimer);
}

double Churn::SilenceLimit(const Context& context) const {
  const auto gaps = static_cast<int>(AsNumber(context.Get(gaps_)));
  if (gaps < 2) return std::max(options_.least_silence_days, options_.first_silence_days);
  const Rhythm own{gaps, std::log(AsNumber(context.Get(gap_mean_), 1)), AsNumber(context.Get(gap_log_spread_))};
  return std::clamp(QuantileDays(Shrunk(own, options_.rhythm), options_.silence_spreads), options_.least_silence_days,
                    kLongestDays);
}

Churn::Assessment Churn::Assess(const State& state, const Context& context, bool new_limit) const {
  Assessment now;
  now.time = context.now();
  now.customer = AsNumber(context.Get(occasions_)) >= 1;
  if (!now.customer) return now;
  const Value last = context.Get(last_);
  now.last = std::get<Timestamp>(last);
  now.silent_days = InDays(now.time - now.last);
  now.limit_days = new_limit ? SilenceLimit(context) : state.silence_limit_days();
  if (now.time - now.last >= FromDays(now.limit_days)) now.causes |= kSilence;

  const int32_t today = context.moment().day;
  const bool held = ((state.causes() | state.muted()) & kContacts) != 0;
  now.contact_days = WindowCount(state.contacts(), today, kRecentDays);
  now.usual_days = UsualContactDays(state, today);
  now.contact_limit = now.usual_days * (held ? options_.contact_recovered : options_.contact_drop);
  if (now.usual_days >= options_.usual_contact_days * (held ? 0.5 : 1) &&
      static_cast<double>(now.contact_days) <= now.contact_limit) {
    now.causes |= kContacts;
  }
  for (const auto& complaint : state.complaints()) {
    const Duration open = now.time - FromMicros(complaint.time_us());
    if (open < FromDays(options_.complaint_days) || open >= FromDays(options_.complaint_forget_days)) continue;
    ++now.complaints;
    now.complaint_days = std::max(now.complaint_days, InDays(open));
  }
  if (now.complaints > 0) now.causes |= kComplaints;
  return now;
}

Band Churn::BandOf(double probability) const {
  if (probability >= options_.high) return v1::ChurnAlert::HIGH;
  return probability >= options_.medium ? v1::ChurnAlert::MEDIUM : v1::ChurnAlert::LOW;
}

double Churn::BesideModel(uint32_t causes) const {
  return ((causes & kContacts) ? options_.contact_log_odds : 0) +
         ((causes & kComplaints) ? options_.complaint_log_odds : 0);
}

double Churn::ScoreOf(const Assessment& now, const Context& context) const {
  const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
  return model_->Score(features, now.time, options_.horizon_days) + BesideModel(now.causes);
}

Churn::Verdict Churn::Judge(const Assessment& now, const Context& context) const {
  Verdict out;
  if (!now.customer) return out;
  const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
  out.forecast = model_->Forecast(features, now.time, options_.horizon_days);
  out.forecast.score += BesideModel(now.causes);
  out.probability = FromLogOdds(out.forecast.score);
  out.band = BandOf(out.probability);
  return out;
}

void Churn::Evaluate(State& state, Context& context, Occasion occasion) const {
  auto& complaints = *state.mutable_complaints();
  const Timestamp forget = context.now() - FromDays(options_.complaint_forget_days);
  while (!complaints.empty() && FromMicros(complaints[0].time_us()) <= forget) complaints.erase(complaints.begin());

  // Only a purchase changes the rhythm; a timer looks again, for the options may have changed since.
  const bool other_models = state.models() != options_.models_begun;
  const Assessment now = Assess(state, context, occasion != Occasion::kOther || other_models);
  const bool open = !state.episode_id().empty(), purchase = occasion == Occasion::kPurchase;
  const int64_t last_us = now.customer ? ToMicros(now.last) : 0;
  const bool came_back = purchase && last_us > state.last_order_us() && !(now.causes & kSilence);
  state.set_last_order_us(last_us);
  state.set_silence_limit_days(now.limit_days);
  if (came_back && open) state.set_muted(now.causes);
  state.set_muted(state.muted() & now.causes);
  const uint32_t causes = now.causes & ~state.muted();

  state.set_models(now.customer ? options_.models_begun : 0);
  state.set_judged(state.judged() && now.customer);
  if (now.customer && (open || causes != 0 || purchase || other_models)) {
    state.set_score(ScoreOf(now, context));
    state.set_judged(true);
  }
  if (open || causes != 0) FollowEpisode(now, causes, came_back, state, context);
  SetTimers(now, state, context);
}

void Churn::FollowEpisode(const Assessment& now, uint32_t causes, bool came_back, State& state,
                          Context& context) const {
  if (state.episode_id().empty()) {
    Verdict verdict = Judge(now, context);
    state.set_opened_us(ToMicros(now.time));
    state.set_episode_id(EpisodeId(context.customer_id(), now.time, causes, state.episodes()));
    state.set_episodes(state.episodes() + 1);
    state.set_worst(verdict.band);
    state.set_causes(causes);
    AddCauseReasons(now, causes, verdict);
    Write(v1::ChurnAlert::OPENED, v1::ChurnAlert::NONE, now, causes, std::move(verdict), state, context);
    return;
  }
  if (causes == 0 || came_back) return Close(now, came_back, state, context);
  state.set_causes(causes);
  const Band worst = state.worst();
  if (BandOf(FromLogOdds(state.score())) <= worst) return;
  Verdict verdict = Judge(now, context);
  state.set_worst(verdict.band);
  AddCauseReasons(now, causes, verdict);
  Write(v1::ChurnAlert::WORSENED, worst, now, causes, std::move(verdict), state, context);
}

void Churn::Close(const Assessment& now, bool came_back, State& state, Context& context) const {
  Verdict verdict = Judge(now, context);
  const v1::Reason why = now.erased      ? Because("churn.at_risk", false, "", {}, 0, "the customer is erased")
                         : !now.customer ? Because("purchases.occasions", int64_t{0}, "", {}, 0, "no order is left")
                         : came_back     ? Because("purchases.last", now.last, "", {}, 0, "ordered again")
                                         : Because("churn.at_risk", false, "", {}, 0,
                                                   absl::StrCat("no longer holds: ", CauseNames(state.causes())));
  AddCauseReasons(now, now.causes, verdict);
  verdict.forecast.reasons.insert(verdict.forecast.reasons.begin(), why);
  Write(v1::ChurnAlert::CLOSED, state.worst(), now, state.causes(), std::move(verdict), state, context);
  state.clear_episode_id(), state.clear_opened_us(), state.clear_worst(), state.clear_causes();
}

// The causes come first. Silence is in the model already when it has a reason of that kind: that one gets the
// threshold.
void Churn::AddCauseReasons(const Assessment& now, uint32_t causes, Verdict& verdict) const {
  std::vector<v1::Reason> first;
  auto& reasons = verdict.forecast.reasons;
  if (causes & kSilence) {
    v1::Reason silence = Because("churn.silent_days", now.silent_days, ">=", now.limit_days, 0,
                                 absl::StrFormat("no order for %.0f days; this customer's own rhythm allows %.0f",
                                                 now.silent_days, now.limit_days));
    const auto known =
        std::find_if(reasons.begin(), reasons.end(), [](const auto& r) { return r.feature() == "purchases.last"; });
    if (known != reasons.end()) {
      silence.set_contribution(known->contribution());
      reasons.erase(known);
    }
    first.push_back(std::move(silence));
  }
  if (now.causes & kContacts) {
    first.push_back(Because(
        "churn.contact_days_30d", now.contact_days, "<=", now.contact_limit, options_.contact_log_odds,
        absl::StrFormat("%d days with contact in the last 30, usually %.1f", now.contact_days, now.usual_days)));
  }
  if (now.causes & kComplaints) {
    first.push_back(Because("churn.open_complaints", int64_t{now.complaints}, ">=", int64_t{1},
                            options_.complaint_log_odds,
                            absl::StrFormat("%d complaint%s unresolved, for up to %.0f days", now.complaints,
                                            now.complaints == 1 ? "" : "s", now.complaint_days)));
  }
  reasons.insert(reasons.begin(), first.begin(), first.end());
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
  alert.set_currency(options_.home_currency);
  if (now.customer) alert.set_last_order_us(ToMicros(now.last));
  const Value expected = context.Get(expected_next_);
  if (const auto* time = std::get_if<Timestamp>(&expected)) alert.set_expected_order_us(ToMicros(*time));
  alert.set_score(verdict.forecast.score);
  alert.set_expected_orders(verdict.forecast.expected_orders);
  alert.set_opened_us(state.opened_us());
  for (const uint32_t bit : {kSilence, kContacts, kComplaints}) {
    if (causes & bit) alert.add_causes(CauseNames(bit));
  }
  alert.set_model(std::string(model_->name()));
  alert.set_holdout(HeldOut(HoldoutPoint(context.customer_id()), options_.holdout));
  for (v1::Reason& reason : verdict.forecast.reasons) *alert.mutable_info()->add_reasons() = std::move(reason);
  context.Emit(std::move(alert));
}

void Churn::SetTimers(const Assessment& now, const State& state, Context& context) const {
  for (const uint32_t id : {kSilenceTimer, kBandTimer, kContactsTimer, kComplaintsTimer}) context.CancelTimer(id);
  if (!now.customer) return;
  if (!(now.causes & kSilence)) context.SetTimer(kSilenceTimer, now.last + FromDays(now.limit_days));

  if (!state.episode_id().empty() && state.worst() < v1::ChurnAlert::HIGH) {
    const double rises_at = LogOdds(state.worst() < v1::ChurnAlert::MEDIUM ? options_.medium : options_.high);
    const auto at =
        model_->Reaches(rises_at - BesideModel(now.causes), context, options_.horizon_days, FromDays(kLongestDays));
    if (at) context.SetTimer(kBandTimer, *at);
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

}  // namespace portrait
