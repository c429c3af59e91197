// What is known of one customer, from the bytes of the row: as the API shows it.
//
//   const Portraits portraits(chain, config);
//   auto row = portraits.Read(bytes);
//   Json json = portraits.Customer(*row, at, {.customer = "anna", .masked = true});
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "operators/churn.h"
#include "operators/tags.h"
#include "pipeline/config/config.h"
#include "portrait/v1/state/churn.pb.h"
#include "portrait/v1/tag_index.pb.h"
#include "view/json.h"

namespace portrait::view {

// The slots of the operators whose states are shown by more than their features; nothing where a chain has none.
struct KnownSlots {
  explicit KnownSlots(const Chain& chain);
  std::optional<Slot> purchases, churn, site, email, service, person;
};

// One thread. The chain must outlive it.
class Portraits {
 public:
  Portraits(const Chain& chain, const Config& config);

  // Everything is told by this chain from here on: the same one with other rules or models.
  void Use(std::shared_ptr<const Chain> edition);

  struct Row {
    uint64_t number = 0;
    RowState state;
  };
  // DataLoss: the bytes are no row. A row that is gone reads as nothing.
  absl::StatusOr<std::optional<Row>> Read(std::string_view bytes) const;

  // The moment at which a row is looked at: by the clock, or where time is what the events say, by the row's own.
  Timestamp AsOf(const RowState& row, Timestamp now) const;

  // All but `customer` and `seen`. `masked`: personal data is.
  Json Customer(const Row& row, Timestamp as_of, bool masked) const;

  // Parts of it that tell when things happened, without what happened after `until`.
  Json Facts(const FeatureReader& reader, Timestamp until, bool masked) const;
  Json PurchaseDays(const RowState& row, Timestamp until) const;
  int64_t EarlierPurchaseDays(const RowState& row) const;  // before the first of those in the row
  Json Sessions(const RowState& row, Timestamp until) const;
  Json Tickets(const RowState& row, Timestamp until) const;

  const Chain& chain() const { return edition_ ? *edition_ : chain_; }  // as used
  const KnownSlots& slots() const { return slots_; }
  const TagsOfChain& tags() const { return tags_; }
  const Calendar& calendar() const { return calendar_; }
  ClockMode clock() const { return clock_; }
  const std::string& currency() const { return currency_; }
  // As the index of tags has it.
  v1::TagStanding Standing(const Row& row, Timestamp as_of) const;
  // The rule of a tag in words.
  std::string About(std::string_view tag) const;
  // Why a tag is held; empty when other rules gave it.
  std::vector<v1::Reason> WhyHeld(std::string_view tag, const RowState& row, Timestamp as_of) const;

 private:
  Json Tags(const RowState& row, Timestamp as_of, bool masked) const;
  Json Pins(const RowState& row, bool masked) const;
  Json Churn(const RowState& row, const FeatureReader& reader, Timestamp as_of) const;
  Json Purchases(const RowState& row, const FeatureReader& reader) const;
  Json Features(const FeatureReader& reader, bool masked) const;
  Json TimersOf(const RowState& row) const;
  // An empty list where the chain has no such feature.
  Json List(const FeatureReader& reader, std::string_view feature) const;
  Value Get(const FeatureReader& reader, std::string_view feature) const;

  const Chain& chain_;
  const std::string currency_;
  const ClockMode clock_;
  const KnownSlots slots_;
  std::shared_ptr<const Chain> edition_;  // null: chain_
  TagsOfChain tags_;                      // of the edition, like churn_
  const portrait::Churn* churn_;          // null: the chain has none
  const Calendar calendar_;
};

}  // namespace portrait::view
