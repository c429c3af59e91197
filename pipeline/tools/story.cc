#include "pipeline/tools/story.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "pipeline/tools/result_text.h"

namespace portrait {

namespace {

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kDay = int64_t{24} * 60 * kMinute;
constexpr int64_t kVisitGap = 30 * kMinute;

std::string DayText(int64_t time_us) { return MinuteText(time_us).substr(0, 10); }

bool IsBrowsing(EventKind kind) { return kind >= Event::kPageViewed && kind <= Event::kCheckoutStarted; }

std::string Many(int count, const char* one, const char* more) {
  return absl::StrCat(count, " ", count == 1 ? one : more);
}

// What happened between two things that are told one by one: visits and mails, in one line.
class Quiet {
 public:
  void Add(int64_t time_us, EventKind kind) {
    if (Empty()) begin_us_ = time_us;
    end_us_ = time_us;
    switch (kind) {
      case Event::kPageViewed: ++pages_; break;
      case Event::kEmailDelivered: ++mails_; break;
      case Event::kEmailOpened: ++opened_; break;
      case Event::kEmailLinkClicked: ++clicked_; break;
      default: break;
    }
    if (!IsBrowsing(kind)) return;
    if (visits_ == 0 || time_us - seen_us_ > kVisitGap) ++visits_;
    seen_us_ = time_us;
  }

  bool Empty() const { return visits_ + mails_ + opened_ + clicked_ == 0; }

  std::string Line() const {
    std::vector<std::string> parts;
    if (visits_ > 0)
      parts.push_back(absl::StrCat(Many(visits_, "visit", "visits"), " (", Many(pages_, "page", "pages"), ")"));
    if (mails_ > 0) parts.push_back(Many(mails_, "mail", "mails"));
    if (opened_ > 0) parts.push_back(absl::StrCat(opened_, " opened"));
    if (clicked_ > 0) parts.push_back(absl::StrCat(clicked_, " clicked"));
    std::string when = DayText(begin_us_);
    if (DayText(end_us_) != when) absl::StrAppend(&when, " to ", DayText(end_us_));
    return absl::StrCat("  ", when, "  ", absl::StrJoin(parts, ", "));
  }

 private:
  int64_t begin_us_ = 0, end_us_ = 0, seen_us_ = 0;
  int visits_ = 0, pages_ = 0, mails_ = 0, opened_ = 0, clicked_ = 0;
};

std::string EventText(const Event& event) {
  switch (event.body_case()) {
    case Event::kOrderCompleted:
      return "buys for " + MoneyText(event.order_completed().total_micros(), event.order_completed().currency());
    case Event::kOrderRefunded:
      return "gets back " + MoneyText(event.order_refunded().total_micros(), event.order_refunded().currency());
    case Event::kOrderCancelled: return "cancels an order";
    case Event::kQuestionAsked:
      return "asks a question" +
             (event.question_asked().topic().empty() ? "" : " about " + event.question_asked().topic());
    case Event::kComplaintFiled:
      return "complains" + (event.complaint_filed().topic().empty() ? "" : " about " + event.complaint_filed().topic());
    case Event::kReplySent: return "gets a reply";
    case Event::kIssueResolved: return "has it resolved";
    case Event::kSatisfactionRated:
      return absl::StrFormat("rates the service %.0f %%", event.satisfaction_rated().score() * 100);
    case Event::kUnsubscribed: return "leaves the mailing list";
    case Event::kEmailMarkedAsSpam: return "marks a mail as spam";
    case Event::kIdentified: return "registers";
    case Event::kCustomerErased: return "is erased";
    case Event::kTagPinned:
      return absl::StrCat("is pinned ", event.tag_pinned().absent() ? "off " : "to ", event.tag_pinned().tag());
    case Event::kTagUnpinned: return absl::StrCat("is no longer pinned: ", event.tag_unpinned().tag());
    default: return {};
  }
}

std::string AlertText(const v1::ChurnAlert& alert) {
  std::string text = absl::StrCat("ALERT ", std::string(PhaseName(alert.phase())));
  if (alert.phase() != v1::ChurnAlert::CLOSED) {
    absl::StrAppend(
        &text, ", ", std::string(BandName(alert.band())), ": ",
        absl::StrFormat("%.0f %% that no order comes within %d days", alert.probability() * 100, alert.horizon_days()));
    if (alert.value_at_risk_micros() > 0)
      absl::StrAppend(&text, ", ", MoneyText(alert.value_at_risk_micros(), alert.currency()), " at risk");
  }
  const std::string because = ReasonsText(alert.info());
  return because.empty() ? text : absl::StrCat(text, "\n              because ", because);
}

}  // namespace

StoryBook::Life* StoryBook::Find(const std::string& customer) {
  return watched_.contains(customer) ? &lives_[customer] : nullptr;
}

void StoryBook::Add(const Event& event) {
  Life* life = Find(event.customer_id());
  if (life == nullptr) return;
  Moment moment{.time_us = event.event_time_us(), .kind = event.body_case(), .text = EventText(event)};
  if (event.has_order_completed()) {
    moment.amount_micros = event.order_completed().total_micros();
    ++life->orders;
    life->last_order_us = std::max(life->last_order_us, event.event_time_us());
  }
  if (event.has_complaint_filed()) life->complained_us = std::max(life->complained_us, event.event_time_us());
  if (event.has_issue_resolved()) life->resolved_us = std::max(life->resolved_us, event.event_time_us());
  life->moments.push_back(std::move(moment));
}

void StoryBook::Add(const v1::TagChange& change) {
  Life* life = Find(change.info().customer_id());
  if (life == nullptr) return;
  ++life->tag_changes;
  life->tags[change.tag()] = change.after();
  life->moments.push_back({.time_us = change.info().event_time_us(),
                           .text = (change.after() ? "+ " : "- ") + change.tag(),
                           .group = ReasonsText(change.info())});
}

void StoryBook::Add(const v1::ChurnAlert& alert) {
  Life* life = Find(alert.info().customer_id());
  if (life == nullptr) return;
  const bool closed = alert.phase() == v1::ChurnAlert::CLOSED;
  life->alerts += alert.phase() == v1::ChurnAlert::OPENED;
  life->closed += closed;
  life->open = !closed;
  life->probability = closed ? 0 : alert.probability();
  life->value_at_risk_micros = closed ? 0 : alert.value_at_risk_micros();
  if (closed) life->last_closed_us = alert.info().event_time_us();
  life->moments.push_back({.time_us = alert.info().event_time_us(), .text = AlertText(alert)});
}

// A story of a dozen lines is read; one of a hundred is not.
double StoryBook::Length(const Life& life) {
  const double told = life.orders + life.tag_changes + 2.0 * (life.alerts + life.closed);
  return told > 14 ? (told - 14) * 0.8 : 0;
}

double StoryBook::CameBack(const Life& life) {
  if (life.closed == 0 || life.orders < 3) return 0;
  // One warning that was followed by a return reads better than ten.
  return std::max(0.1, 30 + 5.0 / (1 + std::abs(life.alerts - 1)) - (life.open ? 10 : 0) - Length(life));
}

double StoryBook::Leaving(const Life& life) {
  if (!life.open || life.orders < 3) return 0;
  return std::max(0.1, 20 + 10 * life.probability + 4.0 / life.alerts +
                           (life.complained_us > life.resolved_us ? 4 : 0) +
                           std::min(static_cast<double>(life.value_at_risk_micros) / 1e7, 5.0) - Length(life));
}

double StoryBook::Loyal(const Life& life) {
  if (life.open || life.orders < 4) return 0;
  double score = 20 - 3.0 * life.alerts - Length(life);
  for (const auto& [tag, held] : life.tags)
    score += held && (tag.starts_with("frequent") || tag.starts_with("high")) ? 5 : 0;
  return std::max(score, 0.1);
}

std::vector<std::string> StoryBook::Choose(size_t count) const {
  const auto richest = [](const Life& life) { return 1.0 + life.alerts + life.tag_changes * 0.2 + life.orders * 0.1; };
  std::vector<std::string> chosen;
  const std::vector<std::function<double(const Life&)>> wishes = {CameBack, Leaving, Loyal};
  for (size_t i = 0; chosen.size() < std::min(count, lives_.size()) && i < wishes.size() + count; ++i) {
    const std::function<double(const Life&)> wish = i < wishes.size() ? wishes[i] : richest;
    const std::string* best = nullptr;
    double best_score = 0;
    for (const auto& [customer, life] : lives_) {
      if (std::find(chosen.begin(), chosen.end(), customer) != chosen.end()) continue;
      const double score = wish(life);
      if (score > best_score || (best != nullptr && score == best_score && customer < *best))
        best = &customer, best_score = score;
    }
    if (best != nullptr) chosen.push_back(*best);
  }
  return chosen;
}

std::string StoryBook::Headline(const Life& life) {
  if (life.open)
    return life.complained_us > life.resolved_us ? "complained in vain, and is about to leave" : "is about to leave";
  if (life.closed > 0)
    return life.closed == 1 ? "was about to leave, and came back"
                            : absl::StrCat("was about to leave ", life.closed, " times, and came back each time");
  return life.orders > 3 ? "is loyal" : "comes and goes";
}

std::string StoryBook::Tell(std::string_view customer, size_t lines_most) const {
  const auto found = lives_.find(absl::string_view(customer.data(), customer.size()));
  if (found == lives_.end()) return {};
  const Life& life = found->second;
  std::vector<Moment> moments = life.moments;
  std::stable_sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
    const bool a_result = a.kind == Event::BODY_NOT_SET, b_result = b.kind == Event::BODY_NOT_SET;
    return a.time_us != b.time_us ? a.time_us < b.time_us : a_result < b_result;
  });
  std::vector<std::string> lines, held;  // held: results in the middle of a visit, told after it
  Quiet quiet;
  const auto end_quiet = [&] {
    if (!quiet.Empty()) lines.push_back(quiet.Line());
    quiet = Quiet();
    lines.insert(lines.end(), held.begin(), held.end());
    held.clear();
  };
  const auto visit_goes_on = [&](size_t i) {
    const bool follows = i + 1 < moments.size() && IsBrowsing(moments[i + 1].kind);
    return !quiet.Empty() && follows && moments[i + 1].time_us - moments[i].time_us <= kVisitGap;
  };
  int orders = 0;
  for (size_t i = 0; i < moments.size(); ++i) {
    const Moment& moment = moments[i];
    if (moment.text.empty()) {
      quiet.Add(moment.time_us, moment.kind);
      continue;
    }
    std::string text = moment.text;
    if (moment.kind == Event::kOrderCompleted && ++orders > 1) absl::StrAppendFormat(&text, " (order %d)", orders);
    if (moment.kind == Event::BODY_NOT_SET && !moment.group.empty()) {
      while (i + 1 < moments.size() && moments[i + 1].time_us == moment.time_us &&
             moments[i + 1].group == moment.group) {
        absl::StrAppend(&text, "  ", moments[++i].text);
      }
      absl::StrAppend(&text, "  because ", moment.group);
    }
    std::string line = absl::StrCat("  ", DayText(moment.time_us), "  ", text);
    if (moment.kind == Event::BODY_NOT_SET && visit_goes_on(i)) {
      held.push_back(std::move(line));
      continue;
    }
    end_quiet();
    lines.push_back(std::move(line));
  }
  end_quiet();
  if (lines.size() > lines_most) {
    const size_t head = lines_most / 3, tail = lines_most - head - 1, left_out = lines.size() - head - tail;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(head), lines.end() - static_cast<std::ptrdiff_t>(tail));
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(head),
                 absl::StrCat("  ... ", left_out, " lines left out ..."));
  }
  return absl::StrCat("Customer ", found->first, " ", Headline(life), "\n", absl::StrJoin(lines, "\n"), "\n");
}

}  // namespace portrait
