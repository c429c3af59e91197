// A made-up population, told as one stream of events in order of time: visits, carts and orders; mails that are
// delivered, opened and clicked; questions and complaints with replies; registrations.
//
//   Population population({.customers = 100'000, .begin = January, .end = April});
//   Event event;
//   while (population.Next(event)) Send(event);
//
// Two ways: everything drawn (traits.h has the model of buying), or around given purchases, which are then told as they
// are; nothing is refunded.
//
// The same options give the same events, ids included, on every machine. Memory: about 400 bytes a customer, plus what
// is under way (visits, mails that wait to be opened), whatever the length of time. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "operators/time.h"
#include "pipeline/tools/draws.h"
#include "pipeline/tools/event_maker.h"
#include "pipeline/tools/event_stream.h"
#include "pipeline/tools/shop.h"
#include "pipeline/tools/traits.h"
#include "pipeline/tools/visit.h"

namespace portrait {

struct PopulationOptions {
  uint64_t seed = 1;
  uint32_t customers = 1000;
  Timestamp begin;  // events lie from here ...
  Timestamp end;    // ... to here, excluded
  std::string id_prefix = "c";
  std::string currency = "USD";
  std::vector<std::string> categories;  // empty: the shop's usual ones
  TraitOptions traits;
  double established = 0.7;  // share of customers who were there before `begin`
  double dormant = 0.2;      // share of these who had already stopped buying
  double campaigns_per_week = 1;
  bool dates_only = false;  // given purchases: times are dates, so an hour of the day is made up
};

class Population final : public EventStream {
 public:
  explicit Population(PopulationOptions options);

  // Around given purchases, in any order. Customers are those of the purchases; times run from the first purchase to
  // `options.end`, or to a day after the last purchase if that is later.
  Population(PopulationOptions options, std::vector<GivenPurchase> purchases);

  bool Next(Event& event) override;

  uint32_t customers() const { return static_cast<uint32_t>(customers_.size()); }
  Timestamp begin() const { return FromMicros(begin_us_); }
  Timestamp end() const { return FromMicros(end_us_); }

 private:
  enum class Kind : uint8_t { kJoining, kShopping, kVisiting, kMailing, kContacting, kFollowUp };

  struct Customer {
    int64_t left_us = INT64_MAX;  // no order after this
    uint32_t events = 0;
    uint32_t first_purchase = 0;  // in purchases_, where they are given
    uint32_t purchases = 0;
    bool unsubscribed = false;
    bool app = false;
  };

  // One thing after another in the life of one customer: it begins at its time, plans steps, tells them, begins again.
  struct Episode {
    uint32_t customer = 0;
    Kind kind = Kind::kJoining;
    uint32_t number = 0;  // of the order, campaign or ticket
    uint32_t next = 0;    // step to be told; all told: the episode is to begin
    int64_t due_us = 0;   // when the order is placed
    uint64_t draws = 0;
    std::vector<PlannedStep> steps;
  };

  struct Waiting {
    int64_t time_us;
    uint32_t episode;
    bool operator>(const Waiting& other) const {
      return time_us != other.time_us ? time_us > other.time_us : episode > other.episode;
    }
  };

  void AddDrawnCustomers();
  void AddGivenCustomers();
  void MakeUpHours();
  uint32_t Open(uint32_t customer, Kind kind, uint32_t number = 0);
  void Close(uint32_t episode);
  void Await(uint32_t episode, int64_t time_us);

  void Begin(uint32_t episode, int64_t time_us);  // plans the steps
  void End(uint32_t episode, int64_t time_us);    // all are told: what comes next
  void Join(uint32_t episode, int64_t time_us);
  void GoShopping(uint32_t place, int64_t time_us);
  void LookAround(uint32_t place, int64_t time_us);
  void TakeMail(uint32_t place, int64_t time_us);
  void ContactService(uint32_t place, int64_t time_us);
  void FollowUp(uint32_t customer, uint32_t order, int64_t time_us, int64_t paid_micros);
  void Complain(uint32_t customer, uint32_t order, int64_t time_us);

  void AwaitOrder(uint32_t place, int64_t after_us, bool at_once);
  void AwaitVisit(uint32_t place, int64_t after_us);
  void AwaitMail(uint32_t place, int64_t after_us);
  void AwaitContact(uint32_t place, int64_t after_us);

  void Tell(Episode& episode, Event& event);
  Traits TraitsAt(uint32_t customer) const;
  std::string CustomerId(uint32_t customer) const;
  const GivenPurchase* PurchaseOf(const Episode& episode) const;

  PopulationOptions options_;
  Shop shop_;
  EventMaker maker_;
  std::vector<GivenPurchase> purchases_;  // by customer, then time
  int64_t begin_us_;
  int64_t end_us_;
  std::vector<Customer> customers_;
  std::vector<Episode> episodes_;
  std::vector<uint32_t> closed_;  // places in episodes_ that are free
  std::vector<Waiting> waiting_;  // a heap
};

}  // namespace portrait
