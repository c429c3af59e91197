#include "state/row_store.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace portrait {

absl::StatusOr<RowHeader> ReadRowHeader(std::string_view row) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(row.data()), static_cast<int>(row.size()));
  RowHeader header;
  while (const uint32_t tag = in.ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    uint64_t value = 0;
    if (field > v1::Row::kGoneFieldNumber) return header;
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_VARINT || !in.ReadVarint64(&value)) {
      return absl::DataLossError(absl::StrCat("not a stored row: ", row.size(), " bytes"));
    }
    if (field == v1::Row::kNumberFieldNumber) header.number = value;
    if (field == v1::Row::kNextTimerUsFieldNumber) header.next_timer_us = WireFormatLite::ZigZagDecode64(value);
    if (field == v1::Row::kGoneFieldNumber) header.gone = value != 0;
  }
  return header;
}

absl::Status RowStore::GetMany(const std::vector<std::string_view>& customer_ids, const VisitRow& visit) {
  for (size_t place = 0; place < customer_ids.size(); ++place) {
    const auto row = Get(customer_ids[place]);
    if (!row.ok()) return row.status();
    visit(place, row->has_value() ? std::optional<std::string_view>(**row) : std::nullopt);
  }
  return absl::OkStatus();
}

}  // namespace portrait
