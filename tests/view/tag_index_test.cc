// Who has a tag, by since when and by value at risk.
#include "view/tag_index.h"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"

namespace portrait::view {
namespace {

struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / absl::StrCat("portrait-tag-index-", getpid())) {}
  ~Folder() { std::filesystem::remove_all(path); }
  const std::filesystem::path path;
};

struct Made {
  Folder folder;
  std::unique_ptr<TagIndex> index = TagIndex::Open(folder.path).value();

  std::vector<std::string> Names(std::string_view tag, TagSort sort, size_t limit = 200,
                                 const std::set<int32_t>& partitions = {0, 1}) const {
    std::vector<std::string> names;
    std::string after;
    do {
      const TagPage page = index->List(tag, sort, partitions, after, limit).value();
      CHECK(page.holders.size() <= limit);
      for (const TagHolder& holder : page.holders) names.push_back(holder.customer);
      after = page.more ? page.holders.back().place : "";
    } while (!after.empty());
    return names;
  }
};

using Names = std::vector<std::string>;

TEST_CASE("customers of a tag come latest first, or by value at risk with those without one last") {
  Made made;
  TagIndex& index = *made.index;
  REQUIRE(index.Gain(0, "anna", "silent", 100).ok());
  REQUIRE(index.Gain(1, "bert", "silent", 300).ok());
  REQUIRE(index.Gain(0, "carl", "silent", -200).ok());
  REQUIRE(index.Gain(0, "dora", "silence", 250).ok());  // begins like the other
  REQUIRE(index.SetValueAtRisk(0, "anna", 5'000'000).ok());
  REQUIRE(index.SetValueAtRisk(0, "carl", 70'000'000).ok());
  CHECK(made.Names("silent", TagSort::kSince) == Names{"bert", "anna", "carl"});
  CHECK(made.Names("silent", TagSort::kValueAtRisk) == Names{"carl", "anna", "bert"});
  CHECK(made.Names("silent", TagSort::kSince, 200, {0}) == Names{"anna", "carl"});
  CHECK(index.Count("silent") == std::map<int32_t, int64_t>{{0, 2}, {1, 1}});
  CHECK(made.Names("other", TagSort::kSince).empty());

  const TagPage page = index.List("silent", TagSort::kValueAtRisk, {0, 1}, "", 200).value();
  CHECK(page.holders[0].value_at_risk_micros == 70'000'000);
  CHECK(page.holders[0].since_us == -200);
  CHECK(page.holders[2].value_at_risk_micros == std::nullopt);

  REQUIRE(index.SetValueAtRisk(0, "carl", std::nullopt).ok());
  REQUIRE(index.Lose(1, "bert", "silent").ok());
  REQUIRE(index.Lose(1, "bert", "silent").ok());  // has gone already
  CHECK(made.Names("silent", TagSort::kValueAtRisk) == Names{"anna", "carl"});
  CHECK(index.Count("silent") == std::map<int32_t, int64_t>{{0, 2}});
}

TEST_CASE("what is told twice counts once, and what a row says stands for all before") {
  Made made;
  TagIndex& index = *made.index;
  REQUIRE(index.Gain(0, "anna", "silent", 100).ok());
  REQUIRE(index.Gain(0, "anna", "silent", 100).ok());
  REQUIRE(index.Gain(0, "anna", "silent", 150).ok());
  CHECK(index.Count("silent").at(0) == 1);
  CHECK(made.Names("silent", TagSort::kSince) == Names{"anna"});
  v1::TagStanding standing;
  standing.add_held()->set_tag("active");
  standing.set_value_at_risk_micros(1);
  REQUIRE(index.Put(0, "anna", standing).ok());
  CHECK(made.Names("silent", TagSort::kSince).empty());
  CHECK(made.Names("active", TagSort::kValueAtRisk) == Names{"anna"});
  CHECK(index.Count("silent").empty());
}

TEST_CASE("pages hold everybody once, whatever their size, and any text is a name") {
  Made made;
  std::mt19937 random(7);
  std::set<std::string> all;
  for (int i = 0; i < 300; ++i) {
    std::string customer = absl::StrCat("c", i);
    customer.push_back(static_cast<char>(random()));
    if (i % 3 == 0) customer += std::string("\0\xff", 2);
    all.insert(customer);
    REQUIRE(made.index->Gain(i % 2, customer, "a", static_cast<int64_t>(random() % 10)).ok());
  }
  const Names whole = made.Names("a", TagSort::kSince);
  CHECK(std::set<std::string>(whole.begin(), whole.end()) == all);
  CHECK(whole.size() == 300);
  for (const size_t limit : {1u, 7u, 100u, 300u}) CHECK(made.Names("a", TagSort::kSince, limit) == whole);
  CHECK(absl::IsInvalidArgument(made.index->List("a", TagSort::kSince, {0}, "no place", 5).status()));
  CHECK(absl::IsInvalidArgument(made.index->List("a", TagSort::kSince, {0}, "YQ", 5).status()));

  REQUIRE(made.index->Drop(0).ok());
  CHECK(made.Names("a", TagSort::kSince).size() == 150);
  CHECK(made.index->Count("a") == std::map<int32_t, int64_t>{{1, 150}});
}

TEST_CASE("an index begins empty, and one that cannot lie where it should says so") {
  Folder folder;
  {
    auto index = TagIndex::Open(folder.path).value();
    REQUIRE(index->Gain(0, "anna", "silent", 1).ok());
  }
  CHECK(TagIndex::Open(folder.path).value()->List("silent", TagSort::kSince, {0}, "", 5)->holders.empty());
  std::filesystem::remove_all(folder.path);
  std::ofstream(folder.path) << "a file";
  CHECK(TagIndex::Open(folder.path / "within").status().message().find(folder.path.string()) != std::string::npos);
}

}  // namespace
}  // namespace portrait::view
