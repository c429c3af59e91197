// Cleaning: what every event goes through before the operators see it.
//
//   CleanOptions options;
//   options.home_currency = "EUR";
//   options.rates = {{"USD", 0.92}};
//   ChainBuilder builder;
//   builder.Cleaning(std::make_unique<Clean>(options));
//
// Check validates the event, corrects what is certain (and names the field in Event.corrected), and rejects the rest
// with a code of rejection_codes.h. IsDuplicate finds events that this customer's row has seen before.
//
// What is corrected: a wrong clock, currencies (case, blanks, conversion), addresses and phone numbers (case, blanks),
// texts that are too long (cut), facts that are impossible (dropped). Names in Event.corrected are those of the fields
// in event.proto, without the message and without the unit: "event_time", "currency", "email".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "operators/cleaning.h"
#include "portrait/v1/state/clean.pb.h"

namespace portrait {

struct CleanOptions {
  std::string home_currency = "EUR";    // all amounts are in it afterwards
  std::map<std::string, double> rates;  // what one unit of another currency is worth in the home currency

  Timestamp earliest = std::chrono::sys_days(std::chrono::year(1990) / 1 / 1);  // an earlier event is not believed
  Duration max_ahead = minutes(5);                                              // of the record's timestamp
  Duration clock_tolerance = minutes(1);  // received - sent beyond this is the sender's clock, not the way

  int64_t max_amount = 1'000'000'000;  // units of the home currency
  int64_t max_quantity = 1'000'000;
  size_t max_id_bytes = 256;     // longer: rejected
  size_t max_label_bytes = 256;  // names, categories, channels, kinds: cut
  size_t max_text_bytes = 4096;  // URLs and free text: cut

  int remembered_events = 64;  // event ids a customer's row remembers, to know duplicates
  int remembered_keys = 64;    // the same for business keys
};

// InvalidArgument naming the option: a currency that is not three letters, a rate that is not above 0 and below 10^6, a
// limit that is not positive.
absl::Status CheckOptions(const CleanOptions& options);

// Constant; safe from any thread.
class Clean final : public CleaningStage {
 public:
  // The options must pass CheckOptions.
  explicit Clean(CleanOptions options = {});

  // Costs 100 to 140 ns for an ordinary event (bench/decode_bench.cc).
  std::optional<Rejection> Check(Event& event, const Arrival& arrival) const override;

  // An event is a duplicate when its id, or its business key, is among the last that this row remembers:
  //   order_completed, order_cancelled: kind and order id
  //   order_refunded: the same with amount and event time, since an order may be refunded in parts
  //   email_*, unsubscribed: kind, mail id, recipient and link
  // An id that decoding made up (Event.imputed) and an empty order or mail id count for nothing. A duplicate leaves the
  // state as it is. `state` is a v1.state.CleanState.
  bool IsDuplicate(const Event& event, google::protobuf::Message& state) const override;

  const google::protobuf::Message& EmptyState() const override { return v1::state::CleanState::default_instance(); }
  void Fetch(const google::protobuf::Message& state, Fetcher& fetch) const override {
    fetch.In(static_cast<const v1::state::CleanState&>(state),
             [&](const v1::state::CleanState& ids) { fetch.Numbers(ids.event_ids()); });
  }

  const CleanOptions& options() const { return options_; }

 private:
  CleanOptions options_;
  absl::flat_hash_map<std::string, int64_t> rates_;  // 10^-12 units of the home currency for one unit
};

}  // namespace portrait
