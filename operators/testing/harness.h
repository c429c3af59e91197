// A harness for tests of operators: send events, let time pass, crash and restore, look at the results. No broker.
//
//   OperatorHarness harness(std::move(ChainBuilder().Add<Visits>()));
//   harness.Send(PageViewed("anna", "2026-01-01", "/shoes"));
//   harness.AdvanceTo("2026-02-01");
//   CHECK(harness.Results<v1::TagChange>().size() == 1);
//   CHECK(harness.Feature("anna", "visits.views") == "1");
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/chain.h"

namespace portrait {

// "2026-01-31", "2026-01-31 12:00" or "2026-01-31 12:00:00", UTC. Anything else ends the program.
Timestamp At(std::string_view time);

// An event of this customer at this time, with an id of its own; set its body with the mutable_ accessors.
Event EventFor(std::string_view customer_id, Timestamp time);

// One thread. After every event the row is stored and loaded again, so a state that does not survive that is found.
class OperatorHarness final : private OutputSink {
 public:
  // Ends the program when the chain cannot be built.
  explicit OperatorHarness(ChainBuilder builder, absl::TimeZone zone = absl::UTCTimeZone());

  // Applies an event. What the cleaning stage rejects is in rejections().
  Chain::Verdict Send(Event event);

  // Lets time pass with no event: all timers up to then fire, in the engine's order.
  void AdvanceTo(Timestamp time);
  void AdvanceTo(std::string_view time) { AdvanceTo(At(time)); }

  // This chain has come into force in place of the one that has stored the row: brings it up to this one, as the
  // engine's sweep does. False: it changes nothing.
  bool Sweep(std::string_view customer_id, const SwitchCause& cause = {"v2", 7});

  // All results of this type so far, in order; and since the last call of Clear.
  template <class Result>
  std::vector<Result> Results() const {
    std::vector<Result> out;
    for (const auto& result : results_) {
      if (result->GetDescriptor() == Result::descriptor()) out.push_back(static_cast<const Result&>(*result));
    }
    return out;
  }
  void Clear() { results_.clear(); }

  // The value of a feature as text, at the row's time or, if later, the time advanced to.
  std::string Feature(std::string_view customer_id, std::string_view name) const;
  // A list as "shoes(3, 1.5) hats(1, 0.5)".
  std::string ItemsFeature(std::string_view customer_id, std::string_view name) const;

  const std::vector<Rejection>& rejections() const { return rejections_; }
  size_t RowBytes(std::string_view customer_id) const;
  // A row as stored, and one that another harness has stored: its chain may be another.
  std::string Stored(std::string_view customer_id) const;
  void Load(std::string_view customer_id, const std::string& stored);
  const Chain& chain() const { return *chain_; }
  // The row, for tests that look inside; null when there is none.
  const RowState* Row(std::string_view customer_id) const;

 private:
  void Add(size_t output, std::string_view customer_id, const google::protobuf::Message& result) override;
  void StoreAndLoad(RowState& row);
  Moment NowFor(const RowState& row) const;

  std::unique_ptr<Chain> chain_;
  Calendar calendar_;
  std::map<std::string, RowState, std::less<>> rows_;
  std::vector<std::unique_ptr<google::protobuf::Message>> results_;
  std::vector<Rejection> rejections_;
  Timestamp now_{};
  int64_t sent_ = 0;
};

}  // namespace portrait
