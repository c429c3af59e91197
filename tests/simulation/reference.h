// What one partition must come to, worked out by the plainest means from the journal's order: no cache, no index, no
// chain. It shares the messages of the contracts with the engine, and no code.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "portrait/v1/event.pb.h"
#include "portrait/v1/journal.pb.h"
#include "tests/simulation/log.h"

namespace portrait::simulation {

// What the checker must know of the world.
struct Layout {
  std::vector<std::string> sources;
  std::string journal, changelog;
  int32_t partitions = 0;
  int64_t lateness_us = 0;
  std::map<std::string, int32_t> home;  // the partition of every customer
};

// A row as it is stored, in words, so that it can be compared and shown; nothing when the bytes are no row.
struct RowInWords {
  uint64_t number = 0;
  std::string text;
};
std::optional<RowInWords> ReadRow(std::string_view bytes);

class Reference {
 public:
  // `source` gives the log of each source.
  Reference(const Layout& layout, int32_t partition, std::vector<const Log*> sources);

  // Runs the steps of an entry; returns the results it must have had, in order. What is wrong is appended to `wrong`.
  std::vector<std::string> Apply(const v1::JournalEntry& entry, std::vector<std::string>& wrong);

  uint64_t step() const { return step_; }
  int64_t next(size_t source) const { return next_[source]; }
  // The rules in force, and whether all rows have been asked about them.
  int64_t control_position() const { return control_position_; }
  bool sweeping() const { return sweeping_; }
  bool all_applied() const;
  // A timer that should have fired by now, in words; empty when there is none.
  std::string Overdue() const;

  // The row as of that number, in words; nothing when there never was one.
  std::optional<std::string> RowAt(const std::string& customer, uint64_t number) const;
  struct Row {
    uint64_t number = 0;
    int64_t time_us = 0;
    int64_t state = 0;
    int64_t version = 0;  // that has last judged it
    bool gone = false;
    std::map<uint32_t, int64_t> timers;  // by id
    std::string text() const;
  };
  const std::map<std::string, Row>& rows() const { return rows_; }
  // The first step of the customer's row after `number`; 0 when there is none.
  uint64_t FirstAfter(const std::string& customer, uint64_t number) const;

 private:
  void Input(size_t source, std::vector<std::string>& wrong);
  void Event(const v1::Event& event);
  void Tick(int64_t time_us);
  void FireUpTo(int64_t time_us, const std::string& customer, std::vector<std::string>& wrong);
  void Switch(const v1::Switch& to, std::vector<std::string>& wrong);
  void Sweep(const v1::Sweep& bound, std::vector<std::string>& wrong);
  void FireFirst(const std::string& customer, Row& row);
  void SetTimer(Row& row, uint32_t id, int64_t time_us);
  void Tell(const std::string& customer, const Row& row, std::string_view what, const std::string& cause);
  void Keep(const std::string& customer);

  const Layout& layout_;
  const int32_t partition_;
  std::vector<const Log*> sources_;
  std::vector<int64_t> next_;
  std::map<std::string, Row> rows_;
  std::map<std::string, std::map<uint64_t, std::string>> history_;
  std::vector<std::string> told_;
  int64_t highest_us_ = 0, last_tick_us_ = 0;
  bool any_time_ = false;
  int64_t version_ = 0, control_position_ = 0;                       // of the fold
  int64_t rules_ = 0, shadow_ = 0, models_ = 0, models_shadow_ = 0;  // what made that version
  bool sweeping_ = false;
  std::string swept_to_;
  uint64_t step_ = 0;
};

}  // namespace portrait::simulation
