#include "pipeline/health.h"

namespace portrait {

void Health::Wait(std::string_view part, std::string_view reason) {
  std::lock_guard<std::mutex> lock(mutex_);
  waiting_.insert_or_assign(std::string(part), std::string(reason));
}

void Health::Ready(std::string_view part) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (const auto it = waiting_.find(part); it != waiting_.end()) waiting_.erase(it);
}

void Health::Fail(std::string_view reason) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (failure_.empty()) failure_ = reason;
}

Health::Report Health::Now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!failure_.empty()) return {.alive = false, .ready = false, .reason = failure_};
  Report report{.alive = true, .ready = waiting_.empty(), .reason = ""};
  for (const auto& [part, reason] : waiting_) {
    if (!report.reason.empty()) report.reason += "\n";
    report.reason += part == "start" ? reason : part + ": " + reason;
  }
  return report;
}

}  // namespace portrait
