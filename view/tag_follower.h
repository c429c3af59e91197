// Fills the index of tags (tag_index.h) and keeps it: from the rows of each partition that is here, and from then on
// from the results that are committed.
//
//   TagFollower follower(chain, config, clock, *std::move(index));   // a ResultListener of the engine
//   follower.Attach({.partitions = …, .rows_of = …});
//   follower.List("silent", TagSort::kSince, "", 50, [](TagFollower::Holders holders) { … });
//
// 1. The rows of a partition are read in small slices, with pauses: the worker hardly notices. As long as they are not
//    all read, the partition does not count as known.
// 2. A row is read as applied; results come as committed, later. Whatever a row says is said again by the results that
//    follow it, in their order, so both end at the same.
// 3. A partition is read anew when it has been elsewhere, and when results may have been missed.
// All of it runs on a thread of its own, of low priority.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/ports/clock.h"
#include "pipeline/result_listener.h"
#include "pipeline/row_access.h"
#include "view/portrait.h"
#include "view/server_thread.h"
#include "view/tag_index.h"

namespace portrait::view {

class TagFollower final : public ResultListener {
 public:
  // Where partitions and rows are; as Engine has them.
  struct Source {
    std::function<std::map<int32_t, uint64_t>()> partitions;
    std::function<absl::StatusOr<RowAccess*>(int32_t partition)> rows_of;
    std::function<std::shared_ptr<const Chain>()> chain;  // in force; none: that of the start
  };
  // Chain, configuration and clock must outlive it.
  TagFollower(const Chain& chain, const Config& config, const Clock& clock, std::unique_ptr<TagIndex> index);
  ~TagFollower() override;

  // -- Workers' threads --
  void OnCommitted(const CommittedResults& results) override;
  void OnGap() override;

  // -- Any thread --
  void Attach(Source source);
  void Detach();  // the source is asked nothing after it

  struct Holders {
    absl::StatusOr<TagPage> page;
    int64_t total = 0;
    std::vector<int32_t> partitions;  // those that are known
  };
  // `done` is called on the follower's thread. Errors of the page: TagIndex::List's; Unavailable: the index cannot be
  // written any more, the log says why.
  void List(std::string tag, TagSort sort, std::string after, size_t limit, std::function<void(Holders)> done);

  struct Counts {
    std::map<std::string, int64_t> customers;  // by tag, of the partitions that are known
    std::set<int32_t> partitions;
  };
  Counts counts() const;

 private:
  struct Result {
    int32_t partition = 0;
    bool alert = false;
    std::string customer, bytes;
  };
  struct Partition {
    uint64_t number = 0;  // by which it is seen to have been elsewhere
    bool known = false;
  };
  // Of the partition whose rows are being read.
  struct Reading {
    int32_t partition = 0;
    std::string after;                   // of the rows that the store has
    bool stored_read = false;            // all of them
    std::vector<std::string> unwritten;  // that are still to be read
  };

  void Check();
  void ReadNext();
  void ReadMore();
  void TakeRows(uint64_t reading, absl::StatusOr<CopiedRows> rows);
  void TakeUnwritten(uint64_t reading, absl::StatusOr<std::vector<std::string>> customers);
  void Later(uint64_t reading);  // reads on
  void Apply(const std::vector<Result>& results);
  absl::Status Apply(const Result& result);
  void Note(const absl::Status& status);
  void Publish();

  const Clock& clock_;
  Portraits portraits_;
  std::unique_ptr<TagIndex> index_;

  mutable std::mutex mutex_;
  Counts counts_;  // guarded by mutex_
  std::atomic<size_t> waiting_bytes_{0};
  std::atomic<bool> missed_{false};  // results

  // On the thread.
  Source source_;
  std::map<int32_t, Partition> partitions_;
  std::optional<Reading> reading_;
  uint64_t readings_ = 0;  // so far; answers to an earlier one are dropped
  absl::Status failure_;

  ServerThread thread_;  // last: it ends before the rest goes
};

}  // namespace portrait::view
