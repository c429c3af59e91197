// Writes planned steps out as events: ids, times, names, addresses of pages.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "pipeline/tools/shop.h"
#include "pipeline/tools/visit.h"

namespace portrait {

// A purchase that really happened, to be told together with made-up browsing.
struct GivenPurchase {
  std::string customer_id;
  int64_t time_us = 0;
  int64_t total_micros = 0;
  int64_t quantity = 0;  // of goods; 0 = unknown
  std::string order_id;
};

// What a step belongs to.
struct StepContext {
  uint64_t customer = 0;
  std::string_view customer_id;
  uint32_t event_number = 0;  // of the customer, from 1
  bool app = false;
  uint32_t number = 0;                 // of the order, ticket or campaign
  std::span<const PlannedStep> steps;  // of the whole episode: an order names what was put into the cart
  const GivenPurchase* purchase = nullptr;
};

struct EventMakerOptions {
  uint64_t seed = 1;
  std::string currency = "USD";
  std::string site = "https://shop.example.org";
};

// What `item` says of steps that are no visit.
//   mails: the day of the campaign (since 1970-01-01); `value`: MailPart. service: 0 delivery, 1 returns, 2 payment, 3
//   quality. refunds: `value` is the amount. ratings: `value` is the score in percent.
enum class MailPart { kCampaign, kReceipt };

class EventMaker {
 public:
  // `shop` must outlive this.
  EventMaker(EventMakerOptions options, const Shop* shop) : options_(std::move(options)), shop_(*shop) {}

  void Make(const PlannedStep& step, const StepContext& context, Event& event) const;

  std::string OrderId(const StepContext& context) const;

 private:
  void MakePage(const PlannedStep& step, v1::PageView& page) const;
  void MakeProduct(const PlannedStep& step, v1::ProductAction& action) const;
  void MakeCart(const PlannedStep& step, const StepContext& context, v1::Cart& cart) const;
  void MakeOrder(const PlannedStep& step, const StepContext& context, v1::Order& order) const;
  void MakeMail(const PlannedStep& step, const StepContext& context, v1::Email& mail) const;
  void MakeContact(const PlannedStep& step, const StepContext& context, v1::ServiceContact& contact) const;
  void AddProduct(int index, v1::Product& to) const;
  std::string PathOf(int32_t page) const;
  std::string TicketId(const StepContext& context) const;

  EventMakerOptions options_;
  const Shop& shop_;
};

}  // namespace portrait
