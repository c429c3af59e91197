// Watches what the simulated coordinator decides to commit, and compares it with the reference: each committed input
// stands in the journal exactly once, in the order of its log; results and rows are those of a plain loop over the same
// steps, none missing, none twice, none without its entry; the floor is never too high; the group's offsets are the
// steps reached. Disks may hold nothing that was not committed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "state/memory_row_store.h"
#include "tests/simulation/reference.h"
#include "tests/simulation/transactions.h"

namespace portrait::simulation {

class Checker {
 public:
  Checker(Layout layout, Transactions& transactions);

  void OnCommit(const Transaction& transaction);

  // Rows that survived: each must be as it was committed at its number.
  void CheckDisk(MemoryDisk& disk, int32_t index, const std::string& name);
  // A disk that would be caught up, not thrown away, holds what the changelog says up to the position that it names:
  // each row, and none that was removed. When every marker is written.
  void CheckPosition(MemoryDisk& disk, int32_t index, const std::string& name);
  // After a clean stop of everything: the disk of the last owner, and the changelog, hold every row as it is now; the
  // logs of results hold what they must and nothing else; nothing would be replayed.
  void CheckDiskComplete(MemoryDisk& disk, int32_t index, const std::string& name);
  // `control_position`: of the last edition that was published.
  void CheckEnd(int64_t control_position);

  // Empty: all is well. Else what was wrong first, and what followed at the same moment.
  const std::string& wrong() const { return wrong_; }

  bool all_applied() const;
  // The lowest offset of a source that recovery may still read.
  int64_t Needed(size_t source, int32_t index) const;

  uint64_t entries() const { return entries_; }
  uint64_t results() const { return results_; }

 private:
  struct Entry {
    uint64_t first, last;
    std::vector<int64_t> from;  // by source: the first offset of its run, or the next offset
  };
  struct Partition {
    Reference reference;
    std::map<std::string, uint64_t> images;  // the last number in the changelog, by customer
    uint64_t floor = 1;
    std::vector<Entry> entries;  // from the one that holds the floor
  };
  struct Carried;
  void CheckEntry(const v1::JournalEntry& entry, int32_t index, const Carried& carried, const Transaction& transaction);
  void CheckImage(Partition& partition, const LogRecord& image);
  void CheckRemoval(Partition& partition, const LogRecord& tombstone);
  void Wrong(const std::string& what);

  Layout layout_;
  Transactions& transactions_;
  std::vector<Partition> partitions_;
  std::set<std::string> ids_;            // of results
  std::multiset<std::string> expected_;  // results, all of them
  std::string wrong_;
  uint64_t entries_ = 0, results_ = 0;
};

}  // namespace portrait::simulation
