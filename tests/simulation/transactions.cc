#include "tests/simulation/transactions.h"

#include <algorithm>

namespace portrait::simulation {

Answer Transactions::InitProducer(const std::string& id, Duration, int64_t& epoch) {
  Transaction& transaction = transactions_[id];
  transaction.id = id;
  if (transaction.state == Transaction::State::kOngoing) {
    ++transaction.epoch;
    Decide(transaction, false);
  }
  if (transaction.state == Transaction::State::kCommitting || transaction.state == Transaction::State::kAborting) {
    return Answer::kRetry;
  }
  epoch = ++transaction.epoch;
  return Answer::kOk;
}

Answer Transactions::Enter(Transaction& transaction, int64_t epoch, Duration now) {
  if (transaction.epoch != epoch) return Answer::kFenced;
  if (transaction.state == Transaction::State::kOngoing) return Answer::kOk;
  if (transaction.state == Transaction::State::kCommitting || transaction.state == Transaction::State::kAborting) {
    return Answer::kRetry;
  }
  transaction.state = Transaction::State::kOngoing;
  transaction.since = now;
  ++transaction.number;
  transaction.records.clear();
  transaction.offsets.clear();
  return Answer::kOk;
}

Answer Transactions::Produce(const std::string& id, int64_t epoch, const Place& place, LogRecord record, Duration now,
                             int64_t& offset) {
  Transaction& transaction = transactions_[id];
  if (const Answer entered = Enter(transaction, epoch, now); entered != Answer::kOk) return entered;
  record.state = LogRecord::State::kOpen;
  record.transactional_id = id;
  record.transaction = transaction.number;
  offset = logs_[place].Append(std::move(record));
  transaction.records.emplace_back(place, offset);
  return Answer::kOk;
}

Answer Transactions::SendOffsets(const std::string& id, int64_t epoch, const std::map<Place, int64_t>& offsets,
                                 Duration now) {
  Transaction& transaction = transactions_[id];
  if (const Answer entered = Enter(transaction, epoch, now); entered != Answer::kOk) return entered;
  for (const auto& [place, offset] : offsets) {
    transaction.offsets[place] = offset;
    pending_offsets_[place].insert(id);
  }
  transaction.offsets_order = ++orders_;
  return Answer::kOk;
}

Answer Transactions::End(const std::string& id, int64_t epoch, bool commit, Duration) {
  Transaction& transaction = transactions_[id];
  if (transaction.epoch != epoch) return Answer::kFenced;
  if (transaction.state == Transaction::State::kOngoing) {
    Decide(transaction, commit);
    return Answer::kOk;
  }
  // Asked again after the answer was lost: the same answer; the opposite one is refused.
  return transaction.committed == commit ? Answer::kOk : Answer::kFenced;
}

void Transactions::Decide(Transaction& transaction, bool commit) {
  transaction.committed = commit;
  transaction.state = commit ? Transaction::State::kCommitting : Transaction::State::kAborting;
  transaction.markers.clear();
  for (const auto& [place, offset] : transaction.records) {
    if (std::find(transaction.markers.begin(), transaction.markers.end(), place) == transaction.markers.end()) {
      transaction.markers.push_back(place);
    }
  }
  transaction.offsets_marker = !transaction.offsets.empty();
  if (transaction.markers.empty() && !transaction.offsets_marker) transaction.state = Transaction::State::kDone;
  if (commit && on_commit) on_commit(transaction);
}

int Transactions::Expire(Duration now) {
  int expired = 0;
  for (auto& [id, transaction] : transactions_) {
    if (transaction.state != Transaction::State::kOngoing || now - transaction.since < timeout_) continue;
    ++transaction.epoch;
    Decide(transaction, false);
    ++expired;
  }
  return expired;
}

bool Transactions::WriteMarker(uint64_t which, Duration now) {
  std::vector<const std::string*> due;
  for (const auto& [id, transaction] : transactions_) {
    if (!transaction.markers.empty() || transaction.offsets_marker) due.push_back(&id);
  }
  return !due.empty() && WriteMarkerOf(*due[which % due.size()], which / due.size(), now);
}

bool Transactions::WriteMarkerOf(const std::string& id, uint64_t which, Duration now) {
  Transaction& transaction = transactions_[id];
  const size_t due = transaction.markers.size() + (transaction.offsets_marker ? 1 : 0);
  if (due == 0) return false;
  if (const size_t place = which % due; place < transaction.markers.size()) {
    logs_[transaction.markers[place]].End(id, transaction.number, transaction.committed, now.count());
    transaction.markers.erase(transaction.markers.begin() + static_cast<int64_t>(place));
  } else {
    for (const auto& [source, offset] : transaction.offsets) {
      // The later record stands, whichever marker comes last.
      auto& committed = committed_offsets_[source];
      if (transaction.committed && committed.first < transaction.offsets_order) {
        committed = {transaction.offsets_order, offset};
      }
      pending_offsets_[source].erase(id);
    }
    transaction.offsets_marker = false;
  }
  if (transaction.markers.empty() && !transaction.offsets_marker) transaction.state = Transaction::State::kDone;
  return true;
}

std::optional<int64_t> Transactions::committed_offset(const Place& place) const {
  const auto it = committed_offsets_.find(place);
  if (it == committed_offsets_.end() || it->second.first == 0) return std::nullopt;
  return it->second.second;
}

bool Transactions::offsets_pending(const Place& place) const {
  const auto it = pending_offsets_.find(place);
  return it != pending_offsets_.end() && !it->second.empty();
}

bool Transactions::any_open() const {
  return std::any_of(transactions_.begin(), transactions_.end(), [](const auto& entry) {
    return entry.second.state != Transaction::State::kNone && entry.second.state != Transaction::State::kDone;
  });
}

}  // namespace portrait::simulation
