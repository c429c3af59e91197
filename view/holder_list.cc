#include "view/holder_list.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace portrait::view {

Json HolderJson(const TagHolder& holder) {
  return {{"customer", holder.customer},
          {"since", TimeOf(holder.since_us)},
          {"value_at_risk", holder.value_at_risk_micros ? Json(Amount(*holder.value_at_risk_micros)) : Json()},
          {"place", holder.place}};
}

Json ToJson(std::string_view tag, TagSort sort, const HolderList& list, int32_t partitions) {
  Json customers = Json::array();
  for (const HolderList::Holder& holder : list.holders) customers.push_back(holder.customer);
  return {{"tag", std::string(tag)},
          {"sort", sort == TagSort::kSince ? "since" : "value_at_risk"},
          {"total", list.total},
          {"partitions", list.partitions},
          {"complete", list.partitions.size() == static_cast<size_t>(partitions)},
          {"customers", std::move(customers)},
          {"next", list.more && !list.holders.empty() ? Json(list.holders.back().place) : Json()}};
}

absl::StatusOr<HolderList> ReadHolderList(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  HolderList list;
  try {
    list.total = json.at("total").get<int64_t>();
    list.known = list.total > 0;
    list.partitions = json.at("partitions").get<std::set<int32_t>>();
    list.more = !json.at("next").is_null();
    for (const Json& customer : json.at("customers")) {
      list.holders.push_back({customer.at("place").get<std::string>(), customer});
    }
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
  return list;
}

HolderList Merged(std::vector<HolderList> lists, size_t limit) {
  HolderList all;
  for (HolderList& list : lists) {
    all.known |= list.known;
    all.total += list.total;
    all.partitions.merge(list.partitions);
    all.more |= list.more;
    std::move(list.holders.begin(), list.holders.end(), std::back_inserter(all.holders));
  }
  auto& holders = all.holders;
  std::sort(holders.begin(), holders.end(), [](const auto& a, const auto& b) { return a.place < b.place; });
  holders.erase(
      std::unique(holders.begin(), holders.end(), [](const auto& a, const auto& b) { return a.place == b.place; }),
      holders.end());
  if (holders.size() > limit) {
    holders.erase(holders.begin() + static_cast<std::ptrdiff_t>(limit), holders.end());
    all.more = true;
  }
  return all;
}

}  // namespace portrait::view
