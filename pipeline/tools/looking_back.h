// The past of customers as it was known: runs their events through a chain and looks at the rows on given days.
//
//   LookingBack looking(chain, zone);
//   CustomerPast past = looking.At(customer, events, {origin});   // the row before the first event of that local day
//
// What a look sees rests on earlier events alone: those of the day itself and later ones have not happened yet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "operators/chain.h"
#include "operators/models/customer_summary.h"

namespace portrait {

// A local day on which a customer ordered, and what they paid on it, in units of the home currency.
struct PurchaseDay {
  int32_t day = 0;
  double spend = 0;
};

struct DatedSummary {
  int32_t day = 0;  // as at the start of this local day
  CustomerSummary summary;
};

struct CustomerPast {
  std::string id;
  std::vector<PurchaseDay> purchases;  // by day, each day once
  std::vector<DatedSummary> looks;     // by day, each day once

  const CustomerSummary* LookOn(int32_t day) const;  // null: none on that day
};

// Constant chain; one thread.
class LookingBack {
 public:
  // NotFound: the chain lacks a feature that predictions read. The chain must outlive this.
  static absl::StatusOr<LookingBack> Create(const Chain& chain, absl::TimeZone zone);

  // `events` in the order of their time. Looks on each of `given_days` (sorted) from the customer's first purchase
  // on, and on the day after each purchase day. Events that the cleaning stage rejects, and duplicates, are left out.
  CustomerPast At(const std::string& customer, const std::vector<Event>& events, absl::Span<const int32_t> given_days);

  uint64_t rejected() const { return rejected_; }
  uint64_t duplicates() const { return duplicates_; }
  const std::string& first_rejection() const { return first_rejection_; }  // code and detail
  const Calendar& calendar() const { return calendar_; }

 private:
  LookingBack(const Chain& chain, absl::TimeZone zone) : chain_(&chain), calendar_(zone) {}

  const Chain* chain_;
  Calendar calendar_;
  CustomerSummaryReader reader_;
  uint64_t rejected_ = 0, duplicates_ = 0;
  std::string first_rejection_;
};

}  // namespace portrait
