// The chain: the cleaning stage and the operators in their order, applied to one row at a time.
//
//   ChainBuilder builder;
//   builder.Cleaning(std::make_unique<Clean>(CleanOptions{}));
//   builder.Add<Purchases>(PurchasesOptions{});
//   absl::StatusOr<std::unique_ptr<Chain>> chain = std::move(builder).Build("1.0");
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/cleaning.h"
#include "operators/context.h"
#include "operators/features.h"
#include "operators/fetcher.h"
#include "operators/operator.h"
#include "operators/row_state.h"

namespace portrait {

// Constant once built; safe from any thread. Pure: what it does to a row follows from its arguments.
class Chain {
 public:
  enum class Verdict { kApplied, kDuplicate };

  // Validates and corrects an event before it has a place in the order.
  std::optional<Rejection> Check(Event& event, const Arrival& arrival) const {
    return cleaning_->Check(event, arrival);
  }

  // Applies one event to the row: a duplicate changes nothing; else the row's own timers due by the event's time fire,
  // then the operators that read this kind run in order. After customer_erased the row is gone: what comes later finds
  // a row as if there had never been one.
  Verdict OnEvent(const Event& event, const EventOrigin& origin, bool late, std::string_view customer_id, RowState& row,
                  const Calendar& calendar, OutputSink& sink) const;

  // Fires the row's timers with a time at or before `until`, also those set meanwhile. Returns how many fired.
  int FireTimers(Timestamp until, std::string_view customer_id, RowState& row, const Calendar& calendar,
                 OutputSink& sink) const;

  // This chain has come into force in place of another version of it. Whether it changes the row at that time or the
  // row's own, whichever is later; if so, what Switch does to it. The row's timers up to `now` have fired.
  bool Reconsiders(Timestamp now, std::string_view customer_id, RowState& row, const Calendar& calendar) const;
  void Switch(const SwitchCause& cause, Timestamp now, std::string_view customer_id, RowState& row,
              const Calendar& calendar, OutputSink& sink) const;

  // The row as stored bytes (v1.Row), and back. Decode fails with DataLoss on bytes that are no row; the states of
  // operators are parsed as they are asked for, so look at Damage after that.
  void Encode(uint64_t number, const RowState& row, std::string& out) const;
  absl::StatusOr<uint64_t> Decode(std::string_view bytes, RowState& row) const;
  // The row as Decode would give it, from the bytes that Encode has just made of it: what is decoded is let go.
  void Rest(std::string_view bytes, RowState& row) const;
  RowState EmptyRow() const;

  // Asks for the memory of what is decoded of a row, in one of Fetcher::kRounds.
  void Fetch(const RowState& row, Fetcher& fetch) const;

  // DataLoss: a state that was asked for is no message of its operator, and was taken for an empty one.
  absl::Status Damage(const RowState& row) const;

  const FeatureRegistry& features() const { return features_; }
  const std::vector<OutputDescription>& outputs() const { return outputs_; }
  const std::string& version() const { return version_; }

  // For descriptions: the operators in order; slot i + 1 belongs to operators()[i].
  struct Link {
    std::unique_ptr<AnyOperator> op;
    std::unique_ptr<Description> about;  // feature references point into it
  };
  const std::vector<Link>& operators() const { return links_; }

 private:
  friend class ChainBuilder;
  friend class Context;
  Chain() = default;

  const google::protobuf::Message& EmptyState(Slot slot) const;
  google::protobuf::Message& StateFor(RowState& row, Slot slot) const {
    return row.states.Change(slot, EmptyState(slot));
  }
  absl::StatusOr<uint64_t> Read(std::string_view bytes, RowState& row) const;
  bool ReadOperator(std::string_view bytes, int at, int size, Slot& expected,
                    std::vector<OperatorStates::Range>& ranges, RowState& row) const;
  std::optional<Slot> SlotNamed(std::string_view name, Slot expected) const;
  const std::string& OperatorName(Slot slot) const;

  std::string version_;
  std::unique_ptr<CleaningStage> cleaning_;
  std::vector<Link> links_;
  FeatureRegistry features_;
  std::vector<OutputDescription> outputs_;
  std::array<std::vector<Slot>, kEventKinds> readers_;  // by kind: the slots that read it, in order
  std::vector<Slot> followers_;                         // of timers
  std::vector<Slot> switching_;                         // those that follow switches
  std::array<std::vector<Slot>, kEventKinds> before_;   // by kind: of its readers, those that look before it
};

class ChainBuilder {
 public:
  ChainBuilder& Cleaning(std::unique_ptr<CleaningStage> cleaning) {
    cleaning_ = std::move(cleaning);
    return *this;
  }

  // Adds an operator at the end of the chain; the arguments go to its constructor. One whose features depend on them
  // has a Describe that is no static function.
  template <class Op, class... Args>
  ChainBuilder& Add(Args&&... args) {
    auto about = std::make_unique<Description>();
    auto op = std::make_unique<Op>(std::forward<Args>(args)...);
    if constexpr (requires { Op::Describe(*about); }) {
      Op::Describe(*about);
    } else {
      op->Describe(*about);
    }
    links_.push_back({std::move(op), std::move(about)});
    return *this;
  }

  // Errors: two operators or features of one name, a bad name, a feature read that is not there, an output without
  // info. `version` names build and configuration: a journal is replayed by the same version only.
  absl::StatusOr<std::unique_ptr<Chain>> Build(std::string version) &&;

 private:
  std::unique_ptr<CleaningStage> cleaning_;
  std::vector<Chain::Link> links_;
};

}  // namespace portrait
