#include "pipeline/tools/past.h"

#include <algorithm>

namespace portrait {

Past::Past(const Chain& chain, absl::TimeZone zone)
    : chain_(chain), tags_(chain), calendar_(zone), row_(chain.EmptyRow()) {}

void Past::Sink::Add(size_t, std::string_view, const google::protobuf::Message& result) {
  if (result.GetDescriptor() != v1::TagChange::descriptor()) return;
  changes.push_back(static_cast<const v1::TagChange&>(result));
}

void Past::Live(const std::string& customer, const std::vector<Event>& events, Timestamp until) {
  sink_.changes.clear();
  row_ = chain_.EmptyRow();
  until_ = until;
  int64_t number = 0;
  for (const Event& given : events) {
    if (EventTime(given) > until) break;
    Event event = given;
    if (chain_.Check(event, {EventTime(event)})) continue;
    chain_.OnEvent(event, {"history", 0, number++}, false, customer, row_, calendar_, sink_);
  }
  chain_.FireTimers(until, customer, row_, calendar_, sink_);
}

std::vector<std::string> Past::Held() const {
  std::vector<std::string> out;
  if (tags_.op == nullptr) return out;
  for (const auto& tag : row_.states.As<v1::state::Tags>(tags_.slot).held()) out.push_back(tag.name());
  return out;
}

absl::StatusOr<rules::Judge::Standing> Past::Explain(std::string_view tag) const {
  if (tags_.op == nullptr) return absl::NotFoundError("this chain has no tags");
  const auto& state = row_.states.As<v1::state::Tags>(tags_.slot);
  const Moment moment = calendar_.At(std::max(row_.time, until_));
  return tags_.op->Explain(tag, state, FeatureReader(row_, moment), moment);
}

}  // namespace portrait
