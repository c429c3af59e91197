#include "pipeline/tools/result_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "google/protobuf/util/json_util.h"
#include "operators/time.h"
#include "operators/value.h"
#include "pipeline/absl_view.h"

namespace portrait {

namespace {

using google::protobuf::Message;

// Is it JSON by its header or, without one, by its first byte?
bool IsJson(const Record& record) {
  for (const HeaderView& header : record.headers) {
    if (absl::EqualsIgnoreCase(AbslView(header.name), "content-type") && header.value) {
      return absl::StrContains(absl::AsciiStrToLower(AbslView(*header.value)), "json");
    }
  }
  return record.value->starts_with('{');  // no result begins with this byte as Protobuf: its first field is a message
}

template <class Result>
const Result* As(const Message& result) {
  return result.GetDescriptor() == Result::descriptor() ? static_cast<const Result*>(&result) : nullptr;
}

std::string FeatureText(const v1::FeatureValue& value) {
  switch (value.value_case()) {
    case v1::FeatureValue::kBoolean: return value.boolean() ? "yes" : "no";
    case v1::FeatureValue::kInteger: return absl::StrCat(value.integer());
    case v1::FeatureValue::kNumber: return absl::StrFormat("%g", value.number());
    case v1::FeatureValue::kText: return value.text();
    case v1::FeatureValue::kTimestampUs: return MinuteText(value.timestamp_us());
    case v1::FeatureValue::kDurationUs: return absl::StrFormat("%.1f days", InDays(Duration(value.duration_us())));
    case v1::FeatureValue::VALUE_NOT_SET: return "nothing";
  }
  return {};
}

std::string Because(const v1::ResultInfo& info) {
  const std::string reasons = ReasonsText(info);
  return reasons.empty() ? "" : "  because " + reasons;
}

std::string TagLine(const v1::TagChange& change) {
  return absl::StrCat(MinuteText(change.info().event_time_us()), "  ", change.info().customer_id(), "  ",
                      change.after() ? "+ " : "- ", change.tag(), Because(change.info()));
}

std::string AlertLine(const v1::ChurnAlert& alert) {
  const bool closed = alert.phase() == v1::ChurnAlert::CLOSED;
  std::string line = absl::StrCat(MinuteText(alert.info().event_time_us()), "  ", alert.info().customer_id(),
                                  closed ? "  ~" : "  !", " churn ", AbslView(PhaseName(alert.phase())));
  if (!closed) absl::StrAppend(&line, ", ", AbslView(BandName(alert.band())));
  if (!closed && alert.horizon_days() > 0) {
    absl::StrAppendFormat(&line, ": %.0f %% that no order comes within %d days", alert.probability() * 100,
                          alert.horizon_days());
  }
  if (!closed && alert.value_at_risk_micros() > 0) {
    absl::StrAppend(&line, ", ", MoneyText(alert.value_at_risk_micros(), alert.currency()), " at risk");
  }
  if (!closed && alert.holdout()) absl::StrAppend(&line, ", held out");
  return line + Because(alert.info());
}

std::string LetterLine(const v1::DeadLetter& letter) {
  std::string line = absl::StrCat(MinuteText(letter.timestamp_us()), "  ", letter.topic(), "/", letter.partition(), "@",
                                  letter.offset(), "  ! ", letter.code(), ": ", letter.text());
  absl::StrAppend(
      &line, letter.tombstone()
                 ? " (no value)"
                 : absl::StrCat(" (", std::max<int64_t>(letter.original_bytes(), letter.value().size()), " bytes)"));
  return line;
}

const v1::ResultInfo* InfoOf(const Message& result) {
  const auto* field = result.GetDescriptor()->FindFieldByName("info");
  if (field == nullptr || field->message_type() != v1::ResultInfo::descriptor() || field->is_repeated()) return nullptr;
  return static_cast<const v1::ResultInfo*>(&result.GetReflection()->GetMessage(result, field));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Message>> DecodeResult(const google::protobuf::Descriptor& type, const Record& record) {
  if (!record.value) return absl::InvalidArgumentError("a record without a value");
  const Message* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
  if (prototype == nullptr) return absl::InternalError(absl::StrCat("no generated type: ", type.full_name()));
  std::unique_ptr<Message> message(prototype->New());
  if (!IsJson(record)) {
    if (message->ParseFromArray(record.value->data(), static_cast<int>(record.value->size()))) return message;
    return absl::InvalidArgumentError(absl::StrCat("not a ", type.name()));
  }
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status =
      google::protobuf::util::JsonStringToMessage({record.value->data(), record.value->size()}, message.get(), options);
  if (!status.ok())
    return absl::InvalidArgumentError(absl::StrCat("not a ", type.name(), " as JSON: ", status.ToString()));
  return message;
}

std::string ResultLine(const Message& result) {
  if (const auto* change = As<v1::TagChange>(result)) return TagLine(*change);
  if (const auto* alert = As<v1::ChurnAlert>(result)) return AlertLine(*alert);
  if (const auto* letter = As<v1::DeadLetter>(result)) return LetterLine(*letter);
  const v1::ResultInfo* info = InfoOf(result);
  const std::string head =
      info == nullptr ? "" : absl::StrCat(MinuteText(info->event_time_us()), "  ", info->customer_id(), "  ");
  return head + ResultJson(result);
}

std::string ResultJson(const Message& result) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(result, &json, options);
  return status.ok() ? json : "{}";  // only for invalid UTF-8, which no result holds
}

std::string ReasonText(const v1::Reason& reason) {
  if (!reason.text().empty()) return reason.text();
  if (reason.feature().empty()) return {};
  std::string text = absl::StrCat(reason.feature(), " ", FeatureText(reason.value()));
  if (!reason.comparison().empty())
    absl::StrAppend(&text, " (", reason.comparison(), " ", FeatureText(reason.threshold()), ")");
  return text;
}

std::string ReasonsText(const v1::ResultInfo& info) {
  std::string text;
  for (const v1::Reason& reason : info.reasons()) {
    const std::string one = ReasonText(reason);
    if (!one.empty()) absl::StrAppend(&text, text.empty() ? "" : "; ", one);
  }
  return text;
}

std::string MoneyText(int64_t micros, std::string_view currency) {
  const int64_t cents = (std::llabs(micros) + 5'000) / 10'000;
  return absl::StrFormat("%s%d.%02d%s%s", micros < 0 ? "-" : "", cents / 100, cents % 100, currency.empty() ? "" : " ",
                         AbslView(currency));
}

std::string MinuteText(int64_t time_us) {
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMicros(time_us), absl::UTCTimeZone());
}

std::string_view BandName(v1::ChurnAlert::Band band) {
  switch (band) {
    case v1::ChurnAlert::LOW: return "low";
    case v1::ChurnAlert::MEDIUM: return "medium";
    case v1::ChurnAlert::HIGH: return "high";
    default: return "none";
  }
}

std::string_view PhaseName(v1::ChurnAlert::Phase phase) {
  switch (phase) {
    case v1::ChurnAlert::OPENED: return "opened";
    case v1::ChurnAlert::WORSENED: return "worsened";
    case v1::ChurnAlert::CLOSED: return "closed";
    default: return "of an unknown phase";
  }
}

bool ResultFilter::Passes(const Message& result) const {
  const v1::ResultInfo* info = InfoOf(result);
  if (!customers.empty() && (info == nullptr || !customers.contains(info->customer_id()))) return false;
  const auto* change = As<v1::TagChange>(result);
  if (!tags.empty() && (change == nullptr || !tags.contains(change->tag()))) return false;
  const auto* letter = As<v1::DeadLetter>(result);
  if (!codes.empty() && (letter == nullptr || !codes.contains(letter->code()))) return false;
  const auto* alert = As<v1::ChurnAlert>(result);
  return band == v1::ChurnAlert::NONE || (alert != nullptr && std::max(alert->band(), alert->band_before()) >= band);
}

}  // namespace portrait
