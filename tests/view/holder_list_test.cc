// The lists of several processes become one.
#include "view/holder_list.h"

#include <catch2/catch_test_macros.hpp>

namespace portrait::view {
namespace {

HolderList List(std::set<int32_t> partitions, int64_t total, bool more, std::vector<std::string> places) {
  HolderList list{.known = total > 0, .total = total, .partitions = std::move(partitions), .holders = {}, .more = more};
  for (const std::string& place : places) {
    const TagHolder holder{.customer = "customer " + place, .since_us = 1, .value_at_risk_micros = {}, .place = place};
    list.holders.push_back({place, HolderJson(holder)});
  }
  return list;
}

std::vector<std::string> Places(const HolderList& list) {
  std::vector<std::string> places;
  for (const HolderList::Holder& holder : list.holders) places.push_back(holder.place);
  return places;
}

using Strings = std::vector<std::string>;

TEST_CASE("a page of all processes is the first of what each has, and goes on where it ends") {
  const HolderList all =
      Merged({List({0, 2}, 3, false, {"01", "04", "05"}), List({1}, 9, true, {"02", "03", "06"})}, 3);
  CHECK(Places(all) == Strings{"01", "02", "03"});
  CHECK(all.total == 12);
  CHECK(all.more);
  const Json json = ToJson("new", TagSort::kSince, all, 4);
  CHECK(json["next"] == "03");
  CHECK(json["partitions"] == Json::array({0, 1, 2}));
  CHECK(json["complete"] == false);
  CHECK(ToJson("new", TagSort::kSince, all, 3)["complete"] == true);
}

TEST_CASE("the last page says that it is; a customer who is in two lists is told once") {
  const HolderList all = Merged({List({0}, 2, false, {"01", "02"}), List({1}, 2, false, {"02", "03"})}, 3);
  CHECK(Places(all) == Strings{"01", "02", "03"});
  CHECK_FALSE(all.more);
  CHECK(ToJson("new", TagSort::kValueAtRisk, all, 2)["next"].is_null());
  CHECK(Places(Merged({List({0}, 0, false, {})}, 3)).empty());
}

TEST_CASE("a list is read as it was written, and nothing else is taken for one") {
  const HolderList list = List({3, 1}, 2, true, {"0a", "0b"});
  const std::string text = Dump(ToJson("new", TagSort::kSince, list, 4));
  const HolderList read = ReadHolderList(text).value();
  CHECK(Dump(ToJson("new", TagSort::kSince, read, 4)) == text);
  CHECK(read.known);
  CHECK_FALSE(ReadHolderList(Dump(ToJson("new", TagSort::kSince, List({1}, 0, false, {}), 4)))->known);
  for (const char* bad :
       {"", "[]", "{}", R"({"total": "x"})", R"({"total":1,"partitions":[0],"next":null,"customers":[{}]})"}) {
    CAPTURE(bad);
    CHECK(absl::IsInvalidArgument(ReadHolderList(bad).status()));
  }
}

}  // namespace
}  // namespace portrait::view
