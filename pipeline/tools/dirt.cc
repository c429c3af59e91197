#include "pipeline/tools/dirt.h"

#include <nlohmann/json.hpp>
#include <string>

#include "operators/event.h"
#include "pipeline/tools/event_writer.h"

namespace portrait {

namespace {

constexpr int64_t kTenYearsUs = int64_t{3652} * 86'400 * 1'000'000;

bool IsJson(const NewRecord& record) { return record.value.has_value() && record.value->starts_with('{'); }

std::string ChangedProtobuf(Dirt dirt, std::string_view value) {
  Event event;
  event.ParseFromArray(value.data(), static_cast<int>(value.size()));
  if (dirt == Dirt::kNoCustomer) {
    event.clear_customer_id();
    event.clear_anonymous_id();
  } else {
    event.set_event_time_us(event.event_time_us() + kTenYearsUs);
    event.clear_sent_time_us();  // with these the right time would be certain
    event.clear_received_time_us();
  }
  event.set_event_id(event.event_id() + "-dirt");
  return event.SerializeAsString();
}

std::string ChangedJson(Dirt dirt, std::string_view value) {
  nlohmann::ordered_json event = nlohmann::ordered_json::parse(value, nullptr, false);
  if (!event.is_object()) return std::string(value);
  if (dirt == Dirt::kNoCustomer) {
    event.erase("userId");
    event.erase("anonymousId");
  } else {
    event["timestamp"] = "2999-01-01T00:00:00Z";
    for (const char* name : {"originalTimestamp", "sentAt", "receivedAt"}) event.erase(name);
  }
  event["messageId"] = event.value("messageId", "") + "-dirt";
  return event.dump();
}

}  // namespace

std::string_view DirtName(Dirt dirt) {
  switch (dirt) {
    case Dirt::kDuplicate: return "duplicate";
    case Dirt::kBrokenClock: return "broken clock";
    case Dirt::kMalformed: return "cut in the middle";
    case Dirt::kGarbage: return "garbage";
    case Dirt::kNoCustomer: return "no customer";
    case Dirt::kTombstone: return "tombstone";
  }
  return "unknown";
}

absl::Status DirtySink::Write(const NewRecord& record) {
  if (absl::Status status = clean_.Write(record); !status.ok()) return status;
  if (!draws_.Chance(options_.rate)) return absl::OkStatus();
  const auto dirt = static_cast<Dirt>(draws_.Below(kDirtKinds));
  ++counts_[static_cast<size_t>(dirt)];
  return WriteDirt(dirt, record);
}

absl::Status DirtySink::WriteDirt(Dirt dirt, const NewRecord& record) {
  const std::string_view value = record.value.value_or(std::string_view());
  NewRecord dirty = record;
  std::string changed;
  switch (dirt) {
    case Dirt::kDuplicate: break;
    case Dirt::kBrokenClock: changed = IsJson(record) ? ChangedJson(dirt, value) : ChangedProtobuf(dirt, value); break;
    case Dirt::kMalformed: changed = value.substr(0, value.size() / 2); break;
    case Dirt::kGarbage:
      for (int i = 0; i < 32; ++i) changed += static_cast<char>(0x80 | draws_.Below(128));
      break;
    case Dirt::kNoCustomer:
      changed = IsJson(record) ? ChangedJson(dirt, value) : ChangedProtobuf(dirt, value);
      dirty.key.reset();
      break;
    case Dirt::kTombstone: dirty.value.reset(); break;
  }
  if (dirt != Dirt::kDuplicate && dirt != Dirt::kTombstone) dirty.value = changed;
  return clean_.Write(dirty);
}

}  // namespace portrait
