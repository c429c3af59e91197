// The editions of the simulated chain that have been published so far, and what one process has heard of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/chain_catalog.h"

namespace portrait::simulation {

class Editions {
 public:
  Editions();

  // Other models or rules, in force or in the shadow. At most kMost; then nothing happens any more.
  bool Publish(bool of_models);
  size_t size() const { return all_.size(); }
  const ChainCatalog::Edition& at(size_t n) const { return all_.at(n); }
  const ChainEdition& latest() const { return *all_.back(); }

 private:
  static constexpr size_t kMost = 8;
  int64_t version_ = 0;  // of the last one's rules in force
  std::vector<ChainCatalog::Edition> all_;
};

// What one process knows: it may have been told late, and forgets nothing.
class KnownEditions final : public ChainCatalog {
 public:
  KnownEditions(const Editions& all, size_t known) : all_(all), known_(known) {}

  void Hear() { known_ = all_.size() - 1; }

  const Chain& base() const override { return *all_.at(0)->chain; }
  Edition current() const override { return all_.at(known_); }
  absl::StatusOr<Edition> Find(std::string_view rules, int64_t control_position) override;

 private:
  const Editions& all_;
  size_t known_;
};

}  // namespace portrait::simulation
