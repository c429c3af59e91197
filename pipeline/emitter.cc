#include "pipeline/emitter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/wire_format_lite.h"
#include "portrait/v1/result.pb.h"
#include "xxhash.h"

namespace portrait {

OutputDigest::OutputDigest() : state_(XXH3_createState()) { XXH3_64bits_reset(state_); }
OutputDigest::~OutputDigest() { XXH3_freeState(state_); }
OutputDigest::OutputDigest(OutputDigest&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)), count_(other.count_) {}
OutputDigest& OutputDigest::operator=(OutputDigest&& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(count_, other.count_);
  return *this;
}

void OutputDigest::Add(size_t output, std::string_view key, std::string_view payload) {
  const uint64_t frame[3] = {output, key.size(), payload.size()};
  XXH3_64bits_update(state_, frame, sizeof(frame));
  XXH3_64bits_update(state_, key.data(), key.size());
  XXH3_64bits_update(state_, payload.data(), payload.size());
  ++count_;
}

uint64_t OutputDigest::value() const { return XXH3_64bits_digest(state_); }

void OutputDigest::Reset() {
  XXH3_64bits_reset(state_);
  count_ = 0;
}

Emitter::Output Emitter::Batch::operator[](size_t i) const {
  const Span& span = spans_[i];
  const std::string_view bytes = bytes_;
  return {span.output, bytes.substr(span.begin, span.key_end - span.begin),
          bytes.substr(span.key_end, span.end - span.key_end)};
}

void Emitter::Add(size_t output, std::string_view customer_id, const google::protobuf::Message& result) {
  if (discard_) {
    batch_.bytes_.clear();
    batch_.spans_.clear();
  }
  const size_t begin = batch_.bytes_.size();
  batch_.bytes_.append(customer_id);
  const size_t key_end = batch_.bytes_.size();
  result.AppendToString(&batch_.bytes_);
  batch_.spans_.push_back({output, begin, key_end, batch_.bytes_.size()});
  const Output added = batch_[batch_.size() - 1];
  digest_.Add(output, added.key, added.payload);
}

void Emitter::AddShadow(std::string_view tag, bool comes) {
  if (discard_) return;
  ShadowChanges& changes = shadow_[std::string(tag)];
  ++(comes ? changes.entries : changes.exits);
}

void Emitter::AddShadowJudgement(const ShadowJudgement& judged) {
  if (!discard_) shadow_counts_.Add(judged);
}

void Emitter::AddShadowAlert(AlertBy by, v1::ChurnAlert::Phase phase) {
  if (!discard_) shadow_counts_.Add(by, phase);
}

Emitter::Taken Emitter::Take() {
  Taken taken{std::move(batch_), digest_.value(), digest_.count()};
  if (discard_) taken.batch = Batch();
  batch_ = Batch();
  digest_.Reset();
  return taken;
}

absl::Status EncodeResult(const google::protobuf::Descriptor& type, std::string_view payload, int64_t emission_time_us,
                          WireFormat format, std::string& out) {
  // Every result has a ResultInfo as its field `info`; bytes of a message may be continued by more bytes of it, and
  // sub-messages merge, so the emission time is appended without parsing.
  v1::ResultInfo emitted;
  emitted.set_emission_time_us(emission_time_us);
  const std::string body = emitted.SerializeAsString();
  std::string info;
  {
    google::protobuf::io::StringOutputStream stream(&info);
    google::protobuf::io::CodedOutputStream coded(&stream);
    google::protobuf::internal::WireFormatLite::WriteBytes(type.FindFieldByName("info")->number(), body, &coded);
  }
  if (format == WireFormat::kProtobuf) {
    out.assign(payload);
    out.append(info);
    return absl::OkStatus();
  }
  const auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
  if (prototype == nullptr) return absl::InternalError(absl::StrCat("no generated type: ", type.full_name()));
  const std::unique_ptr<google::protobuf::Message> message(prototype->New());
  if (!message->ParseFromString(absl::StrCat(absl::string_view(payload.data(), payload.size()), info))) {
    return absl::DataLossError(absl::StrCat("not a result of type ", type.full_name()));
  }
  out.clear();
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  const auto status = google::protobuf::util::MessageToJsonString(*message, &out, options);
  if (!status.ok()) return absl::InternalError(absl::StrCat("cannot write as JSON: ", status.ToString()));
  return absl::OkStatus();
}

std::string_view ContentType(WireFormat format) {
  return format == WireFormat::kProtobuf ? "application/x-protobuf" : "application/json";
}

}  // namespace portrait
