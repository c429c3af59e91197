#include "view/answers.h"

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "pipeline/absl_view.h"

namespace portrait::view {
namespace {

constexpr size_t kPageMost = 200;

}  // namespace

absl::Status CheckParameters(const HttpTarget& target, std::initializer_list<std::string_view> once,
                             std::initializer_list<std::string_view> often) {
  for (size_t i = 0; i < target.query.size(); ++i) {
    const std::string& name = target.query[i].first;
    if (std::find(often.begin(), often.end(), name) != often.end()) continue;
    if (std::find(once.begin(), once.end(), name) == once.end()) {
      return absl::InvalidArgumentError("no such parameter: " + name);
    }
    for (size_t j = 0; j < i; ++j) {
      if (target.query[j].first == name) return absl::InvalidArgumentError("given twice: " + name);
    }
  }
  return absl::OkStatus();
}

std::string_view Parameter(const HttpTarget& target, std::string_view name) {
  for (const auto& [key, value] : target.query) {
    if (key == name) return value;
  }
  return {};
}

bool ReadLimit(const HttpTarget& target, size_t& limit) {
  const std::string_view text = Parameter(target, "limit");
  return text.empty() || (absl::SimpleAtoi(AbslView(text), &limit) && limit >= 1 && limit <= kPageMost);
}

}  // namespace portrait::view
