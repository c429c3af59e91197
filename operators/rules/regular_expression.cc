#include "operators/rules/regular_expression.h"

#include <re2/re2.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"

namespace portrait::rules {
namespace {

constexpr int64_t kMostMemory = 1 << 20;  // of one expression
constexpr size_t kMostKept = 16;

}  // namespace

absl::StatusOr<std::shared_ptr<const re2::RE2>> MakeRegularExpression(std::string_view pattern) {
  if (pattern.size() > kPatternBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a regular expression is too long; at most ", kPatternBytes, " bytes: ", pattern.size()));
  }
  thread_local std::map<std::string, std::shared_ptr<const re2::RE2>, std::less<>> kept;
  if (const auto it = kept.find(pattern); it != kept.end()) return it->second;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostMemory);
  auto made = std::make_shared<const re2::RE2>(std::string(pattern), options);
  if (!made->ok()) return absl::InvalidArgumentError(absl::StrCat("not a regular expression: ", made->error()));
  if (kept.size() >= kMostKept) kept.clear();
  kept.emplace(pattern, made);
  return made;
}

}  // namespace portrait::rules
