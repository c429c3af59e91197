#include "pipeline/tools/shop.h"

#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "pipeline/tools/draws.h"

namespace portrait {

namespace {

constexpr int kProductsPerCategory = 40;
constexpr uint64_t kShopSeed = 1742;  // the shop is the same for every population
constexpr std::array kAdjectives = {"Quiet", "Golden", "Northern", "Paper",  "Second",
                                    "Wild",  "Blue",   "Long",     "Hidden", "Early"};
constexpr std::array kNouns = {"Garden",  "River", "Winter",   "Letters", "Harbour",
                               "Journey", "Light", "Mountain", "Street",  "Summer"};
constexpr std::array kBrands = {"Alder", "Birk", "Corvo", "Dunne", "Elm & Co", "Fjord", "Granit", "Hale"};

std::vector<std::string> UsualCategories() {
  return {"books", "music", "film",    "games",  "kitchen",     "garden",
          "toys",  "sport", "fashion", "beauty", "electronics", "travel"};
}

int64_t RoundPrice(double price) {  // 12.99 rather than 12.7341
  return (static_cast<int64_t>(std::ceil(price)) * 100 - 1) * 10'000;
}

}  // namespace

Shop::Shop(std::vector<std::string> categories)
    : categories_(categories.empty() ? UsualCategories() : std::move(categories)) {
  for (int category = 0; category < this->categories(); ++category) {
    Draws draws(DrawSeed(kShopSeed, static_cast<uint64_t>(category)));
    const double usual_price = draws.LogNormal(22, 0.5);
    for (int n = 0; n < kProductsPerCategory; ++n) {
      products_.push_back(
          {.id = absl::StrFormat("%s-%03d", categories_[static_cast<size_t>(category)], n + 1),
           .name = absl::StrCat(kAdjectives[draws.Below(kAdjectives.size())], " ", kNouns[draws.Below(kNouns.size())]),
           .brand = kBrands[draws.Below(kBrands.size())],
           .category = category,
           .price_micros = RoundPrice(draws.LogNormal(usual_price, 0.45))});
    }
  }
}

int Shop::ProductOf(int category, uint64_t number) const {
  return category * kProductsPerCategory + static_cast<int>(number % kProductsPerCategory);
}

Campaign Shop::CampaignOf(int64_t number, int32_t day) const {
  const std::string date = absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) + day);
  Draws draws(DrawSeed(kShopSeed, static_cast<uint64_t>(number), 1));
  switch (number % 4) {
    case 1: {
      const int category = static_cast<int>(draws.Below(categories_.size()));
      return {"offer-" + date, "offer", absl::StrCat(10 + 5 * draws.Below(5), "% off ", this->category(category)),
              category};
    }
    case 3: return {"reminder-" + date, "reminder", "We have kept your favourites", -1};
    default: return {"newsletter-" + date, "newsletter", "What is new this week", -1};
  }
}

}  // namespace portrait
