#include "pipeline/tools/event_maker.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "pipeline/tools/draws.h"
#include "pipeline/tools/traits.h"

namespace portrait {

namespace {

constexpr std::array kTopics = {"delivery", "returns", "payment", "quality"};
constexpr std::array kReferrers = {"", "https://search.example.com/", "https://mail.example.com/",
                                   "https://social.example.com/", "https://partner.example.com/"};
constexpr int64_t kSendDelayUs = 300'000, kReceiveDelayUs = 80'000;
constexpr int kAgents = 12;

bool IsBrowsing(EventKind kind) { return kind >= Event::kPageViewed && kind <= Event::kCheckoutStarted; }

}  // namespace

void EventMaker::Make(const PlannedStep& step, const StepContext& context, Event& event) const {
  event.Clear();
  event.set_event_id(absl::StrCat("g", options_.seed, ".", context.customer, ".", context.event_number));
  event.set_customer_id(std::string(context.customer_id));
  event.set_event_time_us(step.time_us);
  event.set_sent_time_us(step.time_us + kSendDelayUs);
  event.set_received_time_us(step.time_us + kSendDelayUs + kReceiveDelayUs);
  if (IsBrowsing(step.kind)) {
    event.set_anonymous_id(absl::StrCat("cookie-", options_.seed, "-", context.customer));
    event.set_source(context.app ? "app" : "web");
  }
  switch (step.kind) {
    case Event::kPageViewed: MakePage(step, *event.mutable_page_viewed()); break;
    case Event::kPageLeft: MakePage(step, *event.mutable_page_left()); break;
    case Event::kClicked:
      event.mutable_clicked()->set_path(PathOf(step.item));
      event.mutable_clicked()->set_element("banner");
      break;
    case Event::kProductViewed: MakeProduct(step, *event.mutable_product_viewed()); break;
    case Event::kProductAdded: MakeProduct(step, *event.mutable_product_added()); break;
    case Event::kProductListViewed:
      event.mutable_product_list_viewed()->set_list_id(shop_.category(step.item));
      event.mutable_product_list_viewed()->set_category(shop_.category(step.item));
      event.mutable_product_list_viewed()->set_path(PathOf(step.item));
      break;
    case Event::kProductsSearched:
      event.mutable_products_searched()->set_query(shop_.category(step.item));
      event.mutable_products_searched()->set_results(step.value);
      break;
    case Event::kCartViewed: MakeCart(step, context, *event.mutable_cart_viewed()); break;
    case Event::kCheckoutStarted: MakeCart(step, context, *event.mutable_checkout_started()); break;
    case Event::kEmailDelivered: MakeMail(step, context, *event.mutable_email_delivered()); break;
    case Event::kEmailOpened: MakeMail(step, context, *event.mutable_email_opened()); break;
    case Event::kEmailLinkClicked:
      MakeMail(step, context, *event.mutable_email_link_clicked());
      event.mutable_email_link_clicked()->set_link(options_.site + PathOf(kLandingPage));
      break;
    case Event::kEmailBounced:
      MakeMail(step, context, *event.mutable_email_bounced());
      event.mutable_email_bounced()->set_reason("mailbox full");
      break;
    case Event::kEmailMarkedAsSpam: MakeMail(step, context, *event.mutable_email_marked_as_spam()); break;
    case Event::kUnsubscribed:
      MakeMail(step, context, *event.mutable_unsubscribed());
      event.mutable_unsubscribed()->set_reason("too many mails");
      break;
    case Event::kOrderCompleted: MakeOrder(step, context, *event.mutable_order_completed()); break;
    case Event::kOrderRefunded:
      event.mutable_order_refunded()->set_order_id(OrderId(context));
      event.mutable_order_refunded()->set_total_micros(step.value);
      event.mutable_order_refunded()->set_currency(options_.currency);
      break;
    case Event::kQuestionAsked: MakeContact(step, context, *event.mutable_question_asked()); break;
    case Event::kComplaintFiled: MakeContact(step, context, *event.mutable_complaint_filed()); break;
    case Event::kReplySent: MakeContact(step, context, *event.mutable_reply_sent()); break;
    case Event::kIssueResolved: MakeContact(step, context, *event.mutable_issue_resolved()); break;
    case Event::kSatisfactionRated:
      event.mutable_satisfaction_rated()->set_ticket_id(TicketId(context));
      event.mutable_satisfaction_rated()->set_score(static_cast<double>(step.value) / 100);
      break;
    case Event::kIdentified: {
      *event.mutable_identified() = PersonOf(options_.seed, context.customer, context.customer_id);
      auto& identifier = *event.add_identifiers();
      identifier.set_kind(v1::Identifier::EMAIL);
      identifier.set_value(event.identified().email());
      break;
    }
    default: break;
  }
}

std::string EventMaker::OrderId(const StepContext& context) const {
  if (context.purchase != nullptr) return context.purchase->order_id;
  return absl::StrCat("order-", options_.seed, "-", context.customer, "-", context.number);
}

std::string EventMaker::TicketId(const StepContext& context) const {
  return absl::StrCat("ticket-", options_.seed, "-", context.customer, "-", context.number);
}

std::string EventMaker::PathOf(int32_t page) const {
  if (page >= kFirstProductPage) return "/product/" + shop_.product(page - kFirstProductPage).id;
  if (page >= kFirstCategoryPage) return "/category/" + shop_.category(page);
  switch (page) {
    case kSearchPage: return "/search";
    case kCartPage: return "/cart";
    case kCheckoutPage: return "/checkout";
    case kLandingPage: return "/offers";
    default: return "/";
  }
}

void EventMaker::MakePage(const PlannedStep& step, v1::PageView& page) const {
  page.set_path(PathOf(step.item));
  page.set_url(options_.site + page.path());
  if (step.item >= kFirstProductPage) {
    const ShopProduct& product = shop_.product(step.item - kFirstProductPage);
    page.set_product_id(product.id);
    page.set_category(shop_.category(product.category));
  } else if (step.item >= kFirstCategoryPage) {
    page.set_category(shop_.category(step.item));
  }
  if (step.kind == Event::kPageLeft) {
    page.set_dwell_us(step.value);
  } else {
    page.set_referrer(kReferrers[static_cast<size_t>(step.value)]);
  }
}

void EventMaker::AddProduct(int index, v1::Product& to) const {
  const ShopProduct& product = shop_.product(index);
  to.set_product_id(product.id);
  to.set_name(product.name);
  to.set_category(shop_.category(product.category));
  to.set_brand(product.brand);
  to.set_price_micros(product.price_micros);
  to.set_quantity(1);
}

void EventMaker::MakeProduct(const PlannedStep& step, v1::ProductAction& action) const {
  AddProduct(step.item, *action.mutable_product());
  action.set_currency(options_.currency);
  action.set_path(PathOf(kFirstProductPage + step.item));
}

void EventMaker::MakeCart(const PlannedStep& step, const StepContext& context, v1::Cart& cart) const {
  cart.set_cart_id("cart-" + OrderId(context));
  cart.set_value_micros(step.value);
  cart.set_currency(options_.currency);
  for (const PlannedStep& other : context.steps) {
    if (other.kind == Event::kProductAdded && other.time_us <= step.time_us)
      AddProduct(other.item, *cart.add_products());
  }
}

void EventMaker::MakeOrder(const PlannedStep& step, const StepContext& context, v1::Order& order) const {
  order.set_order_id(OrderId(context));
  order.set_currency(options_.currency);
  order.set_channel(context.app ? "app" : "web");
  if (const GivenPurchase* purchase = context.purchase; purchase != nullptr) {
    // Nothing is made up about a real purchase but the hour of the day.
    order.set_total_micros(purchase->total_micros);
    order.clear_channel();
    if (purchase->quantity > 0) order.add_products()->set_quantity(purchase->quantity);
    return;
  }
  order.set_total_micros(step.value);
  for (const PlannedStep& other : context.steps) {
    if (other.kind == Event::kProductAdded) AddProduct(other.item, *order.add_products());
  }
}

void EventMaker::MakeMail(const PlannedStep& step, const StepContext& context, v1::Email& mail) const {
  mail.set_recipient(PersonOf(options_.seed, context.customer, context.customer_id).email());
  if (static_cast<MailPart>(step.value) == MailPart::kReceipt) {
    mail.set_mail_id("receipt-" + OrderId(context));
    mail.set_kind("receipt");
    mail.set_subject("Your order " + OrderId(context));
    return;
  }
  const Campaign campaign = shop_.CampaignOf(context.number, step.item);
  mail.set_mail_id(absl::StrCat(campaign.id, "-", options_.seed, "-", context.customer));
  mail.set_campaign_id(campaign.id);
  mail.set_kind(campaign.kind);
  mail.set_subject(campaign.subject);
}

void EventMaker::MakeContact(const PlannedStep& step, const StepContext& context, v1::ServiceContact& contact) const {
  contact.set_ticket_id(TicketId(context));
  contact.set_topic(kTopics[static_cast<size_t>(step.item)]);
  const uint64_t drawn = DrawSeed(options_.seed, context.customer, context.number);
  contact.set_channel(drawn % 3 == 0 ? "phone" : drawn % 3 == 1 ? "chat" : "email");
  if (step.kind == Event::kReplySent || step.kind == Event::kIssueResolved) {
    contact.set_agent(absl::StrCat("agent-", drawn / 3 % kAgents + 1));
  }
}

}  // namespace portrait
