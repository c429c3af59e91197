#include "operators/context.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "operators/chain.h"
#include "xxhash.h"

namespace portrait {
namespace {

// Fields are separated by their lengths, so that no two causes make one text.
std::string ResultId(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (std::string_view part : parts)
    absl::StrAppend(&text, part.size(), ":", absl::string_view(part.data(), part.size()));
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return absl::StrCat(absl::Hex(hash.high64, absl::kZeroPad16), absl::Hex(hash.low64, absl::kZeroPad16));
}

}  // namespace

void Context::SetTimer(uint32_t id, Timestamp at) {
  row_.timers.Set(slot_, id, std::max(at, moment_.time + Duration(1)));
}

void Context::FillInfo(v1::ResultInfo& info, const google::protobuf::Descriptor* type) {
  const std::string& name = chain_.OperatorName(slot_);
  const std::string ordinal = absl::StrCat(emitted_++);
  info.set_customer_id(std::string(customer_id_));
  info.set_operator_(name);
  info.set_version(chain_.version());
  info.set_event_time_us(ToMicros(now()));
  auto* cause = info.mutable_cause();
  if (cause_.event != nullptr) {
    info.set_origin(cause_.event->has_customer_erased() ? v1::ERASURE : v1::LIVE);
    cause->set_event_id(cause_.event->event_id());
    cause->set_event_kind(std::string(EventKindName(cause_.event->body_case())));
    cause->set_topic(std::string(cause_.origin.topic));
    cause->set_partition(cause_.origin.partition);
    cause->set_offset(cause_.origin.offset);
    info.set_id(ResultId({customer_id_, name, type->name(), "event", cause_.event->event_id(), ordinal}));
  } else if (cause_.switched != nullptr) {
    info.set_origin(v1::SWEEP);
    cause->set_rules(std::string(cause_.switched->rules));
    info.set_id(ResultId({customer_id_, name, type->name(), "switch", absl::StrCat(cause_.switched->number), ordinal}));
  } else {
    info.set_origin(v1::TIMER);
    cause->set_timer(absl::StrCat(chain_.OperatorName(cause_.timer.slot), "/", cause_.timer.id));
    cause->set_timer_time_us(ToMicros(cause_.timer.time));
    info.set_id(
        ResultId({customer_id_, name, type->name(), cause->timer(), absl::StrCat(cause->timer_time_us()), ordinal}));
  }
}

void Context::Send(const google::protobuf::Message& result) {
  const auto& outputs = chain_.outputs();
  const auto it = std::find_if(outputs.begin(), outputs.end(), [&](const OutputDescription& output) {
    return output.message == result.GetDescriptor();
  });
  if (it == outputs.end()) {
    // A mistake in the operator's code, found by its first test.
    std::cerr << "operator " << chain_.OperatorName(slot_)
              << " writes a result that it did not declare: " << result.GetDescriptor()->full_name() << std::endl;
    std::abort();
  }
  sink_.Add(static_cast<size_t>(it - outputs.begin()), customer_id_, result);
}

}  // namespace portrait
