// Plans one visit to the made-up shop: which pages, in which order, for how long, and what lands in the cart.
#pragma once

#include <cstdint>
#include <vector>

#include "operators/event.h"
#include "pipeline/tools/draws.h"
#include "pipeline/tools/shop.h"
#include "pipeline/tools/traits.h"

namespace portrait {

// An event to come, before it is written out. What `item` and `value` mean depends on the kind.
struct PlannedStep {
  int64_t time_us = 0;
  EventKind kind = Event::BODY_NOT_SET;
  int32_t item = 0;   // page (below) or product
  int64_t value = 0;  // dwell time, referrer, amount
};

// Pages are numbered: categories and products from their bases on, the others below zero.
enum Page : int32_t {
  kHomePage = -1,
  kSearchPage = -2,
  kCartPage = -3,
  kCheckoutPage = -4,
  kLandingPage = -5,  // of a campaign
  kFirstCategoryPage = 0,
  kFirstProductPage = 1000,
};

enum class Referrer { kNone, kSearchEngine, kMail, kSocial, kPartner };

struct Visit {
  int64_t begin_us = 0;
  int64_t end_us = 0;  // the order is placed here, if there is one
  Referrer referrer = Referrer::kNone;
  int products = 0;           // that are bought; 0: just looking
  int landing_category = -1;  // comes from a mail about it
};

// How long the visit of such a customer takes.
int64_t DrawVisitLength(Draws& draws, const Traits& traits);

// Appends the steps in order of time, the last one at end_us: order_completed if something is bought (its `value` is
// the sum of the prices), else the exit from the last page.
void PlanVisit(const Visit& visit, const Traits& traits, const Shop& shop, Draws& draws,
               std::vector<PlannedStep>& steps);

}  // namespace portrait
