#include "pipeline/tools/population.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace portrait {

namespace {

constexpr int64_t kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr uint64_t kEpisodes = 16;           // purposes of a seed from here on
constexpr uint32_t kComplaints = 1'000'000;  // tickets about orders are numbered from here
constexpr double kNewcomersWhoOrder = 0.8;   // at once

int64_t Days(double days) { return static_cast<int64_t>(days * static_cast<double>(kDay)); }
int64_t Hours(double hours) { return static_cast<int64_t>(hours * static_cast<double>(kHour)); }
int64_t StartOfDay(int64_t time_us) { return time_us - ((time_us % kDay) + kDay) % kDay; }

// Moves a time to the hour at which this customer usually is online.
int64_t AtUsualHour(int64_t time_us, const Traits& traits, Draws& draws) {
  return StartOfDay(time_us) + Hours(std::clamp(traits.hour + 2.5 * draws.Normal(), 6.5, 22.5));
}

Referrer DrawReferrer(Draws& draws) {
  constexpr Referrer kReferrers[] = {Referrer::kNone, Referrer::kSearchEngine, Referrer::kSocial, Referrer::kPartner};
  constexpr double kWeights[] = {5, 3, 1, 0.5};
  return kReferrers[draws.Weighted(kWeights)];
}

void PlanTicket(bool complaint, int64_t time_us, Draws& draws, std::vector<PlannedStep>& steps) {
  const auto topic = static_cast<int32_t>(draws.Below(4));
  steps.push_back({time_us, complaint ? Event::kComplaintFiled : Event::kQuestionAsked, topic, 0});
  const double reply_hours = draws.Exponential(5);
  int64_t at_us = time_us + Hours(reply_hours) + kMinute;
  steps.push_back({at_us, Event::kReplySent, topic, 0});
  if (!draws.Chance(complaint ? 0.75 : 0.9)) return;
  const double resolve_hours = draws.Exponential(20);
  at_us += Hours(resolve_hours) + kMinute;
  steps.push_back({at_us, Event::kIssueResolved, topic, 0});
  if (!draws.Chance(0.4)) return;
  const double score = 100 - (complaint ? 25 : 5) - reply_hours * 1.5 - resolve_hours * 0.6 + 12 * draws.Normal();
  at_us += Hours(draws.Exponential(10)) + kMinute;
  steps.push_back({at_us, Event::kSatisfactionRated, topic, std::clamp<int64_t>(static_cast<int64_t>(score), 0, 100)});
}

}  // namespace

Population::Population(PopulationOptions options) : Population(std::move(options), {}) {}

Population::Population(PopulationOptions options, std::vector<GivenPurchase> purchases)
    : options_(std::move(options)),
      shop_(options_.categories),
      maker_({.seed = options_.seed, .currency = options_.currency}, &shop_),
      purchases_(std::move(purchases)),
      begin_us_(ToMicros(options_.begin)),
      end_us_(ToMicros(options_.end)) {
  if (purchases_.empty()) {
    AddDrawnCustomers();
  } else {
    AddGivenCustomers();
  }
}

void Population::AddDrawnCustomers() {
  customers_.resize(options_.customers);
  for (uint32_t customer = 0; customer < options_.customers; ++customer) {
    const uint32_t episode = Open(customer, Kind::kJoining);
    Draws draws(episodes_[episode].draws);
    const bool established = draws.Chance(options_.established);
    if (established && draws.Chance(options_.dormant)) {
      customers_[customer].left_us = begin_us_ - Days(draws.Exponential(60));
    }
    const int64_t latest_us = established ? std::min(end_us_, begin_us_ + 3 * kDay) : end_us_;
    episodes_[episode].number = established ? 0 : 1;
    episodes_[episode].draws = draws.state();
    Await(episode, begin_us_ + static_cast<int64_t>(draws.Uniform() * static_cast<double>(latest_us - begin_us_)));
  }
}

void Population::AddGivenCustomers() {
  const auto order = [](const GivenPurchase& a, const GivenPurchase& b) {
    return std::tie(a.customer_id, a.time_us, a.order_id) < std::tie(b.customer_id, b.time_us, b.order_id);
  };
  std::sort(purchases_.begin(), purchases_.end(), order);
  for (uint32_t i = 0; i < purchases_.size(); ++i) {
    if (i == 0 || purchases_[i].customer_id != purchases_[i - 1].customer_id) {
      customers_.emplace_back().first_purchase = i;
    }
    ++customers_.back().purchases;
  }
  if (options_.dates_only) MakeUpHours();
  begin_us_ = INT64_MAX;
  for (uint32_t customer = 0; customer < customers_.size(); ++customer) {
    const uint32_t first = customers_[customer].first_purchase, last = first + customers_[customer].purchases - 1;
    const int64_t joins_us = purchases_[first].time_us - kHour;
    begin_us_ = std::min(begin_us_, StartOfDay(joins_us));
    end_us_ = std::max(end_us_, StartOfDay(purchases_[last].time_us) + 2 * kDay);
    Await(Open(customer, Kind::kJoining, 1), joins_us);
  }
}

void Population::MakeUpHours() {
  for (uint32_t customer = 0; customer < customers_.size(); ++customer) {
    const Customer& who = customers_[customer];
    const Traits traits = TraitsAt(customer);
    Draws draws(DrawSeed(options_.seed, customer, kEpisodes - 1));
    int64_t previous_us = INT64_MIN;
    for (uint32_t i = who.first_purchase; i < who.first_purchase + who.purchases; ++i) {
      int64_t& time_us = purchases_[i].time_us;
      const int64_t day_us = StartOfDay(time_us);
      time_us = AtUsualHour(time_us, traits, draws);
      if (time_us <= previous_us) {  // another one on the same day
        time_us = previous_us + 30 * kMinute < day_us + kDay ? previous_us + 30 * kMinute : previous_us + kSecond;
      }
      previous_us = time_us;
    }
  }
}

uint32_t Population::Open(uint32_t customer, Kind kind, uint32_t number) {
  uint32_t place;
  if (closed_.empty()) {
    place = static_cast<uint32_t>(episodes_.size());
    episodes_.emplace_back();
  } else {
    place = closed_.back();
    closed_.pop_back();
    episodes_[place] = Episode();
  }
  Episode& episode = episodes_[place];
  episode.customer = customer;
  episode.kind = kind;
  episode.number = number;
  episode.draws = DrawSeed(options_.seed, customer, (kEpisodes + static_cast<uint64_t>(kind)) | uint64_t{number} << 8);
  return place;
}

void Population::Close(uint32_t episode) {
  episodes_[episode] = Episode();
  closed_.push_back(episode);
}

void Population::Await(uint32_t episode, int64_t time_us) {
  waiting_.push_back({time_us, episode});
  std::push_heap(waiting_.begin(), waiting_.end(), std::greater<>());
}

bool Population::Next(Event& event) {
  while (!waiting_.empty()) {
    std::pop_heap(waiting_.begin(), waiting_.end(), std::greater<>());
    const Waiting now = waiting_.back();
    waiting_.pop_back();
    if (now.time_us >= end_us_) {
      Close(now.episode);
      continue;
    }
    if (episodes_[now.episode].next == episodes_[now.episode].steps.size()) {
      Begin(now.episode, now.time_us);
      continue;
    }
    Episode& episode = episodes_[now.episode];
    Tell(episode, event);
    if (++episode.next < episode.steps.size()) {
      Await(now.episode, episode.steps[episode.next].time_us);
    } else {
      End(now.episode, now.time_us);
    }
    return true;
  }
  return false;
}

void Population::Tell(Episode& episode, Event& event) {
  Customer& customer = customers_[episode.customer];
  const std::string id = CustomerId(episode.customer);
  const PlannedStep& step = episode.steps[episode.next];
  if (step.kind == Event::kUnsubscribed || step.kind == Event::kEmailMarkedAsSpam) customer.unsubscribed = true;
  maker_.Make(step,
              {.customer = episode.customer,
               .customer_id = id,
               .event_number = ++customer.events,
               .app = customer.app,
               .number = episode.number,
               .steps = episode.steps,
               .purchase = PurchaseOf(episode)},
              event);
}

std::string Population::CustomerId(uint32_t customer) const {
  if (!purchases_.empty()) return purchases_[customers_[customer].first_purchase].customer_id;
  return absl::StrFormat("%s%06d", options_.id_prefix, customer + 1);
}

const GivenPurchase* Population::PurchaseOf(const Episode& episode) const {
  if (purchases_.empty() || (episode.kind != Kind::kShopping && episode.kind != Kind::kFollowUp)) return nullptr;
  if (episode.number == 0 || episode.number >= kComplaints) return nullptr;
  return &purchases_[customers_[episode.customer].first_purchase + episode.number - 1];
}

Traits Population::TraitsAt(uint32_t customer) const {
  Traits traits = TraitsOf(options_.seed, customer, options_.traits, shop_);
  if (purchases_.empty()) return traits;
  // What is known of their purchases takes the place of the drawn rate.
  const Customer& who = customers_[customer];
  const int64_t span_us =
      purchases_[who.first_purchase + who.purchases - 1].time_us - purchases_[who.first_purchase].time_us;
  const double rate = who.purchases / (static_cast<double>(span_us) / static_cast<double>(kDay) + 45);
  traits.visits_per_day = std::clamp(rate * options_.traits.visits_per_order, 1.0 / 300, 2.0);
  traits.contacts_per_day *= rate / traits.orders_per_day;
  traits.orders_per_day = rate;
  return traits;
}

void Population::Begin(uint32_t episode, int64_t time_us) {
  episodes_[episode].steps.clear();
  episodes_[episode].next = 0;
  switch (episodes_[episode].kind) {
    case Kind::kJoining: Join(episode, time_us); break;
    case Kind::kShopping: GoShopping(episode, time_us); break;
    case Kind::kVisiting: LookAround(episode, time_us); break;
    case Kind::kMailing: TakeMail(episode, time_us); break;
    case Kind::kContacting: ContactService(episode, time_us); break;
    case Kind::kFollowUp: Close(episode); return;  // unreachable: follow-ups come with their steps
  }
  if (const auto& steps = episodes_[episode].steps; !steps.empty()) {
    Await(episode, std::max(time_us, steps.front().time_us));
  } else {
    Close(episode);
  }
}

void Population::End(uint32_t episode, int64_t time_us) {
  std::vector<PlannedStep>().swap(episodes_[episode].steps);  // gives the memory back
  episodes_[episode].next = 0;
  switch (episodes_[episode].kind) {
    case Kind::kShopping: AwaitOrder(episode, time_us, false); break;
    case Kind::kVisiting: AwaitVisit(episode, time_us); break;
    case Kind::kMailing: AwaitMail(episode, time_us); break;
    case Kind::kContacting: AwaitContact(episode, time_us); break;
    case Kind::kJoining:
    case Kind::kFollowUp: Close(episode); break;
  }
}

void Population::Join(uint32_t episode, int64_t time_us) {
  episodes_[episode].steps.push_back({time_us, Event::kIdentified});
  const uint32_t customer = episodes_[episode].customer;
  const bool newcomer = episodes_[episode].number == 1;
  Draws draws(episodes_[episode].draws);
  const int64_t then_us = time_us + kMinute;
  const Traits traits = TraitsAt(customer);
  customers_[customer].app = traits.app;
  if (customers_[customer].left_us == INT64_MAX) {
    AwaitOrder(Open(customer, Kind::kShopping), then_us, newcomer && draws.Chance(kNewcomersWhoOrder));
  }
  AwaitVisit(Open(customer, Kind::kVisiting), then_us);
  if (traits.subscribes) AwaitMail(Open(customer, Kind::kMailing), then_us);
  AwaitContact(Open(customer, Kind::kContacting), then_us);
}

void Population::AwaitOrder(uint32_t place, int64_t after_us, bool at_once) {
  Episode& episode = episodes_[place];
  const Customer& customer = customers_[episode.customer];
  if (customer.left_us != INT64_MAX) return Close(place);
  const Traits traits = TraitsAt(episode.customer);
  Draws draws(episode.draws);
  const int64_t length_us = DrawVisitLength(draws, traits);
  if (!purchases_.empty()) {
    episode.due_us = purchases_[customer.first_purchase + episode.number].time_us;
  } else if (at_once) {
    episode.due_us = after_us + length_us;
  } else {
    const int64_t drawn_us = after_us + Days(draws.Exponential(1 / traits.orders_per_day));
    episode.due_us = std::max(AtUsualHour(drawn_us, traits, draws), after_us + 2 * kHour);
  }
  ++episode.number;
  episode.draws = draws.state();
  Await(place, std::max(after_us, episode.due_us - length_us));
}

void Population::GoShopping(uint32_t place, int64_t time_us) {
  Episode& episode = episodes_[place];
  const uint32_t customer = episode.customer, order = episode.number;
  const Traits traits = TraitsAt(customer);
  Draws draws(episode.draws);
  const double drawn = purchases_.empty() ? 1 + draws.Exponential(traits.products_per_order - 1)
                                          : static_cast<double>(PurchaseOf(episode)->quantity);
  PlanVisit({.begin_us = time_us,
             .end_us = episode.due_us,
             .referrer = DrawReferrer(draws),
             .products = static_cast<int>(std::clamp(drawn, 1.0, 6.0))},
            traits, shop_, draws, episode.steps);
  const bool leaves =
      purchases_.empty() ? draws.Chance(traits.leaves_after_order) : order == customers_[customer].purchases;
  if (leaves) customers_[customer].left_us = episode.due_us;
  const int64_t due_us = episode.due_us, paid_micros = episode.steps.back().value;
  const bool complains = leaves && draws.Chance(0.2);
  episode.draws = draws.state();
  FollowUp(customer, order, due_us, paid_micros);
  if (complains) Complain(customer, order, due_us);
}

// The receipt, and perhaps the goods come back.
void Population::FollowUp(uint32_t customer, uint32_t order, int64_t time_us, int64_t paid_micros) {
  const uint32_t place = Open(customer, Kind::kFollowUp, order);
  Episode& episode = episodes_[place];
  Draws draws(episode.draws);
  constexpr auto kReceipt = static_cast<int64_t>(MailPart::kReceipt);
  const int64_t delivered_us = time_us + kMinute;
  episode.steps.push_back({delivered_us, Event::kEmailDelivered, 0, kReceipt});
  if (draws.Chance(0.6)) {
    episode.steps.push_back({delivered_us + Hours(draws.Exponential(2)), Event::kEmailOpened, 0, kReceipt});
  }
  if (purchases_.empty() && draws.Chance(0.03)) {
    const int64_t part =
        draws.Chance(0.7) ? paid_micros : paid_micros / 20'000 * 10'000;  // all, or half in whole cents
    episode.steps.push_back(
        {episode.steps.back().time_us + kDay + Days(draws.Exponential(6)), Event::kOrderRefunded, 0, part});
  }
  Await(place, episode.steps.front().time_us);
}

// Somebody leaves in anger, and nothing gets resolved.
void Population::Complain(uint32_t customer, uint32_t order, int64_t time_us) {
  const uint32_t place = Open(customer, Kind::kFollowUp, kComplaints + order);
  Episode& episode = episodes_[place];
  Draws draws(episode.draws);
  const auto topic = static_cast<int32_t>(draws.Below(4));
  const int64_t filed_us = time_us + kDay + Days(draws.Exponential(4));
  episode.steps.push_back({filed_us, Event::kComplaintFiled, topic, 0});
  if (draws.Chance(0.5)) episode.steps.push_back({filed_us + Days(draws.Exponential(2)), Event::kReplySent, topic, 0});
  Await(place, filed_us);
}

void Population::AwaitVisit(uint32_t place, int64_t after_us) {
  Episode& episode = episodes_[place];
  const Traits traits = TraitsAt(episode.customer);
  Draws draws(episode.draws);
  const int64_t drawn_us = after_us + Days(draws.Exponential(1 / traits.visits_per_day));
  const int64_t time_us = std::max(AtUsualHour(drawn_us, traits, draws), after_us + kHour);
  episode.draws = draws.state();
  Await(place, time_us);
}

void Population::LookAround(uint32_t place, int64_t time_us) {
  Episode& episode = episodes_[place];
  const Traits traits = TraitsAt(episode.customer);
  const int64_t left_us = customers_[episode.customer].left_us;
  if (left_us != INT64_MAX && time_us > left_us + Days(traits.fades_days)) return;
  Draws draws(episode.draws);
  const Referrer referrer = DrawReferrer(draws);
  const int64_t end_us = time_us + DrawVisitLength(draws, traits);
  ++episode.number;
  PlanVisit({.begin_us = time_us, .end_us = end_us, .referrer = referrer}, traits, shop_, draws, episode.steps);
  episode.draws = draws.state();
}

void Population::AwaitMail(uint32_t place, int64_t after_us) {
  Episode& episode = episodes_[place];
  const int64_t spacing_us = Days(7 / options_.campaigns_per_week);
  if (customers_[episode.customer].unsubscribed || spacing_us <= 0) return Close(place);
  const Traits traits = TraitsAt(episode.customer);
  Draws draws(episode.draws);
  const int64_t start_us = StartOfDay(begin_us_) + 9 * kHour;
  int64_t number = (after_us - start_us) / spacing_us + 1;
  while (!draws.Chance(traits.takes_mail)) ++number;
  episode.number = static_cast<uint32_t>(number);
  const int64_t time_us =
      start_us + number * spacing_us + static_cast<int64_t>(draws.Below(static_cast<uint64_t>(30 * kMinute)));
  episode.draws = draws.state();
  Await(place, time_us);
}

void Population::TakeMail(uint32_t place, int64_t time_us) {
  Episode& episode = episodes_[place];
  const Traits traits = TraitsAt(episode.customer);
  Draws draws(episode.draws);
  const auto day = static_cast<int32_t>(StartOfDay(time_us) / kDay);
  const Campaign campaign = shop_.CampaignOf(episode.number, day);
  auto& steps = episode.steps;
  const auto add = [&](int64_t at_us, EventKind kind) {
    steps.push_back({at_us, kind, day, static_cast<int64_t>(MailPart::kCampaign)});
  };
  const bool likes =
      std::find(traits.favourites.begin(), traits.favourites.end(), campaign.category) != traits.favourites.end();
  const double interest = (customers_[episode.customer].left_us < time_us ? 0.2 : 1) * (likes ? 1.5 : 1);

  if (draws.Chance(0.005)) {
    add(time_us, Event::kEmailBounced);
  } else {
    add(time_us, Event::kEmailDelivered);
    if (draws.Chance(traits.opens * interest)) {
      const int64_t opened_us = time_us + std::min(Hours(draws.Exponential(6)) + kMinute, 2 * kDay);
      add(opened_us, Event::kEmailOpened);
      const int64_t acts_us = opened_us + static_cast<int64_t>(draws.Uniform(5, 90) * kSecond);
      if (draws.Chance(traits.unsubscribes)) {
        add(acts_us, draws.Chance(0.1) ? Event::kEmailMarkedAsSpam : Event::kUnsubscribed);
      } else if (draws.Chance(traits.clicks * interest)) {
        add(acts_us, Event::kEmailLinkClicked);
        PlanVisit({.begin_us = acts_us + 2 * kSecond,
                   .end_us = acts_us + 2 * kSecond + DrawVisitLength(draws, traits) / 2,
                   .referrer = Referrer::kMail,
                   .landing_category = campaign.category},
                  traits, shop_, draws, steps);
      }
    }
  }
  episode.draws = draws.state();
}

void Population::AwaitContact(uint32_t place, int64_t after_us) {
  Episode& episode = episodes_[place];
  const Traits traits = TraitsAt(episode.customer);
  Draws draws(episode.draws);
  const double gap_days = draws.Exponential(1 / std::max(traits.contacts_per_day, 1e-5));
  const int64_t time_us = AtUsualHour(after_us + kDay + Days(std::min(gap_days, 36'500.0)), traits, draws);
  ++episode.number;
  episode.draws = draws.state();
  Await(place, time_us);
}

void Population::ContactService(uint32_t place, int64_t time_us) {
  Episode& episode = episodes_[place];
  const int64_t left_us = customers_[episode.customer].left_us;
  if (left_us != INT64_MAX && time_us > left_us + 30 * kDay) return;
  const Traits traits = TraitsAt(episode.customer);
  Draws draws(episode.draws);
  PlanTicket(draws.Chance(traits.complains), time_us, draws, episode.steps);
  episode.draws = draws.state();
}

}  // namespace portrait
