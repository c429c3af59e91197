// `portrait backtest`: what the predictions would have been in the past, from a file of one's own.
#include "pipeline/tools/backtest.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/order_files.h"
#include "pipeline/config/units.h"
#include "pipeline/tools/local_days.h"
#include "pipeline/tools/progress_bar.h"

namespace portrait {
namespace {

struct BacktestArguments {
  OrderFiles orders;
  std::string origins, from, to, out;
  std::string horizon = "90d", within;
};

absl::StatusOr<int> WholeDays(std::string_view option, const std::string& text) {
  const auto length = ParseDuration(text);
  if (!length.ok() || *length % days(1) != Duration(0) || *length < days(1) || *length > days(3650)) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(option), ": whole days are wanted, 1d to 3650d, such as 90d: ", text));
  }
  return static_cast<int>(*length / days(1));
}

absl::StatusOr<BacktestOptions> OptionsOf(const BacktestArguments& arguments) {
  BacktestOptions options;
  for (const auto text : absl::StrSplit(arguments.origins, ',', absl::SkipWhitespace())) {
    const auto day = ParseDay({text.data(), text.size()});
    if (!day.ok()) return absl::InvalidArgumentError(absl::StrCat("--origins: ", day.status().message()));
    options.origins.push_back(*day);
  }
  if (options.origins.empty()) return absl::InvalidArgumentError("--origins: no day is given");
  const auto horizon = WholeDays("--horizon", arguments.horizon);
  if (!horizon.ok()) return horizon.status();
  options.horizon_days = *horizon;
  options.next_within_days = std::min(*horizon, 90);
  if (!arguments.within.empty()) {
    const auto within = WholeDays("--within", arguments.within);
    if (!within.ok()) return within.status();
    options.next_within_days = *within;
  }
  for (const auto& [name, text, to] : {std::tuple{"--from", &arguments.from, &options.next_from},
                                       std::tuple{"--to", &arguments.to, &options.next_to}}) {
    if (text->empty()) continue;
    const auto day = ParseDay(*text);
    if (!day.ok()) return absl::InvalidArgumentError(absl::StrCat(name, ": ", day.status().message()));
    *to = *day;
  }
  return options;
}

// In quotes where it needs them.
std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

absl::Status WriteChurn(const Backtest& backtest, const std::filesystem::path& path) {
  std::ofstream out(path, std::ios::binary);
  out << "origin,customer,score,value,n\n";
  for (const ChurnPrediction& row : backtest.churn()) {
    out << DayText(row.origin) << ',' << CsvField(row.customer)
        << absl::StreamFormat(",%.8f,%.6f,%.8f\n", row.no_order, row.spend, row.orders);
  }
  if (!out.flush()) return absl::UnavailableError(absl::StrCat("cannot write this file: ", path.string()));
  std::cout << LongCount(backtest.churn().size()) << " rows in " << path.string() << "\n";
  return absl::OkStatus();
}

absl::Status WriteNext(const Backtest& backtest, const std::filesystem::path& path) {
  std::ofstream out(path, std::ios::binary);
  out << "customer,date,score\n";
  for (const NextOrderPrediction& row : backtest.next_orders()) {
    out << CsvField(row.customer) << ',' << DayText(row.day) << absl::StreamFormat(",%.4f\n", row.days);
  }
  if (!out.flush()) return absl::UnavailableError(absl::StrCat("cannot write this file: ", path.string()));
  std::cout << LongCount(backtest.next_orders().size()) << " rows in " << path.string() << "\n";
  return absl::OkStatus();
}

absl::Status RunBacktest(const BacktestArguments& arguments, const Program& program) {
  auto options = OptionsOf(arguments);
  if (!options.ok()) return options.status();
  std::error_code error;
  std::filesystem::create_directories(arguments.out, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat("cannot make this folder: ", arguments.out));

  auto loaded = arguments.orders.Load(program);
  if (!loaded.ok()) return loaded.status();
  const History& history = loaded->history.history();
  Backtest backtest(*std::move(options));
  ProgressBar bar("living through it", {.total = history.customers()});
  if (absl::Status s =
          backtest.Read(history, *loaded->chain, loaded->zone, [&](uint64_t customers) { bar.Update(customers); });
      !s.ok()) {
    return s;
  }
  bar.Finish();
  if (absl::Status s = backtest.Run(); !s.ok()) return s;
  std::cout << backtest.Text();
  const std::filesystem::path out(arguments.out);
  if (absl::Status s = WriteChurn(backtest, out / "churn.csv"); !s.ok()) return s;
  return WriteNext(backtest, out / "nextbuy.csv");
}

}  // namespace

void AddBacktest(Program& program) {
  auto options = std::make_shared<BacktestArguments>();
  CLI::App& app = program.AddCommand(
      {.name = "backtest",
       .about = "Predictions of churn, value and next order as they would have been in the past, from files of orders",
       .examples =
           {"portrait backtest --events retail.csv.gz --mapping retail.yaml --origins 2011-05-01,2011-06-01 --out "
            "/tmp/past",
            "portrait backtest --events sales.csv --mapping sales.yaml --origins 2025-01-01 --horizon 365d --out out"}},
      [options](const Program& chosen) { return RunBacktest(*options, chosen); });
  options->orders.AddTo(app);
  app.add_option("--origins", options->origins,
                 "Predict as known at the start of these days, as in 2011-05-01,2011-06-01")
      ->required()
      ->type_name("DAYS");
  app.add_option("--horizon", options->horizon, "… how the following days go")->capture_default_str();
  app.add_option("--from", options->from,
                 "nextbuy.csv: for each purchase day from this one on; the first origin by default")
      ->type_name("DAY");
  app.add_option("--to", options->to, "… up to this one; the last day of the data by default")->type_name("DAY");
  app.add_option("--within", options->within,
                 "… days to the next purchase day, if it comes within this; the horizon by default, at most 90d");
  app.add_option("-o,--out", options->out, "Folder for churn.csv and nextbuy.csv")->required()->type_name("FOLDER");
}

}  // namespace portrait
