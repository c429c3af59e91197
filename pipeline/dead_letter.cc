#include "pipeline/dead_letter.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "xxhash.h"

namespace portrait {
namespace {

// Header names are text in Protobuf but arbitrary bytes in Kafka.
std::string AsText(std::string_view bytes) {
  std::string text(bytes);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  return text;
}

std::string Id(std::string_view topic, const Record& record) {
  const std::string place =
      absl::StrCat(absl::string_view(topic.data(), topic.size()), "/", record.partition, "/", record.offset);
  const XXH128_hash_t hash = XXH3_128bits(place.data(), place.size());
  return absl::StrCat(absl::Hex(hash.high64, absl::kZeroPad16), absl::Hex(hash.low64, absl::kZeroPad16));
}

}  // namespace

v1::DeadLetter MakeDeadLetter(const Record& record, std::string_view topic, const Rejection& rejection,
                              std::string_view customer_id, std::string_view version, size_t max_bytes) {
  v1::DeadLetter letter;
  auto* info = letter.mutable_info();
  info->set_id(Id(topic, record));
  info->set_customer_id(AsText(customer_id.substr(0, 256)));
  info->set_origin(v1::LIVE);
  info->set_version(std::string(version));
  info->set_event_time_us(record.timestamp_us);
  auto* cause = info->mutable_cause();
  cause->set_topic(std::string(topic));
  cause->set_partition(record.partition);
  cause->set_offset(record.offset);

  letter.set_code(rejection.code);
  letter.set_text(AsText(rejection.text));
  letter.set_topic(std::string(topic));
  letter.set_partition(record.partition);
  letter.set_offset(record.offset);
  letter.set_timestamp_us(record.timestamp_us);

  size_t left = max_bytes;
  const auto cut = [&](std::string_view bytes) {
    const std::string_view kept = bytes.substr(0, left);
    left -= kept.size();
    if (kept.size() < bytes.size()) letter.set_truncated(true);
    return std::string(kept);
  };
  letter.set_has_key(record.key.has_value());
  letter.set_tombstone(!record.value.has_value());
  if (record.key) letter.set_key(cut(*record.key));
  for (const HeaderView& header : record.headers) {
    if (left == 0) {
      letter.set_truncated(true);
      break;
    }
    auto* kept = letter.add_headers();
    kept->set_name(AsText(cut(header.name)));
    if (header.value) kept->set_value(cut(*header.value));
  }
  if (record.value) {
    letter.set_original_bytes(static_cast<int64_t>(record.value->size()));
    letter.set_value(cut(*record.value));
  }
  return letter;
}

}  // namespace portrait
