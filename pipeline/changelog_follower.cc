#include "pipeline/changelog_follower.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/changelog_headers.h"
#include "pipeline/mutation.h"

namespace portrait {
namespace {

// The number of the row that a changelog record holds or removes.
absl::StatusOr<uint64_t> NumberOf(const Record& record) {
  if (record.value) {
    auto header = ReadRowHeader(*record.value);
    if (!header.ok()) return header.status();
    return header->number;
  }
  if (const auto number = DecimalHeader<uint64_t>(record, kNumberHeader)) return *number;
  return absl::DataLossError(absl::StrCat("a tombstone in the changelog has no number: offset ", record.offset));
}

}  // namespace

ChangelogFollower::ChangelogFollower(RowStore& store, LogReader& reader, const Clock& clock, Options options)
    : store_(store),
      reader_(reader),
      clock_(clock),
      options_(std::move(options)),
      batch_(options_.batch_bytes),
      position_(options_.position),
      as_of_us_(options_.as_of_us),
      last_step_(options_.last_step) {}

absl::Status ChangelogFollower::Open(int64_t end, Timestamp asked) {
  cursor_.reset();  // a log is read by one cursor at a time
  end_ = end;
  asked_ = asked;
  auto cursor = reader_.Open(options_.topic, options_.partition, position_, end);
  if (!cursor.ok()) return cursor.status();
  cursor_ = *std::move(cursor);
  return absl::OkStatus();
}

absl::Status ChangelogFollower::Take(const Record& record) {
  const auto number = NumberOf(record);
  if (!number.ok()) return number.status();
  if (*number > options_.step_limit) {
    return absl::DataLossError(absl::StrCat("a row in the changelog is ahead of the journal: offset ", record.offset,
                                            " step ", *number, ", journal ", options_.step_limit));
  }
  if (Mutated(Mutation::kRestoreMissesRecord) && *number % 16 == 0) return absl::OkStatus();
  if (Mutated(Mutation::kStoredRowWins) && store_.Get(*record.key)->has_value()) return absl::OkStatus();
  batch_.Add(record, *number);
  return absl::OkStatus();
}

absl::StatusOr<bool> ChangelogFollower::Advance(size_t max_records, Duration timeout) {
  if (!cursor_) return absl::FailedPreconditionError("the changelog is not open");
  int64_t position = position_;
  size_t taken = 0;
  bool done = false;
  while (taken < max_records && !batch_.full()) {
    auto record = cursor_->Next(timeout);
    if (absl::IsUnavailable(record.status()) && taken > 0) break;  // what has come is not thrown away
    if (!record.ok()) return record.status();
    done = !record->has_value();
    if (done) break;
    if (absl::Status s = Take(**record); !s.ok()) return s;
    ++taken;
    position = (*record)->offset + 1;
  }
  if (done) {
    cursor_.reset();
    position = std::max(position, end_);
    if (absl::Status s = ReachedEnd(asked_); !s.ok()) return s;
  }
  if (absl::Status s = Write(position); !s.ok()) return s;
  rows_ += taken;
  return done;
}

absl::Status ChangelogFollower::NothingNew(Timestamp asked) {
  constexpr Duration kStoredEvery = seconds(600);
  if (absl::Status s = ReachedEnd(asked); !s.ok()) return s;
  return as_of_us_ - stored_as_of_us_ < kStoredEvery.count() ? absl::OkStatus() : Write(position_);
}

absl::Status ChangelogFollower::ReachedEnd(Timestamp asked) {
  const Duration age = clock_.Now() - FromMicros(as_of_us_);
  if (age > options_.tombstones_kept) {
    return absl::AbortedError(absl::StrCat("the changelog ", options_.topic, " may have let go of removals: partition ",
                                           options_.partition, " was last read to its end ",
                                           std::chrono::floor<std::chrono::hours>(age).count(), " hours ago"));
  }
  as_of_us_ = std::max(as_of_us_, ToMicros(asked));
  return absl::OkStatus();
}

absl::Status ChangelogFollower::Write(int64_t position) {
  last_step_ = std::max(last_step_, batch_.highest_number());
  v1::StoreMeta meta;
  meta.set_lineage(options_.lineage);
  meta.set_changelog_position(position);
  meta.set_as_of_us(as_of_us_);
  meta.set_last_committed_step(last_step_);
  if (absl::Status s = batch_.WriteTo(store_, std::move(meta)); !s.ok()) return s;
  position_ = position;
  stored_as_of_us_ = as_of_us_;
  return absl::OkStatus();
}

}  // namespace portrait
