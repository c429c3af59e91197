// `portrait fit`: population models of one's own customers, as a file for the service.
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/fit_rows.h"
#include "pipeline/cli/order_files.h"
#include "pipeline/config/model_file.h"
#include "pipeline/config/setting.h"
#include "pipeline/tools/fit_report.h"
#include "pipeline/tools/local_days.h"
#include "pipeline/tools/model_card.h"

namespace portrait {
namespace {

struct FitArguments {
  OrderFiles orders;
  std::string until, out, name, horizon;
  int clusters = FitReport::kClusters;
  bool from_rows = false;
};

absl::StatusOr<std::optional<int32_t>> UntilOf(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto day = ParseDay(text);
  if (!day.ok()) return absl::InvalidArgumentError(absl::StrCat("--until: ", day.status().message()));
  return *day;
}

absl::StatusOr<std::optional<int64_t>> HorizonOf(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto days = WholeDaysBetween(1, 3650).parse(text);
  if (!days.ok()) return absl::InvalidArgumentError(absl::StrCat("--horizon: ", days.status().message(), ": ", text));
  return *days;
}

struct Pasts {
  std::vector<CustomerPast> customers;
  int32_t last = INT32_MIN;  // day with an order
};

absl::StatusOr<Pasts> PastsOf(const OrderFiles::Loaded& loaded) {
  auto looking = LookingBack::Create(*loaded.chain, loaded.zone);
  if (!looking.ok()) return looking.status();
  Pasts out;
  loaded.history.history().ForEach([&](const std::string& customer, const std::vector<Event>& events) {
    out.customers.push_back(looking->At(customer, events, {}));
    CustomerPast& past = out.customers.back();
    past.looks = {};
    if (!past.purchases.empty()) out.last = std::max(out.last, past.purchases.back().day);
  });
  if (looking->rejected() > 0) {
    std::cerr << looking->rejected() << " events are left out by the cleaning stage, the first as "
              << looking->first_rejection() << "\n";
  }
  return out;
}

// Where they come from, and how good they are.
struct Told {
  std::vector<std::string> sources;
  std::string currency, time_zone;
  v1::ModelCard card;
};

absl::Status WriteFile(const FitArguments& arguments, const FitReport& report, Told told) {
  auto file = report.File();
  if (!file.ok()) return file.status();
  for (std::string& source : told.sources) file->mutable_source()->add_files(std::move(source));
  file->mutable_source()->set_currency(told.currency);
  file->mutable_source()->set_time_zone(told.time_zone);
  *file->mutable_card() = std::move(told.card);
  PutBestInForce(*file);
  file->set_name(arguments.name.empty() ? absl::StrCat(file->in_force(), "/", DayText(report.until)) : arguments.name);
  const auto written = WriteModelFile(arguments.out, *std::move(file));
  if (!written.ok()) return written.status();
  std::cout << "\n" << arguments.out << ": " << ModelFileReport(*written) << std::flush;
  return absl::OkStatus();
}

absl::Status FitRows(const FitArguments& arguments, const Program& program) {
  for (const auto& [option, given] : {std::pair("--until", &arguments.until), {"--horizon", &arguments.horizon}}) {
    if (!given->empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(option, ": does not go with --from-rows, for rows are as they stand"));
    }
  }
  const auto config = arguments.orders.config().Load();
  if (!config.ok()) return config.status();
  const auto chain = program.BuildChain(*config);
  if (!chain.ok()) return chain.status();
  const auto customers = CustomersOfRows(*config, **chain);
  if (!customers.ok()) return customers.status();
  const FitReport report = FitReport::Of(*customers, arguments.clusters);
  if (report.customers == 0) return absl::NotFoundError("no customer has an order");
  std::cout << report.Text() << std::flush;
  if (arguments.out.empty()) return absl::OkStatus();
  Told told{{config->engine.ChangelogTopic()}, config->currency.home, config->engine.zone.name(), {}};
  told.card.set_none_because("rows do not tell how customers stood before");
  return WriteFile(arguments, report, std::move(told));
}

absl::Status Fit(const FitArguments& arguments, const Program& program) {
  if (arguments.from_rows == !arguments.orders.files().empty()) {
    return absl::InvalidArgumentError("needs either files of orders (--events, --mapping) or --from-rows");
  }
  if (arguments.from_rows) return FitRows(arguments, program);
  const auto until = UntilOf(arguments.until);
  if (!until.ok()) return until.status();
  const auto horizon = HorizonOf(arguments.horizon);
  if (!horizon.ok()) return horizon.status();
  auto loaded = arguments.orders.Load(program);
  if (!loaded.ok()) return loaded.status();
  const auto pasts = PastsOf(*loaded);
  if (!pasts.ok()) return pasts.status();
  const FitReport report = FitReport::Of(pasts->customers, until->value_or(pasts->last), arguments.clusters);
  if (report.customers == 0) return absl::NotFoundError("there is no order up to this day");
  std::cout << report.Text() << std::flush;
  if (arguments.out.empty()) return absl::OkStatus();
  const auto days = static_cast<int32_t>(horizon->value_or(loaded->config.chain.churn.horizon_days));
  Told told{{}, loaded->config.currency.home, loaded->zone.name(), CardOf(pasts->customers, report.until, days)};
  for (const std::string& path : arguments.orders.files()) {
    told.sources.push_back(std::filesystem::path(path).filename().string());
  }
  return WriteFile(arguments, report, std::move(told));
}

}  // namespace

void AddFit(Program& program) {
  auto options = std::make_shared<FitArguments>();
  CLI::App& app = program.AddCommand(
      {.name = "fit",
       .about =
           "Fits the population models of churn, value and rhythm to files of orders, or to the rows of the service",
       .examples = {"portrait fit --events CDNOW_master.txt --mapping deploy/examples/cdnow.yaml --until 1997-09-30",
                    "portrait fit --events sales.csv --mapping sales.yaml --name shop-7 --out models.json",
                    "portrait fit --from-rows --config portrait.yaml --out models.json"}},
      [options](const Program& chosen) { return Fit(*options, chosen); });
  options->orders.AddTo(app, /*required=*/false);
  app.add_flag("--from-rows", options->from_rows,
               "All customers of the service as their rows in the changelog tell, in place of files; no card");
  app.add_option("--until", options->until, "Orders up to and with this day; all by default")->type_name("DAY");
  app.add_option("--horizon", options->horizon,
                 "The models are judged on the last days, this many; churn.horizon by default")
      ->type_name("DAYS");
  app.add_option("--clusters", options->clusters, "Clusters of like customers, at most")
      ->check(CLI::Range(2, CustomerClusters::kMost))
      ->capture_default_str();
  app.add_option("--name", options->name, "Name of the models, as alerts carry it; FORM/DAY by default");
  app.add_option("-o,--out", options->out, "Write the models and their card here; `portrait models show` shows them")
      ->type_name("FILE");
}

}  // namespace portrait
