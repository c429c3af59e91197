#include "operators/clean.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "operators/hash_ring.h"
#include "operators/inspection.h"
#include "operators/rejection_codes.h"

namespace portrait {
namespace {

// A text field of a message pointer, as Inspection takes it.
#define PORTRAIT_FIELD(message, field) #field, (message)->field(), [&] { return (message)->mutable_##field(); }

// A length of time or a count of which 0 means unknown: a negative one says nothing.
template <class Message>
void DropNegative(Inspection& check, std::string_view name, Message& message, int64_t value,
                  void (Message::*set)(int64_t)) {
  if (value >= 0) return;
  (message.*set)(0);
  check.Corrected(name);
}

void CheckPage(Inspection& check, v1::PageView* page) {
  check.Text(PORTRAIT_FIELD(page, url));
  check.Text(PORTRAIT_FIELD(page, path));
  check.Text(PORTRAIT_FIELD(page, title));
  check.Text(PORTRAIT_FIELD(page, referrer));
  check.Label(PORTRAIT_FIELD(page, category));
  check.Id("product_id", page->product_id());
  DropNegative(check, "dwell", *page, page->dwell_us(), &v1::PageView::set_dwell_us);
}

void CheckClick(Inspection& check, v1::Click* click) {
  check.Text(PORTRAIT_FIELD(click, path));
  check.Label(PORTRAIT_FIELD(click, element));
  check.Text(PORTRAIT_FIELD(click, target_url));
  check.Label(PORTRAIT_FIELD(click, category));
  check.Id("product_id", click->product_id());
}

void CheckProduct(Inspection& check, v1::Product* product, int64_t rate) {
  check.Id("product_id", product->product_id());
  check.Label(PORTRAIT_FIELD(product, name));
  check.Label(PORTRAIT_FIELD(product, category));
  check.Label(PORTRAIT_FIELD(product, brand));
  product->set_price_micros(check.Amount("price", product->price_micros(), rate));
  check.Quantity("quantity", product->quantity());
}

void CheckProductAction(Inspection& check, v1::ProductAction* action) {
  const int64_t rate = check.Currency(PORTRAIT_FIELD(action, currency));
  if (action->has_product()) CheckProduct(check, action->mutable_product(), rate);
  check.Id("list_id", action->list_id());
  check.Text(PORTRAIT_FIELD(action, path));
}

void CheckProductList(Inspection& check, v1::ProductList* list) {
  check.Id("list_id", list->list_id());
  check.Label(PORTRAIT_FIELD(list, category));
  check.Text(PORTRAIT_FIELD(list, path));
}

void CheckSearch(Inspection& check, v1::Search* search) {
  check.Text(PORTRAIT_FIELD(search, query));
  DropNegative(check, "results", *search, search->results(), &v1::Search::set_results);
}

void CheckCart(Inspection& check, v1::Cart* cart) {
  const int64_t rate = check.Currency(PORTRAIT_FIELD(cart, currency));
  check.Id("cart_id", cart->cart_id());
  cart->set_value_micros(check.Amount("value", cart->value_micros(), rate));
  for (v1::Product& product : *cart->mutable_products()) CheckProduct(check, &product, rate);
}

void CheckEmail(Inspection& check, v1::Email* email) {
  check.Id("mail_id", email->mail_id());
  check.Id("campaign_id", email->campaign_id());
  check.Label(PORTRAIT_FIELD(email, kind));
  check.Email(PORTRAIT_FIELD(email, recipient));
  check.Text(PORTRAIT_FIELD(email, subject));
  check.Text(PORTRAIT_FIELD(email, link));
  check.Text(PORTRAIT_FIELD(email, reason));
}

void CheckOrder(Inspection& check, v1::Order* order, EventKind kind) {
  const int64_t rate = check.Currency(PORTRAIT_FIELD(order, currency));
  check.Id("order_id", order->order_id());
  order->set_total_micros(check.Amount("total", order->total_micros(), rate));
  check.Label(PORTRAIT_FIELD(order, channel));
  for (v1::Product& product : *order->mutable_products()) CheckProduct(check, &product, rate);
  check.Label(PORTRAIT_FIELD(order, coupon));
  check.Id("campaign_id", order->campaign_id());
  if (kind == Event::kOrderRefunded && order->total_micros() == 0) {
    check.Fail(RejectionCode::kMissingField, "a refund needs an amount above 0: total");
  }
  if (kind == Event::kOrderCancelled && order->order_id().empty()) {
    check.Fail(RejectionCode::kMissingField, "a cancellation must say of which order: order_id");
  }
}

void CheckContact(Inspection& check, v1::ServiceContact* contact) {
  check.Id("ticket_id", contact->ticket_id());
  check.Label(PORTRAIT_FIELD(contact, channel));
  check.Label(PORTRAIT_FIELD(contact, topic));
  check.Label(PORTRAIT_FIELD(contact, agent));
  check.Text(PORTRAIT_FIELD(contact, text));
}

void CheckSatisfaction(Inspection& check, v1::Satisfaction* rating) {
  check.Id("ticket_id", rating->ticket_id());
  check.Score("score", rating->score());
  check.Label(PORTRAIT_FIELD(rating, agent));
}

void CheckCall(Inspection& check, v1::PhoneCall* call) {
  DropNegative(check, "duration", *call, call->duration_us(), &v1::PhoneCall::set_duration_us);
  check.Label(PORTRAIT_FIELD(call, agent));
  check.Label(PORTRAIT_FIELD(call, topic));
}

void CheckFeedback(Inspection& check, v1::Feedback* feedback) {
  check.Label(PORTRAIT_FIELD(feedback, form));
  if (!(feedback->score() < 0)) check.Score("score", feedback->score());  // negative: none given
  check.Text(PORTRAIT_FIELD(feedback, text));
}

void CheckSocial(Inspection& check, v1::SocialInteraction* social) {
  check.Label(PORTRAIT_FIELD(social, network));
  check.Label(PORTRAIT_FIELD(social, action));
  check.Text(PORTRAIT_FIELD(social, text));
}

void CheckErasure(Inspection& check, v1::Erasure* erasure) { check.Text(PORTRAIT_FIELD(erasure, reason)); }

// A pin is somebody's decision: one that does not say whose, about what and why is none.
template <class Pin>
void CheckPin(Inspection& check, Pin* pin) {
  if (pin->tag().empty()) return check.Fail(RejectionCode::kMissingField, "a pin must say of which tag: tag");
  if (pin->author().empty()) return check.Fail(RejectionCode::kMissingField, "a pin must say who decided: author");
  check.Id("tag", pin->tag());
  check.Label(PORTRAIT_FIELD(pin, author));
  check.Label(PORTRAIT_FIELD(pin, reason));
}

void CheckPinned(Inspection& check, v1::TagPin* pin) {
  if (pin->reason().empty()) check.Fail(RejectionCode::kMissingField, "a pin must say why: reason");
  CheckPin(check, pin);
  constexpr int64_t kYear10000 = 253'402'300'800'000'000;
  if (pin->until_us() < 0 || pin->until_us() >= kYear10000) {
    check.Fail(RejectionCode::kBadTime, absl::StrCat("until is no time from 1970 to 9999: ", pin->until_us()));
  }
}

int YearOf(Timestamp time) {
  return static_cast<int>(std::chrono::year_month_day(std::chrono::floor<days>(time)).year());
}

// Facts that cannot be are dropped: the rest of what is said about the person may well be right.
void DropImpossibleFacts(Inspection& check, v1::Person* person, Timestamp now) {
  constexpr int kOldest = 130;
  if (person->age() < 0 || person->age() > kOldest) {
    person->clear_age();
    check.Corrected("age");
  }
  const int year = YearOf(now), birth = person->birth_year();
  if (birth != 0 && (birth > year || birth < year - kOldest)) {
    person->clear_birth_year();
    check.Corrected("birth_year");
  }
  if (!person->email().empty() && !LooksLikeEmail(person->email())) {
    person->clear_email();
    check.Corrected("email");
  }
}

// The number in its tidy form; empty if it is none.
template <class Mutable>
void CheckPhone(Inspection& check, std::string_view name, const std::string& phone, Mutable change) {
  if (phone.empty()) return;
  std::string tidy = TidyPhone(phone).value_or("");
  if (tidy == phone) return;
  *change() = std::move(tidy);
  check.Corrected(name);
}

void CheckPerson(Inspection& check, v1::Person* person, Timestamp now) {
  check.Label(PORTRAIT_FIELD(person, name));
  check.Label(PORTRAIT_FIELD(person, sex));
  check.Label(PORTRAIT_FIELD(person, country));
  check.Label(PORTRAIT_FIELD(person, region));
  check.Label(PORTRAIT_FIELD(person, city));
  check.Label(PORTRAIT_FIELD(person, occupation));
  check.Label(PORTRAIT_FIELD(person, education));
  check.Label(PORTRAIT_FIELD(person, family));
  check.Email(PORTRAIT_FIELD(person, email));
  CheckPhone(check, PORTRAIT_FIELD(person, phone));
  const int64_t rate = check.Currency(PORTRAIT_FIELD(person, income_currency));
  person->set_income_micros(check.Amount("income", person->income_micros(), rate));
  DropImpossibleFacts(check, person, now);
}

void CheckIdentifier(Inspection& check, v1::Identifier* identifier) {
  check.Id("identifiers", identifier->value());
  if (check.failed()) return;
  const auto change = [&] { return identifier->mutable_value(); };
  if (identifier->kind() == v1::Identifier::EMAIL) check.Email("identifiers", identifier->value(), change);
  if (identifier->kind() == v1::Identifier::PHONE) CheckPhone(check, "identifiers", identifier->value(), change);
}

void CheckEnvelope(Inspection& check, Event& event) {
  if (event.customer_id().empty() && event.anonymous_id().empty()) {
    check.Fail(RejectionCode::kMissingCustomerId, "neither a customer id nor an anonymous id");
  }
  check.Id("customer_id", event.customer_id());
  check.Id("anonymous_id", event.anonymous_id());
  check.Id("event_id", event.event_id());
  check.Id("session_id", event.session_id());
  check.Label(PORTRAIT_FIELD(&event, source));
  if (event.identifiers_size() > 0) {
    for (v1::Identifier& identifier : *event.mutable_identifiers()) CheckIdentifier(check, &identifier);
  }
}

void CheckBody(Inspection& check, Event& event) {
  switch (event.body_case()) {
    case Event::kPageViewed: return CheckPage(check, event.mutable_page_viewed());
    case Event::kPageLeft: return CheckPage(check, event.mutable_page_left());
    case Event::kClicked: return CheckClick(check, event.mutable_clicked());
    case Event::kProductViewed: return CheckProductAction(check, event.mutable_product_viewed());
    case Event::kProductClicked: return CheckProductAction(check, event.mutable_product_clicked());
    case Event::kProductAdded: return CheckProductAction(check, event.mutable_product_added());
    case Event::kProductRemoved: return CheckProductAction(check, event.mutable_product_removed());
    case Event::kProductListViewed: return CheckProductList(check, event.mutable_product_list_viewed());
    case Event::kProductsSearched: return CheckSearch(check, event.mutable_products_searched());
    case Event::kCartViewed: return CheckCart(check, event.mutable_cart_viewed());
    case Event::kCheckoutStarted: return CheckCart(check, event.mutable_checkout_started());
    case Event::kEmailDelivered: return CheckEmail(check, event.mutable_email_delivered());
    case Event::kEmailOpened: return CheckEmail(check, event.mutable_email_opened());
    case Event::kEmailLinkClicked: return CheckEmail(check, event.mutable_email_link_clicked());
    case Event::kEmailBounced: return CheckEmail(check, event.mutable_email_bounced());
    case Event::kEmailMarkedAsSpam: return CheckEmail(check, event.mutable_email_marked_as_spam());
    case Event::kUnsubscribed: return CheckEmail(check, event.mutable_unsubscribed());
    case Event::kOrderCompleted: return CheckOrder(check, event.mutable_order_completed(), event.body_case());
    case Event::kOrderRefunded: return CheckOrder(check, event.mutable_order_refunded(), event.body_case());
    case Event::kOrderCancelled: return CheckOrder(check, event.mutable_order_cancelled(), event.body_case());
    case Event::kQuestionAsked: return CheckContact(check, event.mutable_question_asked());
    case Event::kComplaintFiled: return CheckContact(check, event.mutable_complaint_filed());
    case Event::kReplySent: return CheckContact(check, event.mutable_reply_sent());
    case Event::kIssueResolved: return CheckContact(check, event.mutable_issue_resolved());
    case Event::kSatisfactionRated: return CheckSatisfaction(check, event.mutable_satisfaction_rated());
    case Event::kPhoneCall: return CheckCall(check, event.mutable_phone_call());
    case Event::kFeedbackSubmitted: return CheckFeedback(check, event.mutable_feedback_submitted());
    case Event::kSocialInteraction: return CheckSocial(check, event.mutable_social_interaction());
    case Event::kIdentified: return CheckPerson(check, event.mutable_identified(), EventTime(event));
    case Event::kConsentChanged: return;
    case Event::kCustomerErased: return CheckErasure(check, event.mutable_customer_erased());
    case Event::kTagPinned: return CheckPinned(check, event.mutable_tag_pinned());
    case Event::kTagUnpinned: return CheckPin(check, event.mutable_tag_unpinned());
    case Event::BODY_NOT_SET: return check.Fail(RejectionCode::kNoBody, "the event has no body");
  }
}

// Puts right what the sender's wrong clock did: event and sent time are by that clock, received time is by a good one.
void CorrectClock(Inspection& check, Event& event, const CleanOptions& options) {
  const int64_t sent = event.sent_time_us(), received = event.received_time_us();
  if (sent == 0 || received <= 0) return;
  int64_t error = 0, time = 0;
  if (__builtin_sub_overflow(received, sent, &error)) return;
  if (std::abs(error) <= options.clock_tolerance.count()) return;
  if (__builtin_add_overflow(event.event_time_us(), error, &time)) return;
  event.set_event_time_us(time);
  event.set_sent_time_us(received);  // so that a second check corrects nothing
  check.Corrected("event_time");
}

std::string Written(int64_t us) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMicros(us), absl::UTCTimeZone());
}

void CheckTimes(Inspection& check, Event& event, const Arrival& arrival, const CleanOptions& options) {
  CorrectClock(check, event, options);
  const int64_t time = event.event_time_us();
  if (time < ToMicros(options.earliest)) {
    return check.Fail(
        RejectionCode::kTimeTooEarly,
        absl::StrCat("the event's time lies before ", Written(ToMicros(options.earliest)), ": ", Written(time)));
  }
  const int64_t record = ToMicros(arrival.record_time);
  const int64_t known = record > 0 ? record : event.received_time_us();  // Kafka may have kept no time
  if (known <= 0) {
    return check.Fail(RejectionCode::kMissingTime, "the record has no timestamp to judge the event's time by");
  }
  if (time > known && time - known > options.max_ahead.count()) {
    check.Fail(RejectionCode::kTimeInFuture,
               absl::StrCat("the event's time lies more than ",
                            absl::FormatDuration(absl::Microseconds(options.max_ahead.count())),
                            " beyond that of its record, ", Written(known), ": ", Written(time)));
  }
}

static_assert(std::endian::native == std::endian::little,
              "hashes of numbers are kept and must not depend on the machine");

uint64_t Hash(std::string_view text, uint64_t seed) { return XXH3_64bits_withSeed(text.data(), text.size(), seed); }

uint64_t OrderKey(const Event& event, const v1::Order& order) {
  const uint64_t key = Hash(order.order_id(), event.body_case());
  if (event.body_case() != Event::kOrderRefunded) return key;
  const std::array<int64_t, 2> part = {order.total_micros(), event.event_time_us()};
  return XXH3_64bits_withSeed(part.data(), sizeof(part), key);
}

uint64_t EmailKey(const Event& event, const v1::Email& email) {
  return Hash(email.link(), Hash(email.recipient(), Hash(email.mail_id(), event.body_case())));
}

std::optional<uint64_t> BusinessKey(const Event& event) {
  const auto order = [&](const v1::Order& body) {
    return body.order_id().empty() ? std::nullopt : std::optional(OrderKey(event, body));
  };
  const auto email = [&](const v1::Email& body) {
    return body.mail_id().empty() ? std::nullopt : std::optional(EmailKey(event, body));
  };
  switch (event.body_case()) {
    case Event::kOrderCompleted: return order(event.order_completed());
    case Event::kOrderRefunded: return order(event.order_refunded());
    case Event::kOrderCancelled: return order(event.order_cancelled());
    case Event::kEmailDelivered: return email(event.email_delivered());
    case Event::kEmailOpened: return email(event.email_opened());
    case Event::kEmailLinkClicked: return email(event.email_link_clicked());
    case Event::kEmailBounced: return email(event.email_bounced());
    case Event::kEmailMarkedAsSpam: return email(event.email_marked_as_spam());
    case Event::kUnsubscribed: return email(event.unsubscribed());
    default: return std::nullopt;
  }
}

std::optional<uint64_t> EventIdKey(const Event& event) {
  if (event.event_id().empty()) return std::nullopt;
  for (const std::string& name : event.imputed()) {
    if (name == "event_id") return std::nullopt;
  }
  return Hash(event.event_id(), 0);
}

bool IsCurrencyCode(std::string_view code) {
  return code.size() == 3 && std::all_of(code.begin(), code.end(), absl::ascii_isupper);
}

bool IsRate(double rate) { return rate >= 1e-9 && rate <= 1e6; }  // NaN is none

}  // namespace

absl::Status CheckOptions(const CleanOptions& options) {
  if (!IsCurrencyCode(options.home_currency)) {
    return absl::InvalidArgumentError(absl::StrCat("home currency is not three capitals: ", options.home_currency));
  }
  for (const auto& [code, rate] : options.rates) {
    if (!IsCurrencyCode(code)) {
      return absl::InvalidArgumentError(absl::StrCat("a currency is not three capitals: ", code));
    }
    if (!IsRate(rate)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the rate of ", code, " is not from 0.000000001 to 1000000: ", rate));
    }
  }
  if (options.max_amount < 1 || options.max_amount > 9'000'000'000'000) {
    return absl::InvalidArgumentError(absl::StrCat("max_amount is not from 1 to 9000000000000: ", options.max_amount));
  }
  if (options.max_quantity < 1 || options.max_id_bytes < 1 || options.max_label_bytes < 4 ||
      options.max_text_bytes < 4 || options.remembered_events < 1 || options.remembered_keys < 1 ||
      options.max_ahead.count() < 0 || options.clock_tolerance.count() < 0) {
    return absl::InvalidArgumentError("a limit of cleaning is not above 0");
  }
  return absl::OkStatus();
}

Clean::Clean(CleanOptions options) : options_(std::move(options)) {
  for (const auto& [code, rate] : options_.rates) rates_[code] = std::llround(rate * static_cast<double>(kRateUnit));
}

std::optional<Rejection> Clean::Check(Event& event, const Arrival& arrival) const {
  Inspection check(options_, rates_, event);
  CheckEnvelope(check, event);
  CheckTimes(check, event, arrival, options_);
  CheckBody(check, event);
  return std::move(check).rejection();
}

bool Clean::IsDuplicate(const Event& event, google::protobuf::Message& state) const {
  auto& seen = static_cast<v1::state::CleanState&>(state);
  const std::optional<uint64_t> id = EventIdKey(event), key = BusinessKey(event);
  if (id && RingContains(seen.event_ids(), *id)) return true;
  if (key && RingContains(seen.business_keys(), *key)) return true;
  if (id) {
    seen.set_oldest_event_id(
        RingAdd(*seen.mutable_event_ids(), seen.oldest_event_id(), options_.remembered_events, *id));
  }
  if (key) {
    seen.set_oldest_business_key(
        RingAdd(*seen.mutable_business_keys(), seen.oldest_business_key(), options_.remembered_keys, *key));
  }
  return false;
}

#undef PORTRAIT_FIELD

}  // namespace portrait
