#include "operators/window.h"

#include <algorithm>
#include <array>
#include <limits>

#include "operators/packed.h"

namespace portrait {
namespace {

// Invariants of a window's buckets, oldest first:
// 1. first(i) + span(i) < first(i + 1): they are in order and do not overlap.
// 2. The newest has span 0, since only what lies kDaily or more days before the newest day is ever joined.
// 3. All buckets but those that came late have their middle day within kWindowDaysMax of the newest day.
constexpr int32_t kDaily = 8;    // the newest days that are never joined
constexpr int32_t kWeekly = 91;  // the newest days that are joined into weeks at most
constexpr int32_t kWeek = 7;
constexpr int32_t kBlock = 4 * kWeek;  // so that weeks nest in blocks
// With everything joined that can be: 8 days and up to 6 of a week that reaches into them, 17 weeks, 11 blocks.
static_assert(kWindowBuckets > 8 + 6 + 17 + 11);

int64_t SaturatingSum(int64_t a, int64_t b) {
  int64_t out;
  if (!__builtin_add_overflow(a, b, &out)) return out;
  return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

int32_t FloorDiv(int32_t a, int32_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The last day of the calendar cell of `length` days that holds `day`.
int32_t CellEnd(int32_t day, int32_t length) { return FloorDiv(day, length) * length + length - 1; }

// Whether two neighbouring buckets may be joined: both lie in one week or block that is old enough.
bool Joinable(int32_t older_first, int32_t newer_last, int32_t newest) {
  const int32_t week_end = CellEnd(older_first, kWeek);
  if (newer_last <= week_end && week_end <= newest - kDaily) return true;
  const int32_t block_end = CellEnd(older_first, kBlock);
  return newer_last <= block_end && block_end <= newest - kWeekly;
}

struct Bucket {
  int32_t first = 0;  // day
  int32_t span = 0;   // last day with anything in it, less the first
  int64_t count = 0;
  int64_t sum = 0;

  int32_t last() const { return first + span; }
  int32_t middle() const { return first + span / 2; }
  void Add(int64_t more, int64_t more_sum) {
    count = SaturatingSum(count, more);
    sum = SaturatingSum(sum, more_sum);
  }
};

// The bytes, all numbers as varints, signed ones in zigzag: count and sum of the lifetime; first day, count and sum of
// the newest bucket; then for each older one, the newest first, 4 * (days from its first day to that of the bucket
// after it) + 2 * (it spans days) + (it has a sum), its span, its count, its sum.
struct Head {
  int64_t lifetime_count = 0;
  int64_t lifetime_sum = 0;
  Bucket newest;
};

class Reader {
 public:
  explicit Reader(const std::string& window) : in_(window) {}

  Head TakeHead() {
    Head head;
    head.lifetime_count = in_.Signed();
    head.lifetime_sum = in_.Signed();
    const auto first = static_cast<int32_t>(in_.Signed());
    const int64_t count = in_.Signed();
    head.newest = {first, 0, count, in_.Signed()};
    newer_ = first;
    return head;
  }
  size_t Position() const { return in_.position(); }

  // The next older bucket; false at the end.
  bool Next(Bucket& out) {
    if (in_.done()) return false;
    const uint64_t what = in_.Unsigned();
    newer_ -= static_cast<int32_t>(what >> 2);
    out.first = newer_;
    out.span = what & 2 ? static_cast<int32_t>(in_.Unsigned()) : 0;
    out.count = in_.Signed();
    out.sum = what & 1 ? in_.Signed() : 0;
    return true;
  }

 private:
  PackedReader in_;
  int32_t newer_ = 0;
};

class Writer {
 public:
  void Put(const Head& head) {
    out_.Signed(head.lifetime_count);
    out_.Signed(head.lifetime_sum);
    out_.Signed(head.newest.first);
    out_.Signed(head.newest.count);
    out_.Signed(head.newest.sum);
  }
  void Put(const Bucket& bucket, int32_t newer) {
    out_.Unsigned(static_cast<uint64_t>(newer - bucket.first) << 2 | (bucket.span != 0 ? 2 : 0) |
                  (bucket.sum != 0 ? 1 : 0));
    if (bucket.span != 0) out_.Unsigned(static_cast<uint64_t>(bucket.span));
    out_.Signed(bucket.count);
    if (bucket.sum != 0) out_.Signed(bucket.sum);
  }
  const char* data() const { return out_.data(); }
  size_t size() const { return out_.size(); }

 private:
  std::array<uint8_t, (5 + 4 * kWindowBuckets) * PackedWriter::kVarint> bytes_;
  PackedWriter out_{bytes_.data()};
};

// All of a window, taken apart to be changed.
class Buckets {
 public:
  Buckets(const Head& head, Reader& in) : head_(head) {
    at_[0] = head.newest;
    size_ = 1;
    while (size_ <= kWindowBuckets && in.Next(at_[static_cast<size_t>(size_)])) ++size_;
    std::reverse(at_.begin(), at_.begin() + size_);
  }

  void AddNewest(int32_t day, int64_t count, int64_t sum, int keep) {
    Insert(size_, {day, 0, count, sum});
    while (at_[0].middle() <= day - keep) Erase(0);  // the newest bucket is never that old
    if (size_ > kWindowBuckets) JoinOldest();
  }

  void AddLate(int32_t day, int64_t count, int64_t sum, int keep) {
    if (day <= newest() - keep) return;
    int at = size_ - 1;
    while (at > 0 && day < Of(at).first) --at;
    if (day >= Of(at).first && day <= Of(at).last()) {
      Of(at).Add(count, sum);
      return;
    }
    Insert(day < Of(at).first ? at : at + 1, {day, 0, count, sum});
    if (size_ > kWindowBuckets) JoinOldest();
  }

  std::string Encode() {
    Writer out;
    head_.newest = Of(size_ - 1);
    out.Put(head_);
    for (int i = size_ - 2; i >= 0; --i) out.Put(Of(i), Of(i + 1).first);
    return std::string(out.data(), out.size());
  }

 private:
  Bucket& Of(int at) { return at_[static_cast<size_t>(at)]; }
  int32_t newest() { return Of(size_ - 1).first; }

  void Insert(int at, const Bucket& bucket) {
    std::move_backward(at_.begin() + at, at_.begin() + size_, at_.begin() + size_ + 1);
    Of(at) = bucket;
    ++size_;
  }
  void Erase(int at) {
    std::move(at_.begin() + at + 1, at_.begin() + size_, at_.begin() + at);
    --size_;
  }

  // Joins the oldest two neighbours that may be joined. When there are too many buckets, there are such two.
  void JoinOldest() {
    for (int i = 0; i + 1 < size_; ++i) {
      const Bucket& next = Of(i + 1);
      if (!Joinable(Of(i).first, next.last(), newest())) continue;
      Of(i).span = next.last() - Of(i).first;
      Of(i).Add(next.count, next.sum);
      Erase(i + 1);
      return;
    }
  }

  Head head_;
  std::array<Bucket, kWindowBuckets + 2> at_;  // oldest first
  int size_ = 0;
};

// Calls visit(bucket) for the buckets of the window, newest first.
template <class Visit>
void ForWindow(const std::string& window, int32_t today, int window_days, Visit visit) {
  if (window.empty()) return;
  Reader in(window);
  Bucket bucket = in.TakeHead().newest;
  do {
    if (bucket.middle() <= today - window_days) return;
    if (bucket.middle() <= today) visit(bucket);
  } while (in.Next(bucket));
}

}  // namespace

void WindowAdd(std::string& window, int32_t day, int64_t count, int64_t sum, int keep) {
  Reader in(window);
  Head head;
  if (window.empty()) {
    head.newest.first = day;
  } else {
    head = in.TakeHead();
  }
  head.lifetime_count = SaturatingSum(head.lifetime_count, count);
  head.lifetime_sum = SaturatingSum(head.lifetime_sum, sum);
  if (day == head.newest.first) {
    const size_t before = in.Position();
    head.newest.Add(count, sum);
    Writer out;
    out.Put(head);
    window.replace(0, before, out.data(), out.size());
    return;
  }
  Buckets all(head, in);
  if (day > head.newest.first) {
    all.AddNewest(day, count, sum, keep);
  } else {
    all.AddLate(day, count, sum, keep);
  }
  window = all.Encode();
}

int64_t WindowCount(const std::string& window, int32_t today, int window_days) {
  int64_t out = 0;
  ForWindow(window, today, window_days, [&](const Bucket& b) { out = SaturatingSum(out, b.count); });
  return out;
}

int64_t WindowSum(const std::string& window, int32_t today, int window_days) {
  int64_t out = 0;
  ForWindow(window, today, window_days, [&](const Bucket& b) { out = SaturatingSum(out, b.sum); });
  return out;
}

int64_t LifetimeCount(const std::string& window) {
  return window.empty() ? 0 : Reader(window).TakeHead().lifetime_count;
}

int64_t LifetimeSum(const std::string& window) { return window.empty() ? 0 : Reader(window).TakeHead().lifetime_sum; }

std::optional<int32_t> WindowNextChange(const std::string& window, int32_t today, int window_days) {
  std::optional<int32_t> out;
  ForWindow(window, today, window_days, [&](const Bucket& b) { out = b.middle() + window_days; });
  return out;
}

std::vector<WindowBucket> WindowBuckets(const std::string& window) {
  std::vector<WindowBucket> out;
  if (window.empty()) return out;
  Reader in(window);
  Bucket bucket = in.TakeHead().newest;
  do {
    out.push_back({bucket.first, bucket.last(), bucket.count, bucket.sum});
  } while (in.Next(bucket));
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace portrait
