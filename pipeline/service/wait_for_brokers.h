// Patience with brokers that are not there yet.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "pipeline/config/config.h"

namespace portrait {

// Calls `ask` again while the brokers are away (Unavailable), at most startup.timeout; says so in the log once.
// DeadlineExceeded then.
absl::Status WaitForBrokers(const Config& config, const std::function<absl::Status()>& ask);

}  // namespace portrait
