#include "operators/site.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/optional_time.h"
#include "operators/window_features.h"

namespace portrait {
namespace {

using State = v1::state::Site;

constexpr double kViewed = 1;
constexpr double kClicked = 1;
constexpr double kProductSeen = 2;
constexpr double kPutIntoCart = 4;

// What an event says about the customer's interests.
struct Sighting {
  std::string_view category;
  std::string_view product;
  Signal signal;
};

Sighting SightingOf(const Event& event) {
  const auto product = [](const v1::ProductAction& action, const Signal& signal) -> Sighting {
    return {action.product().category(), action.product().product_id(), signal};
  };
  switch (event.body_case()) {
    case Event::kPageViewed:
      return {event.page_viewed().category(), event.page_viewed().product_id(), {.weight = kViewed, .views = 1}};
    case Event::kClicked:
      return {event.clicked().category(), event.clicked().product_id(), {.weight = kClicked, .clicks = 1}};
    case Event::kProductListViewed:
      return {event.product_list_viewed().category(), {}, {.weight = kViewed, .views = 1}};
    case Event::kProductViewed: return product(event.product_viewed(), {.weight = kProductSeen, .views = 1});
    case Event::kProductClicked: return product(event.product_clicked(), {.weight = kProductSeen, .clicks = 1});
    case Event::kProductAdded: return product(event.product_added(), {.weight = kPutIntoCart});
    default: return {};
  }
}

// The path of a page; of its address where the path is not given.
std::string_view PathOf(const v1::PageView& page) {
  if (!page.path().empty()) return page.path();
  std::string_view url = page.url();
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    const size_t path = url.find('/', scheme + 3);
    url = path == std::string_view::npos ? "/" : url.substr(path);
  }
  return url.substr(0, url.find_first_of("?#"));
}

void CountActions(const Event& event, int32_t day, State& state) {
  const int64_t second = event.event_time_us() / 1'000'000;
  switch (event.body_case()) {
    case Event::kClicked:
    case Event::kProductClicked: return WindowAdd(*state.mutable_actions(), day, 1);
    case Event::kProductsSearched: return WindowAdd(*state.mutable_actions(), day, 0, 1);
    case Event::kProductViewed: return WindowAdd(*state.mutable_products(), day, 1);
    case Event::kProductAdded:
      state.set_last_cart_s(std::max(state.last_cart_s(), second));
      return WindowAdd(*state.mutable_products(), day, 0, 1);
    case Event::kCheckoutStarted:
      state.set_last_checkout_s(std::max(state.last_checkout_s(), second));
      return state.set_checkouts(state.checkouts() + 1);
    default: return;
  }
}

// ---- Features

const std::string& Visits(const State& state) { return state.sessions().visits(); }
const v1::state::Session& Last(const State& state) { return state.sessions().last(); }
int64_t SessionsOver(const State& state) { return LifetimeSum(Visits(state)) - (Last(state).open() ? 1 : 0); }

std::optional<std::string_view> TextOrNone(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

std::optional<Duration> MeanTime(int64_t sum_us, int64_t count) {
  return count <= 0 ? std::nullopt : std::optional<Duration>(sum_us / count);
}

std::optional<double> Ratio(int64_t part, int64_t whole) {
  return whole <= 0 ? std::nullopt : std::optional<double>(static_cast<double>(part) / static_cast<double>(whole));
}

Item InterestItem(const RankedName& ranked) {
  return {ranked.name, {ranked.score, ranked.views_30d, ranked.views, ranked.clicks, ranked.days_since}};
}

Item ProductItem(const RankedName& ranked) {
  return {ranked.name, {ranked.score, ranked.views, ranked.clicks, ranked.days_since}};
}

Items ItemsOf(const v1::state::Ranking& ranking, const Moment& at, Item (*item)(const RankedName&)) {
  Items out;
  for (const RankedName& ranked : RankingAt(ranking, at)) out.push_back(item(ranked));
  return out;
}

ListChanges ChangesOf(const v1::state::Ranking& (State::*ranking)() const, Item (*item)(const RankedName&)) {
  const auto of = [ranking](const google::protobuf::Message& state) -> const v1::state::Ranking& {
    return (static_cast<const State&>(state).*ranking)();
  };
  return {[of](const google::protobuf::Message& state, std::string& kept) { RankingKeep(of(state), kept); },
          [of, item](std::string_view kept, const google::protobuf::Message& state, const Moment& at,
                     ListChanges::Visit visit) {
            RankingChanges(kept, of(state), at, [&](const RankedName* before, const RankedName* after) {
              const Item was = before != nullptr ? item(*before) : Item(),
                         is = after != nullptr ? item(*after) : Item();
              visit(before != nullptr ? &was : nullptr, after != nullptr ? &is : nullptr);
            });
          }};
}

void DescribeInterests(Description& about) {
  const FeatureColumn score{"score", FeatureType::kNumber, "1", "Weighted attention, halved with every half-life",
                            OverTime::EachDay(OverTime::Trend::kFalls)};
  const FeatureColumn views_30d{"views_30d", FeatureType::kInteger, "views",
                                "Views in the last 30 days, give or take 2",
                                OverTime::EachDay(OverTime::Trend::kFalls)};
  const FeatureColumn views{"views", FeatureType::kInteger, "views", "Views since it came into the list",
                            OverTime::Still()};
  const FeatureColumn clicks{"clicks", FeatureType::kInteger, "clicks", "Clicks since it came into the list",
                             OverTime::Still()};
  const FeatureColumn days_since{"days_since", FeatureType::kInteger, "days", "Days since it was last turned to",
                                 OverTime::EachDay(OverTime::Trend::kRises)};
  about.ItemsFeature<State>(
      "interests", {score, views_30d, views, clicks, days_since},
      "The 8 categories that the customer turns to most, the highest score first",
      [](const State& s, const Moment& at) { return ItemsOf(s.categories(), at, InterestItem); }, OverTime::EachDay(),
      ChangesOf(&State::categories, InterestItem));
  about.ItemsFeature<State>(
      "products", {score, views, clicks, days_since},
      "The 8 products that the customer turns to most, the highest score first",
      [](const State& s, const Moment& at) { return ItemsOf(s.product_ids(), at, ProductItem); }, OverTime::EachDay(),
      ChangesOf(&State::product_ids, ProductItem));
  about.Feature<State>("top_category", "text", "The category with the highest score",
                       [](const State& s, const Moment& at) -> std::optional<std::string_view> {
                         if (s.categories().entries().empty()) return std::nullopt;
                         return RankingAt(s.categories(), at).front().name;
                       });
}

// The features of visits lie one message deeper than a window's getter reaches.
void DescribeVisits(Description& about) {
  struct Part {
    WindowPart part;
    const char *name, *unit, *what;
  };
  for (const Part& p : {Part{WindowPart::kCount, "views", "pages", "Pages viewed"},
                        Part{WindowPart::kSum, "sessions", "sessions", "Sessions begun"}}) {
    for (const int window_days : kWindowDays) {
      about.Feature<State>(
          absl::StrCat(p.name, WindowSuffix(window_days)), p.unit, absl::StrCat(p.what, WindowWords(window_days)),
          [part = p.part, window_days](const State& s, const Moment& at) -> int64_t {
            return WithinDays(Visits(s), part, at, window_days);
          },
          ChangesAsWindow<State>(Visits, window_days));
    }
    about.Feature<State>(p.name, p.unit, absl::StrCat(p.what, " so far"),
                         [part = p.part](const State& s) { return Lifetime(Visits(s), part); });
  }
  about.Feature<State>("first_visit", "time", "The first activity on the site",
                       [](const State& s) { return TimeOfSecond(s.sessions().first_s()); });
  about.Feature<State>("last_visit", "time", "The latest activity on the site",
                       [](const State& s) -> std::optional<Timestamp> {
                         if (!s.sessions().has_last()) return std::nullopt;
                         return FromMicros(Last(s).start_us() + Last(s).length_us());
                       });
}

void DescribeSessions(Description& about) {
  about.Feature<State>("in_session", "1", "Whether a session is going on",
                       [](const State& s) { return Last(s).open(); });
  about.Feature<State>("session_length", "days", "Length of the latest session, from its first to its last activity",
                       [](const State& s) -> std::optional<Duration> {
                         if (!s.sessions().has_last()) return std::nullopt;
                         return Duration(Last(s).length_us());
                       });
  about.Feature<State>("path_length", "pages", "Pages viewed in the latest session",
                       [](const State& s) -> int64_t { return Last(s).pages(); });
  about.Feature<State>("entry_page", "text", "The first page of the latest session",
                       [](const State& s) { return TextOrNone(Last(s).entry_page()); });
  about.Feature<State>("exit_page", "text", "The last page of the latest session, so far if it is going on",
                       [](const State& s) { return TextOrNone(Last(s).exit_page()); });
  about.Feature<State>("session_length_mean", "days", "Mean length of the sessions that are over",
                       [](const State& s) { return MeanTime(s.sessions().length_us(), SessionsOver(s)); });
  about.Feature<State>("path_length_mean", "pages", "Mean number of pages in the sessions that are over",
                       [](const State& s) { return Ratio(s.sessions().pages(), SessionsOver(s)); });
  about.Feature<State>("bounce_share", "1", "Share of the sessions that are over with one page at most",
                       [](const State& s) { return Ratio(s.sessions().bounces(), SessionsOver(s)); });
  about.Feature<State>("dwell_mean", "days", "Mean time on a page, of the pages where it is known",
                       [](const State& s) { return MeanTime(s.sessions().dwell_us(), s.sessions().dwell_pages()); });
  about.Feature<State>("dwell", "days", "Time on pages so far",
                       [](const State& s) { return Duration(s.sessions().dwell_us()); });
}

void DescribeActions(Description& about) {
  DescribeWindow(about, "product_views", "products", "Products viewed", &State::products, WindowPart::kCount);
  DescribeWindow(about, "carts", "products", "Products put into the cart", &State::products, WindowPart::kSum);
  DescribeWindow(about, "clicks", "clicks", "Clicks, on products too", &State::actions, WindowPart::kCount);
  DescribeWindow(about, "searches", "searches", "Searches", &State::actions, WindowPart::kSum);
  about.Feature<State>("checkouts", "checkouts", "Checkouts started so far",
                       [](const State& s) -> int64_t { return s.checkouts(); });
  about.Feature<State>("last_cart", "time", "When a product was last put into the cart",
                       [](const State& s) { return TimeOfSecond(s.last_cart_s()); });
  about.Feature<State>("last_checkout", "time", "When a checkout was last started",
                       [](const State& s) { return TimeOfSecond(s.last_checkout_s()); });
}

}  // namespace

Site::Site(const SiteOptions& options)
    : options_(options),
      sessions_{.gap = options.session_gap, .dwell_max = options.dwell_max},
      categories_{.half_life = options.interest_half_life, .recent = true},
      products_{.half_life = options.interest_half_life} {}

void Site::Describe(Description& about) {
  about.Name("site")
      .About("Sessions, pages, dwell time, searches, carts, and interests by category and product")
      .Reads({Event::kPageViewed, Event::kPageLeft, Event::kClicked, Event::kProductViewed, Event::kProductClicked,
              Event::kProductAdded, Event::kProductRemoved, Event::kProductListViewed, Event::kProductsSearched,
              Event::kCartViewed, Event::kCheckoutStarted})
      .Timer(kSessionOver, "the session may be over");
  DescribeVisits(about);
  DescribeSessions(about);
  DescribeActions(about);
  DescribeInterests(about);
  about.TimersLeave({"interests", "products", "top_category"});  // a timer only closes a session
}

absl::Status Site::Bind(const FeatureRegistry&) {
  if (options_.session_gap <= Duration(0)) return absl::InvalidArgumentError("session_gap must be above 0");
  if (options_.dwell_max <= Duration(0)) return absl::InvalidArgumentError("dwell_max must be above 0");
  if (options_.interest_half_life < days(1)) return absl::InvalidArgumentError("interest_half_life is below a day");
  return absl::OkStatus();
}

void Site::OnEvent(const Event& event, v1::state::Site& state, Context& context) const {
  const Timestamp time = EventTime(event);
  SessionTracker sessions(*state.mutable_sessions(), sessions_, context, kSessionOver);
  if (event.has_page_left())
    return sessions.Leave(time, PathOf(event.page_left()), Duration(event.page_left().dwell_us()));
  if (event.has_page_viewed()) {
    sessions.View(time, PathOf(event.page_viewed()), Duration(event.page_viewed().dwell_us()));
  } else {
    sessions.Act(time);
  }
  const int32_t day = context.DayOf(time);
  CountActions(event, day, state);
  const Sighting seen = SightingOf(event);
  if (!seen.category.empty())
    RankingAdd(*state.mutable_categories(), seen.category, time, day, seen.signal, categories_);
  if (!seen.product.empty()) RankingAdd(*state.mutable_product_ids(), seen.product, time, day, seen.signal, products_);
}

void Site::OnTimer(const Timer&, v1::state::Site& state, Context& context) const {
  SessionTracker(*state.mutable_sessions(), sessions_, context, kSessionOver).OnTimer();
}

void Site::Fetch(const State& state, Fetcher& fetch) const {
  const auto ranking = [&](const v1::state::Ranking& names) { fetch.Text(names.entries()); };
  fetch.In(state.sessions(), [&](const v1::state::Sessions& sessions) {
    fetch.In(sessions.last(), [&](const v1::state::Session& last) { fetch.Text(last.exit_page()); });
    fetch.Text(sessions.visits());
  });
  fetch.In(state.categories(), ranking);
  fetch.In(state.product_ids(), ranking);
}

}  // namespace portrait
