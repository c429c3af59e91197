// `portrait demo`: events through a whole engine, and what came of it in words.
#include "pipeline/tools/demo.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/kafka/mock_cluster.h"
#include "pipeline/log.h"
#include "pipeline/tools/cdnow.h"
#include "view/view.h"

namespace portrait {
namespace {

struct DemoArguments {
  ConfigArguments config;
  std::string cdnow;
  uint32_t customers = 5000;
  uint64_t seed = 1;
  double dirt = 0;
  bool exit = false;
};

// A folder that goes away with this.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "portrait-demo-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The volume is meant for a minute: a few pages a visit, a newsletter now and then.
PopulationOptions PopulationOf(const DemoArguments& arguments) {
  PopulationOptions population{.seed = arguments.seed, .customers = arguments.customers};
  population.begin = FromMicros(absl::ToUnixMicros(absl::FromCivil(absl::CivilDay(2025, 1, 1), absl::UTCTimeZone())));
  population.end = population.begin + days(540);
  population.traits.pages_per_visit = 1.5;
  population.traits.visits_per_order = 0.7;
  population.campaigns_per_week = 0.25;
  if (!arguments.cdnow.empty()) {
    population.dates_only = true;
    population.begin = population.end = Timestamp();
    population.categories = {"rock",  "pop",  "jazz",        "classical",  "country", "hip-hop",
                             "blues", "folk", "soundtracks", "electronic", "latin",   "children"};
  }
  return population;
}

void TellHowToGoOn(const Config& config, const std::filesystem::path& file, const Companion* view) {
  if (view != nullptr) {
    std::cout << "See the customers, their stories and what is found at http://127.0.0.1:" << ViewPort(*view) << "/\n";
  }
  std::cout << "The broker is at " << config.kafka.brokers
            << ", the engine runs. Look at the results from another terminal:\n"
            << "  portrait tail churn-alerts --band high --from-beginning --config " << file.string() << "\n"
            << "  portrait tail tag-changes --tag silent --json --from-beginning --config " << file.string() << "\n"
            << "Send it more: its topics are " << config.engine.sources[0].topic << " and the like (docs/events.md).\n";
}

absl::Status RunDemo(const DemoArguments& arguments, const Program& program) {
  auto base = arguments.config.Load();
  if (!base.ok()) return base.status();
  LogConfig quiet = base->log;
  quiet.level = std::max(quiet.level, LogLevel::kWarning);
  StartLog(quiet);
  auto chain = program.BuildChain(*base);
  if (!chain.ok()) return chain.status();
  DemoOptions options{.population = PopulationOf(arguments), .dirt = arguments.dirt};
  if (!arguments.cdnow.empty()) {
    auto purchases = ReadCdnow(arguments.cdnow);
    if (!purchases.ok()) return purchases.status();
    options.purchases = *std::move(purchases);
  }
  TemporaryFolder folder;
  if (folder.path().empty()) return absl::UnavailableError("cannot make a folder for the rows");
  const bool embedded = !arguments.config.brokers_given();
  std::unique_ptr<MockCluster> mock;
  DemoPlace place{.application_id = "portrait-demo"};
  if (embedded) {
    auto cluster = MockCluster::Start();
    if (!cluster.ok()) return cluster.status();
    mock = *std::move(cluster);
    base->kafka = KafkaConfig{.brokers = mock->brokers(), .properties = {}};
  } else {  // topics of its own, so that no run meets another's events
    place.application_id = absl::StrCat("portrait-demo-", ToMicros(SystemClock().Now()) / 1'000'000);
    place.topic_prefix = place.application_id + ".";
    options.in_flight_most = 500'000;
  }
  options.config = DemoConfig(*base, place, ResultTopics(**chain, base->engine), folder.path());
  if (absl::Status status = CreateDemoTopics(options.config, place.partitions, mock.get()); !status.ok()) return status;
  const auto file = folder.path() / "portrait.yaml";
  std::ofstream(file) << DemoConfigYaml(options.config);

  const StopSignal stop;
  const bool stays = !arguments.exit && isatty(STDOUT_FILENO) == 1;
  options.config.view = {};
  if (stays) {
    options.config.view.listen = {"127.0.0.1", 0};
    options.view = StartView;
  }
  Demo demo(options, **chain, stop);
  absl::Status status = demo.Run(std::cout);
  if (status.ok() && stays) {
    TellHowToGoOn(options.config, file, demo.view());
    std::cout << "Ctrl-C ends it.\n" << std::flush;
    while (!stop.raised()) usleep(100'000);
  }
  const absl::Status ended = demo.Stop();
  return status.ok() ? ended : status;
}

}  // namespace

void AddDemo(Program& program) {
  auto options = std::make_shared<DemoArguments>();
  CLI::App& app = program.AddCommand(
      {.name = "demo",
       .about = "Sends events through a whole engine and tells what came of them; brings a broker of its own",
       .examples =
           {"portrait demo                                    # a made-up population, a broker inside the process",
            "portrait demo --cdnow CDNOW_master.txt           # 69 659 real purchases, browsing and mail made up "
            "around them",
            "portrait demo --brokers localhost:9092 --exit    # on your brokers, in topics of its own",
            "deploy/demo.sh                                   # on a bare machine: installs, builds, fetches CDNOW, "
            "runs this"}},
      [options](const Program& chosen) { return RunDemo(*options, chosen); });
  options->config.AddTo(app);
  app.add_option("--cdnow", options->cdnow, "CDNOW_master.txt, as it lies in the Python package lifetimes 0.11.3")
      ->type_name("FILE");
  app.add_option("-n,--customers", options->customers, "Of the made-up population")->capture_default_str();
  app.add_option("--seed", options->seed, "The same seed makes the same events")->capture_default_str();
  app.add_option("--dirt", options->dirt, "Add dirt after this share of records: duplicates, broken clocks, garbage")
      ->check(CLI::Range(0.0, 1.0));
  app.add_flag("--exit", options->exit, "End after the last screen, do not keep the broker");
}

}  // namespace portrait
