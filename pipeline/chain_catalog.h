// The editions of the chain: the same operators with other rules or models, or other rules in their shadow. One is in
// force; others may have been, and a journal's tail is replayed by those that it names.
//
//   FixedChain chains(*chain);          // one edition for ever: tests, tools
//   Engine engine(chains, ...);
//
// A task goes over to the current edition by a step of its journal, and never to an older one (Task).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "operators/chain.h"

namespace portrait {

struct ChainEdition {
  std::shared_ptr<const Chain> chain;
  std::string rules;             // version of its rules; empty: those that the process was started with
  int64_t control_position = 0;  // editions count up; 0 is that of the start
  int64_t shadow = 0;            // control position at which the rules in its shadow came there; 0: there are none
  int64_t models = 0;            // … at which its models came into force; 0: they are those of the configuration
  int64_t models_shadow = 0;     // … at which the models in its shadow came there; 0: there are none
};

// Safe from any thread.
class ChainCatalog {
 public:
  using Edition = std::shared_ptr<const ChainEdition>;

  virtual ~ChainCatalog() = default;

  // For what all editions have in common: operators, features, outputs, version, and how a row is stored.
  virtual const Chain& base() const = 0;

  // The edition that should be in force; cheap.
  virtual Edition current() const = 0;

  // An edition that a journal names. FailedPrecondition: there is none of that version. Unavailable: ask again.
  virtual absl::StatusOr<Edition> Find(std::string_view rules, int64_t control_position) = 0;
};

class FixedChain final : public ChainCatalog {
 public:
  // The chain must outlive this.
  explicit FixedChain(const Chain& chain)
      : only_(std::make_shared<ChainEdition>(
            ChainEdition{std::shared_ptr<const Chain>(std::shared_ptr<const Chain>(), &chain), "", 0})) {}

  const Chain& base() const override { return *only_->chain; }
  Edition current() const override { return only_; }
  absl::StatusOr<Edition> Find(std::string_view rules, int64_t) override {
    if (rules.empty()) return only_;
    return absl::FailedPreconditionError(
        absl::StrCat("the journal names rules that are not there: version ", std::string(rules)));
  }

 private:
  Edition only_;
};

}  // namespace portrait
