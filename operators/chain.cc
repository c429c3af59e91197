#include "operators/chain.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "portrait/v1/row.pb.h"

namespace portrait {
namespace {

using google::protobuf::Message;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

const std::string& CleaningName() {
  static const std::string* const name = new std::string("clean");
  return *name;
}

bool IsIdentifier(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// A cleaning stage for chains that have none, as in operator tests.
class NoCleaning final : public CleaningStage {
 public:
  std::optional<Rejection> Check(Event&, const Arrival&) const override { return std::nullopt; }
  bool IsDuplicate(const Event&, Message&) const override { return false; }
  const Message& EmptyState() const override { return v1::OperatorState::default_instance(); }
};

}  // namespace

const std::string& Chain::OperatorName(Slot slot) const {
  return slot == 0 ? CleaningName() : links_[slot - 1].about->name();
}

const Message& Chain::EmptyState(Slot slot) const {
  return slot == 0 ? cleaning_->EmptyState() : links_[slot - 1].op->EmptyState();
}

RowState Chain::EmptyRow() const {
  RowState row;
  row.states = OperatorStates(links_.size() + 1);
  return row;
}

void Chain::Fetch(const RowState& row, Fetcher& fetch) const {
  row.states.ForDecoded([&](Slot slot, const Message& state) {
    slot == 0 ? cleaning_->Fetch(state, fetch) : links_[slot - 1].op->HandleFetch(state, fetch);
  });
}

Chain::Verdict Chain::OnEvent(const Event& event, const EventOrigin& origin, bool late, std::string_view customer_id,
                              RowState& row, const Calendar& calendar, OutputSink& sink) const {
  if (cleaning_->IsDuplicate(event, StateFor(row, 0))) return Verdict::kDuplicate;
  const Timestamp time = EventTime(event);
  FireTimers(time, customer_id, row, calendar, sink);
  row.gone = false;
  row.time = std::max(row.time, time);
  Context::StepCause cause;
  cause.event = &event;
  cause.origin = origin;
  Context context(row, customer_id, calendar, calendar.At(row.time), late, *this, sink, cause);
  for (const Slot slot : before_[static_cast<size_t>(event.body_case())]) {
    links_[slot - 1].op->HandleBefore(event, row.states.Read(slot, EmptyState(slot)), context);
  }
  for (const Slot slot : readers_[static_cast<size_t>(event.body_case())]) {
    context.slot_ = slot;
    links_[slot - 1].op->HandleEvent(event, StateFor(row, slot), context);
  }
  if (event.has_customer_erased()) {
    row = EmptyRow();
    row.gone = true;
  }
  return Verdict::kApplied;
}

int Chain::FireTimers(Timestamp until, std::string_view customer_id, RowState& row, const Calendar& calendar,
                      OutputSink& sink) const {
  int fired = 0;
  while (!row.timers.empty() && row.timers.first().time <= until) {
    const TimerEntry timer = row.timers.first();
    row.timers.RemoveFirst();
    const Timestamp now = std::max(row.time, timer.time);
    Context::StepCause cause;
    cause.timer = timer;
    Context context(row, customer_id, calendar, calendar.At(now), false, *this, sink, cause);
    for (const Slot follower : followers_) {
      if (follower <= timer.slot || !links_[follower - 1].about->looks_before()) continue;
      links_[follower - 1].op->HandleBeforeTimer(timer.slot, row.states.Read(follower, EmptyState(follower)), context);
    }
    context.slot_ = timer.slot;
    links_[timer.slot - 1].op->HandleTimer({timer.id, timer.time}, StateFor(row, timer.slot), context);
    for (const Slot follower : followers_) {
      if (follower <= timer.slot) continue;
      context.slot_ = follower;
      links_[follower - 1].op->HandleChange(timer.slot, StateFor(row, follower), context);
    }
    if (!context.aside_) row.time = now;
    ++fired;
  }
  return fired;
}

bool Chain::Reconsiders(Timestamp now, std::string_view customer_id, RowState& row, const Calendar& calendar) const {
  struct NoResults final : OutputSink {
    void Add(size_t, std::string_view, const Message&) override {}
  };
  if (row.gone) return false;
  NoResults none;
  Context context(row, customer_id, calendar, calendar.At(std::max(row.time, now)), false, *this, none, {});
  return std::any_of(switching_.begin(), switching_.end(), [&](Slot slot) {
    context.slot_ = slot;
    return row.states.Has(slot) &&
           links_[slot - 1].op->HandleReconsider(row.states.Read(slot, EmptyState(slot)), context);
  });
}

void Chain::Switch(const SwitchCause& cause, Timestamp now, std::string_view customer_id, RowState& row,
                   const Calendar& calendar, OutputSink& sink) const {
  const Timestamp time = std::max(row.time, now);
  Context::StepCause step;
  step.switched = &cause;
  Context context(row, customer_id, calendar, calendar.At(time), false, *this, sink, step);
  std::vector<Slot> changed;
  for (Slot slot = 1; slot <= links_.size(); ++slot) {
    const Link& link = links_[slot - 1];
    context.slot_ = slot;
    if (link.about->follows_timers()) {
      for (const Slot before : changed) link.op->HandleChange(before, StateFor(row, slot), context);
    }
    if (!link.about->follows_switches() || !row.states.Has(slot)) continue;
    context.aside_ = false;
    link.op->HandleSwitch(StateFor(row, slot), context);
    if (!context.aside_) changed.push_back(slot);
  }
  if (!changed.empty()) row.time = time;
}

void Chain::Encode(uint64_t number, const RowState& row, std::string& out) const {
  // By hand rather than through v1::Row, so that no state is copied twice.
  out.clear();
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  WireFormatLite::WriteUInt64(v1::Row::kNumberFieldNumber, number, &coded);
  if (row.gone) {
    WireFormatLite::WriteBool(v1::Row::kGoneFieldNumber, true, &coded);
    return;
  }
  if (const auto next = row.timers.next()) {
    WireFormatLite::WriteSInt64(v1::Row::kNextTimerUsFieldNumber, ToMicros(*next), &coded);
  }
  WireFormatLite::WriteInt64(v1::Row::kTimeUsFieldNumber, ToMicros(row.time), &coded);
  v1::OperatorState timers;
  for (Slot slot = 0; slot < row.states.size(); ++slot) {
    if (!row.states.Has(slot)) continue;
    const std::string& name = OperatorName(slot);
    const size_t state_bytes = row.states.EncodedSize(slot);
    timers.Clear();
    for (const TimerEntry& timer : row.timers) {
      if (timer.slot != slot) continue;
      auto* entry = timers.add_timers();
      entry->set_id(timer.id);
      entry->set_time_us(ToMicros(timer.time));
    }
    const size_t timer_bytes = timers.ByteSizeLong();
    const size_t bytes =
        1 + WireFormatLite::StringSize(name) + 1 + WireFormatLite::LengthDelimitedSize(state_bytes) + timer_bytes;
    WireFormatLite::WriteTag(v1::Row::kOperatorsFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, &coded);
    coded.WriteVarint32(static_cast<uint32_t>(bytes));
    WireFormatLite::WriteString(v1::OperatorState::kOperatorFieldNumber, name, &coded);
    WireFormatLite::WriteTag(v1::OperatorState::kStateFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, &coded);
    coded.WriteVarint32(static_cast<uint32_t>(state_bytes));
    row.states.Encode(slot, coded);
    timers.SerializeWithCachedSizes(&coded);
  }
  for (const v1::OperatorState& state : row.unknown) {
    WireFormatLite::WriteTag(v1::Row::kOperatorsFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, &coded);
    coded.WriteVarint32(static_cast<uint32_t>(state.ByteSizeLong()));
    state.SerializeWithCachedSizes(&coded);
  }
}

// By hand as well: the states stay where they are in the bytes.
absl::StatusOr<uint64_t> Chain::Read(std::string_view bytes, RowState& row) const {
  const auto corrupt = [&] {
    return absl::DataLossError(absl::StrCat("a stored row cannot be parsed: ", bytes.size(), " bytes"));
  };
  thread_local std::vector<OperatorStates::Range> ranges;
  ranges.assign(links_.size() + 1, {});
  row.gone = false;
  row.time = Timestamp();
  row.timers.Clear();
  row.unknown.clear();
  uint64_t number = 0;
  Slot expected = 0;  // operators come in the order of the chain
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  while (const uint32_t tag = in.ReadTag()) {
    uint64_t value = 0;
    switch (WireFormatLite::GetTagFieldNumber(tag)) {
      case v1::Row::kNumberFieldNumber:
        if (!in.ReadVarint64(&number)) return corrupt();
        continue;
      case v1::Row::kTimeUsFieldNumber:
        if (!in.ReadVarint64(&value)) return corrupt();
        row.time = FromMicros(static_cast<int64_t>(value));
        continue;
      case v1::Row::kGoneFieldNumber:
        if (!in.ReadVarint64(&value)) return corrupt();
        row.gone = value != 0;
        continue;
      case v1::Row::kOperatorsFieldNumber: break;
      default:
        if (!WireFormatLite::SkipField(&in, tag)) return corrupt();
        continue;
    }
    int size = 0;
    if (!in.ReadVarintSizeAsInt(&size)) return corrupt();
    const int at = in.CurrentPosition();
    if (!ReadOperator(bytes, at, size, expected, ranges, row) || !in.Skip(size)) return corrupt();
  }
  if (!in.ConsumedEntireMessage()) return corrupt();
  row.states.Rest(bytes, ranges);
  return number;
}

bool Chain::ReadOperator(std::string_view bytes, int at, int size, Slot& expected,
                         std::vector<OperatorStates::Range>& ranges, RowState& row) const {
  if (size < 0 || static_cast<size_t>(at) + static_cast<size_t>(size) > bytes.size()) return false;
  const std::string_view part = bytes.substr(static_cast<size_t>(at), static_cast<size_t>(size));
  CodedInputStream in(reinterpret_cast<const uint8_t*>(part.data()), size);
  std::optional<Slot> slot;
  while (const uint32_t tag = in.ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&in, tag)) return false;
      continue;
    }
    int length = 0;
    if (!in.ReadVarintSizeAsInt(&length)) return false;
    const int from = in.CurrentPosition();
    if (!in.Skip(length)) return false;
    const std::string_view content = part.substr(static_cast<size_t>(from), static_cast<size_t>(length));
    if (field == v1::OperatorState::kOperatorFieldNumber) {
      slot = SlotNamed(content, expected);
      if (!slot) {
        return row.unknown.emplace_back().ParseFromArray(part.data(), size);
      }
      expected = *slot + 1;
    } else if (!slot) {
      return false;  // the name comes first
    } else if (field == v1::OperatorState::kStateFieldNumber) {
      ranges[*slot] = {static_cast<uint32_t>(at + from), static_cast<uint32_t>(length)};
    } else if (field == v1::OperatorState::kTimersFieldNumber) {
      v1::OperatorTimer timer;
      if (!timer.ParseFromArray(content.data(), length)) return false;
      row.timers.Set(*slot, timer.id(), FromMicros(timer.time_us()));
    }
  }
  return in.ConsumedEntireMessage();
}

// `expected` is looked at first.
std::optional<Slot> Chain::SlotNamed(std::string_view name, Slot expected) const {
  if (expected <= links_.size() && OperatorName(expected) == name) return expected;
  for (Slot slot = 0; slot <= links_.size(); ++slot) {
    if (OperatorName(slot) == name) return slot;
  }
  return std::nullopt;
}

absl::StatusOr<uint64_t> Chain::Decode(std::string_view bytes, RowState& row) const {
  row = EmptyRow();
  return Read(bytes, row);
}

void Chain::Rest(std::string_view bytes, RowState& row) const { static_cast<void>(Read(bytes, row)); }

absl::Status Chain::Damage(const RowState& row) const {
  const std::optional<Slot> slot = row.states.damaged();
  return slot ? absl::DataLossError(absl::StrCat("the state of an operator cannot be parsed: ", OperatorName(*slot)))
              : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Chain>> ChainBuilder::Build(std::string version) && {
  std::unique_ptr<Chain> chain(new Chain());
  chain->version_ = std::move(version);
  chain->cleaning_ = cleaning_ ? std::move(cleaning_) : std::make_unique<NoCleaning>();
  chain->links_ = std::move(links_);
  for (Slot slot = 1; slot <= chain->links_.size(); ++slot) {
    const Chain::Link& link = chain->links_[slot - 1];
    const Description& about = *link.about;
    if (!IsIdentifier(about.name()) || about.name() == CleaningName()) {
      return absl::InvalidArgumentError(absl::StrCat("not a name for an operator: \"", about.name(), "\""));
    }
    for (Slot other = 1; other < slot; ++other) {
      if (chain->OperatorName(other) == about.name()) {
        return absl::AlreadyExistsError(absl::StrCat("two operators of one name: ", about.name()));
      }
    }
    if (!about.no_features().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "operator ", about.name(), ": no timer changes what is no feature: ", about.no_features().front()));
    }
    for (size_t kind = 0; kind < kEventKinds; ++kind) {
      if (!about.reads().test(kind)) continue;
      chain->readers_[kind].push_back(slot);
      if (about.looks_before()) chain->before_[kind].push_back(slot);
    }
    for (const FeatureDescription& feature : about.features()) {
      if (absl::Status s = chain->features_.Add(slot, &feature, &link.op->EmptyState(), &about.reads()); !s.ok()) {
        return s;
      }
    }
    if (about.follows_timers()) chain->followers_.push_back(slot);
    if (about.follows_switches()) chain->switching_.push_back(slot);
    for (const OutputDescription& output : about.outputs()) {
      const auto* info = output.message->FindFieldByName("info");
      if (info == nullptr || info->message_type() != v1::ResultInfo::descriptor()) {
        return absl::InvalidArgumentError(
            absl::StrCat("a result needs a ResultInfo as its field info: ", output.message->full_name()));
      }
      const bool known = std::any_of(chain->outputs_.begin(), chain->outputs_.end(),
                                     [&](const OutputDescription& o) { return o.message == output.message; });
      if (!known) chain->outputs_.push_back(output);
    }
    if (absl::Status s = link.op->Bind(chain->features_); !s.ok()) {
      return absl::Status(s.code(), absl::StrCat("operator ", about.name(), ": ", s.message()));
    }
  }
  return chain;
}

}  // namespace portrait
