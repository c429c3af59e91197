// What the customer does on the website: sessions, pages, dwell time, searches, carts, and which categories and
// products the customer is interested in.
//
//   builder.Add<Site>(SiteOptions{.session_gap = minutes(20)});
//   … site.sessions_30d = 4, site.exit_page = "/cart", site.interests = shoes(3.2, 5, …) hats(0.4, 1, …)
//
// Sessions end by silence, by timer; see operators/sessions.h for what counts as one and for dwell time. Everything
// else is counted on its event's own day, however late it comes.
//
// Interest. Each event adds its weight to the category and to the product it names, and what was added halves with
// every half-life: page or list viewed 1, click 1, product viewed or clicked 2, product put into the cart 4. What is
// taken out of the cart, looked up in it or searched for adds nothing. Where a shop sends both a page view and a
// product view for one page, both count.
//
// Bound. The 8 categories and 8 products that score highest (operators/ranking.h says how one replaces another), three
// windows (operators/window.h), two pages of 48 bytes. A visitor who looked at 3 products on one day takes 250 bytes, a
// typical customer (8 days, 3 categories, 5 products) 400, one who comes every day and looks at everything 1.1 kB, and
// the largest possible state 2 kB.
#pragma once

#include "operators/operator.h"
#include "operators/ranking.h"
#include "operators/sessions.h"
#include "portrait/v1/state/site.pb.h"

namespace portrait {

struct SiteOptions {
  Duration session_gap = minutes(30);              // silence that ends a session; above 0
  Duration dwell_max = minutes(10);                // a page left open for longer counts as this; above 0
  Duration interest_half_life = kDefaultHalfLife;  // at least a day
};

class Site final : public Operator<v1::state::Site> {
 public:
  static constexpr uint32_t kSessionOver = 1;  // timer

  explicit Site(const SiteOptions& options = {});

  static void Describe(Description& about);
  absl::Status Bind(const FeatureRegistry& features) override;  // judges the options
  void OnEvent(const Event& event, v1::state::Site& state, Context& context) const override;
  void OnTimer(const Timer& timer, v1::state::Site& state, Context& context) const override;
  void Fetch(const v1::state::Site& state, Fetcher& fetch) const override;

 private:
  SiteOptions options_;
  SessionOptions sessions_;
  RankingOptions categories_;
  RankingOptions products_;
};

}  // namespace portrait
