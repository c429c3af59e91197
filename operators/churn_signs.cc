#include "operators/churn_signs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "operators/window_features.h"
#include "xxhash.h"

namespace portrait {
namespace {

using State = v1::state::Churn;

constexpr int kMostComplaints = 8;
constexpr int kMostResolved = 4;

// 0: it has none.
uint64_t TicketOf(const v1::ServiceContact& contact) {
  const std::string& id = contact.ticket_id();
  return id.empty() ? 0 : XXH3_64bits(id.data(), id.size());
}

}  // namespace

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

bool CountContact(State& state, int32_t day) {
  auto& contacts = *state.mutable_contacts();
  const bool first = contacts.empty();
  if (WindowCount(contacts, day, 1) > 0) return false;
  WindowAdd(contacts, day, 1);
  state.set_first_contact_day(first ? day : std::min(state.first_contact_day(), day));
  return true;
}

double UsualContactDays(const State& state, int32_t today) {
  const int32_t before = std::min(today - state.first_contact_day() + 1, kWindowDaysMax) - kRecentDays;
  if (state.contacts().empty() || before < kUsualDaysLeast) return 0;
  const int64_t with_contact =
      WindowCount(state.contacts(), today, kWindowDaysMax) - WindowCount(state.contacts(), today, kRecentDays);
  return static_cast<double>(with_contact) * kRecentDays / before;
}

void FileComplaint(State& state, const v1::ServiceContact& complaint, int64_t time_us) {
  const uint64_t ticket = TicketOf(complaint);
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

void ResolveComplaint(State& state, const v1::ServiceContact& resolution) {
  const uint64_t ticket = TicketOf(resolution);
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

std::vector<std::string> CauseNames(uint32_t causes) {
  std::vector<std::string> out;
  for (const auto& [bit, name] :
       {std::pair{kSilence, "silence"}, {kContacts, "contacts"}, {kComplaints, "complaints"}}) {
    if (causes & bit) out.emplace_back(name);
  }
  return out;
}

Duration FromDays(double length) { return Duration(static_cast<int64_t>(std::min(length, kLongestDays) * 86'400e6)); }

ChurnSigns SignsAt(const ChurnOptions& options, const State& state, uint32_t known, Timestamp now, int32_t today,
                   Timestamp last, double limit_days) {
  ChurnSigns out;
  out.time = now;
  out.last = last;
  out.silent_days = InDays(now - last);
  out.limit_days = limit_days;
  if (now - last >= FromDays(limit_days)) out.causes |= kSilence;

  const bool held = (known & kContacts) != 0;
  out.contact_days = WindowCount(state.contacts(), today, kRecentDays);
  out.usual_days = UsualContactDays(state, today);
  out.contact_limit = out.usual_days * (held ? options.contact_recovered : options.contact_drop);
  if (out.usual_days >= options.usual_contact_days * (held ? 0.5 : 1) &&
      static_cast<double>(out.contact_days) <= out.contact_limit) {
    out.causes |= kContacts;
  }
  for (const auto& complaint : state.complaints()) {
    const Duration open = now - FromMicros(complaint.time_us());
    if (open < FromDays(options.complaint_days) || open >= FromDays(options.complaint_forget_days)) continue;
    ++out.complaints;
    out.complaint_days = std::max(out.complaint_days, InDays(open));
  }
  if (out.complaints > 0) out.causes |= kComplaints;
  return out;
}

double BesideModel(const ChurnOptions& options, uint32_t causes) {
  return ((causes & kContacts) ? options.contact_log_odds : 0) +
         ((causes & kComplaints) ? options.complaint_log_odds : 0);
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

std::vector<v1::Reason> ReasonsOf(const ChurnOptions& options, const ChurnSigns& now, bool silence,
                                  std::vector<v1::Reason> of_model) {
  std::vector<v1::Reason> out;
  if (silence) {
    out.push_back(Because("churn.silent_days", now.silent_days, ">=", now.limit_days, 0,
                          absl::StrFormat("no order for %.0f days; this customer's own rhythm allows %.0f",
                                          now.silent_days, now.limit_days)));
    const auto known =
        std::find_if(of_model.begin(), of_model.end(), [](const auto& r) { return r.feature() == "purchases.last"; });
    if (known != of_model.end()) {
      out.back().set_contribution(known->contribution());
      of_model.erase(known);
    }
  }
  if (now.causes & kContacts) {
    out.push_back(Because(
        "churn.contact_days_30d", now.contact_days, "<=", now.contact_limit, options.contact_log_odds,
        absl::StrFormat("%d days with contact in the last 30, usually %.1f", now.contact_days, now.usual_days)));
  }
  if (now.causes & kComplaints) {
    out.push_back(Because("churn.open_complaints", int64_t{now.complaints}, ">=", int64_t{1},
                          options.complaint_log_odds,
                          absl::StrFormat("%d complaint%s unresolved, for up to %.0f days", now.complaints,
                                          now.complaints == 1 ? "" : "s", now.complaint_days)));
  }
  out.insert(out.end(), of_model.begin(), of_model.end());
  return out;
}

v1::Reason ProfitReason(const ChurnOptions& options, double probability, double spend_micros) {
  const ContactProfit& profit = options.profit;
  const double spend = spend_micros / 1e6, gain = profit.Gain(probability, spend);
  return Because(
      "churn.expected_profit", profit.Net(probability, spend), "", {}, 0,
      absl::StrFormat("a contact for %.2f is expected to bring %.2f: it wins back %.0f %% of the %.0f %% who "
                      "would not order, each good for %.2f at a margin of %.0f %%",
                      profit.cost, gain, 100 * profit.success, 100 * probability, spend, 100 * profit.margin));
}

}  // namespace portrait
