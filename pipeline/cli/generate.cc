// `portrait generate`: a made-up population, to Kafka or files.
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/tools/dirt.h"
#include "pipeline/tools/event_writer.h"
#include "pipeline/tools/kafka_sink.h"
#include "pipeline/tools/pacer.h"
#include "pipeline/tools/population.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/stop_signal.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

struct GenerateOptions {
  ConfigArguments config;
  uint32_t customers = 1000;
  uint64_t seed = 1;
  std::string from, to;
  double days = 90;
  std::string format = "protobuf";
  std::string out;
  std::string topic;
  double rate = 0;
  uint64_t limit = 0;
  double dirt = 0;
  std::string currency = "USD";
};

absl::StatusOr<PopulationOptions> PopulationOf(const GenerateOptions& options) {
  const Timestamp now = SystemClock().Now();
  PopulationOptions population{.seed = options.seed, .customers = options.customers, .currency = options.currency};
  population.end = std::chrono::floor<days>(now);
  const auto length = Duration(static_cast<int64_t>(options.days * 86'400e6));
  if (!options.to.empty()) {
    auto to = ParseTimestamp(options.to, now);
    if (!to.ok()) return to.status();
    population.end = *to;
  }
  population.begin = population.end - length;
  if (!options.from.empty()) {
    auto from = ParseTimestamp(options.from, now);
    if (!from.ok()) return from.status();
    population.begin = *from;
    if (options.to.empty()) population.end = population.begin + length;
  }
  if (population.begin >= population.end)
    return absl::InvalidArgumentError("the time ends before it begins: --from, --to");
  return population;
}

absl::StatusOr<std::unique_ptr<RecordSink>> OpenSink(const GenerateOptions& options, const EventTopics& topics) {
  if (options.out == "-") return std::make_unique<LineSink>(&std::cout);
  if (!options.out.empty()) return std::make_unique<LineSink>(std::filesystem::path(options.out));
  auto config = options.config.Load();
  if (!config.ok()) return config.status();
  std::vector<std::string> names = {options.topic};
  if (options.topic.empty()) names = {topics.browsing, topics.email, topics.purchases, topics.service, topics.profile};
  auto sink = KafkaSink::Open(*config, "generate", names);
  if (!sink.ok()) return sink.status();
  return *std::move(sink);
}

void Report(const EventWriter& writer, const DirtySink& dirty, Timestamp begin, Timestamp end, bool stopped) {
  std::cerr << LongCount(writer.events()) << " events" << (stopped ? " (stopped)" : "") << ", "
            << LongCount(writer.bytes()) << " bytes, of " << ToText(begin) << " to " << ToText(end) << "\n";
  for (const auto& [topic, count] : writer.by_topic()) std::cerr << "  " << topic << "  " << LongCount(count) << "\n";
  for (size_t i = 0; i < kDirtKinds; ++i) {
    const auto dirt = static_cast<Dirt>(i);
    if (dirty.count(dirt) > 0)
      std::cerr << "  dirt added: " << DirtName(dirt) << "  " << LongCount(dirty.count(dirt)) << "\n";
  }
}

absl::Status Generate(const GenerateOptions& options) {
  auto made = PopulationOf(options);
  if (!made.ok()) return made.status();
  const bool json = options.format == "json" || !options.out.empty();
  EventWriterOptions writing{.format = json ? WireFormat::kJson : WireFormat::kProtobuf, .only_topic = options.topic};
  auto sink = OpenSink(options, writing.topics);
  if (!sink.ok()) return sink.status();
  DirtySink dirty({.rate = options.dirt, .seed = options.seed}, sink->get());
  EventWriter writer(writing, &dirty);
  Population population(*made);
  const SystemClock clock;
  const StopSignal stop;
  Pacer pacer(options.rate, &clock);
  const uint64_t total = static_cast<uint64_t>((population.end() - population.begin()).count());
  ProgressBar bar("generating", {.total = total});
  absl::Status status;
  Event event;
  while (pacer.Wait(stop) && (options.limit == 0 || writer.events() < options.limit) && population.Next(event)) {
    if (status = writer.Write(event); !status.ok()) break;
    bar.Update(static_cast<uint64_t>(event.event_time_us() - ToMicros(population.begin())),
               ShortCount(writer.events()) + " events");
  }
  status.Update((*sink)->Finish());
  bar.Finish();
  Report(writer, dirty, population.begin(), population.end(), stop.raised());
  return status;
}

}  // namespace

void AddGenerate(Program& program) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App& app = program.AddCommand(
      {.name = "generate",
       .about = "Makes up a believable population: browsing, mails, purchases, service contacts, in order of time",
       .examples =
           {"portrait generate --customers 10000 --days 365              # to the topics of the default configuration",
            "portrait generate --rate 500 -b localhost:9092              # five hundred events a second",
            "portrait generate --out data/                               # NDJSON files, Segment-shaped",
            "portrait generate --customers 5 --limit 20 --out - | jq .   # a look at some"}},
      [options](const Program&) { return Generate(*options); });
  options->config.AddTo(app);
  app.add_option("-n,--customers", options->customers, "How many customers")->capture_default_str();
  app.add_option("--seed", options->seed, "The same seed and times make the same events, ids included")
      ->capture_default_str();
  app.add_option("--from", options->from, "Events from this time on: 2026-01-31, or 90d (ago)")->type_name("TIME");
  app.add_option("--to", options->to, "Events before this time; today 00:00 UTC by default")->type_name("TIME");
  app.add_option("--days", options->days, "Length, where --from or --to is not given")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--format", options->format, "Of records in Kafka")
      ->capture_default_str()
      ->check(CLI::IsMember({"protobuf", "json"}));
  app.add_option("-o,--out", options->out,
                 "Write NDJSON files into this folder, or all to standard output with -, not to Kafka")
      ->type_name("FOLDER");
  app.add_option("--topic", options->topic, "Everything to this topic, in place of five by kind of event");
  app.add_option("--rate", options->rate, "Events a second; as fast as it goes by default")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--limit", options->limit, "Stop after this many events");
  app.add_option("--dirt", options->dirt, "Add dirt after this share of records: duplicates, broken clocks, garbage")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--currency", options->currency, "Of all amounts")->capture_default_str();
}

}  // namespace portrait
