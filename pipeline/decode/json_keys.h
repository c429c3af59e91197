// The names of the JSON fields that are read, whatever their spelling: userId, user_id, "User ID" are one key.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace portrait {

// X(key, the name as documented, other names for the same)
#define PORTRAIT_JSON_KEYS(X)                          \
  /* the envelope */                                   \
  X(kType, "type", "")                                 \
  X(kEvent, "event", "event_name")                     \
  X(kMessageId, "message_id", "event_id")              \
  X(kUserId, "user_id", "customer_id")                 \
  X(kAnonymousId, "anonymous_id", "")                  \
  X(kTimestamp, "timestamp", "event_time")             \
  X(kOriginalTimestamp, "original_timestamp", "")      \
  X(kSentAt, "sent_at", "sent_time")                   \
  X(kReceivedAt, "received_at", "received_time")       \
  X(kSessionId, "session_id", "")                      \
  X(kSource, "source", "")                             \
  X(kProperties, "properties", "")                     \
  X(kTraits, "traits", "")                             \
  X(kContext, "context", "")                           \
  X(kBatch, "batch", "")                               \
  /* the context */                                    \
  X(kPage, "page", "")                                 \
  X(kCampaign, "campaign", "")                         \
  X(kApp, "app", "")                                   \
  X(kDevice, "device", "")                             \
  X(kExternalIds, "external_ids", "")                  \
  X(kConsent, "consent", "")                           \
  X(kCategoryPreferences, "category_preferences", "")  \
  X(kMarketing, "marketing", "advertising")            \
  X(kAnalytics, "analytics", "")                       \
  /* pages and clicks */                               \
  X(kUrl, "url", "")                                   \
  X(kPath, "path", "")                                 \
  X(kTitle, "title", "")                               \
  X(kReferrer, "referrer", "referer")                  \
  X(kDwell, "dwell", "dwell_seconds")                  \
  X(kDwellMs, "dwell_ms", "")                          \
  X(kElement, "element", "")                           \
  X(kLabel, "label", "")                               \
  X(kHref, "href", "target_url")                       \
  /* products, carts, orders */                        \
  X(kId, "id", "")                                     \
  X(kProductId, "product_id", "")                      \
  X(kSku, "sku", "")                                   \
  X(kName, "name", "")                                 \
  X(kCategory, "category", "")                         \
  X(kBrand, "brand", "")                               \
  X(kPrice, "price", "")                               \
  X(kQuantity, "quantity", "")                         \
  X(kProducts, "products", "")                         \
  X(kListId, "list_id", "")                            \
  X(kCurrency, "currency", "")                         \
  X(kQuery, "query", "")                               \
  X(kResults, "results", "result_count")               \
  X(kCartId, "cart_id", "")                            \
  X(kOrderId, "order_id", "")                          \
  X(kTotal, "total", "")                               \
  X(kRevenue, "revenue", "")                           \
  X(kValue, "value", "")                               \
  X(kCoupon, "coupon", "")                             \
  X(kChannel, "channel", "")                           \
  X(kCampaignId, "campaign_id", "")                    \
  X(kCampaignName, "campaign_name", "")                \
  /* email */                                          \
  X(kMailId, "email_id", "mail_id")                    \
  X(kKind, "kind", "email_kind email_type mail_kind")  \
  X(kRecipient, "recipient", "to")                     \
  X(kEmail, "email", "email_address")                  \
  X(kSubject, "subject", "email_subject")              \
  X(kLinkUrl, "link_url", "link")                      \
  X(kLinkId, "link_id", "")                            \
  X(kReason, "reason", "")                             \
  /* service and other contacts */                     \
  X(kTicketId, "ticket_id", "")                        \
  X(kTopic, "topic", "")                               \
  X(kAgent, "agent", "agent_id")                       \
  X(kText, "text", "message comment")                  \
  X(kScore, "score", "rating")                         \
  X(kScale, "scale", "")                               \
  X(kDirection, "direction", "")                       \
  X(kDuration, "duration", "duration_seconds")         \
  X(kDurationMs, "duration_ms", "")                    \
  X(kForm, "form", "form_id form_name")                \
  X(kNetwork, "network", "")                           \
  X(kAction, "action", "")                             \
  /* the person */                                     \
  X(kFirstName, "first_name", "")                      \
  X(kLastName, "last_name", "")                        \
  X(kSex, "sex", "gender")                             \
  X(kAge, "age", "")                                   \
  X(kBirthday, "birthday", "birth_date date_of_birth") \
  X(kBirthYear, "birth_year", "")                      \
  X(kAddress, "address", "")                           \
  X(kCountry, "country", "")                           \
  X(kRegion, "region", "state")                        \
  X(kCity, "city", "")                                 \
  X(kIncome, "income", "")                             \
  X(kIncomeCurrency, "income_currency", "")            \
  X(kOccupation, "occupation", "job job_title")        \
  X(kEducation, "education", "")                       \
  X(kFamily, "family", "family_status marital_status") \
  X(kPhone, "phone", "phone_number")                   \
  /* what people decide about tags */                  \
  X(kTag, "tag", "")                                   \
  X(kAbsent, "absent", "")                             \
  X(kAuthor, "author", "")                             \
  X(kUntil, "until", "")

enum class Key : unsigned char {
#define X(key, name, others) key,
  PORTRAIT_JSON_KEYS(X)
#undef X
};

#define X(key, name, others) +1
inline constexpr size_t kKeys = 0 PORTRAIT_JSON_KEYS(X);
#undef X

// The name as documented.
std::string_view KeyName(Key key);

// The key of that name in any spelling; nothing for a field that is not read.
std::optional<Key> KeyNamed(std::string_view name);

// A name without its spelling: lower case, without blanks, underscores and dashes. "Order Completed", "order_completed"
// and "orderCompleted" are one. Views `buffer`, or nothing if the name is longer than that.
class PlainName {
 public:
  explicit PlainName(std::string_view name);
  std::string_view view() const { return {buffer_, size_}; }  // empty: too long to be a name that is known

 private:
  char buffer_[48];
  size_t size_ = 0;
};

}  // namespace portrait
