#include "pipeline/cli/rules_windows.h"

#include <map>
#include <string>
#include <vector>

#include "operators/tags.h"
#include "pipeline/ports/clock.h"

namespace portrait {
namespace {

using Windows = std::vector<rules::EventWindows::Named>;

// The windows that rules name, each version of them compiled once.
class WindowsOfRules {
 public:
  WindowsOfRules(const Config& config, const Program& program) : config_(config), program_(program) {}

  const Windows& Of(const v1::ControlRecord& record) {
    const auto [it, fresh] = known_.try_emplace(record.rules());
    if (!fresh) return it->second;
    const auto chain = program_.BuildChainWithRules(config_, {record.name(), record.text(), {}, {}});
    if (!chain.ok()) return it->second;
    if (const Tags* tags = TagsOfChain(**chain).op) it->second = tags->rules()->windows().Windows();
    return it->second;
  }

 private:
  const Config& config_;
  const Program& program_;
  std::map<std::string, Windows> known_;  // by version
};

}  // namespace

UnfilledWindows WindowsOfRecord(const Control& control, const v1::ControlRecord& record, const Config& config,
                                const Program& program) {
  WindowsOfRules windows(config, program);
  const Windows wanted = windows.Of(record);
  if (wanted.empty()) return {};
  std::vector<WindowPeriod> past;
  RuleStanding standing;
  for (const ControlLog::Entry& entry : control.history) {
    standing.Take(entry.offset + 1, entry.record);
    WindowPeriod& period = past.emplace_back(WindowPeriod{FromMicros(entry.record.time_us()), {}});
    for (const int64_t position : {standing.in_force, standing.shadow}) {
      const v1::ControlRecord* const rules = control.At(position);
      if (rules == nullptr) continue;
      const Windows& named = windows.Of(*rules);
      period.windows.insert(period.windows.end(), named.begin(), named.end());
    }
  }
  return FindUnfilled(past, wanted, SystemClock().Now());
}

}  // namespace portrait
