// The bodies of JSON events: which property fills which field. docs/events.md shows the same as a table.
#include <chrono>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "pipeline/decode/json_event.h"

namespace portrait {
namespace {

// A length of time as a number of seconds, or of milliseconds where that is given.
std::optional<int64_t> Micros(FieldReader& read, const Field& milliseconds, const Field& in_seconds) {
  const bool fine = milliseconds.value.has_value();
  const auto number = read.Number({milliseconds, in_seconds});
  if (!number) return std::nullopt;
  const double us = *number * (fine ? 1e3 : 1e6);
  if (std::abs(us) < 9e18) return std::llround(us);
  read.Fail(RejectionCode::kBadField,
            absl::StrCat(std::string(KeyName(fine ? milliseconds.key : in_seconds.key)), " is too long: ", *number));
  return std::nullopt;
}

// A score as a share of the best: as given, or divided by the scale.
std::optional<double> Score(const Fields& from, FieldReader& read) {
  const auto score = read.Number({from[Key::kScore]}), scale = read.Number({from[Key::kScale]});
  if (!score || !scale) return score;
  if (*scale > 0) return *score / *scale;
  read.Fail(RejectionCode::kBadScore, absl::StrCat("scale is not above 0: ", *scale));
  return std::nullopt;
}

void ReadPage(const JsonEvent& in, FieldReader& read, v1::PageView& page) {
  const Fields& from = in.properties;
  read.Text({from[Key::kUrl], in.page[Key::kUrl]}, page, &v1::PageView::mutable_url);
  read.Text({from[Key::kPath], in.page[Key::kPath]}, page, &v1::PageView::mutable_path);
  read.Text({from[Key::kTitle], in.page[Key::kTitle], in.top[Key::kName]}, page, &v1::PageView::mutable_title);
  read.Text({from[Key::kReferrer], in.page[Key::kReferrer]}, page, &v1::PageView::mutable_referrer);
  read.Text({from[Key::kCategory], in.top[Key::kCategory]}, page, &v1::PageView::mutable_category);
  read.Text({from[Key::kProductId], from[Key::kSku]}, page, &v1::PageView::mutable_product_id);
  if (const auto dwell = Micros(read, from[Key::kDwellMs], from[Key::kDwell])) page.set_dwell_us(*dwell);
  // The screen of an app has no path, only a name.
  if (page.path().empty() && page.url().empty()) read.Text({in.top[Key::kName]}, page, &v1::PageView::mutable_path);
}

void ReadClick(const JsonEvent& in, FieldReader& read, v1::Click& click) {
  const Fields& from = in.properties;
  read.Text({from[Key::kPath], in.page[Key::kPath]}, click, &v1::Click::mutable_path);
  read.Text({from[Key::kElement], from[Key::kLabel], from[Key::kName], from[Key::kText]}, click,
            &v1::Click::mutable_element);
  read.Text({from[Key::kHref], from[Key::kUrl]}, click, &v1::Click::mutable_target_url);
  read.Text({from[Key::kCategory]}, click, &v1::Click::mutable_category);
  read.Text({from[Key::kProductId], from[Key::kSku]}, click, &v1::Click::mutable_product_id);
}

void ReadProduct(const Fields& from, FieldReader& read, v1::Product& product) {
  read.Text({from[Key::kProductId], from[Key::kSku], from[Key::kId]}, product, &v1::Product::mutable_product_id);
  read.Text({from[Key::kName]}, product, &v1::Product::mutable_name);
  read.Text({from[Key::kCategory]}, product, &v1::Product::mutable_category);
  read.Text({from[Key::kBrand]}, product, &v1::Product::mutable_brand);
  if (const auto price = read.Amount({from[Key::kPrice]})) product.set_price_micros(*price);
  if (const auto quantity = read.Whole({from[Key::kQuantity]})) product.set_quantity(*quantity);
}

template <class Products>
void ReadProducts(const Fields& from, FieldReader& read, Products& products) {
  const auto array = read.Array({from[Key::kProducts]});
  if (!array) return;
  for (const simdjson::dom::element element : *array) {
    if (!element.is_null()) ReadProduct(read.Object({Field{Key::kProducts, element}}), read, *products.Add());
  }
}

void ReadProductAction(const JsonEvent& in, FieldReader& read, v1::ProductAction& action) {
  ReadProduct(in.properties, read, *action.mutable_product());
  read.Text({in.properties[Key::kListId]}, action, &v1::ProductAction::mutable_list_id);
  read.Text({in.properties[Key::kCurrency]}, action, &v1::ProductAction::mutable_currency);
  read.Text({in.properties[Key::kPath], in.page[Key::kPath]}, action, &v1::ProductAction::mutable_path);
}

void ReadProductList(const JsonEvent& in, FieldReader& read, v1::ProductList& list) {
  read.Text({in.properties[Key::kListId]}, list, &v1::ProductList::mutable_list_id);
  read.Text({in.properties[Key::kCategory]}, list, &v1::ProductList::mutable_category);
  read.Text({in.properties[Key::kPath], in.page[Key::kPath]}, list, &v1::ProductList::mutable_path);
}

void ReadSearch(const JsonEvent& in, FieldReader& read, v1::Search& search) {
  read.Text({in.properties[Key::kQuery]}, search, &v1::Search::mutable_query);
  if (const auto results = read.Whole({in.properties[Key::kResults]})) search.set_results(*results);
}

void ReadCart(const JsonEvent& in, FieldReader& read, v1::Cart& cart) {
  const Fields& from = in.properties;
  read.Text({from[Key::kCartId], from[Key::kOrderId]}, cart, &v1::Cart::mutable_cart_id);
  const auto value = read.Amount({from[Key::kValue], from[Key::kTotal], from[Key::kRevenue]});
  if (value) cart.set_value_micros(*value);
  read.Text({from[Key::kCurrency]}, cart, &v1::Cart::mutable_currency);
  ReadProducts(from, read, *cart.mutable_products());
}

template <class Message>
void ReadCampaign(const JsonEvent& in, FieldReader& read, Message& message) {
  read.Text({in.properties[Key::kCampaignId], in.properties[Key::kCampaignName], in.campaign[Key::kId],
             in.campaign[Key::kName]},
            message, &Message::mutable_campaign_id);
}

void ReadEmail(const JsonEvent& in, FieldReader& read, v1::Email& email) {
  const Fields& from = in.properties;
  read.Text({from[Key::kMailId]}, email, &v1::Email::mutable_mail_id);
  ReadCampaign(in, read, email);
  read.Text({from[Key::kKind], from[Key::kTopic]}, email, &v1::Email::mutable_kind);
  read.Text({from[Key::kRecipient], from[Key::kEmail], in.context_traits[Key::kEmail]}, email,
            &v1::Email::mutable_recipient);
  read.Text({from[Key::kSubject]}, email, &v1::Email::mutable_subject);
  read.Text({from[Key::kLinkUrl], from[Key::kUrl], from[Key::kLinkId]}, email, &v1::Email::mutable_link);
  read.Text({from[Key::kReason]}, email, &v1::Email::mutable_reason);
}

// The sum of the products, where each has a price and it fits.
std::optional<int64_t> SumOf(const v1::Order& order) {
  int64_t sum = 0;
  for (const v1::Product& product : order.products()) {
    int64_t cost = 0;
    const int64_t quantity = product.quantity() == 0 ? 1 : product.quantity();
    if (product.price_micros() <= 0 || __builtin_mul_overflow(product.price_micros(), quantity, &cost) ||
        __builtin_add_overflow(sum, cost, &sum)) {
      return std::nullopt;
    }
  }
  return order.products().empty() ? std::nullopt : std::optional(sum);
}

void ReadTotal(const Fields& from, EventKind kind, FieldReader& read, v1::Order& order, Event& event) {
  const auto total = read.Amount({from[Key::kTotal], from[Key::kRevenue], from[Key::kValue]});
  if (total) return order.set_total_micros(*total);
  if (kind == Event::kOrderCancelled) return;
  if (const auto sum = SumOf(order)) {
    order.set_total_micros(*sum);
    event.add_imputed("total");
  } else {
    read.Fail(RejectionCode::kMissingField, "the amount is not there and its products do not tell it: total");
  }
}

void ReadOrder(const JsonEvent& in, EventKind kind, FieldReader& read, v1::Order& order, Event& event) {
  const Fields& from = in.properties;
  read.Text({from[Key::kOrderId]}, order, &v1::Order::mutable_order_id);
  read.Text({from[Key::kCurrency]}, order, &v1::Order::mutable_currency);
  read.Text({from[Key::kChannel]}, order, &v1::Order::mutable_channel);
  ReadProducts(from, read, *order.mutable_products());
  read.Text({from[Key::kCoupon]}, order, &v1::Order::mutable_coupon);
  ReadCampaign(in, read, order);
  ReadTotal(from, kind, read, order, event);
}

void ReadContact(const JsonEvent& in, FieldReader& read, v1::ServiceContact& contact) {
  const Fields& from = in.properties;
  read.Text({from[Key::kTicketId]}, contact, &v1::ServiceContact::mutable_ticket_id);
  read.Text({from[Key::kChannel]}, contact, &v1::ServiceContact::mutable_channel);
  read.Text({from[Key::kTopic], from[Key::kSubject]}, contact, &v1::ServiceContact::mutable_topic);
  read.Text({from[Key::kAgent]}, contact, &v1::ServiceContact::mutable_agent);
  read.Text({from[Key::kText]}, contact, &v1::ServiceContact::mutable_text);
}

void ReadSatisfaction(const JsonEvent& in, FieldReader& read, v1::Satisfaction& rating) {
  read.Text({in.properties[Key::kTicketId]}, rating, &v1::Satisfaction::mutable_ticket_id);
  read.Text({in.properties[Key::kAgent]}, rating, &v1::Satisfaction::mutable_agent);
  const auto score = Score(in.properties, read);
  if (!score) return read.Fail(RejectionCode::kMissingField, "a rating needs a score: score");
  rating.set_score(*score);
}

void ReadCall(const JsonEvent& in, FieldReader& read, v1::PhoneCall& call) {
  const Fields& from = in.properties;
  const std::string_view direction = read.Text({from[Key::kDirection]});
  const PlainName plain(direction);
  if (plain.view() == "inbound" || plain.view() == "incoming") {
    call.set_direction(v1::PhoneCall::INBOUND);
  } else if (plain.view() == "outbound" || plain.view() == "outgoing") {
    call.set_direction(v1::PhoneCall::OUTBOUND);
  } else if (!direction.empty()) {
    read.Fail(RejectionCode::kBadField, absl::StrCat("direction is not inbound or outbound: ", Quoted(direction)));
  }
  if (const auto us = Micros(read, from[Key::kDurationMs], from[Key::kDuration])) call.set_duration_us(*us);
  read.Text({from[Key::kAgent]}, call, &v1::PhoneCall::mutable_agent);
  read.Text({from[Key::kTopic]}, call, &v1::PhoneCall::mutable_topic);
}

void ReadFeedback(const JsonEvent& in, FieldReader& read, v1::Feedback& feedback) {
  read.Text({in.properties[Key::kForm]}, feedback, &v1::Feedback::mutable_form);
  feedback.set_score(Score(in.properties, read).value_or(-1));
  read.Text({in.properties[Key::kText]}, feedback, &v1::Feedback::mutable_text);
}

void ReadSocial(const JsonEvent& in, FieldReader& read, v1::SocialInteraction& social) {
  read.Text({in.properties[Key::kNetwork]}, social, &v1::SocialInteraction::mutable_network);
  read.Text({in.properties[Key::kAction]}, social, &v1::SocialInteraction::mutable_action);
  read.Text({in.properties[Key::kText]}, social, &v1::SocialInteraction::mutable_text);
}

void ReadErasure(const JsonEvent& in, FieldReader& read, v1::Erasure& erasure) {
  read.Text({in.properties[Key::kReason]}, erasure, &v1::Erasure::mutable_reason);
}

void ReadPin(const JsonEvent& in, FieldReader& read, v1::TagPin& pin) {
  const Fields& from = in.properties;
  read.Text({from[Key::kTag]}, pin, &v1::TagPin::mutable_tag);
  if (const auto absent = read.Choice({from[Key::kAbsent]})) pin.set_absent(*absent);
  read.Text({from[Key::kAuthor]}, pin, &v1::TagPin::mutable_author);
  read.Text({from[Key::kReason]}, pin, &v1::TagPin::mutable_reason);
  if (const auto until = read.Time({from[Key::kUntil]})) pin.set_until_us(*until);
}

void ReadUnpin(const JsonEvent& in, FieldReader& read, v1::TagUnpin& unpin) {
  read.Text({in.properties[Key::kTag]}, unpin, &v1::TagUnpin::mutable_tag);
  read.Text({in.properties[Key::kAuthor]}, unpin, &v1::TagUnpin::mutable_author);
  read.Text({in.properties[Key::kReason]}, unpin, &v1::TagUnpin::mutable_reason);
}

void ReadName(const Fields& from, FieldReader& read, v1::Person& person) {
  read.Text({from[Key::kName]}, person, &v1::Person::mutable_name);
  if (!person.name().empty()) return;
  std::string name(read.Text({from[Key::kFirstName]}));
  if (const std::string_view last = read.Text({from[Key::kLastName]}); !last.empty()) {
    if (!name.empty()) name += ' ';
    name += last;
  }
  if (!name.empty()) person.set_name(std::move(name));
}

// A whole number where the message has 32 bits; what does not fit is as impossible as the number it becomes.
int32_t Narrow(int64_t number) { return number == static_cast<int32_t>(number) ? static_cast<int32_t>(number) : -1; }

void ReadAge(const Fields& from, FieldReader& read, v1::Person& person) {
  if (const auto age = read.Whole({from[Key::kAge]})) person.set_age(Narrow(*age));
  if (const auto year = read.Whole({from[Key::kBirthYear]})) {
    person.set_birth_year(Narrow(*year));
  } else if (const auto birthday = read.Time({from[Key::kBirthday]})) {
    const auto date = std::chrono::year_month_day(std::chrono::floor<days>(FromMicros(*birthday)));
    person.set_birth_year(static_cast<int>(date.year()));
  }
}

void ReadPerson(const JsonEvent& in, FieldReader& read, v1::Person& person) {
  const bool has_traits = in.top[Key::kTraits].value.has_value();
  const Fields& from = has_traits ? in.traits : in.properties;
  Fields address;
  simdjson::dom::object inner;
  if (const Field field = from[Key::kAddress]; field.value && !field.value->get(inner)) address.Collect(inner);
  ReadName(from, read, person);
  ReadAge(from, read, person);
  read.Text({from[Key::kSex]}, person, &v1::Person::mutable_sex);
  read.Text({address[Key::kCountry], from[Key::kCountry]}, person, &v1::Person::mutable_country);
  read.Text({address[Key::kRegion], from[Key::kRegion]}, person, &v1::Person::mutable_region);
  read.Text({address[Key::kCity], from[Key::kCity]}, person, &v1::Person::mutable_city);
  if (const auto income = read.Amount({from[Key::kIncome]})) person.set_income_micros(*income);
  read.Text({from[Key::kIncomeCurrency]}, person, &v1::Person::mutable_income_currency);
  read.Text({from[Key::kOccupation], from[Key::kTitle]}, person, &v1::Person::mutable_occupation);
  read.Text({from[Key::kEducation]}, person, &v1::Person::mutable_education);
  read.Text({from[Key::kFamily]}, person, &v1::Person::mutable_family);
  read.Text({from[Key::kEmail]}, person, &v1::Person::mutable_email);
  read.Text({from[Key::kPhone]}, person, &v1::Person::mutable_phone);
}

}  // namespace

bool ReadConsent(const Fields& fields, FieldReader& read, v1::Consent* (Event::*consent)(), Event& event) {
  const auto marketing = read.Choice({fields[Key::kMarketing]}), analytics = read.Choice({fields[Key::kAnalytics]});
  if (!marketing && !analytics) return false;
  const auto choice = [](bool yes) { return yes ? v1::Consent::GRANTED : v1::Consent::DENIED; };
  if (marketing) (event.*consent)()->set_marketing(choice(*marketing));
  if (analytics) (event.*consent)()->set_analytics(choice(*analytics));
  return true;
}

void ReadBody(const JsonEvent& in, EventKind kind, FieldReader& read, Event& event) {
  switch (kind) {
    case Event::kPageViewed: return ReadPage(in, read, *event.mutable_page_viewed());
    case Event::kPageLeft: return ReadPage(in, read, *event.mutable_page_left());
    case Event::kClicked: return ReadClick(in, read, *event.mutable_clicked());
    case Event::kProductViewed: return ReadProductAction(in, read, *event.mutable_product_viewed());
    case Event::kProductClicked: return ReadProductAction(in, read, *event.mutable_product_clicked());
    case Event::kProductAdded: return ReadProductAction(in, read, *event.mutable_product_added());
    case Event::kProductRemoved: return ReadProductAction(in, read, *event.mutable_product_removed());
    case Event::kProductListViewed: return ReadProductList(in, read, *event.mutable_product_list_viewed());
    case Event::kProductsSearched: return ReadSearch(in, read, *event.mutable_products_searched());
    case Event::kCartViewed: return ReadCart(in, read, *event.mutable_cart_viewed());
    case Event::kCheckoutStarted: return ReadCart(in, read, *event.mutable_checkout_started());
    case Event::kEmailDelivered: return ReadEmail(in, read, *event.mutable_email_delivered());
    case Event::kEmailOpened: return ReadEmail(in, read, *event.mutable_email_opened());
    case Event::kEmailLinkClicked: return ReadEmail(in, read, *event.mutable_email_link_clicked());
    case Event::kEmailBounced: return ReadEmail(in, read, *event.mutable_email_bounced());
    case Event::kEmailMarkedAsSpam: return ReadEmail(in, read, *event.mutable_email_marked_as_spam());
    case Event::kUnsubscribed: return ReadEmail(in, read, *event.mutable_unsubscribed());
    case Event::kOrderCompleted: return ReadOrder(in, kind, read, *event.mutable_order_completed(), event);
    case Event::kOrderRefunded: return ReadOrder(in, kind, read, *event.mutable_order_refunded(), event);
    case Event::kOrderCancelled: return ReadOrder(in, kind, read, *event.mutable_order_cancelled(), event);
    case Event::kQuestionAsked: return ReadContact(in, read, *event.mutable_question_asked());
    case Event::kComplaintFiled: return ReadContact(in, read, *event.mutable_complaint_filed());
    case Event::kReplySent: return ReadContact(in, read, *event.mutable_reply_sent());
    case Event::kIssueResolved: return ReadContact(in, read, *event.mutable_issue_resolved());
    case Event::kSatisfactionRated: return ReadSatisfaction(in, read, *event.mutable_satisfaction_rated());
    case Event::kPhoneCall: return ReadCall(in, read, *event.mutable_phone_call());
    case Event::kFeedbackSubmitted: return ReadFeedback(in, read, *event.mutable_feedback_submitted());
    case Event::kSocialInteraction: return ReadSocial(in, read, *event.mutable_social_interaction());
    case Event::kIdentified: return ReadPerson(in, read, *event.mutable_identified());
    case Event::kConsentChanged:
      event.mutable_consent_changed();
      if (ReadConsent(in.properties, read, &Event::mutable_consent_changed, event)) return;
      return read.Fail(RejectionCode::kMissingField, "nothing is said of consent: marketing, analytics");
    case Event::kCustomerErased: return ReadErasure(in, read, *event.mutable_customer_erased());
    case Event::kTagPinned: return ReadPin(in, read, *event.mutable_tag_pinned());
    case Event::kTagUnpinned: return ReadUnpin(in, read, *event.mutable_tag_unpinned());
    case Event::BODY_NOT_SET: return;
  }
}

}  // namespace portrait
