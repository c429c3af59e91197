// What other rules would change about customers as they are now: who would come to a tag, and who would lose it.
// Nothing is changed by asking.
//
//   RuleImpact impact(chain_in_force, chain_to_come, zone);
//   for (each stored row) status = impact.Add(customer, row, now);
//   std::cout << impact.Text();
//
// Where the rules to come are in the shadow of those in force, it counts what comes when they are promoted, and what
// they have done since they are there.
//
// Each row goes through what the engine would do to it: the timers that are due by now fire under the rules in force;
// then the other rules sweep it. So what is counted is what the sweep would write.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "nlohmann/json.hpp"
#include "operators/chain.h"
#include "operators/tags.h"

namespace portrait {

inline constexpr size_t kImpactExamples = 3;  // of each tag and direction

struct TagImpact {
  struct Example {
    std::string customer;
    std::string tag;
    std::string why;
  };

  uint64_t now = 0, then = 0;  // how many hold it
  uint64_t come = 0, go = 0;
  uint64_t entries = 0, exits = 0;     // of rules in the shadow, since they are there
  std::vector<Example> coming, going;  // the first ones met
};

// One thread. Memory: a few examples for each rule, however many customers there are.
class RuleImpact {
 public:
  // Two editions of one chain that differ in their rules; they must outlive this.
  RuleImpact(const Chain& in_force, const Chain& to_come, absl::TimeZone zone);

  // A stored row (v1.Row), judged at `now` or at the row's own time, whichever is later. DataLoss: it is none.
  absl::Status Add(std::string_view customer, std::string_view row, Timestamp now);

  // By tag; the tags of a rule with `each` are counted together, as "interest:*".
  const std::map<std::string, TagImpact>& tags() const { return tags_; }
  uint64_t customers() const { return customers_; }  // that are not gone
  uint64_t customers_that_change() const { return changing_; }
  uint64_t entries() const;  // of all tags
  uint64_t exits() const;

  // For people, those that change most first.
  std::string Text() const;
  nlohmann::json Json() const;

 private:
  struct Changes final : OutputSink {
    void Add(size_t output, std::string_view customer_id, const google::protobuf::Message& result) override;
    std::vector<v1::TagChange> tags;
  };
  void Count(const TagsOfChain& tags, const RowState& row, uint64_t TagImpact::* side);
  void CountShadow(const RowState& row);
  std::string Table(const std::vector<std::pair<std::string, const TagImpact*>>& tags) const;

  const Chain& in_force_;
  const Chain& to_come_;
  const TagsOfChain now_, then_;
  const std::string version_;  // of the rules to come
  const bool shadow_;          // they are in the shadow now
  const Calendar calendar_;
  std::map<std::string, TagImpact> tags_;
  uint64_t customers_ = 0, changing_ = 0;
};

}  // namespace portrait
