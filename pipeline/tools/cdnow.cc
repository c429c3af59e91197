#include "pipeline/tools/cdnow.h"

#include "absl/strings/str_cat.h"
#include "pipeline/tools/import.h"

namespace portrait {

Mapping CdnowMapping() {
  Mapping mapping;
  mapping.table.format = TableFormat::kWhitespace;
  mapping.event = Event::kOrderCompleted;
  mapping.customer = "customer_id";
  mapping.time = {.column = "date", .format = "%Y%m%d"};
  mapping.fields = {{"total", {ValueSource::Kind::kColumn, "dollar_value", {}}},
                    {"currency", {ValueSource::Kind::kConstant, "USD", {}}},
                    {"products.quantity", {ValueSource::Kind::kColumn, "number_of_cds", {}}}};
  return mapping;
}

absl::StatusOr<std::vector<GivenPurchase>> ReadCdnow(const std::filesystem::path& path) {
  std::vector<GivenPurchase> purchases;
  Importer importer({.mapping = CdnowMapping()}, [&](const Event& event) {
    const v1::Order& order = event.order_completed();
    purchases.push_back({.customer_id = event.customer_id(),
                         .time_us = event.event_time_us(),
                         .total_micros = order.total_micros(),
                         .quantity = order.products_size() > 0 ? order.products(0).quantity() : 0,
                         .order_id = order.order_id()});
    return absl::OkStatus();
  });
  absl::Status status = importer.Add(path);
  if (status.ok()) status = importer.Finish();
  if (!status.ok()) return status;
  if (importer.report().rejected_rows() > 0 || purchases.empty()) {
    return absl::DataLossError(
        absl::StrCat("not the purchases of CDNOW: ", path.string(), "\n", importer.report().Text()));
  }
  return purchases;
}

}  // namespace portrait
