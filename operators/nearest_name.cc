#include "operators/nearest_name.h"

#include <algorithm>

namespace portrait {
namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view NearestName(std::string_view name, const std::vector<std::string_view>& names) {
  std::string_view nearest;
  size_t distance = name.size() / 2 + 1;
  for (const std::string_view other : names) {
    const size_t d = EditDistance(name, other);
    if (d < distance) {
      distance = d;
      nearest = other;
    }
  }
  return nearest;
}

}  // namespace

std::string DidYouMean(std::string_view name, const std::vector<std::string_view>& names) {
  const std::string_view nearest = NearestName(name, names);
  return nearest.empty() ? std::string() : "; did you mean " + std::string(nearest);
}

}  // namespace portrait
