// What runs beside the engine in the same process, such as the view; made where the program is composed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "pipeline/chain_catalog.h"
#include "pipeline/config/config.h"
#include "pipeline/engine.h"
#include "pipeline/health.h"
#include "pipeline/metrics.h"
#include "pipeline/ports/group_members.h"
#include "pipeline/result_listener.h"

namespace portrait {

class Companion {
 public:
  virtual ~Companion() = default;

  // Hears of results from before the engine's start until after its end; null: it does not care.
  virtual ResultListener* results() = 0;
  // The engine is about to start; it is there until Detach, and so are the editions of its chain. `members` may be
  // null: nobody else is known.
  virtual void Attach(Engine& engine, ChainCatalog& chains, int32_t partitions,
                      std::unique_ptr<GroupMembers> members) = 0;
  // The engine has ended and must not be asked any more.
  virtual void Detach() = 0;
};

struct CompanionContext {
  const Config& config;
  const Chain& chain;
  Metrics& metrics;
  const Health& health;
};

// Everything in the context outlives the companion. Null: the configuration asks for none.
using CompanionFactory = std::function<absl::StatusOr<std::unique_ptr<Companion>>(const CompanionContext&)>;

}  // namespace portrait
