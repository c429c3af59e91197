// `portrait fit`: population models of one's own customers, ready for the configuration.
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/order_files.h"
#include "pipeline/tools/fit_report.h"
#include "pipeline/tools/local_days.h"

namespace portrait {
namespace {

struct FitArguments {
  OrderFiles orders;
  std::string until, out, name;
};

absl::Status Fit(const FitArguments& arguments, const Program& program) {
  std::optional<int32_t> until;
  if (!arguments.until.empty()) {
    const auto day = ParseDay(arguments.until);
    if (!day.ok()) return absl::InvalidArgumentError(absl::StrCat("--until: ", day.status().message()));
    until = *day;
  }
  auto loaded = arguments.orders.Load(program);
  if (!loaded.ok()) return loaded.status();
  auto looking = LookingBack::Create(*loaded->chain, loaded->zone);
  if (!looking.ok()) return looking.status();
  std::vector<CustomerPast> pasts;
  int32_t last = INT32_MIN;
  loaded->history.history().ForEach([&](const std::string& customer, const std::vector<Event>& events) {
    pasts.push_back(looking->At(customer, events, {}));
    pasts.back().looks = {};
    if (!pasts.back().purchases.empty()) last = std::max(last, pasts.back().purchases.back().day);
  });
  if (looking->rejected() > 0) {
    std::cerr << looking->rejected() << " events are left out by the cleaning stage, the first as "
              << looking->first_rejection() << "\n";
  }
  const FitReport report = FitReport::Of(pasts, until.value_or(last));
  if (report.customers == 0) return absl::NotFoundError("there is no order up to this day");
  std::cout << report.Text();
  const std::string name = arguments.name.empty() ? absl::StrCat("mbg_nbd/", DayText(report.until)) : arguments.name;
  const auto settings = report.Settings(name);
  if (!settings.ok()) return settings.status();
  if (arguments.out.empty()) {
    std::cout << "\n" << *settings << std::flush;
    return absl::OkStatus();
  }
  std::ofstream out(arguments.out, std::ios::binary);
  out << "# portrait fit: " << report.customers << " customers, " << DayText(report.first) << " to "
      << DayText(report.until) << ". For the configuration of the service.\n"
      << *settings;
  if (!out.flush()) return absl::UnavailableError(absl::StrCat("cannot write this file: ", arguments.out));
  return absl::OkStatus();
}

}  // namespace

void AddFit(Program& program) {
  auto options = std::make_shared<FitArguments>();
  CLI::App& app = program.AddCommand(
      {.name = "fit",
       .about = "Fits the population models of churn, value and rhythm to files of orders; prints settings for them",
       .examples = {"portrait fit --events CDNOW_master.txt --mapping deploy/examples/cdnow.yaml --until 1997-09-30",
                    "portrait fit --events sales.csv --mapping sales.yaml --name mbg_nbd/shop-7 --out churn.yaml"}},
      [options](const Program& chosen) { return Fit(*options, chosen); });
  options->orders.AddTo(app);
  app.add_option("--until", options->until, "Orders up to and with this day; all by default")->type_name("DAY");
  app.add_option("--name", options->name, "Name of the model, as alerts carry it; mbg_nbd/DAY by default");
  app.add_option("-o,--out", options->out, "Write the settings here; to standard output by default")->type_name("FILE");
}

}  // namespace portrait
