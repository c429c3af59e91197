#include "operators/purchases.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "operators/rhythm.h"
#include "operators/window_features.h"
#include "xxhash.h"

namespace portrait {
namespace {

using google::protobuf::RepeatedPtrField;
using v1::state::PurchasedItem;
using v1::state::RecentOrder;
using State = v1::state::Purchases;

constexpr int kRecentOrders = 8;
constexpr int kRecentDays = 9;  // 8 pauses
constexpr int kCategories = 16;
constexpr int kChannels = 8;
constexpr size_t kNameBytes = 64;
constexpr int64_t kMost = int64_t{1} << 60;  // sums of a few of these do not overflow

uint64_t Hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }
uint32_t NameHash(std::string_view name) { return name.empty() ? 0 : static_cast<uint32_t>(Hash(name)); }

int64_t Amount(int64_t micros) { return std::clamp<int64_t>(micros, 0, kMost); }

// The first bytes of a name, cut between two characters of UTF-8.
std::string_view Shortened(std::string_view name) {
  if (name.size() <= kNameBytes) return name;
  size_t end = kNameBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end);
}

// ---- Orders that refunds refer to

RecentOrder* FindRecent(State& state, const v1::Order& order) {
  if (order.order_id().empty()) return nullptr;
  const uint64_t hash = Hash(order.order_id());
  for (RecentOrder& recent : *state.mutable_recent()) {
    if (recent.order() == hash) return &recent;
  }
  return nullptr;
}

RecentOrder& Remember(State& state, const v1::Order& order, Timestamp time) {
  if (state.recent_size() >= kRecentOrders) state.mutable_recent()->erase(state.recent().begin());
  RecentOrder& recent = *state.add_recent();
  recent.set_order(Hash(order.order_id()));
  recent.set_time_us(ToMicros(time));
  return recent;
}

// ---- Categories and channels

PurchasedItem* FindItem(RepeatedPtrField<PurchasedItem>& items, uint32_t name_hash) {
  for (PurchasedItem& item : items) {
    if (NameHash(item.name()) == name_hash) return &item;
  }
  return nullptr;
}

PurchasedItem& ItemNamed(RepeatedPtrField<PurchasedItem>& items, std::string_view name, int most, Timestamp time) {
  for (PurchasedItem& item : items) {
    if (item.name() == name) return item;
  }
  if (items.size() >= most) {
    items.erase(std::min_element(items.begin(), items.end(), [](const PurchasedItem& a, const PurchasedItem& b) {
      return a.last_us() < b.last_us();
    }));
  }
  PurchasedItem& item = *items.Add();
  item.set_name(std::string(name));
  item.set_last_us(ToMicros(time));
  return item;
}

void AddToItem(PurchasedItem& item, int64_t orders, int64_t spend) {
  item.set_orders(std::max<int64_t>(0, item.orders() + orders));
  item.set_spend_micros(std::clamp(item.spend_micros() + spend, -kMost, kMost));
}

struct CategoryShare {
  std::string_view name;
  int64_t micros = 0;
};
using CategoryShares = absl::InlinedVector<CategoryShare, 8>;

int64_t LineAmount(const v1::Product& product) {
  const double amount = static_cast<double>(Amount(product.price_micros())) *
                        static_cast<double>(std::clamp<int64_t>(product.quantity(), 1, 1'000'000));
  return amount < static_cast<double>(kMost) ? static_cast<int64_t>(amount) : kMost;
}

// What an order holds of each category, in the order of its lines.
CategoryShares SharesOf(const v1::Order& order) {
  CategoryShares shares;
  for (const v1::Product& product : order.products()) {
    const std::string_view name = Shortened(product.category());
    if (name.empty()) continue;
    auto it =
        std::find_if(shares.begin(), shares.end(), [&](const CategoryShare& share) { return share.name == name; });
    if (it == shares.end()) {
      if (shares.size() >= kCategories) continue;
      it = shares.insert(shares.end(), {name, 0});
    }
    it->micros = std::min(kMost, it->micros + LineAmount(product));
  }
  return shares;
}

void AddCategories(State& state, const v1::Order& order, RecentOrder* recent, bool foreign, Timestamp time) {
  int64_t most = -1;
  for (const CategoryShare& share : SharesOf(order)) {
    PurchasedItem& item = ItemNamed(*state.mutable_categories(), share.name, kCategories, time);
    AddToItem(item, 1, foreign ? 0 : share.micros);
    item.set_last_us(std::max(item.last_us(), ToMicros(time)));
    if (recent != nullptr && share.micros > most) recent->set_category(NameHash(share.name));
    most = std::max(most, share.micros);
  }
}

void AddChannel(State& state, const v1::Order& order, RecentOrder* recent, int64_t total, Timestamp time) {
  const std::string_view name = Shortened(order.channel());
  if (name.empty()) return;
  PurchasedItem& item = ItemNamed(*state.mutable_channels(), name, kChannels, time);
  AddToItem(item, 1, total);
  item.set_last_us(std::max(item.last_us(), ToMicros(time)));
  if (recent != nullptr) recent->set_channel(NameHash(name));
}

// Takes what was paid back out of the categories that the refund lists; where it lists none, out of the main category
// of its order.
void LowerItems(State& state, const v1::Order& refund, const RecentOrder* recent, int64_t orders, int64_t amount) {
  const CategoryShares shares = SharesOf(refund);
  for (const CategoryShare& share : shares) {
    if (PurchasedItem* item = FindItem(*state.mutable_categories(), NameHash(share.name))) {
      AddToItem(*item, -orders, -std::min(share.micros, amount));
    }
  }
  if (recent == nullptr) return;
  if (shares.empty() && recent->category() != 0) {
    if (PurchasedItem* item = FindItem(*state.mutable_categories(), recent->category()))
      AddToItem(*item, -orders, -amount);
  }
  if (recent->channel() == 0) return;
  if (PurchasedItem* item = FindItem(*state.mutable_channels(), recent->channel())) AddToItem(*item, -orders, -amount);
}

// ---- Purchase days

// Before the order is added to the window: a day older than all that are known by themselves was counted before when
// the window has an order on it.
void AddOccasion(State& state, int32_t day, Timestamp time) {
  const int64_t us = ToMicros(time);
  const bool first_ever = state.occasions() == 0;
  state.set_first_us(first_ever ? us : std::min(state.first_us(), us));
  state.set_last_us(first_ever ? us : std::max(state.last_us(), us));
  int at = state.day_size();
  while (at > 0 && state.day(at - 1) >= day) --at;
  if (at < state.day_size() && state.day(at) == day) {
    state.set_day_orders(at, state.day_orders(at) + 1);
    state.set_day_last_us(at, std::max(state.day_last_us(at), us));
    return;
  }
  const bool knows_all = state.occasions() == state.day_size();
  if (at == 0 && !knows_all && WindowCount(state.orders(), day, 1) > 0) return;
  state.set_occasions(state.occasions() + 1);
  if (at == 0 && !knows_all) return;
  if (state.day_size() >= kRecentDays) {
    if (at == 0) return;
    state.mutable_day()->erase(state.day().begin());
    state.mutable_day_orders()->erase(state.day_orders().begin());
    state.mutable_day_last_us()->erase(state.day_last_us().begin());
    --at;
  }
  state.add_day(day), state.add_day_orders(1), state.add_day_last_us(us);
  for (int i = state.day_size() - 1; i > at; --i) {
    state.mutable_day()->SwapElements(i, i - 1);
    state.mutable_day_orders()->SwapElements(i, i - 1);
    state.mutable_day_last_us()->SwapElements(i, i - 1);
  }
}

// A cancelled order takes its purchase day with it when it was the only one of that day.
void RemoveOccasion(State& state, int32_t day) {
  const auto it = std::find(state.day().begin(), state.day().end(), day);
  if (it == state.day().end()) return;
  const int at = static_cast<int>(it - state.day().begin());
  if (state.day_orders(at) > 1) {
    state.set_day_orders(at, state.day_orders(at) - 1);
    return;
  }
  const bool knows_all = state.occasions() == state.day_size();
  const bool was_first = at == 0 && knows_all;
  state.mutable_day()->erase(it);
  state.mutable_day_orders()->erase(state.day_orders().begin() + at);
  state.mutable_day_last_us()->erase(state.day_last_us().begin() + at);
  state.set_occasions(state.occasions() - 1);
  if (state.day_size() == 0) return;
  if (was_first) state.set_first_us(state.day_last_us(0));
  state.set_last_us(state.day_last_us(state.day_size() - 1));
}

Rhythm OwnRhythm(const State& state) {
  absl::InlinedVector<int32_t, kRecentDays> gaps;
  for (int i = 1; i < state.day_size(); ++i) gaps.push_back(state.day(i) - state.day(i - 1));
  return RhythmOf(gaps);
}

double Currency(int64_t micros) { return static_cast<double>(micros) / 1e6; }

// ---- Features

std::optional<Timestamp> First(const State& s) {
  return s.occasions() > 0 ? std::optional(FromMicros(s.first_us())) : std::nullopt;
}
std::optional<Timestamp> Last(const State& s) {
  return s.occasions() > 0 ? std::optional(FromMicros(s.last_us())) : std::nullopt;
}

std::optional<Timestamp> ExpectedNext(const State& s) {
  if (s.occasions() == 0) return std::nullopt;
  const double gap_days = QuantileDays(Shrunk(OwnRhythm(s), RhythmPrior{}), 0);
  return FromMicros(s.last_us() + static_cast<int64_t>(gap_days * 86'400e6));
}

std::optional<double> GapSpreadDays(const State& s) {
  if (s.day_size() < 3) return std::nullopt;
  const Rhythm rhythm = OwnRhythm(s);
  return std::exp(rhythm.log_mean) * std::expm1(rhythm.log_spread);
}

Items ItemsOf(const RepeatedPtrField<PurchasedItem>& items) {
  Items out;
  for (const PurchasedItem& item : items) {
    if (item.orders() == 0) continue;
    out.push_back({item.name(), {item.orders(), Currency(item.spend_micros()), FromMicros(item.last_us())}});
  }
  // Most spend first; names settle what is equal.
  std::sort(out.begin(), out.end(), [](const Item& a, const Item& b) {
    const double spend_a = std::get<double>(a.columns[1]), spend_b = std::get<double>(b.columns[1]);
    return spend_a != spend_b ? spend_a > spend_b : a.name < b.name;
  });
  return out;
}

const std::vector<FeatureColumn>& ItemColumns() {
  static const auto* const columns =
      new std::vector<FeatureColumn>{{"orders", FeatureType::kInteger, "orders", "Orders that were kept"},
                                     {"spend", FeatureType::kNumber, "currency", "Spend, less what was paid back"},
                                     {"last", FeatureType::kTimestamp, "time", "The latest order"}};
  return *columns;
}

void DescribeWindows(Description& about) {
  for (const int days : {7, 30, 90, 365}) {
    const std::string suffix = absl::StrCat("_", days, "d"), within = absl::StrCat(" in the last ", days, " days");
    about.Feature<State>(
        "orders" + suffix, "orders", "Orders kept" + within,
        [days](const State& s, const Moment& at) { return WindowCount(s.orders(), at.day, days); },
        ChangesAsWindow<State>(&State::orders, days));
    about.Feature<State>(
        "spend" + suffix, "currency", "Spend, less what was paid back," + within,
        [days](const State& s, const Moment& at) { return Currency(WindowSum(s.orders(), at.day, days)); },
        ChangesAsWindow<State>(&State::orders, days));
  }
}

void DescribeTotals(Description& about) {
  about.Feature<State>("orders", "orders", "Orders kept: placed, not cancelled, not paid back in full",
                       [](const State& s) { return LifetimeCount(s.orders()); });
  about.Feature<State>("placed", "orders", "Orders ever placed, whatever became of them",
                       [](const State& s) -> int64_t { return s.placed(); });
  about.Feature<State>("cancellations", "orders", "Orders cancelled",
                       [](const State& s) -> int64_t { return s.cancellations(); });
  about.Feature<State>("foreign_orders", "orders", "Orders kept in another than the home currency: in no sum",
                       [](const State& s) -> int64_t { return s.foreign_orders(); });
  about.Feature<State>("spend", "currency", "Spend in all, less what was paid back",
                       [](const State& s) { return Currency(LifetimeSum(s.orders())); });
  about.Feature<State>("average_order", "currency", "Spend by order kept", [](const State& s) -> std::optional<double> {
    const int64_t orders = LifetimeCount(s.orders()) - s.foreign_orders();
    if (orders <= 0) return std::nullopt;
    return Currency(LifetimeSum(s.orders())) / static_cast<double>(orders);
  });
  about.Feature<State>("refunds", "refunds", "Refunds, in part or in full",
                       [](const State& s) { return LifetimeCount(s.refunds()); });
  about.Feature<State>(
      "refunds_90d", "refunds", "Refunds in the last 90 days",
      [](const State& s, const Moment& at) { return WindowCount(s.refunds(), at.day, 90); },
      ChangesAsWindow<State>(&State::refunds, 90));
  about.Feature<State>("refund_rate", "1", "Share of the money ever paid that was paid back",
                       [](const State& s) -> std::optional<double> {
                         const double back = Currency(LifetimeSum(s.refunds()));
                         const double paid = Currency(LifetimeSum(s.orders())) + back;
                         if (paid <= 0) return std::nullopt;
                         return back / paid;
                       });
}

void DescribeRhythm(Description& about) {
  about.Feature<State>("first", "time", "The first order", [](const State& s) { return First(s); });
  about.Feature<State>("last", "time", "The latest order", [](const State& s) { return Last(s); });
  about.Feature<State>(
      "days_since_last", "days", "Time since the latest order",
      [](const State& s, const Moment& at) -> std::optional<double> {
        if (s.occasions() == 0) return std::nullopt;
        return std::max(0.0, InDays(at.time - FromMicros(s.last_us())));
      },
      OverTime::Runs());
  about.Feature<State>("occasions", "days", "Purchase days: orders on one local day are one",
                       [](const State& s) -> int64_t { return s.occasions(); });
  about.Feature<State>("gaps", "gaps", "Pauses between purchase days that the rhythm is learned from, at most 8",
                       [](const State& s) -> int64_t { return std::max(0, s.day_size() - 1); });
  about.Feature<State>("gap_mean_days", "days",
                       "The usual pause between purchase days: geometric mean, odd ones drawn in",
                       [](const State& s) -> std::optional<double> {
                         if (s.day_size() < 2) return std::nullopt;
                         return std::exp(OwnRhythm(s).log_mean);
                       });
  about.Feature<State>("gap_spread_days", "days", "How far pauses usually run beyond the usual one",
                       [](const State& s) { return GapSpreadDays(s); });
  about.Feature<State>("gap_log_spread", "1", "Standard deviation of the logarithms of the pauses",
                       [](const State& s) -> std::optional<double> {
                         if (s.day_size() < 3) return std::nullopt;
                         return OwnRhythm(s).log_spread;
                       });
  about.Feature<State>("expected_next", "time", "When the next order is due, by the rhythm drawn to the population's",
                       [](const State& s) { return ExpectedNext(s); });
}

}  // namespace

void Purchases::Describe(Description& about) {
  about.Name("purchases")
      .About("Orders, refunds and spend by window, category and channel, and the customer's own rhythm")
      .Reads({Event::kOrderCompleted, Event::kOrderRefunded, Event::kOrderCancelled});
  DescribeTotals(about);
  DescribeWindows(about);
  DescribeRhythm(about);
  about.ItemsFeature<State>("categories", ItemColumns(), "The 16 categories bought last, most spend first",
                            [](const State& s) { return ItemsOf(s.categories()); });
  about.ItemsFeature<State>("channels", ItemColumns(), "The 8 channels used last, most spend first",
                            [](const State& s) { return ItemsOf(s.channels()); });
}

void Purchases::OnEvent(const Event& event, State& state, Context& context) const {
  if (event.body_case() == Event::kOrderCompleted) {
    OnOrder(event, state, context);
  } else {
    OnPaidBack(event, state, context);
  }
}

void Purchases::OnOrder(const Event& event, State& state, Context& context) const {
  const v1::Order& order = event.order_completed();
  const Timestamp time = EventTime(event);
  const int32_t day = context.DayOf(time);
  const bool foreign = IsForeign(order);
  const int64_t total = foreign ? 0 : Amount(order.total_micros());

  state.set_placed(state.placed() + 1);
  RecentOrder* recent = FindRecent(state, order);
  if (recent == nullptr && !order.order_id().empty()) recent = &Remember(state, order, time);
  int64_t paid_back = 0;  // what came back before the order itself did
  if (recent != nullptr) {
    paid_back = std::max<int64_t>(0, -recent->kept_micros());
    recent->set_kept_micros(std::clamp(recent->kept_micros() + total, -kMost, kMost));
    recent->set_time_us(ToMicros(time));
  }
  if (recent != nullptr && recent->cancelled()) {
    WindowAdd(*state.mutable_orders(), day, 0, paid_back);  // what its cancellation took off
    return;
  }
  const bool counts = paid_back == 0 || recent->kept_micros() > 0;
  AddOccasion(state, day, time);
  WindowAdd(*state.mutable_orders(), day, counts ? 1 : 0, total);
  if (recent != nullptr) recent->set_counted(counts);
  if (!counts) return;
  if (foreign) state.set_foreign_orders(state.foreign_orders() + 1);
  if (foreign && recent != nullptr) recent->set_foreign(true);
  AddCategories(state, order, recent, foreign, time);
  AddChannel(state, order, recent, total, time);
}

// A refund or a cancellation.
void Purchases::OnPaidBack(const Event& event, State& state, Context& context) const {
  const bool cancels = event.body_case() == Event::kOrderCancelled;
  const v1::Order& body = cancels ? event.order_cancelled() : event.order_refunded();
  const Timestamp time = EventTime(event);
  RecentOrder* recent = FindRecent(state, body);
  const bool known = recent != nullptr && recent->counted();
  const int64_t left = known ? std::max<int64_t>(0, recent->kept_micros()) : 0;
  int64_t amount = IsForeign(body) ? 0 : Amount(body.total_micros());
  if (known && (cancels || body.total_micros() <= 0)) amount = left;
  if (known) amount = std::min(amount, left);
  if (recent == nullptr && !body.order_id().empty()) recent = &Remember(state, body, time);
  if (recent != nullptr && recent->cancelled()) return;  // told twice

  const int32_t day = context.DayOf(known ? FromMicros(recent->time_us()) : time);
  const bool nothing_left = known && (cancels || (amount == left && left > 0));
  WindowAdd(*state.mutable_orders(), day, nothing_left ? -1 : 0, -amount);
  if (cancels) {
    state.set_cancellations(state.cancellations() + 1);
    if (known) RemoveOccasion(state, day);
  } else {
    WindowAdd(*state.mutable_refunds(), context.DayOf(time), 1, amount);
  }
  LowerItems(state, body, known ? recent : nullptr, nothing_left ? 1 : 0, amount);
  if (recent == nullptr) return;
  recent->set_kept_micros(std::max(-kMost, recent->kept_micros() - amount));
  recent->set_cancelled(cancels);
  if (!nothing_left) return;
  recent->set_counted(false);
  if (recent->foreign()) state.set_foreign_orders(state.foreign_orders() - 1);
}

void Purchases::Fetch(const State& state, Fetcher& fetch) const {
  fetch.Text(state.orders());
  fetch.Numbers(state.day());
  fetch.Each(state.categories(), [&](const v1::state::PurchasedItem& item) { fetch.Text(item.name()); });
}

}  // namespace portrait
