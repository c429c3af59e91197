// The registry of features: every named, typed, documented value that the operators of a chain offer.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "operators/description.h"
#include "operators/row_state.h"

namespace portrait {

// Points to one feature of a chain; got once from the registry when the chain is built, then free to use.
class FeatureRef {
 public:
  FeatureRef() = default;
  Slot slot() const { return slot_; }
  const FeatureDescription& description() const { return *description_; }

  // The kinds of events that its operator reads, so that may change it. Its operator's timers may, too.
  const EventKindSet& changed_by() const { return *changed_by_; }

  // What gives the local day or the instant of its next change (OverTime::Kind::kOnDay, kOnMoment).
  FeatureRef Next() const { return {slot_, description_->over_time.next.get(), empty_, changed_by_}; }

  // A feature of the same operator that is in no registry. The arguments must outlive it.
  FeatureRef Unlisted(const FeatureDescription* description, const EventKindSet* changed_by) const {
    return {slot_, description, empty_, changed_by};
  }

 private:
  friend class FeatureRegistry;
  FeatureRef(Slot slot, const FeatureDescription* description, const google::protobuf::Message* empty,
             const EventKindSet* changed_by)
      : slot_(slot), description_(description), empty_(empty), changed_by_(changed_by) {}
  friend class Context;
  friend class FeatureReader;

  Slot slot_ = 0;
  const FeatureDescription* description_ = nullptr;
  const google::protobuf::Message* empty_ = nullptr;  // read where the row has no state of that operator
  const EventKindSet* changed_by_ = nullptr;
};

// Constant once its chain is built; then safe from any thread.
class FeatureRegistry {
 public:
  // Not found: NotFound, naming what comes near.
  absl::StatusOr<FeatureRef> Find(std::string_view name) const;

  // What Bind of an operator or model looks up: each found feature goes to its place. The first error of Find.
  absl::Status FindAll(std::initializer_list<std::pair<std::string_view, FeatureRef*>> wanted) const;

  // All features in the order of the chain.
  const std::vector<FeatureRef>& all() const { return all_; }

  // The arguments must outlive the registry. A name already there: AlreadyExists.
  absl::Status Add(Slot slot, const FeatureDescription* description, const google::protobuf::Message* empty,
                   const EventKindSet* changed_by);

 private:
  std::vector<FeatureRef> all_;
  absl::flat_hash_map<std::string, size_t> by_name_;
};

// Reads features of one row at one moment; for whoever is not an operator (views, tests).
class FeatureReader {
 public:
  FeatureReader(const RowState& row, Moment at) : row_(row), at_(at) {}
  Value Get(const FeatureRef& feature) const { return feature.description_->value(StateOf(feature), at_); }
  Items GetItems(const FeatureRef& feature) const { return feature.description_->items(StateOf(feature), at_); }
  // Of lists that have ListChanges.
  void KeepList(const FeatureRef& feature, std::string& kept) const {
    feature.description_->changes.keep(StateOf(feature), kept);
  }
  void VisitChanges(const FeatureRef& feature, std::string_view kept, ListChanges::Visit visit) const {
    feature.description_->changes.visit(kept, StateOf(feature), at_, visit);
  }

 private:
  const google::protobuf::Message& StateOf(const FeatureRef& feature) const {
    return row_.states.Read(feature.slot_, *feature.empty_);
  }

  const RowState& row_;
  Moment at_;
};

}  // namespace portrait
