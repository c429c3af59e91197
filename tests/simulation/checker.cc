#include "tests/simulation/checker.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "pipeline/partitioner.h"
#include "portrait/v1/journal.pb.h"
#include "portrait/v1/result.pb.h"

namespace portrait::simulation {
namespace {

// What came out, as text, so that two sequences can be compared and shown.
class Told final : public OutputSink {
 public:
  void Add(size_t, std::string_view customer, const google::protobuf::Message& result) override {
    const auto& change = static_cast<const v1::TagChange&>(result);
    lines[std::string(customer)].push_back(
        absl::StrCat(change.info().id(), " ", change.tag(), " ", change.info().event_time_us()));
  }
  std::map<std::string, std::vector<std::string>> lines;  // by customer, in order
};

// One partition, folded again by the plainest means: no cache, no index, no merge, no journal format but its order.
class Reference {
 public:
  Reference(World& world, int32_t partition, Told& told, std::set<std::string>& dead)
      : world_(world), partition_(partition), told_(told), dead_(dead) {
    for (const std::string& source : World::Sources()) inputs_.push_back(world.broker.Committed(source, partition));
    next_.assign(inputs_.size(), 0);
  }

  void Apply(const v1::JournalEntry& entry, std::vector<std::string>& wrong) {
    if (entry.first() != step_ + 1) wrong.push_back(absl::StrCat("step ", entry.first(), " follows step ", step_));
    for (int i = 0; i + 1 < entry.order_size(); i += 2) {
      const uint64_t what = entry.order(i), how = entry.order(i + 1);
      const uint64_t times = what >= 4 ? how : 1;
      for (uint64_t n = 0; n < times; ++n) {
        ++step_;
        if (what >= 4) {
          Input(what - 4, wrong);
        } else if (what == 0) {
          highest_ = std::max(highest_, entry.ticks_us(static_cast<int>(how)));
        } else {
          const auto& bound = entry.firings(static_cast<int>(how));
          if (bound.time_us() > highest_ - Lateness()) wrong.push_back("fired ahead of the watermark");
          Fire(bound.time_us(), bound.customer_id());
        }
      }
    }
    if (step_ != entry.last()) wrong.push_back(absl::StrCat("entry ends at ", entry.last(), ", its steps at ", step_));
    for (size_t s = 0; s < inputs_.size(); ++s) {
      const int64_t next = entry.sources(static_cast<int>(s)).next_offset();
      const int64_t reached = next_[s] == 0 ? 0 : inputs_[s][next_[s] - 1]->offset + 1;
      if (next != reached) wrong.push_back(absl::StrCat("offset ", next, " in the entry, reached ", reached));
    }
  }

  bool done() const {
    for (size_t s = 0; s < inputs_.size(); ++s) {
      if (next_[s] != inputs_[s].size()) return false;
    }
    return true;
  }
  uint64_t step() const { return step_; }
  const std::map<std::string, std::pair<uint64_t, std::string>>& rows() const { return stored_; }
  bool WasGone(const std::string& customer, uint64_t number) const { return gone_.contains({customer, number}); }
  // Rows as of every number they ever had.
  bool Had(const std::string& customer, const std::string& row) const {
    const auto it = history_.find(customer);
    return it != history_.end() && it->second.contains(row);
  }

 private:
  int64_t Lateness() const { return world_.options().allowed_lateness.count(); }

  void Input(size_t source, std::vector<std::string>& wrong) {
    if (next_[source] >= inputs_[source].size()) {
      wrong.push_back("an input was applied that is not there");
      return;
    }
    const StoredRecord& record = *inputs_[source][next_[source]++];
    Event event;
    if (*record.value == "bad" || !event.ParseFromString(*record.value) ||
        PartitionOf(event.customer_id(), World::kPartitions) != partition_) {
      dead_.insert(absl::StrCat(World::Sources()[source], "/", partition_, "/", record.offset));
      return;
    }
    RowState& row = rows_.try_emplace(event.customer_id(), world_.chain().EmptyRow()).first->second;
    const bool late = highest_ != INT64_MIN && event.event_time_us() <= highest_ - Lateness();
    world_.chain().OnEvent(event, {World::Sources()[source], partition_, record.offset}, late, event.customer_id(), row,
                           calendar_, told_);
    Store(event.customer_id());
    highest_ = std::max(highest_, event.event_time_us());
  }

  void Fire(int64_t time_us, const std::string& customer) {
    while (true) {
      auto first = rows_.end();
      for (auto it = rows_.begin(); it != rows_.end(); ++it) {
        const auto next = it->second.timers.next();
        if (!next || std::pair(ToMicros(*next), it->first) > std::pair(time_us, customer)) continue;
        if (first == rows_.end() || *next < *first->second.timers.next()) first = it;
      }
      if (first == rows_.end()) return;
      world_.chain().FireTimers(*first->second.timers.next(), first->first, first->second, calendar_, told_);
      Store(first->first);
    }
  }

  void Store(const std::string& customer) {
    std::string bytes;
    world_.chain().Encode(step_, rows_.at(customer), bytes);
    if (rows_.at(customer).gone) gone_.emplace(customer, step_);
    history_[customer].insert(bytes);
    stored_[customer] = {step_, bytes};
  }

  World& world_;
  int32_t partition_;
  Told& told_;
  std::set<std::string>& dead_;
  Calendar calendar_;
  std::vector<std::vector<const StoredRecord*>> inputs_;
  std::vector<size_t> next_;
  std::map<std::string, RowState> rows_;
  std::map<std::string, std::pair<uint64_t, std::string>> stored_;
  std::map<std::string, std::set<std::string>> history_;
  std::set<std::pair<std::string, uint64_t>> gone_;
  int64_t highest_ = INT64_MIN;
  uint64_t step_ = 0;
};

void CheckChangelog(World& world, int32_t partition, const Reference& reference, std::vector<std::string>& wrong) {
  std::map<std::string, uint64_t> numbers;
  for (const StoredRecord* record : world.broker.Committed(world.options().ChangelogTopic(), partition)) {
    v1::Row row;
    if (!record->value) {  // what is gone may be removed, once a floor that was committed before has passed it
      const uint64_t number = std::stoull(record->headers.at(0).second);
      if (!reference.WasGone(*record->key, number)) wrong.push_back("the changelog removes a row that was not gone");
      if (number < numbers[*record->key]) wrong.push_back("a removal in the changelog goes back");
      numbers[*record->key] = number;
      continue;
    }
    if (!row.ParseFromString(*record->value)) wrong.push_back("a changelog record is no row");
    // In the middle of a firing step a row may be stored at several contents with one number; only the last is its
    // image.
    if (!reference.Had(*record->key, *record->value)) {
      wrong.push_back(absl::StrCat("the changelog has a row that never was: ", *record->key, " at ", row.number()));
    }
    if (row.number() < numbers[*record->key]) wrong.push_back("a row in the changelog goes back");
    numbers[*record->key] = row.number();
  }
}

}  // namespace

std::vector<std::string> Check(World& world, bool all_applied) {
  std::vector<std::string> wrong;
  Told want, got;
  std::set<std::string> dead_want, dead_got;
  for (int32_t partition = 0; partition < World::kPartitions; ++partition) {
    Reference reference(world, partition, want, dead_want);
    for (const StoredRecord* record : world.broker.Committed(world.options().JournalTopic(), partition)) {
      v1::JournalEntry entry;
      if (!entry.ParseFromString(*record->value)) wrong.push_back("a journal record is no entry");
      reference.Apply(entry, wrong);
    }
    if (all_applied && !reference.done()) wrong.push_back(absl::StrCat("inputs of partition ", partition, " are left"));
    CheckChangelog(world, partition, reference, wrong);
  }
  for (const StoredRecord* record : world.broker.Committed("results", 0)) {
    v1::TagChange change;
    if (!change.ParseFromString(*record->value)) wrong.push_back("a result cannot be read");
    got.Add(0, *record->key, change);
    if (change.info().emission_time_us() == 0) wrong.push_back("a result has no emission time");
  }
  for (const StoredRecord* record : world.broker.Committed("dead-letters", 0)) {
    v1::DeadLetter letter;
    if (!letter.ParseFromString(*record->value)) wrong.push_back("a dead letter cannot be read");
    if (!dead_got.insert(absl::StrCat(letter.topic(), "/", letter.partition(), "/", letter.offset())).second) {
      wrong.push_back("a dead letter stands twice");
    }
  }
  for (const auto& [customer, lines] : want.lines) {
    const auto& came = got.lines[customer];
    if (came == lines) continue;
    const auto differ = std::mismatch(came.begin(), came.end(), lines.begin(), lines.end());
    wrong.push_back(absl::StrCat("the results of ", customer, " differ: ", came.size(), " came, ", lines.size(),
                                 " should have; from number ", differ.first - came.begin(),
                                 " on: ", differ.first == came.end() ? "nothing" : *differ.first, ", want ",
                                 differ.second == lines.end() ? "nothing" : *differ.second));
  }
  if (got.lines.size() != want.lines.size()) wrong.push_back("results came for customers who should have none");
  if (dead_got != dead_want)
    wrong.push_back(absl::StrCat("dead letters differ: ", dead_got.size(), ", want ", dead_want.size()));
  return wrong;
}

}  // namespace portrait::simulation
