// Examples beside a file of rules: what happens to a customer, and which tags they have then (docs/rules.md).
//
//   const ExampleReport report = RunExamples("tags.test.yaml", yaml, chain, zone);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "operators/chain.h"

namespace portrait {

inline constexpr size_t kExampleFileBytes = 2 * 1024 * 1024;

struct ExampleReport {
  size_t examples = 0;
  size_t expectations = 0;
  std::vector<std::string> failures;  // "tags.test.yaml:12: EXAMPLE: at 2026-01-21 00:00: …"
};

// InvalidArgument: the file is no list of examples, with the line.
absl::StatusOr<ExampleReport> RunExamples(std::string_view name, std::string_view yaml, const Chain& chain,
                                          absl::TimeZone zone);

}  // namespace portrait
