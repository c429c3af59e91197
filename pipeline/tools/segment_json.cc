#include "pipeline/tools/segment_json.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"

namespace portrait {

namespace {

using Json = nlohmann::ordered_json;

std::string Iso8601(int64_t time_us) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E*SZ", absl::FromUnixMicros(time_us), absl::UTCTimeZone());
}

// Adds what is there.
class Fields {
 public:
  explicit Fields(Json& json) : json_(json) {}
  Fields& Text(const char* name, const std::string& value) {
    if (!value.empty()) json_[name] = value;
    return *this;
  }
  Fields& Time(const char* name, int64_t time_us) {
    if (time_us != 0) json_[name] = Iso8601(time_us);
    return *this;
  }
  Fields& Money(const char* name, int64_t micros) {
    json_[name] = static_cast<double>(micros) / 1e6;
    return *this;
  }
  Fields& MoneyIfAny(const char* name, int64_t micros) { return micros == 0 ? *this : Money(name, micros); }
  Fields& CountIfAny(const char* name, int64_t count) {
    if (count != 0) json_[name] = count;
    return *this;
  }
  Fields& Number(const char* name, double value) {
    json_[name] = value;
    return *this;
  }

 private:
  Json& json_;
};

void AddProduct(const v1::Product& product, Json& json) {
  Fields(json)
      .Text("product_id", product.product_id())
      .Text("name", product.name())
      .Text("category", product.category())
      .Text("brand", product.brand())
      .MoneyIfAny("price", product.price_micros())
      .CountIfAny("quantity", product.quantity());
}

template <class List>
void AddProducts(const List& products, Json& json) {
  if (products.empty()) return;
  Json& array = json["products"] = Json::array();
  for (const v1::Product& product : products) AddProduct(product, array.emplace_back(Json::object()));
}

void AddPage(const v1::PageView& page, Json& json) {
  Fields(json)
      .Text("url", page.url())
      .Text("path", page.path())
      .Text("title", page.title())
      .Text("referrer", page.referrer())
      .Text("category", page.category())
      .Text("product_id", page.product_id());
  if (page.dwell_us() != 0) json["dwell_seconds"] = static_cast<double>(page.dwell_us()) / 1e6;
}

void AddClick(const v1::Click& click, Json& json) {
  Fields(json)
      .Text("path", click.path())
      .Text("element", click.element())
      .Text("target_url", click.target_url())
      .Text("category", click.category())
      .Text("product_id", click.product_id());
}

void AddAction(const v1::ProductAction& action, Json& json) {
  AddProduct(action.product(), json);
  Fields(json).Text("list_id", action.list_id()).Text("currency", action.currency()).Text("path", action.path());
}

void AddCart(const v1::Cart& cart, Json& json) {
  Fields(json).Text("cart_id", cart.cart_id()).Money("value", cart.value_micros()).Text("currency", cart.currency());
  AddProducts(cart.products(), json);
}

void AddEmail(const v1::Email& mail, Json& json) {
  Fields(json)
      .Text("email_id", mail.mail_id())
      .Text("campaign_id", mail.campaign_id())
      .Text("kind", mail.kind())
      .Text("recipient", mail.recipient())
      .Text("email_subject", mail.subject())
      .Text("link_url", mail.link())
      .Text("reason", mail.reason());
}

void AddOrder(const v1::Order& order, Json& json) {
  Fields(json)
      .Text("order_id", order.order_id())
      .Money("total", order.total_micros())
      .Text("currency", order.currency())
      .Text("channel", order.channel())
      .Text("coupon", order.coupon())
      .Text("campaign_id", order.campaign_id());
  AddProducts(order.products(), json);
}

void AddContact(const v1::ServiceContact& contact, Json& json) {
  Fields(json)
      .Text("ticket_id", contact.ticket_id())
      .Text("channel", contact.channel())
      .Text("topic", contact.topic())
      .Text("agent", contact.agent())
      .Text("text", contact.text());
}

void AddPerson(const v1::Person& person, Json& json) {
  Fields(json)
      .Text("name", person.name())
      .Text("gender", person.sex())
      .CountIfAny("birth_year", person.birth_year())
      .CountIfAny("age", person.age())
      .MoneyIfAny("income", person.income_micros())
      .Text("income_currency", person.income_currency())
      .Text("occupation", person.occupation())
      .Text("education", person.education())
      .Text("family", person.family())
      .Text("email", person.email())
      .Text("phone", person.phone());
  Json address = Json::object();
  Fields(address).Text("country", person.country()).Text("state", person.region()).Text("city", person.city());
  if (!address.empty()) json["address"] = std::move(address);
}

const char* ChoiceName(v1::Consent::Choice choice) { return choice == v1::Consent::GRANTED ? "granted" : "denied"; }

void AddConsent(const v1::Consent& consent, Json& json) {
  if (consent.marketing() != v1::Consent::UNKNOWN) json["marketing"] = ChoiceName(consent.marketing());
  if (consent.analytics() != v1::Consent::UNKNOWN) json["analytics"] = ChoiceName(consent.analytics());
}

void AddPin(const v1::TagPin& pin, Json& json) {
  Fields(json)
      .Text("tag", pin.tag())
      .Text("author", pin.author())
      .Text("reason", pin.reason())
      .Time("until", pin.until_us());
  if (pin.absent()) json["absent"] = true;
}

// order_completed is "Order Completed".
std::string TrackName(EventKind kind) {
  std::string name(EventKindName(kind));
  bool starts = true;
  for (char& c : name) {
    if (c == '_') c = ' ';
    if (starts) c = absl::ascii_toupper(static_cast<unsigned char>(c));
    starts = c == ' ';
  }
  return name;
}

void AddProperties(const Event& event, Json& json) {
  switch (event.body_case()) {
    case Event::kPageViewed: return AddPage(event.page_viewed(), json);
    case Event::kPageLeft: return AddPage(event.page_left(), json);
    case Event::kClicked: return AddClick(event.clicked(), json);
    case Event::kProductViewed: return AddAction(event.product_viewed(), json);
    case Event::kProductClicked: return AddAction(event.product_clicked(), json);
    case Event::kProductAdded: return AddAction(event.product_added(), json);
    case Event::kProductRemoved: return AddAction(event.product_removed(), json);
    case Event::kProductListViewed:
      Fields(json)
          .Text("list_id", event.product_list_viewed().list_id())
          .Text("category", event.product_list_viewed().category())
          .Text("path", event.product_list_viewed().path());
      return;
    case Event::kProductsSearched:
      Fields(json)
          .Text("query", event.products_searched().query())
          .CountIfAny("results", event.products_searched().results());
      return;
    case Event::kCartViewed: return AddCart(event.cart_viewed(), json);
    case Event::kCheckoutStarted: return AddCart(event.checkout_started(), json);
    case Event::kEmailDelivered: return AddEmail(event.email_delivered(), json);
    case Event::kEmailOpened: return AddEmail(event.email_opened(), json);
    case Event::kEmailLinkClicked: return AddEmail(event.email_link_clicked(), json);
    case Event::kEmailBounced: return AddEmail(event.email_bounced(), json);
    case Event::kEmailMarkedAsSpam: return AddEmail(event.email_marked_as_spam(), json);
    case Event::kUnsubscribed: return AddEmail(event.unsubscribed(), json);
    case Event::kOrderCompleted: return AddOrder(event.order_completed(), json);
    case Event::kOrderRefunded: return AddOrder(event.order_refunded(), json);
    case Event::kOrderCancelled: return AddOrder(event.order_cancelled(), json);
    case Event::kQuestionAsked: return AddContact(event.question_asked(), json);
    case Event::kComplaintFiled: return AddContact(event.complaint_filed(), json);
    case Event::kReplySent: return AddContact(event.reply_sent(), json);
    case Event::kIssueResolved: return AddContact(event.issue_resolved(), json);
    case Event::kSatisfactionRated:
      Fields(json)
          .Text("ticket_id", event.satisfaction_rated().ticket_id())
          .Number("score", event.satisfaction_rated().score())
          .Text("agent", event.satisfaction_rated().agent());
      return;
    case Event::kPhoneCall:
      Fields(json).Text("agent", event.phone_call().agent()).Text("topic", event.phone_call().topic());
      if (event.phone_call().duration_us() != 0)
        json["duration_seconds"] = static_cast<double>(event.phone_call().duration_us()) / 1e6;
      if (event.phone_call().direction() == v1::PhoneCall::INBOUND) json["direction"] = "inbound";
      if (event.phone_call().direction() == v1::PhoneCall::OUTBOUND) json["direction"] = "outbound";
      return;
    case Event::kFeedbackSubmitted:
      Fields(json)
          .Text("form", event.feedback_submitted().form())
          .Number("score", event.feedback_submitted().score())
          .Text("text", event.feedback_submitted().text());
      return;
    case Event::kSocialInteraction:
      Fields(json)
          .Text("network", event.social_interaction().network())
          .Text("action", event.social_interaction().action())
          .Text("text", event.social_interaction().text());
      return;
    case Event::kIdentified: return AddPerson(event.identified(), json);
    case Event::kConsentChanged: return AddConsent(event.consent_changed(), json);
    case Event::kCustomerErased: Fields(json).Text("reason", event.customer_erased().reason()); return;
    case Event::kTagPinned: return AddPin(event.tag_pinned(), json);
    case Event::kTagUnpinned:
      Fields(json)
          .Text("tag", event.tag_unpinned().tag())
          .Text("author", event.tag_unpinned().author())
          .Text("reason", event.tag_unpinned().reason());
      return;
    case Event::BODY_NOT_SET: return;
  }
}

void AddContext(const Event& event, Json& json) {
  if (!event.source().empty()) json["context"]["app"]["name"] = event.source();
  if (!event.session_id().empty()) json["context"]["sessionId"] = event.session_id();
  for (const v1::Identifier& identifier : event.identifiers()) {
    const std::string kind = absl::AsciiStrToLower(v1::Identifier::Kind_Name(identifier.kind()));
    json["context"]["externalIds"].push_back(Json{{"id", identifier.value()}, {"type", kind}});
  }
  if (event.has_consent()) {
    Json consent = Json::object();
    AddConsent(event.consent(), consent);
    json["context"]["consent"]["categoryPreferences"] = std::move(consent);
  }
}

}  // namespace

std::string ToSegmentJson(const Event& event) {
  Json json = Json::object();
  const EventKind kind = event.body_case();
  const bool identify = kind == Event::kIdentified, page = kind == Event::kPageViewed;
  json["type"] = identify ? "identify" : page ? "page" : "track";
  if (!identify && !page) json["event"] = TrackName(kind);
  Fields(json)
      .Text("messageId", event.event_id())
      .Text("userId", event.customer_id())
      .Text("anonymousId", event.anonymous_id())
      .Time("timestamp", event.event_time_us())
      .Time("originalTimestamp", event.sent_time_us() != 0 ? event.event_time_us() : 0)
      .Time("sentAt", event.sent_time_us())
      .Time("receivedAt", event.received_time_us());
  Json properties = Json::object();
  AddProperties(event, properties);
  json[identify ? "traits" : "properties"] = std::move(properties);
  AddContext(event, json);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace portrait
