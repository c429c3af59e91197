#include "pipeline/service/wait_for_brokers.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/log.h"
#include "pipeline/ports/clock.h"

namespace portrait {

absl::Status WaitForBrokers(const Config& config, const std::function<absl::Status()>& ask) {
  const SystemClock clock;
  const Duration deadline = clock.Monotonic() + config.engine.startup_timeout;
  bool said = false;
  while (true) {
    absl::Status status = ask();
    if (!absl::IsUnavailable(status)) return status;
    if (clock.Monotonic() >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("no broker answered within startup.timeout: ", config.kafka.brokers, ": ", status.message()));
    }
    if (!std::exchange(said, true)) LogWarning("waiting for the brokers", {{"brokers", config.kafka.brokers}});
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace portrait
