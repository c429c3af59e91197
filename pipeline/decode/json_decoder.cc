#include "pipeline/decode/json_decoder.h"

#include <simdjson.h>

#include "absl/strings/str_cat.h"
#include "operators/rejection_codes.h"
#include "pipeline/decode/event_names.h"
#include "pipeline/decode/json_event.h"

namespace portrait {
namespace {

// A part of the context: what is no object is not worth a rejection there.
Fields Inner(const Fields& outer, Key key) {
  Fields fields;
  simdjson::dom::object object;
  if (const Field field = outer[key]; field.value && !field.value->get(object)) fields.Collect(object);
  return fields;
}

EventKind KindOfTrack(const Fields& top, FieldReader& read) {
  const std::string_view name = read.Text({top[Key::kEvent]});
  if (name.empty()) {
    read.Fail(RejectionCode::kUnknownEvent, "the event has no name: event");
    return Event::BODY_NOT_SET;
  }
  const EventName* const known = FindEventName(name);
  if (known == nullptr) {
    read.Fail(RejectionCode::kUnknownEvent, absl::StrCat("no such event: ", Quoted(name)));
    return Event::BODY_NOT_SET;
  }
  if (known->kind == Event::BODY_NOT_SET) {
    read.Fail(RejectionCode::kUnsupportedEvent, absl::StrCat(std::string(known->instead), ": ", Quoted(name)));
  }
  return known->kind;
}

EventKind KindWithoutType(const Fields& top, FieldReader& read) {
  if (top[Key::kEvent].value) return KindOfTrack(top, read);
  if (top[Key::kBatch].value) {
    read.Fail(RejectionCode::kUnsupportedEvent, "send the events of a batch one by one: batch");
  } else {
    read.Fail(RejectionCode::kUnknownEvent, "nothing says what kind of event it is: neither type nor event");
  }
  return Event::BODY_NOT_SET;
}

EventKind KindOf(const Fields& top, FieldReader& read) {
  const std::string_view type = read.Text({top[Key::kType]});
  if (type.empty()) return KindWithoutType(top, read);
  const PlainName name(type);
  const std::string_view plain = name.view();
  if (plain == "track") return KindOfTrack(top, read);
  if (plain == "page" || plain == "screen") return Event::kPageViewed;
  if (plain == "identify") return Event::kIdentified;
  if (plain == "group" || plain == "alias") {
    read.Fail(RejectionCode::kUnsupportedEvent,
              absl::StrCat("customers are neither grouped nor merged by such a call: ", Quoted(type)));
  } else {
    read.Fail(RejectionCode::kUnknownEvent, absl::StrCat("no such type of event: ", Quoted(type)));
  }
  return Event::BODY_NOT_SET;
}

// Segment puts the sender's time right by itself and keeps what the sender said as originalTimestamp. Cleaning does the
// same, so it gets the original where all it needs is there.
bool ReadTimes(const Fields& top, FieldReader& read, Event& event) {
  const auto original = read.Time({top[Key::kOriginalTimestamp]}), corrected = read.Time({top[Key::kTimestamp]});
  const auto sent = read.Time({top[Key::kSentAt]}), received = read.Time({top[Key::kReceivedAt]});
  if (sent) event.set_sent_time_us(*sent);
  if (received) event.set_received_time_us(*received);
  const auto time = (original && sent && received) || !corrected ? original : corrected;
  if (time) event.set_event_time_us(*time);
  return time.has_value();
}

v1::Identifier::Kind IdentifierKind(std::string_view type) {
  const PlainName name(type);
  if (name.view() == "email") return v1::Identifier::EMAIL;
  if (name.view() == "phone") return v1::Identifier::PHONE;
  if (name.view() == "cookie") return v1::Identifier::COOKIE;
  if (name.view() == "account") return v1::Identifier::ACCOUNT;
  if (name.view() == "device") return v1::Identifier::DEVICE;
  return v1::Identifier::OTHER;
}

void AddIdentifier(v1::Identifier::Kind kind, Field field, FieldReader& read, Event& event) {
  const std::string_view value = read.Text({field});
  if (value.empty()) return;
  v1::Identifier& identifier = *event.add_identifiers();
  identifier.set_kind(kind);
  identifier.mutable_value()->assign(value);
}

void ReadIdentifiers(const JsonEvent& in, FieldReader& read, Event& event) {
  AddIdentifier(v1::Identifier::EMAIL, in.context_traits[Key::kEmail], read, event);
  AddIdentifier(v1::Identifier::PHONE, in.context_traits[Key::kPhone], read, event);
  AddIdentifier(v1::Identifier::DEVICE, Inner(in.context, Key::kDevice)[Key::kId], read, event);
  const auto externals = read.Array({in.context[Key::kExternalIds]});
  if (!externals) return;
  for (const simdjson::dom::element external : *externals) {
    const Fields fields = read.Object({Field{Key::kExternalIds, external}});
    const v1::Identifier::Kind kind = IdentifierKind(read.Text({fields[Key::kType]}));
    AddIdentifier(kind, fields[Key::kId], read, event);
  }
}

void ReadEnvelope(const JsonEvent& in, FieldReader& read, Event& event) {
  read.Text({in.top[Key::kMessageId]}, event, &Event::mutable_event_id);
  read.Text({in.top[Key::kUserId]}, event, &Event::mutable_customer_id);
  read.Text({in.top[Key::kAnonymousId]}, event, &Event::mutable_anonymous_id);
  read.Text({in.top[Key::kSessionId], in.context[Key::kSessionId], in.properties[Key::kSessionId]}, event,
            &Event::mutable_session_id);
  read.Text({in.top[Key::kSource], in.context[Key::kSource], Inner(in.context, Key::kApp)[Key::kName]}, event,
            &Event::mutable_source);
  if (in.context[Key::kConsent].value) {
    const Fields consent = Inner(in.context, Key::kConsent);
    if (!ReadConsent(Inner(consent, Key::kCategoryPreferences), read, &Event::mutable_consent, event)) {
      ReadConsent(consent, read, &Event::mutable_consent, event);
    }
  }
  ReadIdentifiers(in, read, event);
}

std::optional<Rejection> Parse(std::string_view text, simdjson::dom::parser& parser, simdjson::dom::object& object) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.empty()) return Reject(RejectionCode::kMalformedJson, "the value is empty");
  simdjson::dom::element root;
  const auto error = parser.parse(text.data(), text.size()).get(root);
  if (error == simdjson::UTF8_ERROR) return Reject(RejectionCode::kInvalidUtf8, "the text is not valid UTF-8");
  if (error) {
    return Reject(RejectionCode::kMalformedJson,
                  absl::StrCat("the value is no JSON (", simdjson::error_message(error), "): ", Quoted(text)));
  }
  if (root.get(object)) {
    return Reject(RejectionCode::kNotAnObject, absl::StrCat("the value is no JSON object: ", Quoted(text)));
  }
  return std::nullopt;
}

}  // namespace

struct JsonDecoder::Parser {
  simdjson::dom::parser parser;
};

JsonDecoder::JsonDecoder() : parser_(std::make_unique<Parser>()) {}
JsonDecoder::~JsonDecoder() = default;

std::optional<Rejection> JsonDecoder::Decode(std::string_view text, Event& event, bool& has_time) {
  event.Clear();
  simdjson::dom::object object;
  if (auto rejection = Parse(text, parser_->parser, object)) return rejection;
  FieldReader read;
  JsonEvent in;
  in.top.Collect(object);
  const EventKind kind = KindOf(in.top, read);
  if (read.failed()) return std::move(read).rejection();
  in.properties = read.Object({in.top[Key::kProperties]});
  in.traits = read.Object({in.top[Key::kTraits]});
  in.context = read.Object({in.top[Key::kContext]});
  in.page = Inner(in.context, Key::kPage);
  in.campaign = Inner(in.context, Key::kCampaign);
  in.context_traits = Inner(in.context, Key::kTraits);
  ReadEnvelope(in, read, event);
  has_time = ReadTimes(in.top, read, event);
  ReadBody(in, kind, read, event);
  return std::move(read).rejection();
}

}  // namespace portrait
