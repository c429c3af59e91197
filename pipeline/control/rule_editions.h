// The editions of a chain that differ in their rules, as the control topic gives them.
//
//   RuleEditions editions(*chain, build);
//   editions.Learn(offset, record);        // each record of the control topic, in its order
//   Engine engine(editions, ...);
//
// Rules that this build cannot use change nothing: those before them stay in force here, and the record is told.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/chain_catalog.h"
#include "portrait/v1/control.pb.h"

namespace portrait {

// The version of the rules that a chain judges by; empty when it has none.
std::string RulesVersionOf(const Chain& chain);

// Safe from any thread.
class RuleEditions final : public ChainCatalog {
 public:
  // Builds the chain with other rules; `name` is for messages. InvalidArgument: they are no good.
  using Build = std::function<absl::StatusOr<std::unique_ptr<Chain>>(const std::string& name, const std::string& text)>;

  // `base`, the chain of the configuration, must outlive the editions.
  RuleEditions(const Chain& base, Build build);

  // InvalidArgument: this build cannot use the rules, and why. One thread at a time.
  absl::Status Learn(int64_t offset, v1::ControlRecord record);

  const Chain& base() const override { return base_; }
  Edition current() const override;
  absl::StatusOr<Edition> Find(std::string_view rules, int64_t control_position) override;

 private:
  absl::StatusOr<Edition> Compile(const v1::ControlRecord& record, int64_t control_position) const;

  const Chain& base_;
  const Build build_;
  const Edition first_;
  mutable std::mutex mutex_;
  Edition current_;                               // guarded by mutex_, like those below
  std::map<int64_t, v1::ControlRecord> records_;  // by control position
  std::map<int64_t, std::weak_ptr<const ChainEdition>> in_use_;
  int64_t known_ = 0;  // control position up to which all records were learned
};

}  // namespace portrait
