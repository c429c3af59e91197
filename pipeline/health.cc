#include "pipeline/health.h"

#include <utility>

namespace portrait {

void Health::Wait(std::string_view part, std::string_view reason) {
  std::lock_guard<std::mutex> lock(mutex_);
  waiting_.insert_or_assign(std::string(part), std::string(reason));
}

void Health::Ready(std::string_view part) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (const auto it = waiting_.find(part); it != waiting_.end()) waiting_.erase(it);
}

void Health::Watch(std::string_view part, std::function<std::string()> tell) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (tell) {
    watched_.insert_or_assign(std::string(part), std::move(tell));
  } else if (const auto it = watched_.find(part); it != watched_.end()) {
    watched_.erase(it);
  }
}

void Health::Fail(std::string_view reason) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (failure_.empty()) failure_ = reason;
}

Health::Report Health::Now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!failure_.empty()) return {.alive = false, .ready = false, .reason = failure_};
  std::map<std::string, std::string, std::less<>> waiting = waiting_;
  for (const auto& [part, tell] : watched_) {
    if (std::string told = tell(); !told.empty()) waiting.insert_or_assign(part, std::move(told));
  }
  Report report{.alive = true, .ready = waiting.empty(), .reason = ""};
  for (const auto& [part, reason] : waiting) {
    if (!report.reason.empty()) report.reason += "\n";
    report.reason += part == "start" ? reason : part + ": " + reason;
  }
  return report;
}

}  // namespace portrait
