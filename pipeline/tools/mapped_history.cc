#include "pipeline/tools/mapped_history.h"

namespace portrait {

absl::Status MappedHistory::Read(const std::vector<std::string>& files, const Mapping& mapping) {
  Importer importer({.mapping = mapping}, [this](const Event& event) {
    if (currency_.empty() && event.has_order_completed()) currency_ = event.order_completed().currency();
    history_.Add(event);
    return absl::OkStatus();
  });
  absl::Status status;
  for (const std::string& file : files) {
    if (status = importer.Add(file); !status.ok()) return status;
  }
  status = importer.Finish();
  report_ = importer.report();
  if (!status.ok()) return status;
  if (history_.events() == 0) return absl::NotFoundError("no row became an event; see the mapping's conditions");
  return absl::OkStatus();
}

}  // namespace portrait
