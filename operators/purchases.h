// Orders, refunds, cancellations and spend by window, category and channel, and the customer's own rhythm.
//
//   builder.Add<Purchases>(PurchasesOptions{.home_currency = "EUR"});
//   context.Get(spend_90d)   // another operator reads purchases.spend_90d
//
// What counts. An order counts on the local day of its own time, however late it comes. A refund lowers the spend of
// the day of its order, and when all was paid back, the order no longer counts as one; the day stays a purchase day,
// for the customer did come. A refund without an amount pays back all that is left. A cancelled order never was: it
// leaves counts, spend and purchase days. A refund or cancellation finds its order among the last 8; of an older one it
// lowers the spend on its own day by its own amount. It may also come before its order. Amounts in another currency
// than the home currency count as orders, not as spend.
//
// Purchase days (occasions) follow the convention of the CDNOW studies: orders on one day are one occasion. With
// x = occasions - 1 repeats, t_x = last - first and T = now - first they are what MBG/NBD needs. The rhythm is learned
// from the last 8 pauses between purchase days, see operators/rhythm.h.
//
// Size: two windows (see operators/window.h), 9 purchase days, 8 orders, 16 categories and 8 channels with names of up
// to 64 bytes; a customer with three orders takes some 300 bytes, none more than about 4 000. When a category or
// channel is one too many, the one bought longest ago makes room, and starts anew should it come back.
#pragma once

#include <string>

#include "operators/operator.h"
#include "portrait/v1/state/purchases.pb.h"

namespace portrait {

struct PurchasesOptions {
  std::string home_currency;  // ISO 4217; empty: every amount is taken as it is
};

class Purchases final : public Operator<v1::state::Purchases> {
 public:
  explicit Purchases(PurchasesOptions options = {}) : options_(std::move(options)) {}

  static void Describe(Description& about);
  void OnEvent(const Event& event, v1::state::Purchases& state, Context& context) const override;
  void Fetch(const v1::state::Purchases& state, Fetcher& fetch) const override;

 private:
  void OnOrder(const Event& event, v1::state::Purchases& state, Context& context) const;
  void OnPaidBack(const Event& event, v1::state::Purchases& state, Context& context) const;
  bool IsForeign(const v1::Order& order) const {
    return !options_.home_currency.empty() && !order.currency().empty() && order.currency() != options_.home_currency;
  }

  PurchasesOptions options_;
};

}  // namespace portrait
