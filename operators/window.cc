#include "operators/window.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace portrait {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

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

// Protobuf's own reader takes ten times as long to be set up as the few numbers that are mostly wanted take to be read.
class Reader {
 public:
  explicit Reader(const std::string& window)
      : begin_(reinterpret_cast<const uint8_t*>(window.data())), at_(begin_), end_(begin_ + window.size()) {}

  Head TakeHead() {
    Head head;
    head.lifetime_count = Signed();
    head.lifetime_sum = Signed();
    head.newest = {static_cast<int32_t>(Signed()), 0, Signed(), Signed()};
    newer_ = head.newest.first;
    return head;
  }
  size_t Position() const { return static_cast<size_t>(at_ - begin_); }

  // The next older bucket; false at the end.
  bool Next(Bucket& out) {
    if (at_ == end_) return false;
    const uint64_t what = Unsigned();
    newer_ -= static_cast<int32_t>(what >> 2);
    out.first = newer_;
    out.span = what & 2 ? static_cast<int32_t>(Unsigned()) : 0;
    out.count = Signed();
    out.sum = what & 1 ? Signed() : 0;
    return true;
  }

 private:
  uint64_t Unsigned() {
    if (at_ < end_ && *at_ < 0x80) return *at_++;
    return end_ - at_ >= 8 ? FromEight() : FromFew();
  }

  // Of up to eight bytes at once: the last one is the first without its highest bit; then sevens of bits are pushed
  // together, pair by pair.
  uint64_t FromEight() {
    static_assert(std::endian::native == std::endian::little);
    constexpr uint64_t kHighest = 0x8080808080808080;
    uint64_t bytes = 0;
    std::memcpy(&bytes, at_, sizeof bytes);
    const uint64_t ends = ~bytes & kHighest;
    if (ends == 0) return FromFew();
    at_ += (std::countr_zero(ends) + 1) / 8;
    bytes &= (ends ^ (ends - 1)) & ~kHighest;
    bytes = (bytes & 0x007f007f007f007f) | (bytes & 0x7f007f007f007f00) >> 1;
    bytes = (bytes & 0x00003fff00003fff) | (bytes & 0x3fff00003fff0000) >> 2;
    return (bytes & 0x000000000fffffff) | (bytes & 0x0fffffff00000000) >> 4;
  }

  uint64_t FromFew() {
    uint64_t value = 0;
    for (int shift = 0; at_ < end_ && shift < 64; shift += 7) {
      const uint8_t byte = *at_++;
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    return value;
  }
  int64_t Signed() { return WireFormatLite::ZigZagDecode64(Unsigned()); }

  const uint8_t* begin_;
  const uint8_t* at_;
  const uint8_t* end_;
  int32_t newer_ = 0;
};

class Writer {
 public:
  void Put(const Head& head) {
    Signed(head.lifetime_count);
    Signed(head.lifetime_sum);
    Signed(head.newest.first);
    Signed(head.newest.count);
    Signed(head.newest.sum);
  }
  void Put(const Bucket& bucket, int32_t newer) {
    Unsigned(static_cast<uint64_t>(newer - bucket.first) << 2 | (bucket.span != 0 ? 2 : 0) | (bucket.sum != 0 ? 1 : 0));
    if (bucket.span != 0) Unsigned(static_cast<uint64_t>(bucket.span));
    Signed(bucket.count);
    if (bucket.sum != 0) Signed(bucket.sum);
  }
  const char* data() const { return reinterpret_cast<const char*>(bytes_.data()); }
  size_t size() const { return static_cast<size_t>(end_ - bytes_.data()); }

 private:
  static constexpr size_t kVarint = 10;
  void Unsigned(uint64_t value) { end_ = CodedOutputStream::WriteVarint64ToArray(value, end_); }
  void Signed(int64_t value) { Unsigned(WireFormatLite::ZigZagEncode64(value)); }

  std::array<uint8_t, (5 + 4 * kWindowBuckets) * kVarint> bytes_;
  uint8_t* end_ = bytes_.data();
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
