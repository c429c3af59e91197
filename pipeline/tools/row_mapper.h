// Makes an event of one row of a table, by a mapping.
//
//   auto mapper = RowMapper::Create(mapping, "CDNOW_master.txt");
//   switch ((*mapper)->Map(row, event)) { ... }
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "operators/event.h"
#include "pipeline/tools/mapping.h"
#include "pipeline/tools/table_reader.h"

namespace portrait {

// Constant after Create, but for what Map remembers of its last failure. One thread.
class RowMapper {
 public:
  enum class Outcome { kEvent, kLeftOut, kRejected };

  // `file` names the file in ids. InvalidArgument: a field that no such event has.
  static absl::StatusOr<std::unique_ptr<RowMapper>> Create(Mapping mapping, std::string file);

  // The columns that the rows must bring, in this order.
  const std::vector<std::string>& columns() const { return columns_; }

  // Fills `event`, and `group` with the value of the group column. Rejected: reason() is a code, detail() a sentence.
  // Left out: reason() is the condition.
  Outcome Map(const TableRow& row, Event& event, std::string& group);

  // Adds a row's event to one of the same group: the products are joined, the totals added. False: too large.
  static bool Join(const Event& more, Event& event);

  const std::string& reason() const { return reason_; }
  const std::string& detail() const { return detail_; }

 private:
  // A field to be set: where it lies in the body, and what it takes.
  struct Target {
    std::vector<const google::protobuf::FieldDescriptor*> path;
    enum class Unit { kAsIs, kMoney, kSeconds } unit = Unit::kAsIs;
    ValueSource source;
    std::vector<size_t> columns;  // that the source reads
  };

  RowMapper(Mapping mapping, std::string file) : mapping_(std::move(mapping)), file_(std::move(file)) {}

  absl::Status AddTargets(EventKind kind, std::vector<bool>& known);
  absl::StatusOr<Target> FindTarget(EventKind kind, const FieldMapping& field);
  size_t Column(const std::string& name);
  static std::string_view Value(const TableRow& row, size_t column);

  Outcome Reject(std::string code, std::string detail);
  bool Holds(const RowCondition& condition, size_t column, const TableRow& row, bool& good);
  std::optional<EventKind> KindOf(const TableRow& row);
  std::optional<int64_t> TimeOf(std::string_view text);
  bool SetField(const Target& target, const TableRow& row, google::protobuf::Message& body);
  std::optional<std::string> TextOf(const Target& target, const TableRow& row);
  std::optional<int64_t> MicrosOf(const Target& target, const TableRow& row);

  Mapping mapping_;
  std::string file_;
  std::string time_format_;
  std::vector<std::string> columns_;
  size_t customer_ = 0, time_ = 0, event_ = 0, event_id_ = 0, group_ = 0;
  std::vector<size_t> conditions_;                         // the columns of mapping_.where
  absl::flat_hash_map<int, std::vector<Target>> targets_;  // by kind of event
  std::string reason_, detail_;
};

}  // namespace portrait
