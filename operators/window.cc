#include "operators/window.h"

#include <limits>

namespace portrait {
namespace {

using google::protobuf::RepeatedField;
using v1::state::Window;

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

template <class T>
void EraseAt(RepeatedField<T>& field, int at) {
  field.erase(field.begin() + at);
}

template <class T>
void InsertAt(RepeatedField<T>& field, int at, T value) {
  field.Add(value);
  for (int i = field.size() - 1; i > at; --i) field.SwapElements(i, i - 1);
}

uint32_t Span(const Window& window, int at) { return window.span_size() > 0 ? window.span(at) : 0; }

void AddTo(Window& window, int at, int64_t count, int64_t sum) {
  window.set_count(at, SaturatingSum(window.count(at), count));
  if (sum == 0) return;
  if (window.sum_size() == 0) window.mutable_sum()->Resize(window.count_size(), 0);
  window.set_sum(at, SaturatingSum(window.sum(at), sum));
}

// `gap` is that of the new bucket to the one before; the caller puts the gap of the one after right.
void InsertBucket(Window& window, int at, uint32_t gap, int64_t count, int64_t sum) {
  InsertAt(*window.mutable_gap(), at, gap);
  if (window.span_size() > 0) InsertAt(*window.mutable_span(), at, uint32_t{0});
  InsertAt(*window.mutable_count(), at, int64_t{0});
  if (window.sum_size() > 0) InsertAt(*window.mutable_sum(), at, int64_t{0});
  AddTo(window, at, count, sum);
}

int32_t OldestFirst(const Window& window) {
  int32_t first = window.newest();
  for (int i = 1; i < window.gap_size(); ++i) first -= static_cast<int32_t>(window.gap(i));
  return first;
}

int32_t Middle(int32_t first, uint32_t span) { return first + static_cast<int32_t>(span / 2); }

void EraseBucket(Window& window, int at) {
  EraseAt(*window.mutable_gap(), at);
  if (window.span_size() > 0) EraseAt(*window.mutable_span(), at);
  EraseAt(*window.mutable_count(), at);
  if (window.sum_size() > 0) EraseAt(*window.mutable_sum(), at);
  if (at == 0 && window.gap_size() > 0) window.set_gap(0, 0);
}

void ForgetOld(Window& window) {
  int32_t first = OldestFirst(window);
  while (Middle(first, Span(window, 0)) <= window.newest() - kWindowDaysMax) {
    first += static_cast<int32_t>(window.gap(1));  // there is one: the newest bucket is never that old
    EraseBucket(window, 0);
  }
}

// Joins the oldest two neighbours that may be joined. When there are too many buckets, there are such two.
void JoinOldest(Window& window) {
  int32_t first = OldestFirst(window);
  for (int i = 0; i + 1 < window.gap_size(); ++i) {
    const int32_t next = first + static_cast<int32_t>(window.gap(i + 1));
    if (Joinable(first, next + static_cast<int32_t>(Span(window, i + 1)), window.newest())) {
      const uint32_t span = window.gap(i + 1) + Span(window, i + 1);
      if (i + 2 < window.gap_size()) window.set_gap(i + 2, window.gap(i + 2) + window.gap(i + 1));
      AddTo(window, i, window.count(i + 1), window.sum_size() > 0 ? window.sum(i + 1) : 0);
      if (window.span_size() == 0) window.mutable_span()->Resize(window.gap_size(), 0);
      window.set_span(i, span);
      EraseBucket(window, i + 1);
      return;
    }
    first = next;
  }
}

void AddNewest(Window& window, int32_t day, int64_t count, int64_t sum) {
  const int at = window.gap_size();
  const uint32_t gap = at == 0 ? 0 : static_cast<uint32_t>(day - window.newest());
  window.set_newest(day);
  InsertBucket(window, at, gap, count, sum);
  ForgetOld(window);
  if (window.gap_size() > kWindowBuckets) JoinOldest(window);
}

void AddLate(Window& window, int32_t day, int64_t count, int64_t sum) {
  if (day <= window.newest() - kWindowDaysMax) return;
  int at = window.gap_size() - 1;
  int32_t first = window.newest();
  while (at > 0 && day < first) first -= static_cast<int32_t>(window.gap(at--));
  if (day < first) {  // older than all
    window.set_gap(0, static_cast<uint32_t>(first - day));
    InsertBucket(window, 0, 0, count, sum);
  } else if (day <= first + static_cast<int32_t>(Span(window, at))) {
    AddTo(window, at, count, sum);
    return;
  } else {  // between this bucket and the next; there is a next, for the day is before the newest
    const uint32_t gap = static_cast<uint32_t>(day - first);
    window.set_gap(at + 1, window.gap(at + 1) - gap);
    InsertBucket(window, at + 1, gap, count, sum);
  }
  if (window.gap_size() > kWindowBuckets) JoinOldest(window);
}

// Calls visit(bucket, middle day) for the buckets of the window, newest first.
template <class Visit>
void ForWindow(const Window& window, int32_t today, int window_days, Visit visit) {
  int32_t first = window.newest();
  for (int i = window.gap_size() - 1; i >= 0; --i) {
    const int32_t middle = Middle(first, Span(window, i));
    if (middle <= today - window_days) return;
    if (middle <= today) visit(i, middle);
    first -= static_cast<int32_t>(window.gap(i));
  }
}

}  // namespace

void WindowAdd(Window& window, int32_t day, int64_t count, int64_t sum) {
  window.set_lifetime_count(SaturatingSum(window.lifetime_count(), count));
  if (sum != 0) window.set_lifetime_sum(SaturatingSum(window.lifetime_sum(), sum));
  const int size = window.gap_size();
  if (size > 0 && day == window.newest()) {
    AddTo(window, size - 1, count, sum);
  } else if (size == 0 || day > window.newest()) {
    AddNewest(window, day, count, sum);
  } else {
    AddLate(window, day, count, sum);
  }
}

int64_t WindowCount(const Window& window, int32_t today, int window_days) {
  int64_t out = 0;
  ForWindow(window, today, window_days, [&](int i, int32_t) { out = SaturatingSum(out, window.count(i)); });
  return out;
}

int64_t WindowSum(const Window& window, int32_t today, int window_days) {
  int64_t out = 0;
  if (window.sum_size() == 0) return out;
  ForWindow(window, today, window_days, [&](int i, int32_t) { out = SaturatingSum(out, window.sum(i)); });
  return out;
}

std::optional<int32_t> WindowNextChange(const Window& window, int32_t today, int window_days) {
  std::optional<int32_t> out;
  ForWindow(window, today, window_days, [&](int, int32_t middle) { out = middle + window_days; });
  return out;
}

}  // namespace portrait
