// Reads CDNOW_master.txt, real purchases of a shop for CDs: 69 659 of 23 570 customers in 1997 and 1998
// (Fader and Hardie). Each line is a purchase of its own; its order id is the file and the line.
#pragma once

#include <filesystem>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/tools/event_maker.h"
#include "pipeline/tools/mapping.h"

namespace portrait {

// The same as deploy/examples/cdnow.yaml.
Mapping CdnowMapping();

// DataLoss: some line is no purchase; the message says which.
absl::StatusOr<std::vector<GivenPurchase>> ReadCdnow(const std::filesystem::path& path);

}  // namespace portrait
