// Two sets of rules on the same past: who would come to a tag, who would lose it, and how often tags would change.
//
//   RuleComparison comparison(old_chain, new_chain, zone);
//   history.ForEach([&](const auto& customer, const auto& events) { comparison.Add(customer, events, until); });
//   std::cout << comparison.Text();
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "pipeline/tools/past.h"

namespace portrait {

inline constexpr size_t kComparisonExamples = 3;  // of each tag and direction

struct TagComparison {
  struct Moves {
    uint64_t came = 0, went = 0;
  };
  struct Example {
    std::string customer;
    std::string why;
  };

  uint64_t before = 0, after = 0;               // who holds it at the end, by the old and by the new rules
  uint64_t enter = 0, leave = 0;                // of these: by the new only, by the old only
  std::map<int32_t, Moves> old_days, new_days;  // by local day since 1970
  std::vector<Example> entering, leaving;

  bool differs() const;
};

// One thread.
class RuleComparison {
 public:
  // The chains must outlive this.
  RuleComparison(const Chain& old_chain, const Chain& new_chain, absl::TimeZone zone)
      : old_(old_chain, zone), new_(new_chain, zone), calendar_(zone) {}

  void Add(const std::string& customer, const std::vector<Event>& events, Timestamp until);

  const std::map<std::string, TagComparison>& tags() const { return tags_; }
  uint64_t customers() const { return customers_; }
  uint64_t customers_that_differ() const { return differing_; }  // at the end

  // For people, those that differ most first; `by_day`: also how many came and went on each day.
  std::string Text(bool by_day) const;
  nlohmann::json Json() const;

 private:
  std::string WhyEnters(const std::string& tag) const;
  std::string WhyLeaves(const std::string& tag) const;

  Past old_, new_;
  Calendar calendar_;
  std::map<std::string, TagComparison> tags_;
  uint64_t customers_ = 0, differing_ = 0;
};

// "Orders kept in the last 90 days: 3, at least 3; …"
std::string WhyText(const std::vector<v1::Reason>& reasons);

}  // namespace portrait
