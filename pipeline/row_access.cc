#include "pipeline/row_access.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr const char* kChanging = "the partitions of this process change just now";

}  // namespace

bool RowAccess::Owns(int32_t partition) const {
  const std::lock_guard lock(mutex_);
  return partitions_.contains(partition);
}

std::map<int32_t, uint64_t> RowAccess::Owned() const {
  const std::lock_guard lock(mutex_);
  return partitions_;
}

absl::StatusOr<const Task*> RowAccess::TaskOf(int32_t partition) const {
  const Task* const task = find_(partition);
  if (task == nullptr) return absl::NotFoundError(absl::StrCat("not here: partition ", partition));
  return task;
}

void RowAccess::Put(int32_t partition, Question question) {
  std::unique_lock lock(mutex_);
  absl::StatusOr<const Task*> task;
  if (state_ == State::kClosed) {
    task = absl::UnavailableError(kChanging);
  } else if (state_ == State::kParked) {
    task = TaskOf(partition);
  } else if (queue_.size() >= kWaitingMost) {
    task = absl::ResourceExhaustedError(absl::StrCat("too many look-ups wait: ", kWaitingMost));
  } else {
    queue_.push_back({partition, std::move(question)});
    waiting_.store(queue_.size(), std::memory_order_relaxed);
    return;
  }
  const Told tell = question(task);
  lock.unlock();
  tell();
}

absl::StatusOr<RowLook> RowAccess::Look(const Task& task, const std::string& customer_id) const {
  RowLook look{.applied = task.last_step(), .committed = task.last_committed(), .assignment = assignment_};
  auto row = task.rows().Copy(customer_id, look.cached);
  if (!row.ok()) return row.status();
  look.row = *std::move(row);
  return look;
}

void RowAccess::Ask(int32_t partition, std::string customer_id, Done done) {
  Put(partition, [this, customer_id = std::move(customer_id), done = std::move(done)](auto task) -> Told {
    auto answer = task.ok() ? Look(**task, customer_id) : absl::StatusOr<RowLook>(task.status());
    return [answer = std::move(answer), done]() mutable { done(std::move(answer)); };
  });
}

void RowAccess::AskStored(int32_t partition, std::string after, size_t at_most, DoneMany done) {
  Put(partition, [after = std::move(after), at_most, done = std::move(done)](auto task) -> Told {
    auto answer = task.ok() ? (*task)->rows().CopyStored(after, at_most) : absl::StatusOr<CopiedRows>(task.status());
    return [answer = std::move(answer), done]() mutable { done(std::move(answer)); };
  });
}

void RowAccess::AskUnwritten(int32_t partition, DoneCustomers done) {
  Put(partition, [done = std::move(done)](auto task) -> Told {
    if (!task.ok()) return [status = task.status(), done] { done(status); };
    return [answer = (*task)->rows().Unwritten(), done]() mutable { done(std::move(answer)); };
  });
}

void RowAccess::AskMany(int32_t partition, std::vector<std::string> customers, DoneMany done) {
  Put(partition, [customers = std::move(customers), done = std::move(done)](auto task) -> Told {
    if (!task.ok()) return [status = task.status(), done] { done(status); };
    CopiedRows answer;
    for (const std::string& customer : customers) {
      bool cached = false;
      auto row = (*task)->rows().Copy(customer, cached);
      if (!row.ok()) return [status = row.status(), done] { done(status); };
      if (row->has_value()) answer.emplace_back(customer, **std::move(row));
    }
    return [answer = std::move(answer), done]() mutable { done(std::move(answer)); };
  });
}

std::vector<RowAccess::Waiting> RowAccess::Take(size_t at_most) {
  const auto end = queue_.begin() + static_cast<ptrdiff_t>(std::min(at_most, queue_.size()));
  std::vector<Waiting> taken(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  waiting_.store(queue_.size(), std::memory_order_relaxed);
  return taken;
}

// On the worker's thread, which owns the tasks: without the lock.
void RowAccess::Answer(const std::vector<Waiting>& asked) {
  for (const Waiting& one : asked) one.question(TaskOf(one.partition))();
}

void RowAccess::ServeWaiting() {
  std::unique_lock lock(mutex_);
  if (state_ != State::kWorking) return;
  const std::vector<Waiting> asked = Take(kAtOnce);
  lock.unlock();
  Answer(asked);
}

void RowAccess::Park() {
  std::unique_lock lock(mutex_);
  if (state_ != State::kWorking) return;
  while (!queue_.empty()) {
    const std::vector<Waiting> asked = Take(kWaitingMost);
    lock.unlock();
    Answer(asked);
    lock.lock();
  }
  state_ = State::kParked;
}

void RowAccess::Unpark() {
  const std::lock_guard lock(mutex_);  // waits for a look under way
  if (state_ == State::kParked) state_ = State::kWorking;
}

void RowAccess::Close() {
  std::unique_lock lock(mutex_);
  state_ = State::kClosed;
  const std::vector<Waiting> asked = Take(kWaitingMost);
  lock.unlock();
  for (const Waiting& one : asked) one.question(absl::UnavailableError(kChanging))();
}

void RowAccess::Open(std::set<int32_t> partitions, bool parked) {
  const std::lock_guard lock(mutex_);
  ++assignment_;
  std::map<int32_t, uint64_t> now;
  for (const int32_t partition : partitions) {
    const auto before = partitions_.find(partition);
    now[partition] = before != partitions_.end() ? before->second : assignment_;
  }
  partitions_ = std::move(now);
  state_ = parked ? State::kParked : State::kWorking;
}

}  // namespace portrait
