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

// What is compared with a constant: a feature, or a whole one that is made a fraction first; -1: neither.
int32_t ComparedFeature(const Program& program, int32_t index) {
  const Node* n = &program.nodes[static_cast<size_t>(index)];
  if (n->op == Op::kToFraction) n = &program.nodes[static_cast<size_t>(n->a)];
  return n->op == Op::kFeature ? n->a : -1;
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

bool SameNumber(const Scalar& a, const Scalar& b) {
  if (a.kind == Kind::kFraction) return a.fraction == b.fraction || (std::isnan(a.fraction) && std::isnan(b.fraction));
  return a.failed() || a.whole == b.whole;
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
      const int32_t feature = ComparedFeature(program_, side);
      const Node& constant = program_.nodes[static_cast<size_t>(other)];
      if (feature < 0 || constant.op != Op::kConstant) continue;
      const auto at = Ordered(constant.constant);
      if (!at) continue;
      Watch& watch = WatchOf(feature);
      AddUnit(watch.readers, unit);
      AddUnit(watch.compared, unit);
      watch.thresholds.push_back({*at, unit});
      return;
    }
  }
  if (const int32_t feature = FeatureOf(n); feature >= 0) {
    const bool of_element = (n.op == Op::kColumn || n.op == Op::kHasColumn) && n.a == 0 && each == feature;
    // Whether there is a value changes only with the value.
    if (!of_element) {
      Watch& watch = WatchOf(feature);
      AddUnit(watch.readers, unit);
      if (n.op != Op::kHasFeature) AddUnit(watch.read, unit);
    }
  }
  for (const int32_t part : PartsOf(program_, n)) Visit(part, unit, each, seen);
}

// A text points into the row, which is about to change.
void ChangeDetector::Remember(const Scalar& value, std::vector<Snapshot::Seen>& values, Snapshot& seen) const {
  values.push_back({value, seen.texts_.size()});
  if (value.kind == Kind::kText) seen.texts_.append(value.text, value.size);
}

void ChangeDetector::Before(const Watched& watched, const FeatureReader& reader, Snapshot& seen) const {
  seen.watched_ = &watched;
  seen.values_.clear();
  seen.next_.clear();
  seen.items_.clear();
  seen.items_end_.clear();
  seen.columns_.clear();
  seen.texts_.clear();
  for (const int32_t w : watched.values) {
    const Watch& watch = watches_[static_cast<size_t>(w)];
    Remember(ToScalar(reader.Get(watch.ref)), seen.values_, seen);
    seen.next_.push_back(NextChangeOf(watch.next, reader));
  }
  for (const int32_t w : watched.lists) {
    const Watch& watch = watches_[static_cast<size_t>(w)];
    for (const Item& item : reader.GetItems(watch.ref)) {
      seen.items_.push_back({seen.texts_.size(), item.name.size(), seen.columns_.size()});
      seen.texts_.append(item.name);
      for (const Value& value : item.columns) Remember(ToScalar(value), seen.columns_, seen);
    }
    seen.items_end_.push_back(seen.items_.size());
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
    CompareValues(watch, seen.values_[next], ToScalar(reader.Get(watch.ref)), seen);
    if (NextChangeOf(watch.next, reader) < seen.next_[next++]) Mark(watch.readers, seen.marked_);
  }
  size_t first = 0, list = 0;
  for (const int32_t w : seen.watched_->lists) {
    const Watch& watch = watches_[static_cast<size_t>(w)];
    const size_t end = seen.items_end_[list++];
    CompareLists(watch, first, end, reader.GetItems(watch.ref), seen);
    if (NextChangeOf(watch.next, reader) < seen.next_[next++]) Mark(watch.readers, seen.marked_);
    first = end;
  }
  for (size_t word = 0; word < seen.marked_.size(); ++word) {
    for (uint64_t bits = seen.marked_[word]; bits != 0; bits &= bits - 1) {
      seen.affected.units.push_back(static_cast<int32_t>(word * 64) + __builtin_ctzll(bits));
    }
  }
  std::erase_if(seen.affected.elements, [&](const Affected::OfList& e) { return IsMarked(seen.marked_, e.unit); });
}

bool ChangeDetector::Same(const Snapshot::Seen& before, const Scalar& after, const Snapshot& seen) const {
  if (before.value.kind != after.kind) return false;
  if (after.kind != Kind::kText) return SameNumber(before.value, after);
  return std::string_view(seen.texts_).substr(before.text_at, before.value.size) ==
         std::string_view(after.text, after.size);
}

void ChangeDetector::CompareValues(const Watch& watch, const Snapshot::Seen& before, const Scalar& after,
                                   Snapshot& seen) const {
  if (Same(before, after, seen)) return;
  const auto from = Ordered(before.value), to = Ordered(after);
  if (!from || !to) return Mark(watch.readers, seen.marked_);
  Mark(watch.read, seen.marked_);
  // What grows by itself and is larger now reaches everything sooner.
  if (watch.runs && *to > *from) Mark(watch.compared, seen.marked_);
  const long double low = std::min(*from, *to), high = std::max(*from, *to);
  const auto begin = std::lower_bound(watch.thresholds.begin(), watch.thresholds.end(), low,
                                      [](const Watch::Threshold& t, long double at) { return t.at < at; });
  for (auto it = begin; it != watch.thresholds.end() && it->at <= high; ++it) MarkOne(it->unit, seen.marked_);
}

void ChangeDetector::CompareLists(const Watch& watch, size_t first, size_t end, const Items& after,
                                  Snapshot& seen) const {
  const auto name_of = [&](const Snapshot::SeenItem& item) {
    return std::string_view(seen.texts_).substr(item.name_at, item.name_size);
  };
  const auto is_same = [&](const Snapshot::SeenItem& before, const Item& item) {
    for (size_t c = 0; c < item.columns.size(); ++c) {
      if (!Same(seen.columns_[before.columns_from + c], ToScalar(item.columns[c]), seen)) return false;
    }
    return true;
  };
  const size_t changed_before = seen.affected.changed.size();
  const auto changed = [&](std::string_view name) { seen.affected.changed.emplace_back(watch.feature, name); };
  // Both lists are mostly in the same order, so what is looked for is mostly at the same place.
  const auto begin = seen.items_.begin() + static_cast<ptrdiff_t>(first);
  const auto stop = seen.items_.begin() + static_cast<ptrdiff_t>(end);
  size_t found = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    const auto has_name = [&](const Snapshot::SeenItem& before) { return name_of(before) == after[i].name; };
    const auto there = begin + static_cast<ptrdiff_t>(std::min(i, end - first));
    auto before = there != stop && has_name(*there) ? there : std::find_if(begin, stop, has_name);
    found += before != stop ? 1 : 0;
    if (before == stop || !is_same(*before, after[i])) changed(after[i].name);
  }
  if (found < end - first) {
    for (auto before = begin; before != stop; ++before) {
      const std::string_view name = name_of(*before);
      if (std::none_of(after.begin(), after.end(), [&](const Item& i) { return i.name == name; })) changed(name);
    }
  }
  if (seen.affected.changed.size() == changed_before) return;
  Mark(watch.read, seen.marked_);
  if (after.size() > kMostElements || end - first > kMostElements) return Mark(watch.each, seen.marked_);
  for (const int32_t unit : watch.each) seen.affected.elements.push_back({unit, watch.feature});
}

}  // namespace portrait::rules
