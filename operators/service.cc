#include "operators/service.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "operators/optional_time.h"
#include "operators/window_features.h"
#include "xxhash.h"

namespace portrait {
namespace {

using State = v1::state::Service;
using v1::state::Ticket;

constexpr size_t kIdBytesMax = 36;  // a UUID as text

bool IsOpen(const Ticket& ticket) { return ticket.has_opened_us() && !ticket.has_resolved_us(); }

// ---- Tickets

void Count(const Ticket& ticket, int64_t sign, State& state) {
  if (!ticket.has_opened_us()) return;
  state.set_opened(state.opened() + sign);
  if (ticket.has_answered_us()) {
    state.set_answered(state.answered() + sign);
    state.set_until_answer_us(state.until_answer_us() + sign * (ticket.answered_us() - ticket.opened_us()));
  }
  if (ticket.has_resolved_us()) {
    state.set_resolved(state.resolved() + sign);
    state.set_until_resolution_us(state.until_resolution_us() + sign * (ticket.resolved_us() - ticket.opened_us()));
  }
}

// An answer or resolution from before the opening belongs to an earlier life of the ticket.
void DropBeforeOpening(Ticket& ticket) {
  if (!ticket.has_opened_us()) return;
  if (ticket.answered_us() < ticket.opened_us()) ticket.clear_answered_us();
  if (ticket.resolved_us() < ticket.opened_us()) ticket.clear_resolved_us();
}

std::string IdOf(const std::string& id) {
  if (id.size() <= kIdBytesMax) return id;
  char hex[18];
  std::snprintf(hex, sizeof(hex), "#%016llx", static_cast<unsigned long long>(XXH3_64bits(id.data(), id.size())));
  return hex;
}

// The sooner a ticket leaves, the lower: settled, then questions, then complaints.
int Standing(const Ticket& ticket) { return !IsOpen(ticket) ? 0 : ticket.complaint() ? 2 : 1; }

// Of the tickets with this standing the one that leaves first; -1 where there is none.
int FirstToLeave(const State& state, int standing) {
  int found = -1;
  for (int i = 0; i < state.tickets_size(); ++i) {
    const Ticket& ticket = state.tickets(i);
    if (Standing(ticket) != standing) continue;
    if (found < 0 || (standing > 0 && ticket.opened_us() < state.tickets(found).opened_us())) found = i;
  }
  return found;
}

void Remove(State& state, int at) { state.mutable_tickets()->DeleteSubrange(at, 1); }

// Keeps the bound. Runs after every change, so at most one ticket is too many.
void MakeRoom(State& state) {
  int settled = 0;
  for (const Ticket& ticket : state.tickets()) settled += IsOpen(ticket) ? 0 : 1;
  if (settled > kServiceTicketsSettled) return Remove(state, FirstToLeave(state, 0));
  if (state.tickets_size() <= kServiceTickets) return;
  for (int standing = 0; standing <= 2; ++standing) {
    if (const int at = FirstToLeave(state, standing); at >= 0) return Remove(state, at);
  }
}

template <class Change>
void ChangeTicket(const std::string& event_ticket_id, State& state, Change change) {
  const std::string id = IdOf(event_ticket_id);
  auto& tickets = *state.mutable_tickets();
  const auto known = std::find_if(tickets.begin(), tickets.end(), [&](const Ticket& t) { return t.id() == id; });
  const bool is_new = known == tickets.end();
  Ticket& ticket = is_new ? *tickets.Add() : *known;
  if (is_new) ticket.set_id(id);
  Count(ticket, -1, state);
  change(ticket);
  DropBeforeOpening(ticket);
  Count(ticket, 1, state);
  MakeRoom(state);
}

void Open(const v1::ServiceContact& contact, int64_t time_us, bool complaint, State& state) {
  ChangeTicket(contact.ticket_id(), state, [&](Ticket& ticket) {
    if (ticket.has_opened_us() && ticket.has_resolved_us() && time_us > ticket.resolved_us()) {
      Count(ticket, 1, state);  // the life that is over stays counted
      ticket.clear_complaint(), ticket.clear_opened_us(), ticket.clear_answered_us(), ticket.clear_resolved_us();
    }
    ticket.set_opened_us(ticket.has_opened_us() ? std::min(ticket.opened_us(), time_us) : time_us);
    ticket.set_complaint(ticket.complaint() || complaint);
  });
}

void Answer(const v1::ServiceContact& contact, int64_t time_us, State& state) {
  state.set_replies(state.replies() + 1);
  ChangeTicket(contact.ticket_id(), state, [&](Ticket& ticket) {
    if (ticket.has_opened_us() && time_us < ticket.opened_us()) return;
    ticket.set_answered_us(ticket.has_answered_us() ? std::min(ticket.answered_us(), time_us) : time_us);
  });
}

void Resolve(const v1::ServiceContact& contact, int64_t time_us, State& state) {
  ChangeTicket(contact.ticket_id(), state, [&](Ticket& ticket) {
    if (ticket.has_opened_us() && time_us < ticket.opened_us()) return;
    ticket.set_resolved_us(ticket.has_resolved_us() ? std::max(ticket.resolved_us(), time_us) : time_us);
  });
}

// ---- Other contacts

void Rate(double score, int64_t time_us, int32_t day, State& state) {
  const bool is_score = score >= 0 && score <= 1;  // NaN is none
  if (!is_score) return;
  const auto thousandths = static_cast<int32_t>(std::lround(score * 1000));
  WindowAdd(*state.mutable_ratings(), day, 1, thousandths);
  if (state.has_last_rating_us() && time_us < state.last_rating_us()) return;
  state.set_last_rating_us(time_us);
  state.set_last_rating_thousandths(thousandths);
}

void Call(const v1::PhoneCall& call, int32_t day, State& state) {
  const bool outbound = call.direction() == v1::PhoneCall::OUTBOUND;
  const int64_t talk_s = std::max<int64_t>(0, call.duration_us()) / 1'000'000;
  WindowAdd(outbound ? *state.mutable_outbound_calls() : *state.mutable_calls(), day, 1, talk_s);
}

void Contacted(int64_t time_us, State& state) {
  if (!state.has_last_contact_us() || time_us > state.last_contact_us()) state.set_last_contact_us(time_us);
}

// ---- Features

int64_t OpenTickets(const State& state, bool only_complaints) {
  return std::count_if(state.tickets().begin(), state.tickets().end(), [&](const Ticket& ticket) {
    return IsOpen(ticket) && (ticket.complaint() || !only_complaints);
  });
}

std::optional<Timestamp> OldestOpen(const State& state, bool only_complaints) {
  std::optional<Timestamp> oldest;
  for (const Ticket& ticket : state.tickets()) {
    if (!IsOpen(ticket) || (only_complaints && !ticket.complaint())) continue;
    const Timestamp opened = FromMicros(ticket.opened_us());
    if (!oldest || opened < *oldest) oldest = opened;
  }
  return oldest;
}

// What was opened after the moment (a moment in the past is asked about) has no age yet.
std::optional<Duration> AgeOf(std::optional<Timestamp> opened, const Moment& at) {
  if (!opened) return std::nullopt;
  return std::max(Duration(0), at.time - *opened);
}

Items OpenList(const State& state) {
  std::vector<const Ticket*> open;
  for (const Ticket& ticket : state.tickets()) {
    if (IsOpen(ticket)) open.push_back(&ticket);
  }
  std::stable_sort(open.begin(), open.end(),
                   [](const Ticket* a, const Ticket* b) { return a->opened_us() < b->opened_us(); });
  Items out;
  for (const Ticket* ticket : open) {
    const std::string_view kind = ticket->complaint() ? "complaint" : "question";
    out.push_back({ticket->id(), {kind, FromMicros(ticket->opened_us()), ticket->has_answered_us()}});
  }
  return out;
}

std::optional<Duration> Mean(int64_t sum_us, int64_t count) {
  if (count <= 0) return std::nullopt;
  return Duration(sum_us / count);
}

std::optional<double> Ratio(int64_t part, int64_t whole, double scale = 1) {
  if (whole <= 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole) / scale;
}

// Adds up what counts as a contact by the customer; `part` gives one part of one window.
template <class Part>
int64_t OverContacts(const State& s, Part part) {
  return part(s.inquiries(), WindowPart::kCount) + part(s.inquiries(), WindowPart::kSum) +
         part(s.expressions(), WindowPart::kCount) + part(s.expressions(), WindowPart::kSum) +
         part(s.calls(), WindowPart::kCount);
}

void DescribeContacts(Description& about) {
  for (const int window_days : kWindowDays) {
    about.Feature<State>(
        "contacts" + WindowSuffix(window_days), "contacts", "Contacts by the customer" + WindowWords(window_days),
        [=](const State& state, const Moment& at) -> int64_t {
          return OverContacts(
              state, [&](const auto& window, WindowPart part) { return WithinDays(window, part, at, window_days); });
        },
        ChangesOn<State>([=](const State& state, const Moment& at) {
          return FirstChange({&state.inquiries(), &state.expressions(), &state.calls()}, at.day, window_days);
        }));
  }
  about.Feature<State>("contacts", "contacts", "Contacts by the customer so far",
                       [](const State& state) -> int64_t { return OverContacts(state, Lifetime); });
  DescribeWindow<State>(about, "questions", "questions", "Questions asked", &State::inquiries, WindowPart::kCount);
  DescribeWindow<State>(about, "complaints", "complaints", "Complaints filed", &State::inquiries, WindowPart::kSum);
  DescribeWindow<State>(about, "calls", "calls", "Phone calls by the customer", &State::calls, WindowPart::kCount);
  DescribeWindow<State>(about, "talk_seconds", "seconds", "Talk in phone calls by the customer", &State::calls,
                        WindowPart::kSum);
  DescribeWindow<State>(about, "outbound_calls", "calls", "Phone calls to the customer", &State::outbound_calls,
                        WindowPart::kCount);
  DescribeWindow<State>(about, "feedback", "forms", "Feedback forms sent in", &State::expressions, WindowPart::kCount);
  DescribeWindow<State>(about, "social", "interactions", "Interactions on social networks", &State::expressions,
                        WindowPart::kSum);
  about.Feature<State>("last_contact", "time", "The latest contact by the customer",
                       [](const State& s) { return TimeIf(s.has_last_contact_us(), s.last_contact_us()); });
}

void DescribeTickets(Description& about) {
  about.Feature<State>("open_tickets", "tickets", "Questions and complaints not resolved",
                       [](const State& s) { return OpenTickets(s, false); });
  about.Feature<State>("open_complaints", "complaints", "Complaints not resolved",
                       [](const State& s) { return OpenTickets(s, true); });
  about.Feature<State>("oldest_open_ticket", "time", "When the oldest unresolved ticket was opened",
                       [](const State& s) { return OldestOpen(s, false); });
  about.Feature<State>("oldest_open_complaint", "time", "Since when the oldest unresolved complaint stands",
                       [](const State& s) { return OldestOpen(s, true); });
  about.Feature<State>(
      "oldest_open_complaint_age", "days", "For how long the oldest complaint has stood unresolved",
      [](const State& s, const Moment& at) { return AgeOf(OldestOpen(s, true), at); }, OverTime::Runs());
  about.ItemsFeature<State>("open",
                            {{"kind", FeatureType::kText, "text", "question or complaint"},
                             {"opened", FeatureType::kTimestamp, "time", "When it was opened"},
                             {"answered", FeatureType::kBoolean, "1", "Whether there was a reply"}},
                            "Unresolved tickets by id, the oldest first", [](const State& s) { return OpenList(s); });
  about.Feature<State>("tickets", "tickets", "Tickets ever opened",
                       [](const State& s) -> int64_t { return s.opened(); });
  about.Feature<State>("replies", "replies", "Replies sent to the customer",
                       [](const State& s) -> int64_t { return s.replies(); });
  about.Feature<State>("first_reply_mean", "days", "Mean time from the opening of a ticket to its first reply",
                       [](const State& s) { return Mean(s.until_answer_us(), s.answered()); });
  about.Feature<State>("resolution_mean", "days", "Mean time from the opening of a ticket to its resolution",
                       [](const State& s) { return Mean(s.until_resolution_us(), s.resolved()); });
  about.Feature<State>("resolved_share", "1", "Share of the tickets ever opened that was resolved",
                       [](const State& s) { return Ratio(s.resolved(), s.opened()); });
}

void DescribeSatisfaction(Description& about) {
  for (const int window_days : kWindowDays) {
    about.Feature<State>(
        "satisfaction_mean" + WindowSuffix(window_days), "1",
        "Mean satisfaction, from 0 (bad) to 1 (good)," + WindowWords(window_days),
        [=](const State& s, const Moment& at) {
          return Ratio(WindowSum(s.ratings(), at.day, window_days), WindowCount(s.ratings(), at.day, window_days),
                       1000);
        },
        ChangesAsWindow<State>(&State::ratings, window_days));
  }
  about.Feature<State>(
      "satisfaction_mean", "1", "Mean satisfaction, from 0 (bad) to 1 (good), so far",
      [](const State& s) { return Ratio(LifetimeSum(s.ratings()), LifetimeCount(s.ratings()), 1000); });
  about.Feature<State>("satisfaction_last", "1", "The latest satisfaction, from 0 (bad) to 1 (good)",
                       [](const State& s) -> std::optional<double> {
                         if (!s.has_last_rating_us()) return std::nullopt;
                         return s.last_rating_thousandths() / 1000.0;
                       });
  about.Feature<State>("ratings", "ratings", "Satisfaction ratings so far",
                       [](const State& s) { return LifetimeCount(s.ratings()); });
  about.Feature<State>("last_rating", "time", "When satisfaction was last rated",
                       [](const State& s) { return TimeIf(s.has_last_rating_us(), s.last_rating_us()); });
}

}  // namespace

void Service::Describe(Description& about) {
  about.Name("service")
      .About("Questions, complaints, replies, resolutions, satisfaction and other contacts")
      .Reads({Event::kQuestionAsked, Event::kComplaintFiled, Event::kReplySent, Event::kIssueResolved,
              Event::kSatisfactionRated, Event::kPhoneCall, Event::kFeedbackSubmitted, Event::kSocialInteraction});
  DescribeTickets(about);
  DescribeContacts(about);
  DescribeSatisfaction(about);
}

void Service::OnEvent(const Event& event, v1::state::Service& state, Context& context) const {
  const int64_t time_us = event.event_time_us();
  const int32_t day = context.DayOf(EventTime(event));
  switch (event.body_case()) {
    case Event::kQuestionAsked:
      WindowAdd(*state.mutable_inquiries(), day, 1);
      Open(event.question_asked(), time_us, false, state);
      return Contacted(time_us, state);
    case Event::kComplaintFiled:
      WindowAdd(*state.mutable_inquiries(), day, 0, 1);
      Open(event.complaint_filed(), time_us, true, state);
      return Contacted(time_us, state);
    case Event::kReplySent: return Answer(event.reply_sent(), time_us, state);
    case Event::kIssueResolved: return Resolve(event.issue_resolved(), time_us, state);
    case Event::kSatisfactionRated: return Rate(event.satisfaction_rated().score(), time_us, day, state);
    case Event::kPhoneCall:
      Call(event.phone_call(), day, state);
      if (event.phone_call().direction() != v1::PhoneCall::OUTBOUND) Contacted(time_us, state);
      return;
    case Event::kFeedbackSubmitted: WindowAdd(*state.mutable_expressions(), day, 1); return Contacted(time_us, state);
    case Event::kSocialInteraction:
      WindowAdd(*state.mutable_expressions(), day, 0, 1);
      return Contacted(time_us, state);
    default: return;
  }
}

}  // namespace portrait
