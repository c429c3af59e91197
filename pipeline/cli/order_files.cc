#include "pipeline/cli/order_files.h"

#include <iostream>
#include <utility>

namespace portrait {

void OrderFiles::AddTo(CLI::App& app, bool required) {
  config_.AddTo(app);
  auto* const files = app.add_option("--events", files_, "A file of orders, plain or gzipped; may be repeated")
                          ->required(required)
                          ->type_name("FILE");
  auto* const mapping = app.add_option("-m,--mapping", mapping_, "How its columns become events: docs/tools.md")
                            ->required(required)
                            ->type_name("FILE");
  files->needs(mapping);
  app.add_option("--where", where_, "Leave out rows unless this holds, too: 'Quantity > 0'; may be repeated")
      ->type_name("CONDITION");
}

absl::StatusOr<OrderFiles::Loaded> OrderFiles::Load(const Program& program) const {
  auto config = config_.Load();
  if (!config.ok()) return config.status();
  auto mapping = LoadMapping(mapping_);
  if (!mapping.ok()) return mapping.status();
  for (const std::string& text : where_) {
    auto condition = ParseCondition(text);
    if (!condition.ok()) return condition.status();
    mapping->where.push_back(*std::move(condition));
  }
  Loaded out;
  out.zone = mapping->time.zone;
  const absl::Status status = out.history.Read(files_, *mapping);
  std::cerr << out.history.report().Text();
  if (!status.ok()) return status;
  if (!out.history.currency().empty()) config->currency.home = out.history.currency();
  auto chain = program.BuildChain(*config);
  if (!chain.ok()) return chain.status();
  out.chain = *std::move(chain);
  out.config = *std::move(config);
  return out;
}

}  // namespace portrait
