#include "pipeline/decode/protobuf_event.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/wire_format_lite.h"
#include "operators/rejection_codes.h"
#include "operators/utf8.h"

namespace portrait {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::internal::WireFormatLite;

constexpr int kFirstBody = 20, kMostDepth = 100;

// The name of the first text field in these bytes that is not UTF-8; empty if there is none before the bytes break off.
// Protobuf refuses such an event like any broken bytes, so this looks again, to say why.
std::string_view FieldWithoutUtf8(std::string_view bytes, const Descriptor& type, int depth) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  while (const uint32_t tag = in.ReadTag()) {
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&in, tag)) return {};
      continue;
    }
    uint32_t length = 0;
    if (!in.ReadVarint32(&length)) return {};
    const auto start = static_cast<size_t>(in.CurrentPosition());
    if (length > bytes.size() - start || !in.Skip(static_cast<int>(length))) return {};
    const FieldDescriptor* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    if (field == nullptr) continue;
    const std::string_view content = bytes.substr(start, length);
    if (field->type() == FieldDescriptor::TYPE_STRING && !IsUtf8(content)) return field->name();
    if (field->type() == FieldDescriptor::TYPE_MESSAGE && depth < kMostDepth) {
      const std::string_view inner = FieldWithoutUtf8(content, *field->message_type(), depth + 1);
      if (!inner.empty()) return inner;
    }
  }
  return {};
}

Rejection WithoutBody(const Event& event) {
  const auto& unknown = Event::GetReflection()->GetUnknownFields(event);
  for (int i = 0; i < unknown.field_count(); ++i) {
    const UnknownField& field = unknown.field(i);
    if (field.number() < kFirstBody || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    return Reject(RejectionCode::kUnknownEvent, absl::StrCat("no body of this number is known: ", field.number()));
  }
  return Reject(RejectionCode::kNoBody, "the event has no body");
}

}  // namespace

std::optional<Rejection> DecodeProtobuf(std::string_view bytes, Event& event) {
  if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    event.Clear();  // half of it may be there, and not UTF-8
    const std::string_view field = FieldWithoutUtf8(bytes, *Event::descriptor(), 0);
    if (field.empty()) {
      return Reject(RejectionCode::kMalformedProtobuf,
                    absl::StrCat("the value is no portrait.v1.Event: ", bytes.size(), " bytes"));
    }
    return Reject(RejectionCode::kInvalidUtf8, absl::StrCat("a text is not valid UTF-8: ", std::string(field)));
  }
  event.clear_corrected();  // ours to say, not the sender's
  event.clear_imputed();
  if (event.body_case() == Event::BODY_NOT_SET) return WithoutBody(event);
  return std::nullopt;
}

}  // namespace portrait
