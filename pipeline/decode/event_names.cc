#include "pipeline/decode/event_names.h"

#include <array>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "pipeline/decode/json_keys.h"

namespace portrait {
namespace {

constexpr std::array kNames = {
    EventName{"Page Viewed", Event::kPageViewed, {}},
    EventName{"Page Left", Event::kPageLeft, {}},
    EventName{"Clicked", Event::kClicked, {}},
    EventName{"Link Clicked", Event::kClicked, {}},
    EventName{"Button Clicked", Event::kClicked, {}},
    EventName{"Element Clicked", Event::kClicked, {}},
    EventName{"Product Viewed", Event::kProductViewed, {}},
    EventName{"Product Clicked", Event::kProductClicked, {}},
    EventName{"Product Added", Event::kProductAdded, {}},
    EventName{"Product Removed", Event::kProductRemoved, {}},
    EventName{"Product List Viewed", Event::kProductListViewed, {}},
    EventName{"Product List Filtered", Event::kProductListViewed, {}},
    EventName{"Products Searched", Event::kProductsSearched, {}},
    EventName{"Cart Viewed", Event::kCartViewed, {}},
    EventName{"Checkout Started", Event::kCheckoutStarted, {}},
    EventName{"Email Delivered", Event::kEmailDelivered, {}},
    EventName{"Email Opened", Event::kEmailOpened, {}},
    EventName{"Email Link Clicked", Event::kEmailLinkClicked, {}},
    EventName{"Email Bounced", Event::kEmailBounced, {}},
    EventName{"Email Marked as Spam", Event::kEmailMarkedAsSpam, {}},
    EventName{"Unsubscribed", Event::kUnsubscribed, {}},
    EventName{"Order Completed", Event::kOrderCompleted, {}},
    EventName{"Order Refunded", Event::kOrderRefunded, {}},
    EventName{"Order Cancelled", Event::kOrderCancelled, {}},
    EventName{"Order Canceled", Event::kOrderCancelled, {}},
    EventName{"Order Updated", Event::BODY_NOT_SET,
              "an order is not changed afterwards; send Order Refunded or Order Cancelled"},
    EventName{"Question Asked", Event::kQuestionAsked, {}},
    EventName{"Complaint Filed", Event::kComplaintFiled, {}},
    EventName{"Reply Sent", Event::kReplySent, {}},
    EventName{"Issue Resolved", Event::kIssueResolved, {}},
    EventName{"Satisfaction Rated", Event::kSatisfactionRated, {}},
    EventName{"Phone Call", Event::kPhoneCall, {}},
    EventName{"Feedback Submitted", Event::kFeedbackSubmitted, {}},
    EventName{"Social Interaction", Event::kSocialInteraction, {}},
    EventName{"Identified", Event::kIdentified, {}},
    EventName{"Consent Changed", Event::kConsentChanged, {}},
    EventName{"Customer Erased", Event::kCustomerErased, {}},
    EventName{"Tag Pinned", Event::kTagPinned, {}},
    EventName{"Tag Unpinned", Event::kTagUnpinned, {}},
};

using NameMap = absl::flat_hash_map<std::string, const EventName*>;

const NameMap& ByPlainName() {
  static const NameMap* const map = [] {
    auto* made = new NameMap();
    for (const EventName& name : kNames) made->emplace(PlainName(name.name).view(), &name);
    return made;
  }();
  return *map;
}

}  // namespace

std::span<const EventName> EventNames() { return kNames; }

const EventName* FindEventName(std::string_view name) {
  static const NameMap& map = ByPlainName();
  const PlainName plain(name);
  const auto found = map.find(absl::string_view(plain.view().data(), plain.view().size()));
  return found == map.end() ? nullptr : found->second;
}

}  // namespace portrait
