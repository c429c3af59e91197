// The interface of an operator: one concern of the customer's portrait, with its own state in the row.
//
//   class Visits final : public Operator<VisitsState> {
//    public:
//     static void Describe(Description& about);
//     void OnEvent(const Event& event, VisitsState& state, Context& context) const override;
//   };
//
// Handlers are pure: what they do follows from the event (or timer), the state and the context alone. No clock, no
// randomness, no I/O, no hash map whose order reaches a result. An operator is constant after Bind and is shared by all
// threads. Events of one customer may come out of order; see Context::now and Context::late.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "operators/context.h"
#include "operators/description.h"
#include "operators/features.h"
#include "operators/fetcher.h"

namespace portrait {

// A timer that has come due.
struct Timer {
  uint32_t id = 0;
  Timestamp time;  // equals Context::now() unless the row's time is already beyond it
};

// What the chain sees of an operator. Implement Operator<State> instead.
class AnyOperator {
 public:
  virtual ~AnyOperator() = default;

  // Looks up the features it reads. Only those of operators before it are there. An error stops the start.
  virtual absl::Status Bind(const FeatureRegistry& features) {
    static_cast<void>(features);
    return absl::OkStatus();
  }

  virtual const google::protobuf::Message& EmptyState() const = 0;
  virtual void HandleBefore(const Event& event, const google::protobuf::Message& state,
                            const Context& context) const = 0;
  virtual void HandleBeforeTimer(Slot slot, const google::protobuf::Message& state, const Context& context) const = 0;
  virtual void HandleEvent(const Event& event, google::protobuf::Message& state, Context& context) const = 0;
  virtual void HandleTimer(const Timer& timer, google::protobuf::Message& state, Context& context) const = 0;
  virtual void HandleChange(Slot changed, google::protobuf::Message& state, Context& context) const = 0;
  virtual bool HandleReconsider(const google::protobuf::Message& state, const Context& context) const = 0;
  virtual void HandleSwitch(google::protobuf::Message& state, Context& context) const = 0;
  virtual void HandleFetch(const google::protobuf::Message& state, Fetcher& fetch) const = 0;
};

// State: a Protobuf message; everything the operator remembers about one customer, bounded in size.
template <class State>
class Operator : public AnyOperator {
 public:
  virtual void OnEvent(const Event& event, State& state, Context& context) const = 0;
  // An event that this operator reads is about to be handled by the operators before it. Only for operators that say
  // LooksBefore; OnEvent follows in the same step, on the same thread and at the same moment.
  virtual void BeforeEvent(const Event& event, const State& state, const Context& context) const {
    static_cast<void>(event), static_cast<void>(state), static_cast<void>(context);
  }
  // A timer of the operator in this slot, before this one, is about to fire. Only for operators that say LooksBefore
  // and FollowsTimers; OnChange follows in the same step, on the same thread, at the same moment, with this context.
  virtual void BeforeTimer(Slot slot, const State& state, const Context& context) const {
    static_cast<void>(slot), static_cast<void>(state), static_cast<void>(context);
  }
  virtual void OnTimer(const Timer& timer, State& state, Context& context) const {
    static_cast<void>(timer), static_cast<void>(state), static_cast<void>(context);
  }
  // A timer of an operator before this one has fired, or its OnSwitch has changed something, so its features may have
  // changed. Only for operators that say FollowsTimers; called after that handler, in the same step.
  virtual void OnChange(Slot changed, State& state, Context& context) const {
    static_cast<void>(changed), static_cast<void>(state), static_cast<void>(context);
  }
  // The chain has been exchanged for another one with the same operators, of which this one is of another version, such
  // as with other rules or models: whether that changes anything for this customer now. Only for operators that say
  // FollowsSwitches. A customer for whom nothing changes keeps the state as it is, so that nothing need be written.
  virtual bool Reconsiders(const State& state, const Context& context) const {
    static_cast<void>(state), static_cast<void>(context);
    return false;
  }
  // Something does: comes after Reconsiders, in the same step.
  virtual void OnSwitch(State& state, Context& context) const { static_cast<void>(state), static_cast<void>(context); }

  // Names what lies behind the message, so that it is fetched before it is looked at: see operators/fetcher.h. Only for
  // speed; the message itself is fetched in any case.
  virtual void Fetch(const State& state, Fetcher& fetch) const { static_cast<void>(state), static_cast<void>(fetch); }

  const google::protobuf::Message& EmptyState() const final { return State::default_instance(); }
  void HandleBefore(const Event& event, const google::protobuf::Message& state, const Context& context) const final {
    BeforeEvent(event, static_cast<const State&>(state), context);
  }
  void HandleBeforeTimer(Slot slot, const google::protobuf::Message& state, const Context& context) const final {
    BeforeTimer(slot, static_cast<const State&>(state), context);
  }
  void HandleEvent(const Event& event, google::protobuf::Message& state, Context& context) const final {
    OnEvent(event, static_cast<State&>(state), context);
  }
  void HandleTimer(const Timer& timer, google::protobuf::Message& state, Context& context) const final {
    OnTimer(timer, static_cast<State&>(state), context);
  }
  void HandleChange(Slot changed, google::protobuf::Message& state, Context& context) const final {
    OnChange(changed, static_cast<State&>(state), context);
  }
  bool HandleReconsider(const google::protobuf::Message& state, const Context& context) const final {
    return Reconsiders(static_cast<const State&>(state), context);
  }
  void HandleSwitch(google::protobuf::Message& state, Context& context) const final {
    OnSwitch(static_cast<State&>(state), context);
  }
  void HandleFetch(const google::protobuf::Message& state, Fetcher& fetch) const final {
    fetch.In(static_cast<const State&>(state), [&](const State& there) { Fetch(there, fetch); });
  }
};

}  // namespace portrait
