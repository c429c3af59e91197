// The view of customers, beside the engine in one process: docs/view.md.
//
//   auto service = Service::Start(config, *chain, StartView);
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "pipeline/service/companion.h"

namespace portrait {

// Listens, when view.listen is set; null otherwise. Unavailable: the address cannot be listened on. InvalidArgument:
// certificate, key or page cannot be used.
absl::StatusOr<std::unique_ptr<Companion>> StartView(const CompanionContext& context);

// The port of a view that StartView made, for tests.
int ViewPort(const Companion& view);

}  // namespace portrait
