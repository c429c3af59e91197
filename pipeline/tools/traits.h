// What sets one made-up customer apart from another: how often they buy, what they like, how they take mails.
//
// Buying follows BG/NBD (Fader, Hardie, Lee, Marketing Science 24, 2005): each customer has a rate of orders of their
// own (gamma over the population) and a chance of their own to stop for good after an order (beta).
#pragma once

#include <array>
#include <cstdint>

#include "pipeline/tools/draws.h"
#include "pipeline/tools/shop.h"
#include "portrait/v1/event.pb.h"

namespace portrait {

// Of the population: where its traits are drawn from.
struct TraitOptions {
  double order_rate_shape = 0.9;  // gamma
  double order_rate_weeks = 6;    // a customer of mean rate orders every order_rate_weeks / order_rate_shape weeks
  double leaving_a = 0.8;         // beta
  double leaving_b = 6;
  double visits_per_order = 3;  // without buying, for each order
  double pages_per_visit = 5;
  double subscribers = 0.75;  // share of customers who take mails at all
};

struct Traits {
  double orders_per_day = 0;
  double leaves_after_order = 0;  // probability
  double visits_per_day = 0;
  double pages_per_visit = 0;
  double products_per_order = 1;
  double price_level = 1;           // prefers products of this many times the usual price
  double fades_days = 0;            // visits go on that long after the customer has left
  std::array<int, 3> favourites{};  // categories, best first
  double favours = 0.8;             // share of pages in the favourites
  bool subscribes = false;
  double takes_mail = 1;         // share of the campaigns that include them
  double opens = 0, clicks = 0;  // of delivered, of opened
  double unsubscribes = 0;       // after opening
  double contacts_per_day = 0;   // of the service
  double complains = 0.3;        // share of these
  double hour = 19;              // when they usually are online, local
  bool app = false;
};

// The traits of customer number `customer`.
Traits TraitsOf(uint64_t seed, uint64_t customer, const TraitOptions& options, const Shop& shop);

// What the customer says about themselves when they register; about a quarter of the fields stay empty.
v1::Person PersonOf(uint64_t seed, uint64_t customer, std::string_view customer_id);

}  // namespace portrait
