// The past of customers from tables of one's own, by a mapping (mapping.h).
//
//   MappedHistory history;
//   status = history.Read({"sales.csv"}, mapping);
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/tools/history.h"
#include "pipeline/tools/import.h"
#include "pipeline/tools/mapping.h"

namespace portrait {

// Holds all events in memory. One thread.
class MappedHistory {
 public:
  // NotFound: no row became an event.
  absl::Status Read(const std::vector<std::string>& files, const Mapping& mapping);

  const History& history() const { return history_; }
  const ImportReport& report() const { return report_; }
  // That of the first order that names one; empty: none does.
  const std::string& currency() const { return currency_; }

 private:
  History history_;
  ImportReport report_;
  std::string currency_;
};

}  // namespace portrait
