// `portrait import`: CSV, blank-separated or NDJSON files to topics.
#include "pipeline/tools/import.h"

#include <fstream>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/tools/event_writer.h"
#include "pipeline/tools/kafka_sink.h"
#include "pipeline/tools/pacer.h"
#include "pipeline/tools/progress_bar.h"

namespace portrait {
namespace {

struct ImportArguments {
  ConfigArguments config;
  std::vector<std::string> files;
  std::string mapping;
  // The same without a mapping file, or in place of what it says
  std::string customer, time, time_format, event, event_id, group, delimiter;
  std::vector<std::string> fields, where;
  bool sort = false, dry_run = false;
  std::string rejects, out, topic;
  std::string format = "protobuf";
  double rate = 0;
};

absl::Status AddField(const std::string& text, Mapping& mapping) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return absl::InvalidArgumentError(absl::StrCat("no field and its source, such as total=Amount: ", text));
  }
  mapping.fields.push_back({text.substr(0, equals), ParseValueSource(std::string_view(text).substr(equals + 1))});
  return absl::OkStatus();
}

absl::StatusOr<Mapping> MappingOf(const ImportArguments& arguments) {
  Mapping mapping;
  if (!arguments.mapping.empty()) {
    auto loaded = LoadMapping(arguments.mapping);
    if (!loaded.ok()) return loaded.status();
    mapping = *std::move(loaded);
  }
  const auto take = [](const std::string& given, std::string& to) {
    if (!given.empty()) to = given;
  };
  take(arguments.customer, mapping.customer);
  take(arguments.time, mapping.time.column);
  take(arguments.time_format, mapping.time.format);
  take(arguments.event_id, mapping.event_id);
  take(arguments.group, mapping.group);
  if (!arguments.event.empty()) {
    const auto kind = EventKindNamed(arguments.event);
    if (!kind)
      return absl::InvalidArgumentError(absl::StrCat("no such kind of event (see event.proto): ", arguments.event));
    mapping.event = *kind;
    mapping.event_column.clear();
  }
  if (arguments.delimiter == "whitespace") {
    mapping.table.format = TableFormat::kWhitespace;
  } else if (arguments.delimiter == "tab") {
    mapping.table.delimiter = '\t';
  } else if (arguments.delimiter.size() == 1) {
    mapping.table.delimiter = arguments.delimiter[0];
  } else if (!arguments.delimiter.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("needs one character, tab or whitespace: --delimiter ", arguments.delimiter));
  }
  for (const std::string& field : arguments.fields) {
    if (absl::Status status = AddField(field, mapping); !status.ok()) return status;
  }
  for (const std::string& text : arguments.where) {
    auto condition = ParseCondition(text);
    if (!condition.ok()) return condition.status();
    mapping.where.push_back(*std::move(condition));
  }
  if (absl::Status status = CheckMapping(mapping); !status.ok()) return status;
  return mapping;
}

// The topics that the events of this mapping may go to.
std::vector<std::string> TargetsOf(const Mapping& mapping, const EventWriterOptions& writing) {
  if (!writing.only_topic.empty()) return {writing.only_topic};
  const EventTopics& topics = writing.topics;
  if (mapping.event_column.empty()) return {topics.Of(mapping.event)};
  return {topics.browsing, topics.email, topics.purchases, topics.service, topics.profile};
}

class NullSink final : public RecordSink {
 public:
  absl::Status Write(const NewRecord&) override { return absl::OkStatus(); }
  absl::Status Finish() override { return absl::OkStatus(); }
};

absl::StatusOr<std::unique_ptr<RecordSink>> OpenSink(const ImportArguments& arguments,
                                                     const std::vector<std::string>& topics) {
  if (arguments.dry_run) return std::make_unique<NullSink>();
  if (arguments.out == "-") return std::make_unique<LineSink>(&std::cout);
  if (!arguments.out.empty()) return std::make_unique<LineSink>(std::filesystem::path(arguments.out));
  auto config = arguments.config.Load();
  if (!config.ok()) return config.status();
  auto sink = KafkaSink::Open(*config, "import", topics);
  if (!sink.ok()) return sink.status();
  return *std::move(sink);
}

absl::Status Import(const ImportArguments& arguments) {
  auto mapping = MappingOf(arguments);
  if (!mapping.ok()) return mapping.status();
  const bool json = arguments.format == "json" || !arguments.out.empty();
  const EventWriterOptions writing{.format = json ? WireFormat::kJson : WireFormat::kProtobuf,
                                   .only_topic = arguments.topic};
  auto sink = OpenSink(arguments, TargetsOf(*mapping, writing));
  if (!sink.ok()) return sink.status();
  std::ofstream rejects;
  if (!arguments.rejects.empty()) {
    rejects.open(arguments.rejects, std::ios::binary);
    if (!rejects) return absl::InvalidArgumentError(absl::StrCat("cannot write this file: ", arguments.rejects));
  }
  EventWriter writer(writing, sink->get());
  const SystemClock clock;
  const StopSignal stop;
  Pacer pacer(arguments.rate, &clock);
  std::unique_ptr<ProgressBar> bar;
  ImportOptions options{
      .mapping = *mapping, .sort = arguments.sort, .rejects = arguments.rejects.empty() ? nullptr : &rejects};
  options.progress = [&](uint64_t rows, uint64_t done, uint64_t total) {
    if (bar == nullptr) bar = std::make_unique<ProgressBar>("importing", ProgressOptions{.total = total});
    bar->Update(done, ShortCount(rows) + " rows");
  };
  Importer importer(options, [&](const Event& event) {
    return pacer.Wait(stop) ? writer.Write(event) : absl::CancelledError("stopped; the report says how far it came");
  });
  absl::Status status;
  for (const std::string& file : arguments.files) {
    if (status = importer.Add(file); !status.ok()) break;
    bar.reset();
  }
  if (status.ok()) status = importer.Finish();
  bar.reset();
  status.Update((*sink)->Finish());
  std::cerr << importer.report().Text();
  for (const auto& [topic, count] : writer.by_topic())
    std::cerr << LongCount(count) << (arguments.dry_run ? " would go to " : " to ") << topic << "\n";
  return status;
}

}  // namespace

void AddImport(Program& program) {
  auto options = std::make_shared<ImportArguments>();
  CLI::App& app = program.AddCommand(
      {.name = "import",
       .about =
           "Reads CSV, blank-separated or NDJSON files, plain or gzipped, by a mapping of columns; counts every row",
       .examples = {"portrait import --mapping deploy/examples/cdnow.yaml --sort CDNOW_master.txt",
                    "portrait import --dry-run --customer id --time when --event order_completed --field total=amount "
                    "sales.csv",
                    "portrait import ... --field 'total=Quantity*UnitPrice' --field currency==GBP --where 'Quantity > "
                    "0' retail.csv.gz"}},
      [options](const Program&) { return Import(*options); });
  options->config.AddTo(app);
  app.add_option("files", options->files, "Files, or - for standard input")->required();
  app.add_option("-m,--mapping", options->mapping, "How columns become events: docs/tools.md")->type_name("FILE");
  app.add_option("--customer", options->customer, "Column with the customer's id")->type_name("COLUMN");
  app.add_option("--time", options->time, "Column with the time")->type_name("COLUMN");
  app.add_option("--time-format", options->time_format,
                 "iso8601 (default), unix, unix_ms, unix_us, or as strptime: %Y%m%d");
  app.add_option("--event", options->event, "Kind of event, as in event.proto: order_completed");
  app.add_option("--event-id", options->event_id, "Column with the event's id; file and line by default")
      ->type_name("COLUMN");
  app.add_option("--group", options->group, "Column; following rows that are equal there are one event")
      ->type_name("COLUMN");
  app.add_option("--field", options->fields, "A field of the event: total=Amount, total=Price*Number, currency==EUR")
      ->type_name("FIELD=SOURCE");
  app.add_option("--where", options->where, "Leave out rows unless this holds: 'Quantity > 0'")->type_name("CONDITION");
  app.add_option("--delimiter", options->delimiter,
                 "Of CSV: one character, tab, or whitespace for columns parted by blanks");
  app.add_flag("--sort", options->sort, "Send in order of time; holds all events in memory (some 200 bytes each)");
  app.add_flag("--dry-run", options->dry_run, "Read and count, send nothing");
  app.add_option("--rejects", options->rejects, "Write every rejected row here: file, line, reason, detail, text")
      ->type_name("FILE");
  app.add_option("--format", options->format, "Of records in Kafka")
      ->capture_default_str()
      ->check(CLI::IsMember({"protobuf", "json"}));
  app.add_option("-o,--out", options->out,
                 "Write NDJSON files into this folder, or all to standard output with -, not to Kafka")
      ->type_name("FOLDER");
  app.add_option("--topic", options->topic, "Everything to this topic, in place of five by kind of event");
  app.add_option("--rate", options->rate, "Events a second; as fast as it goes by default")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace portrait
