// What a handler may see and do, and nothing else: the moment, the customer, features, timers, results.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/event.h"
#include "operators/features.h"
#include "operators/output.h"
#include "operators/row_state.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

// Where an event lies in its log; views are valid during the step.
struct EventOrigin {
  std::string_view topic;
  int32_t partition = 0;
  int64_t offset = 0;
};

// Another version of the chain has come into force.
struct SwitchCause {
  std::string_view rules;  // the version of its rules
  uint64_t number = 0;     // of the switch: it counts up, so that the same rules may come again
};

// Made by the chain for one step on one row; lives only as long as the handler runs.
class Context {
 public:
  // The row's own time. It never goes back: for an event that comes out of order it lies after the event's time.
  Timestamp now() const { return moment_.time; }
  const Moment& moment() const { return moment_; }
  // The local day of any instant, such as of an event's own time.
  int32_t DayOf(Timestamp time) const { return calendar_.At(time).day; }
  // The first instant of a local day, such as for a timer at the next midnight.
  Timestamp StartOf(int32_t day) const { return calendar_.StartOf(day); }

  std::string_view customer_id() const { return customer_id_; }

  // The event came after the watermark had passed its time. A fold that can still count it should.
  bool late() const { return late_; }

  // Features as they will be at a later moment if nothing happens until then.
  FeatureReader FeaturesAt(Timestamp later) const { return {row_, calendar_.At(later)}; }

  // Features of this operator and of those before it in the chain, at now().
  Value Get(const FeatureRef& feature) const { return reader_.Get(feature); }
  Items GetItems(const FeatureRef& feature) const { return reader_.GetItems(feature); }
  const FeatureReader& features() const { return reader_; }

  // One timer for each id: setting it again moves it. A time not after now() is moved to a microsecond after now(),
  // so that a timer never fires twice for one instant.
  void SetTimer(uint32_t id, Timestamp at);
  void CancelTimer(uint32_t id) { row_.timers.Cancel(slot_, id); }
  std::optional<Timestamp> TimerAt(uint32_t id) const { return row_.timers.Find(slot_, id); }

  // Writes a result to the output that the operator declared for this type. The handler fills in what it knows and
  // info.reasons; the rest of info is filled in here.
  template <class Result>
  void Emit(Result result) {
    FillInfo(*result.mutable_info(), Result::descriptor());
    Send(result);
  }

  // Rules in the shadow would give a tag, or take it away.
  void CountShadow(std::string_view tag, bool comes) { sink_.AddShadow(tag, comes); }
  // Models are in the shadow: what they and those in force say of the customer now, and whose alert opens or worsens.
  void CountShadowJudgement(const ShadowJudgement& judged) { sink_.AddShadowJudgement(judged); }
  void CountShadowAlert(AlertBy by, v1::ChurnAlert::Phase phase) { sink_.AddShadowAlert(by, phase); }

  // What the handler does with this timer or switch is aside: the row's own time stays as it was, so that later events
  // find it as if nothing had happened.
  void StayAside() { aside_ = true; }

 private:
  friend class Chain;
  struct StepCause {
    const Event* event = nullptr;
    EventOrigin origin;
    const SwitchCause* switched = nullptr;  // null, like the event: a timer
    TimerEntry timer;
  };

  Context(RowState& row, std::string_view customer_id, const Calendar& calendar, Moment moment, bool late,
          const class Chain& chain, OutputSink& sink, StepCause cause)
      : row_(row),
        customer_id_(customer_id),
        calendar_(calendar),
        moment_(moment),
        late_(late),
        chain_(chain),
        sink_(sink),
        cause_(cause),
        reader_(row, moment) {}

  void FillInfo(v1::ResultInfo& info, const google::protobuf::Descriptor* type);
  void Send(const google::protobuf::Message& result);

  RowState& row_;
  std::string_view customer_id_;
  const Calendar& calendar_;
  Moment moment_;
  bool late_;
  const class Chain& chain_;
  OutputSink& sink_;
  StepCause cause_;
  FeatureReader reader_;
  Slot slot_ = 0;         // of the operator that runs
  uint32_t emitted_ = 0;  // results so far in this step on this row
  bool aside_ = false;    // what the operator that runs does
};

}  // namespace portrait
