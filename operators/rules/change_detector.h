// Which rules an event, or the timer of an operator, may have changed: the features that rules read are compared before
// and after it. So what an event costs depends on how many features rules read, not on how many rules there are.
//
//   ChangeDetector::Snapshot& seen = ChangeDetector::Snapshot::OfThisThread();
//   detector.Before(detector.WatchedBy(kind), reader, seen);   // before any operator has handled the event
//   detector.After(reader, seen);    // after all have, at the same moment: seen.affected says what to look at
//
// Needs what holds between two steps anyway: the tags are what a look at everything would give at this moment, and a
// timer is set for the first moment at which time alone may change that. Then a rule need not be looked at
//  1. where a feature is compared with a constant, as long as no value from the one before to the one after makes the
//     comparison come out differently, and the feature does not change by itself any sooner than before;
//  2. where it is read in another way, as long as its value is the same.
// Of lists, the elements that differ are told, so that a rule with `each` looks at those alone; and of these, those
// whose columns may matter to it, by 1 and 2. Lists that can tell what has changed (ListChanges) are not built for it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/event.h"
#include "operators/features.h"
#include "operators/rules/program.h"

namespace portrait::rules {

// What the detector has to know of a unit of rules that are judged together.
struct WatchedUnit {
  std::vector<int32_t> conditions;  // nodes
  int32_t each = -1;                // the list that it is judged by; -1: none
};

// Units of rules to be looked at, by their numbers.
struct Affected {
  std::vector<int32_t> units;  // ascending
  struct OfList {
    int32_t unit = -1;
    int32_t list = -1;
  };
  std::vector<OfList> elements;  // units to be looked at for `changed` of this list alone; none of `units`
  struct Element {
    int32_t list = -1;
    std::string_view name;
    std::optional<Item> now;  // nothing: it has gone
  };
  std::vector<Element> changed;  // by list: elements that came, went or may matter now

  bool empty() const { return units.empty() && elements.empty(); }
};

// Constant once made; then safe from any thread. The program must outlive it.
class ChangeDetector {
 public:
  // Features that a step may change, and that rules read; by their numbers here.
  struct Watched {
    std::vector<int32_t> values, lists;
  };

  ChangeDetector(const Program& program, const std::vector<WatchedUnit>& units);

  // What the features were, with room that is used again: one step at a time for each thread.
  class Snapshot {
   public:
    // One for the rules in force, one for those in the shadow.
    static Snapshot& OfThisThread(bool shadow = false);
    // Who took it last: an address that is the same before and after the step, and of no other step meanwhile.
    const void* taken_by = nullptr;
    Affected affected;  // by After; valid until the row changes again

   private:
    friend class ChangeDetector;
    struct Seen {
      Scalar value;
      size_t text_at = 0;  // in texts_
    };
    struct SeenItem {
      size_t name_at = 0, name_size = 0;  // in texts_
      size_t columns_from = 0;
    };
    struct SeenList {
      size_t from = 0, end = 0;  // in items_; in texts_ where it tells changes itself
    };
    Scalar ValueOf(const Seen& seen) const;

    const Watched* watched_ = nullptr;
    std::vector<Seen> values_;
    std::vector<int64_t> next_;  // when they change by themselves; of the values, then of the lists
    std::vector<SeenItem> items_;
    std::vector<SeenList> lists_;
    std::vector<Seen> columns_;
    std::string texts_;
    std::vector<uint64_t> marked_;  // a bit for each unit
  };

  const Watched& WatchedBy(EventKind kind) const { return by_kind_[static_cast<size_t>(kind)]; }
  const Watched& WatchedByTimersOf(Slot slot) const { return Of(slot).timers; }

  void Before(const Watched& watched, const FeatureReader& reader, Snapshot& seen) const;
  void After(const FeatureReader& reader, Snapshot& seen) const;

  using Units = std::vector<int32_t>;
  // All that read features of the operator in this slot; ascending.
  const Units& ReadersOf(Slot slot) const { return Of(slot).readers; }

 private:
  struct Watch {
    int32_t feature = -1;
    FeatureRef ref;
    std::optional<FeatureRef> next;  // of features that know when they change by themselves
    bool runs = false;
    Units readers;   // all
    Units compared;  // that compare it with constants, whatever else they do
    Units read;      // that read it in another way
    struct Threshold {
      long double at;
      int32_t unit;
    };
    std::vector<Threshold> thresholds;  // of `compared`, ascending
    Units each;                         // of a list: that are judged by its elements
    // A constant that an element's column is compared with, and whether reaching it from below, or passing beyond it,
    // changes what the comparison gives, or what time can do to that.
    struct Constant {
      long double at;
      bool from_below, beyond;
    };
    struct Column {
      bool read = false;  // in another way than to compare it with constants
      std::vector<Constant> constants;
      bool MayMatter(const Scalar& before, const Scalar& after) const;
    };
    std::vector<Column> columns;  // of a list: as `each` reads them
    bool tells_changes() const { return static_cast<bool>(ref.description().changes); }
  };

  struct OfSlot {
    Units readers;
    Watched timers;
  };
  const OfSlot& Of(Slot slot) const;

  void Visit(int32_t node, int32_t unit, int32_t each, std::vector<bool>& seen);
  Watch& WatchOf(int32_t feature);
  void Remember(const Scalar& value, std::vector<Snapshot::Seen>& values, Snapshot& seen) const;
  void CompareValues(const Watch& watch, const Scalar& before, const Scalar& after, Snapshot& seen) const;
  void CompareLists(const Watch& watch, const Snapshot::SeenList& list, const Items& after, Snapshot& seen) const;
  void CompareKept(const Watch& watch, std::string_view kept, const FeatureReader& reader, Snapshot& seen) const;
  // What two versions of an element, or one that came or went, mean for those that read its list.
  class ListComparison;

  const Program& program_;
  size_t units_ = 0;
  std::vector<Watch> watches_;
  std::vector<OfSlot> by_slot_;
  std::array<Watched, kEventKinds> by_kind_;
};

}  // namespace portrait::rules
