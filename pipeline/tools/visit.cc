#include "pipeline/tools/visit.h"

#include <algorithm>
#include <cmath>

namespace portrait {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr double kSecondsPerPage = 40;
constexpr int kPagesMost = 40;

class VisitPlan {
 public:
  VisitPlan(const Visit& visit, const Traits& traits, const Shop& shop, Draws& draws, std::vector<PlannedStep>& steps)
      : visit_(visit), traits_(traits), shop_(shop), draws_(draws), steps_(steps) {}

  void Make() {
    ChoosePages();
    const std::vector<int64_t> starts = ChooseTimes();
    for (size_t i = 0; i < pages_.size(); ++i) {
      AddPage(i, starts[i], i + 1 < pages_.size() ? starts[i + 1] : visit_.end_us);
    }
    if (visit_.products > 0) Add(visit_.end_us, Event::kOrderCompleted, 0, bought_micros_);
  }

 private:
  struct Stop {
    int32_t page;
    bool buys = false;  // the product goes into the cart
  };

  int ChooseCategory() {
    if (visit_.landing_category >= 0 && draws_.Chance(0.5)) return visit_.landing_category;
    if (!draws_.Chance(traits_.favours))
      return static_cast<int>(draws_.Below(static_cast<uint64_t>(shop_.categories())));
    constexpr double kWeights[] = {6, 3, 1};
    return traits_.favourites[draws_.Weighted(kWeights)];
  }

  // Of three products of the category, the one whose price suits this customer best.
  int ChooseProduct(int category) {
    int best = -1;
    double best_distance = 0;
    for (int i = 0; i < 3; ++i) {
      const int product = shop_.ProductOf(category, draws_.Bits());
      const double price = static_cast<double>(shop_.product(product).price_micros) / 22e6;
      const double distance = std::abs(std::log(price / traits_.price_level));
      if (best < 0 || distance < best_distance) best = product, best_distance = distance;
    }
    return best;
  }

  int32_t ChooseEntry() {
    if (visit_.referrer == Referrer::kMail) return kLandingPage;
    constexpr double kWeights[] = {5, 3, 2};
    switch (draws_.Weighted(kWeights)) {
      case 0: return kHomePage;
      case 1: return kFirstCategoryPage + ChooseCategory();
      default: return kFirstProductPage + ChooseProduct(ChooseCategory());
    }
  }

  int32_t ChoosePage() {
    constexpr double kWeights[] = {3, 5, 1, 0.5};
    switch (draws_.Weighted(kWeights)) {
      case 0: return kFirstCategoryPage + ChooseCategory();
      case 1: return kFirstProductPage + ChooseProduct(ChooseCategory());
      case 2: return kSearchPage;
      default: return kHomePage;
    }
  }

  void ChoosePages() {
    pages_.push_back({ChooseEntry()});
    const double length = static_cast<double>(visit_.end_us - visit_.begin_us) / kSecond;
    const int more = static_cast<int>(length / kSecondsPerPage * draws_.Uniform(0.6, 1.4));
    for (int i = 0; i < std::min(more, kPagesMost); ++i) pages_.push_back({ChoosePage()});
    for (int i = 0; i < visit_.products; ++i) {
      const int32_t page = kFirstProductPage + ChooseProduct(ChooseCategory());
      const auto place = 1 + draws_.Below(pages_.size());  // anywhere but first
      pages_.insert(pages_.begin() + static_cast<std::ptrdiff_t>(place), {page, true});
    }
    if (visit_.products > 0) {
      pages_.push_back({kCartPage});
      pages_.push_back({kCheckoutPage});
    }
  }

  std::vector<int64_t> ChooseTimes() {
    std::vector<double> shares(pages_.size());
    double sum = 0;
    for (double& share : shares) sum += share = 0.15 + draws_.Exponential(1);
    std::vector<int64_t> starts(pages_.size());
    double before = 0;
    for (size_t i = 0; i < shares.size(); ++i) {
      starts[i] =
          visit_.begin_us + static_cast<int64_t>(before / sum * static_cast<double>(visit_.end_us - visit_.begin_us));
      before += shares[i];
    }
    return starts;
  }

  void AddPage(size_t index, int64_t begin, int64_t end) {
    const Stop& stop = pages_[index];
    const bool last = index + 1 == pages_.size();
    Add(begin, Event::kPageViewed, stop.page, index == 0 ? static_cast<int64_t>(visit_.referrer) : 0);
    const int64_t loaded = begin + (end - begin) / 20, decided = begin + (end - begin) * 7 / 10;
    if (stop.page >= kFirstProductPage) {
      AddProductPage(stop, loaded, decided);
    } else if (stop.page >= kFirstCategoryPage) {
      Add(loaded, Event::kProductListViewed, stop.page, 0);
    } else if (stop.page == kSearchPage) {
      Add(loaded, Event::kProductsSearched, ChooseCategory(), static_cast<int64_t>(draws_.Below(40)));
    } else if (stop.page == kCartPage) {
      Add(loaded, Event::kCartViewed, 0, bought_micros_);
    } else if (stop.page == kCheckoutPage) {
      Add(loaded, Event::kCheckoutStarted, 0, bought_micros_);
    }
    if (!last && draws_.Chance(0.12)) Add(decided, Event::kClicked, stop.page, 0);
    // Browsers that are closed or lose their network report no exit.
    if (!last || visit_.products > 0 || !draws_.Chance(0.05)) Add(end, Event::kPageLeft, stop.page, end - begin);
  }

  void AddProductPage(const Stop& stop, int64_t loaded, int64_t decided) {
    const int32_t product = stop.page - kFirstProductPage;
    Add(loaded, Event::kProductViewed, product, 0);
    if (stop.buys) {
      Add(decided, Event::kProductAdded, product, 0);
      bought_micros_ += shop_.product(product).price_micros;
    } else if (visit_.products == 0 && draws_.Chance(0.06)) {  // a cart that will be left behind
      Add(decided, Event::kProductAdded, product, 0);
    }
  }

  void Add(int64_t time_us, EventKind kind, int32_t item, int64_t value) {
    steps_.push_back({time_us, kind, item, value});
  }

  const Visit& visit_;
  const Traits& traits_;
  const Shop& shop_;
  Draws& draws_;
  std::vector<PlannedStep>& steps_;
  std::vector<Stop> pages_;
  int64_t bought_micros_ = 0;
};

}  // namespace

int64_t DrawVisitLength(Draws& draws, const Traits& traits) {
  const double length_s = draws.LogNormal(traits.pages_per_visit * kSecondsPerPage, 0.6);
  return static_cast<int64_t>(std::clamp(length_s, 20.0, 3600.0) * kSecond);
}

void PlanVisit(const Visit& visit, const Traits& traits, const Shop& shop, Draws& draws,
               std::vector<PlannedStep>& steps) {
  VisitPlan(visit, traits, shop, draws, steps).Make();
}

}  // namespace portrait
