// The conditions in docs/rules.md are what they say.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/distinct_values.h"
#include "operators/email.h"
#include "operators/person.h"
#include "operators/purchases.h"
#include "operators/rules/compiler.h"
#include "operators/service.h"
#include "operators/site.h"
#include "operators/tags.h"
#include "operators/testing/harness.h"
#include "operators/window.h"

namespace portrait::rules {
namespace {

std::string Document() {
  std::ifstream in(PORTRAIT_SOURCE_DIR "/docs/rules.md");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The blocks of this language.
std::vector<std::string> Blocks(const std::string& document, const std::string& language) {
  std::vector<std::string> out;
  const std::string begin = "```" + language + "\n";
  for (size_t at = document.find(begin); at != std::string::npos; at = document.find(begin, at)) {
    at += begin.size();
    out.push_back(document.substr(at, document.find("```", at) - at));
  }
  return out;
}

TEST_CASE("every condition in the documentation is one", "[rules]") {
  const OperatorHarness harness(
      std::move(ChainBuilder().Add<Site>().Add<Email>().Add<Service>().Add<Person>().Add<Purchases>().Add<Tags>()));
  const auto blocks = Blocks(Document(), "cel");
  CHECK(blocks.size() >= 5);
  for (const std::string& block : blocks) {
    std::istringstream lines(block);
    for (std::string line; std::getline(lines, line);) {
      Program program;
      EventWindows windows(harness.chain().features());
      Scope scope;
      scope.windows = &windows;
      const auto node = Compiler(harness.chain().features(), program).Condition(line, scope);
      INFO(node.status().message());
      CHECK(node.ok());
    }
  }
}

TEST_CASE("the bounds and functions of windows in the documentation are those of the code", "[rules]") {
  const std::string document = Document();
  const auto has = [&](const std::string& text) { return document.find(text) != std::string::npos; };
  CHECK(has(absl::StrCat("At most ", kMostEventWindows, " of them in a file")));
  CHECK(has(absl::StrCat("how many different texts or whole numbers, up to ", kDistinctMost)));
  CHECK(has(absl::StrCat("at most ", 8 * kDistinctMost)));
  CHECK(has(absl::StrCat("Up to ", kWindowBuckets, " steps with events are exact")));
  for (const std::string_view letter : {"m", "h", "d"}) {
    CHECK(ParseWindowLength(absl::StrCat(kMostWindowUnits, std::string(letter))).ok());
    CHECK(has(absl::StrCat("to `\"", kMostWindowUnits, std::string(letter), "\"`")));
  }
  for (const char* function : {"count", "sum", "distinct", "first", "last", "after"}) {
    CHECK(IsWindowFunction(function));
    CHECK(has(absl::StrCat("`", function, "(KIND")));
  }
}

TEST_CASE("a refusal in the documentation is the one that comes", "[rules]") {
  const OperatorHarness harness(std::move(ChainBuilder().Add<Purchases>()));
  Program program;
  const auto node = Compiler(harness.chain().features(), program).Condition("true &&\n  now - purchases.last > 60");
  CHECK(Document().find("```text\n" + std::string(node.status().message()) + "\n```") != std::string::npos);
}

}  // namespace
}  // namespace portrait::rules
