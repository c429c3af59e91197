// The events of the lean work: 85 % page views, 10 % mail, 5 % orders, of customers with exponentially falling
// activity. The same seed gives the same events.
//
//   LeanEvents events({.customers = 200'000});
//   for (...) { const Event& event = events.Next(); … LeanEvents::SourceOf(event) … }
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "operators/event.h"

namespace portrait::bench {

struct LeanEventsOptions {
  uint64_t customers = 200'000;
  uint64_t seed = 7;
  Timestamp begin = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  Duration step = std::chrono::milliseconds(200);  // event time between two events
};

// One thread.
class LeanEvents {
 public:
  // The topics, by SourceOf.
  static const std::vector<std::string>& Topics();
  static size_t SourceOf(const Event& event);
  // The place in the sequence, from 0, of the event with this id; nothing if no event has it.
  static std::optional<uint64_t> NumberOf(std::string_view event_id);

  explicit LeanEvents(const LeanEventsOptions& options = {});

  // Valid until the next call.
  const Event& Next();

  uint64_t made() const { return made_; }
  // Results that the lean work writes for the events made so far.
  uint64_t results() const { return results_; }

 private:
  void MakePage(const std::string& category);
  void MakeMail(bool opened, const std::string& category);
  void MakeOrder(const std::string& category);

  const LeanEventsOptions options_;
  std::mt19937_64 random_;
  std::exponential_distribution<double> activity_;
  std::vector<uint32_t> views_;  // by customer
  Timestamp time_;
  Event event_;
  uint64_t made_ = 0;
  uint64_t results_ = 0;
};

}  // namespace portrait::bench
