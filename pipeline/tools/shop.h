// A made-up shop: what it sells and which campaigns it mails. The same for the same categories.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace portrait {

struct ShopProduct {
  std::string id;  // jazz-017
  std::string name;
  std::string brand;
  int category = 0;
  int64_t price_micros = 0;
};

struct Campaign {
  std::string id;    // newsletter-2026-03-02
  std::string kind;  // newsletter, offer or reminder
  std::string subject;
  int category = -1;  // what an offer is about; -1: nothing in particular
};

// Constant after construction.
class Shop {
 public:
  // Empty: twelve kinds of goods.
  explicit Shop(std::vector<std::string> categories = {});

  int categories() const { return static_cast<int>(categories_.size()); }
  int products() const { return static_cast<int>(products_.size()); }
  const std::string& category(int index) const { return categories_[static_cast<size_t>(index)]; }
  const ShopProduct& product(int index) const { return products_[static_cast<size_t>(index)]; }
  // The `number`-th product of a category, counted from 0 and around.
  int ProductOf(int category, uint64_t number) const;

  // The `number`-th campaign, mailed on `day` (days since 1970-01-01).
  Campaign CampaignOf(int64_t number, int32_t day) const;

 private:
  std::vector<std::string> categories_;
  std::vector<ShopProduct> products_;
};

}  // namespace portrait
