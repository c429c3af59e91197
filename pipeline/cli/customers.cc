// `portrait customers`: the features of every customer, as a table.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "pipeline/cli/all_rows.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/cli/models_in_force.h"

namespace portrait {
namespace {

struct CustomersArguments {
  ConfigArguments config;
  std::string features;
  std::string customer;
};

std::string CsvCell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

// For a table: full precision, and amounts as what they are rather than rounded for reading.
std::string CellText(const Value& value) {
  if (!HasValue(value)) return "";
  if (const double* number = std::get_if<double>(&value)) return absl::StrFormat("%.17g", *number);
  if (const Duration* duration = std::get_if<Duration>(&value)) return absl::StrFormat("%.17g", InDays(*duration));
  return ToText(value);
}

absl::StatusOr<std::vector<FeatureRef>> ChosenFeatures(const Chain& chain, const std::string& names) {
  std::vector<FeatureRef> chosen;
  if (names.empty()) {
    for (const FeatureRef& feature : chain.features().all()) {
      if (feature.description().type != FeatureType::kItems) chosen.push_back(feature);
    }
    return chosen;
  }
  for (const absl::string_view name : absl::StrSplit(names, ',')) {
    auto feature = chain.features().Find(std::string_view(name.data(), name.size()));
    if (!feature.ok()) return absl::InvalidArgumentError(feature.status().message());
    if (feature->description().type == FeatureType::kItems) {
      return absl::InvalidArgumentError(absl::StrCat("a list does not fit into a column: ", name));
    }
    chosen.push_back(*feature);
  }
  return chosen;
}

absl::Status Customers(const CustomersArguments& arguments, const Program& program) {
  const auto config = arguments.config.Load();
  if (!config.ok()) return config.status();
  const auto models = FindModelsInForce(*config);
  if (!models.ok()) return models.status();
  const auto chain = program.BuildChainWithRules(*config, {.models = models->decided});
  if (!chain.ok()) return absl::InvalidArgumentError(chain.status().message());
  const auto features = ChosenFeatures(**chain, arguments.features);
  if (!features.ok()) return features.status();
  std::cerr << "by the models " << models->name << "\n";  // beside the table
  std::cout << "customer";
  for (const FeatureRef& feature : *features) std::cout << "," << feature.description().name;
  std::cout << "\n";
  const Calendar calendar(config->engine.zone);
  const auto read = VisitRows(*config, {.command = "customers", .doing = "reading", .customer = arguments.customer},
                              [&](std::string_view customer, std::string_view bytes, const v1::TaskState&, Timestamp) {
                                RowState row;
                                if (auto number = (*chain)->Decode(bytes, row); !number.ok()) return number.status();
                                if (row.gone) return absl::OkStatus();
                                const FeatureReader values(row, calendar.At(row.time));
                                std::cout << CsvCell(std::string(customer));
                                for (const FeatureRef& feature : *features) {
                                  std::cout << "," << CsvCell(CellText(values.Get(feature)));
                                }
                                std::cout << "\n";
                                return (*chain)->Damage(row);
                              });
  std::cout.flush();
  if (!read.ok()) return read.status();
  std::cerr << LeftOut(*read);
  return absl::OkStatus();
}

}  // namespace

void AddCustomers(Program& program) {
  auto arguments = std::make_shared<CustomersArguments>();
  CLI::App& app = program.AddCommand(
      {.name = "customers",
       .about = "Prints all customers' features as CSV, as of their last rows in the changelog (complete after a clean "
                "stop)",
       .examples = {"portrait customers --features purchases.orders,purchases.spend",
                    "portrait customers --customer anna              # all features of one customer"}},
      [arguments](const Program& chosen) { return Customers(*arguments, chosen); });
  arguments->config.AddTo(app);
  app.add_option("--features", arguments->features,
                 "Which, separated by commas; all but lists by default (`portrait describe`)");
  app.add_option("--customer", arguments->customer, "Only this one");
}

}  // namespace portrait
