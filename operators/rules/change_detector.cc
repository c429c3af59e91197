#include "operators/rules/change_detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "operators/rules/next_change.h"

namespace portrait::rules {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr size_t kMostElements = 32;  // of a list that are told apart; of a longer one, all are looked at

// Units come one after another, so they stay in order.
void AddUnit(std::vector<int32_t>& units, int32_t unit) {
  if (units.empty() || units.back() != unit) units.push_back(unit);
}

// What is compared with a constant: itself, or a whole number that is made a fraction first.
const Node& Compared(const Program& program, int32_t index) {
  const Node& n = program.nodes[static_cast<size_t>(index)];
  return n.op == Op::kToFraction ? program.nodes[static_cast<size_t>(n.a)] : n;
}

// A column of the element that a rule with `each` is judged by.
bool IsOfElement(const Node& n, int32_t each) {
  return (n.op == Op::kColumn || n.op == Op::kHasColumn) && n.a == 0 && n.c == each;
}

std::optional<long double> Ordered(const Scalar& value) {
  switch (value.kind) {
    case Kind::kFraction: return std::isnan(value.fraction) ? std::nullopt : std::optional<long double>(value.fraction);
    case Kind::kWhole:
    case Kind::kTime:
    case Kind::kDuration: return static_cast<long double>(value.whole);
    default: return std::nullopt;
  }
}

bool Same(const Scalar& a, const Scalar& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::kText) return std::string_view(a.text, a.size) == std::string_view(b.text, b.size);
  if (a.kind == Kind::kFraction) return a.fraction == b.fraction || (std::isnan(a.fraction) && std::isnan(b.fraction));
  return a.failed() || a.whole == b.whole;
}

int SideOf(long double value, long double constant) { return value < constant ? -1 : value > constant ? 1 : 0; }

// What a comparison says of a value on this side of its constant, and whether time may change that.
std::pair<bool, bool> Outcome(Relation relation, int side, OverTime::Trend trend) {
  const bool holds = Holds(relation, side);
  if (trend == OverTime::Trend::kEither) return {holds, true};
  const int step = trend == OverTime::Trend::kFalls ? -1 : 1;
  bool may_change = false;
  for (int reached = side; reached >= -1 && reached <= 1; reached += step) {
    may_change = may_change || Holds(relation, reached) != holds;
  }
  return {holds, may_change};
}

int64_t NextChangeOf(const std::optional<FeatureRef>& next, const FeatureReader& reader) {
  return next ? NextOf(reader.Get(*next)).value_or(kNever) : kNever;
}

void MarkOne(int32_t unit, std::vector<uint64_t>& marked) {
  marked[static_cast<size_t>(unit) / 64] |= uint64_t{1} << unit % 64;
}

void Mark(const std::vector<int32_t>& units, std::vector<uint64_t>& marked) {
  for (const int32_t unit : units) MarkOne(unit, marked);
}

bool IsMarked(const std::vector<uint64_t>& marked, int32_t unit) {
  return (marked[static_cast<size_t>(unit) / 64] >> (unit % 64) & 1) != 0;
}

}  // namespace

ChangeDetector::Snapshot& ChangeDetector::Snapshot::OfThisThread(bool shadow) {
  thread_local std::array<Snapshot, 2> snapshots;
  return snapshots[shadow ? 1 : 0];
}

ChangeDetector::ChangeDetector(const Program& program, const std::vector<WatchedUnit>& units)
    : program_(program), units_(units.size()) {
  for (size_t u = 0; u < units.size(); ++u) {
    const auto unit = static_cast<int32_t>(u);
    std::vector<bool> seen(program.nodes.size());
    if (units[u].each >= 0) {
      Watch& list = WatchOf(units[u].each);
      AddUnit(list.readers, unit);
      AddUnit(list.each, unit);
    }
    for (const int32_t condition : units[u].conditions) Visit(condition, unit, units[u].each, seen);
  }
  for (size_t w = 0; w < watches_.size(); ++w) {
    Watch& watch = watches_[w];
    std::sort(watch.thresholds.begin(), watch.thresholds.end(),
              [](const Watch::Threshold& a, const Watch::Threshold& b) { return a.at < b.at; });
    const Slot slot = watch.ref.slot();
    by_slot_.resize(std::max<size_t>(by_slot_.size(), size_t{slot} + 1));
    Units& readers = by_slot_[slot].readers;
    readers.insert(readers.end(), watch.readers.begin(), watch.readers.end());
    const FeatureDescription& feature = watch.ref.description();
    const auto watch_in = [&](Watched& watched) {
      (feature.type == FeatureType::kItems ? watched.lists : watched.values).push_back(static_cast<int32_t>(w));
    };
    if (feature.by_timers) watch_in(by_slot_[slot].timers);
    for (size_t kind = 0; kind < kEventKinds; ++kind) {
      if (watch.ref.changed_by().test(kind)) watch_in(by_kind_[kind]);
    }
  }
  for (auto& [readers, timers] : by_slot_) {
    std::sort(readers.begin(), readers.end());
    readers.erase(std::unique(readers.begin(), readers.end()), readers.end());
  }
}

const ChangeDetector::OfSlot& ChangeDetector::Of(Slot slot) const {
  static const auto* const none = new OfSlot();
  return slot < by_slot_.size() ? by_slot_[slot] : *none;
}

ChangeDetector::Watch& ChangeDetector::WatchOf(int32_t feature) {
  const auto it =
      std::find_if(watches_.begin(), watches_.end(), [&](const Watch& watch) { return watch.feature == feature; });
  if (it != watches_.end()) return *it;
  Watch watch;
  watch.feature = feature;
  watch.ref = program_.features[static_cast<size_t>(feature)];
  watch.columns.resize(watch.ref.description().columns.size());
  const OverTime& over_time = watch.ref.description().over_time;
  if (over_time.next != nullptr) watch.next = watch.ref.Next();
  watch.runs = over_time.kind == OverTime::Kind::kRuns;
  return watches_.emplace_back(std::move(watch));
}

void ChangeDetector::Visit(int32_t node, int32_t unit, int32_t each, std::vector<bool>& seen) {
  if (seen[static_cast<size_t>(node)]) return;
  seen[static_cast<size_t>(node)] = true;
  const Node& n = program_.nodes[static_cast<size_t>(node)];
  if (n.op == Op::kCompare) {
    for (const auto& [side, other] : {std::pair(n.a, n.b), std::pair(n.b, n.a)}) {
      const Node& compared = Compared(program_, side);
      const Node& constant = program_.nodes[static_cast<size_t>(other)];
      const auto at = constant.op == Op::kConstant ? Ordered(constant.constant) : std::nullopt;
      if (!at) continue;
      if (compared.op == Op::kFeature) {
        Watch& watch = WatchOf(compared.a);
        AddUnit(watch.readers, unit);
        AddUnit(watch.compared, unit);
        watch.thresholds.push_back({*at, unit});
        return;
      }
      if (compared.op == Op::kColumn && IsOfElement(compared, each)) {
        const auto column = static_cast<size_t>(compared.b);
        Watch& list = WatchOf(each);
        const OverTime::Trend trend = list.ref.description().columns[column].over_time.trend;
        const auto outcome = [&, relation = side == n.a ? n.relation : Mirrored(n.relation)](int of) {
          return Outcome(relation, of, trend);
        };
        list.columns[column].constants.push_back({*at, outcome(-1) != outcome(0), outcome(0) != outcome(1)});
        return;
      }
    }
  }
  if (IsOfElement(n, each)) {
    WatchOf(each).columns[static_cast<size_t>(n.b)].read = true;
  } else if (const int32_t feature = FeatureOf(n); feature >= 0) {
    Watch& watch = WatchOf(feature);
    AddUnit(watch.readers, unit);
    // Whether there is a value changes only with the value.
    if (n.op != Op::kHasFeature) AddUnit(watch.read, unit);
  }
  for (const int32_t part : PartsOf(program_, n)) Visit(part, unit, each, seen);
}

// A text points into the row, which is about to change.
void ChangeDetector::Remember(const Scalar& value, std::vector<Snapshot::Seen>& values, Snapshot& seen) const {
  values.push_back({value, seen.texts_.size()});
  if (value.kind == Kind::kText) seen.texts_.append(value.text, value.size);
}

Scalar ChangeDetector::Snapshot::ValueOf(const Seen& seen) const {
  Scalar value = seen.value;
  if (value.kind == Kind::kText) value.text = texts_.data() + seen.text_at;
  return value;
}

void ChangeDetector::Before(const Watched& watched, const FeatureReader& reader, Snapshot& seen) const {
  seen.watched_ = &watched;
  seen.values_.clear();
  seen.next_.clear();
  seen.items_.clear();
  seen.lists_.clear();
  seen.columns_.clear();
  seen.texts_.clear();
  for (const int32_t w : watched.values) {
    const Watch& watch = watches_[static_cast<size_t>(w)];
    Remember(ToScalar(reader.Get(watch.ref)), seen.values_, seen);
    seen.next_.push_back(NextChangeOf(watch.next, reader));
  }
  for (const int32_t w : watched.lists) {
    const Watch& watch = watches_[static_cast<size_t>(w)];
    if (watch.tells_changes()) {
      const size_t from = seen.texts_.size();
      reader.KeepList(watch.ref, seen.texts_);
      seen.lists_.push_back({from, seen.texts_.size()});
    } else {
      const size_t from = seen.items_.size();
      for (const Item& item : reader.GetItems(watch.ref)) {
        seen.items_.push_back({seen.texts_.size(), item.name.size(), seen.columns_.size()});
        seen.texts_.append(item.name);
        for (const Value& value : item.columns) Remember(ToScalar(value), seen.columns_, seen);
      }
      seen.lists_.push_back({from, seen.items_.size()});
    }
    seen.next_.push_back(NextChangeOf(watch.next, reader));
  }
}

void ChangeDetector::After(const FeatureReader& reader, Snapshot& seen) const {
  seen.marked_.assign(units_ / 64 + 1, 0);
  seen.affected.units.clear();
  seen.affected.elements.clear();
  seen.affected.changed.clear();
  size_t next = 0;
  for (const int32_t w : seen.watched_->values) {
    const Watch& watch = watches_[static_cast<size_t>(w)];
    CompareValues(watch, seen.ValueOf(seen.values_[next]), ToScalar(reader.Get(watch.ref)), seen);
    if (NextChangeOf(watch.next, reader) < seen.next_[next++]) Mark(watch.readers, seen.marked_);
  }
  size_t list = 0;
  for (const int32_t w : seen.watched_->lists) {
    const Watch& watch = watches_[static_cast<size_t>(w)];
    const Snapshot::SeenList& before = seen.lists_[list++];
    if (watch.tells_changes()) {
      CompareKept(watch, std::string_view(seen.texts_).substr(before.from, before.end - before.from), reader, seen);
    } else {
      CompareLists(watch, before, reader.GetItems(watch.ref), seen);
    }
    if (NextChangeOf(watch.next, reader) < seen.next_[next++]) Mark(watch.readers, seen.marked_);
  }
  for (size_t word = 0; word < seen.marked_.size(); ++word) {
    for (uint64_t bits = seen.marked_[word]; bits != 0; bits &= bits - 1) {
      seen.affected.units.push_back(static_cast<int32_t>(word * 64) + __builtin_ctzll(bits));
    }
  }
  std::erase_if(seen.affected.elements, [&](const Affected::OfList& e) { return IsMarked(seen.marked_, e.unit); });
}

void ChangeDetector::CompareValues(const Watch& watch, const Scalar& before, const Scalar& after,
                                   Snapshot& seen) const {
  if (Same(before, after)) return;
  const auto from = Ordered(before), to = Ordered(after);
  if (!from || !to) return Mark(watch.readers, seen.marked_);
  Mark(watch.read, seen.marked_);
  // What grows by itself and is larger now reaches everything sooner.
  if (watch.runs && *to > *from) Mark(watch.compared, seen.marked_);
  const long double low = std::min(*from, *to), high = std::max(*from, *to);
  const auto begin = std::lower_bound(watch.thresholds.begin(), watch.thresholds.end(), low,
                                      [](const Watch::Threshold& t, long double at) { return t.at < at; });
  for (auto it = begin; it != watch.thresholds.end() && it->at <= high; ++it) MarkOne(it->unit, seen.marked_);
}

bool ChangeDetector::Watch::Column::MayMatter(const Scalar& before, const Scalar& after) const {
  if (read) return true;
  if (constants.empty()) return false;
  const auto from = Ordered(before), to = Ordered(after);
  if (!from || !to) return true;
  return std::any_of(constants.begin(), constants.end(), [&](const Constant& constant) {
    const int was = SideOf(*from, constant.at), is = SideOf(*to, constant.at);
    const int low = std::min(was, is), high = std::max(was, is);
    return (low < 0 && high >= 0 && constant.from_below) || (low <= 0 && high > 0 && constant.beyond);
  });
}

class ChangeDetector::ListComparison {
 public:
  ListComparison(const Watch& watch, Snapshot& seen) : watch_(watch), seen_(seen) {}

  void Came(const Item& item) {
    differs_ = matters_ = true;
    seen_.affected.changed.push_back({watch_.feature, item.name, item});
  }
  void Went(std::string_view name) {
    differs_ = matters_ = true;
    seen_.affected.changed.push_back({watch_.feature, name, std::nullopt});
  }

  // An element that is in both lists: `before` gives a Scalar for the number of a column.
  template <class Before>
  void Compare(const Before& before, const Item& after) {
    bool matters = false;
    for (size_t c = 0; c < watch_.columns.size(); ++c) {
      const Watch::Column& column = watch_.columns[c];
      if (watch_.read.empty() && !column.read && column.constants.empty()) continue;
      const Scalar was = before(c), is = ToScalar(after.columns[c]);
      if (Same(was, is)) continue;
      differs_ = true;
      matters = matters || column.MayMatter(was, is);
    }
    if (matters) Came(after);
  }

  // `is_long`: too many elements to tell them apart.
  void Finish(bool is_long) {
    if (differs_) Mark(watch_.read, seen_.marked_);
    if (!matters_) return;
    if (is_long) return Mark(watch_.each, seen_.marked_);
    for (const int32_t unit : watch_.each) seen_.affected.elements.push_back({unit, watch_.feature});
  }

 private:
  const Watch& watch_;
  Snapshot& seen_;
  bool differs_ = false;  // the list, for those that read it in another way
  bool matters_ = false;  // one of its elements, for those that are judged by them
};

void ChangeDetector::CompareLists(const Watch& watch, const Snapshot::SeenList& list, const Items& after,
                                  Snapshot& seen) const {
  const auto name_of = [&](const Snapshot::SeenItem& item) {
    return std::string_view(seen.texts_).substr(item.name_at, item.name_size);
  };
  ListComparison comparison(watch, seen);
  // Both lists are mostly in the same order, so what is looked for is mostly at the same place.
  const auto begin = seen.items_.begin() + static_cast<ptrdiff_t>(list.from);
  const auto stop = seen.items_.begin() + static_cast<ptrdiff_t>(list.end);
  size_t found = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    const auto has_name = [&](const Snapshot::SeenItem& before) { return name_of(before) == after[i].name; };
    const auto there = begin + static_cast<ptrdiff_t>(std::min(i, list.end - list.from));
    const auto before = there != stop && has_name(*there) ? there : std::find_if(begin, stop, has_name);
    if (before == stop) {
      comparison.Came(after[i]);
      continue;
    }
    ++found;
    comparison.Compare([&](size_t c) { return seen.ValueOf(seen.columns_[before->columns_from + c]); }, after[i]);
  }
  if (found < list.end - list.from) {
    for (auto before = begin; before != stop; ++before) {
      const std::string_view name = name_of(*before);
      if (std::none_of(after.begin(), after.end(), [&](const Item& i) { return i.name == name; })) {
        comparison.Went(name);
      }
    }
  }
  comparison.Finish(after.size() > kMostElements || list.end - list.from > kMostElements);
}

void ChangeDetector::CompareKept(const Watch& watch, std::string_view kept, const FeatureReader& reader,
                                 Snapshot& seen) const {
  ListComparison comparison(watch, seen);
  reader.VisitChanges(watch.ref, kept, [&](const Item* before, const Item* after) {
    if (after == nullptr) return comparison.Went(before->name);
    if (before == nullptr) return comparison.Came(*after);
    comparison.Compare([&](size_t c) { return ToScalar(before->columns[c]); }, *after);
  });
  comparison.Finish(false);
}

}  // namespace portrait::rules
