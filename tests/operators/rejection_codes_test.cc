#include "operators/rejection_codes.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <set>
#include <sstream>

namespace portrait {
namespace {

TEST_CASE("the table of dead letters in the documentation is that of the program") {
  std::ifstream in(PORTRAIT_SOURCE_DIR "/docs/dead-letters.md");
  std::stringstream text;
  text << in.rdbuf();
  const std::string document = text.str(), head = "| code | what it means | what to do |\n|---|---|---|\n";
  const size_t start = document.find(head);
  REQUIRE(start != std::string::npos);
  std::string expected;
  for (const RejectionInfo& info : RejectionCodes()) {
    expected +=
        "| `" + std::string(info.name) + "` | " + std::string(info.meaning) + " | " + std::string(info.remedy) + " |\n";
  }
  CHECK(document.substr(start + head.size()) == expected);
}

TEST_CASE("every code has a name of its own") {
  std::set<std::string_view> names;
  for (const RejectionInfo& info : RejectionCodes()) {
    CHECK(names.insert(info.name).second);
    CHECK(RejectionName(info.code) == info.name);
  }
}

TEST_CASE("a value in a sentence is short, printable and UTF-8 whatever it is") {
  CHECK(Quoted("anna") == "\"anna\"");
  CHECK(Quoted("a\nb\"c") == "\"a\\nb\\\"c\"");
  CHECK(Quoted("zürich") == "\"zürich\"");
  CHECK(Quoted("z\xFCrich") == "\"z\\xfcrich\"");
  CHECK(Quoted("zürich", 2) == "\"z...\"");
  CHECK(Quoted(std::string(10'000, 'x')).size() == 85);
}

}  // namespace
}  // namespace portrait
