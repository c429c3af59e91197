#include "bench/lean/events.h"

#include <algorithm>
#include <charconv>

#include "bench/lean/lean.h"

namespace portrait::bench {

namespace {

constexpr std::string_view kIdBegin = "event-";
constexpr uint64_t kIdFactor = 0x9E3779B97F4A7C15;  // odd: all ids differ

// Of an odd number, modulo 2^64: Newton's method doubles the bits that are right, from the first 3.
constexpr uint64_t Inverse(uint64_t odd) {
  uint64_t inverse = odd;
  for (int bits = 3; bits < 64; bits *= 2) inverse *= 2 - odd * inverse;
  return inverse;
}
static_assert(Inverse(kIdFactor) * kIdFactor == 1);

// 16 digits.
std::string Hex(uint64_t value) {
  std::string out(16, '0');
  for (size_t i = out.size(); i > 0; value >>= 4) out[--i] = "0123456789abcdef"[value & 15];
  return out;
}

}  // namespace

const std::vector<std::string>& LeanEvents::Topics() {
  static const auto* const topics = new std::vector<std::string>{"browsing-events", "email-events", "purchase-events"};
  return *topics;
}

size_t LeanEvents::SourceOf(const Event& event) {
  if (event.has_page_viewed()) return 0;
  return event.has_order_completed() ? 2 : 1;
}

std::optional<uint64_t> LeanEvents::NumberOf(std::string_view event_id) {
  if (!event_id.starts_with(kIdBegin)) return std::nullopt;
  event_id.remove_prefix(kIdBegin.size());
  uint64_t product = 0;
  const char* const end = event_id.data() + event_id.size();
  const auto parsed = std::from_chars(event_id.data(), end, product, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return product * Inverse(kIdFactor);
}

LeanEvents::LeanEvents(const LeanEventsOptions& options)
    : options_(options),
      random_(options.seed),
      activity_(6.0 / static_cast<double>(options.customers)),
      views_(options.customers),
      time_(options.begin) {}

const Event& LeanEvents::Next() {
  const uint64_t customer = std::min(static_cast<uint64_t>(activity_(random_)), options_.customers - 1);
  event_.Clear();
  event_.set_event_id(std::string(kIdBegin) + Hex(made_ * kIdFactor));
  event_.set_customer_id("customer-" + std::to_string(customer));
  event_.set_event_time_us(ToMicros(time_ += options_.step));
  event_.set_session_id(Hex(random_()));
  event_.set_source("shop.example");
  const uint64_t what = random_() % 100;
  const std::string category = "category-" + std::to_string(random_() % 12);
  if (what < 85) {
    MakePage(category);
    results_ += ++views_[customer] % Lean::kViewsPerResult == 0 ? 1 : 0;
  } else if (what < 95) {
    MakeMail(what % 2 != 0, category);
  } else {
    MakeOrder(category);
    ++results_;
  }
  ++made_;
  return event_;
}

void LeanEvents::MakePage(const std::string& category) {
  auto* page = event_.mutable_page_viewed();
  page->set_path("/shop/" + category + "/item-" + std::to_string(random_() % 1000));
  page->set_category(category);
  page->set_dwell_us(static_cast<int64_t>(random_() % 60'000'000));
}

void LeanEvents::MakeMail(bool opened, const std::string& category) {
  auto* mail = opened ? event_.mutable_email_opened() : event_.mutable_email_link_clicked();
  mail->set_mail_id("mail-" + std::to_string(made_));
  mail->set_campaign_id("campaign-" + std::to_string(random_() % 20));
  mail->set_kind("newsletter");
  mail->set_link("https://shop.example/" + category);
}

void LeanEvents::MakeOrder(const std::string& category) {
  auto* order = event_.mutable_order_completed();
  order->set_order_id("order-" + std::to_string(made_));
  order->set_total_micros(static_cast<int64_t>(random_() % 200'000'000));
  order->set_channel("web");
  auto* product = order->add_products();
  product->set_category(category);
  product->set_price_micros(order->total_micros());
}

}  // namespace portrait::bench
