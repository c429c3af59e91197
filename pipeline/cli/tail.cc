// `portrait tail`: results as lines or JSON, as they come.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/result_text.h"
#include "pipeline/tools/result_topics.h"
#include "pipeline/tools/stop_signal.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

struct TailOptions {
  ConfigArguments config;
  std::vector<std::string> outputs;
  std::vector<std::string> customers, tags, codes;
  std::string band, since;
  bool from_beginning = false, json = false, exit = false;
  uint64_t limit = 0;
};

ResultFilter FilterOf(const TailOptions& options) {
  ResultFilter filter;
  filter.customers.insert(options.customers.begin(), options.customers.end());
  filter.tags.insert(options.tags.begin(), options.tags.end());
  filter.codes.insert(options.codes.begin(), options.codes.end());
  for (const auto band : {v1::ChurnAlert::LOW, v1::ChurnAlert::MEDIUM, v1::ChurnAlert::HIGH}) {
    if (BandName(band) == options.band) filter.band = band;
  }
  return filter;
}

absl::StatusOr<KafkaTail::Start> StartOf(const TailOptions& options) {
  if (options.since.empty()) return options.from_beginning ? KafkaTail::Start::Beginning() : KafkaTail::Start::End();
  auto since = ParseTimestamp(options.since, SystemClock().Now());
  if (!since.ok()) return since.status();
  return KafkaTail::Start::At(*since);
}

absl::Status Tail(const TailOptions& options, const Program& program) {
  auto config = options.config.Load();
  if (!config.ok()) return config.status();
  auto chain = program.BuildChain(*config);
  if (!chain.ok()) return chain.status();
  const std::vector<ResultTopic> all = ResultTopics(**chain, config->engine);
  auto topics = options.outputs.empty() ? std::vector<ResultTopic>(all.begin(), all.end() - 1)
                                        : ChooseResultTopics(all, options.outputs);
  if (!topics.ok()) return topics.status();
  auto start = StartOf(options);
  if (!start.ok()) return start.status();
  auto reader = ResultReader::Open(*config, "tail", *topics, *start);
  if (!reader.ok()) return reader.status();
  const ResultFilter filter = FilterOf(options);
  const StopSignal stop;
  uint64_t shown = 0;
  while (!stop.raised() && (options.limit == 0 || shown < options.limit) && std::cout.good()) {
    auto result = (*reader)->Next(std::chrono::milliseconds(200));
    if (absl::IsUnavailable(result.status())) continue;  // the client says so in the log, and comes back by itself
    if (!result.ok()) return result.status();
    if (!result->has_value()) {
      std::cout << std::flush;
      if (options.exit && (*reader)->at_end()) break;
      continue;
    }
    const auto message = DecodeResult(*(*result)->topic->type, (*result)->record);
    if (!message.ok()) {
      const Record& record = (*result)->record;
      std::cerr << "portrait tail: " << (*result)->topic->topic << "/" << record.partition << "@" << record.offset
                << ": " << message.status().message() << "\n";
      continue;
    }
    if (!filter.Passes(**message)) continue;
    std::cout << (options.json ? ResultJson(**message) : ResultLine(**message)) << "\n";
    ++shown;
  }
  std::cout << std::flush;
  return absl::OkStatus();
}

}  // namespace

void AddTail(Program& program) {
  auto options = std::make_shared<TailOptions>();
  CLI::App& app = program.AddCommand(
      {.name = "tail",
       .about = "Shows results as they come: tag changes, churn alerts, dead letters",
       .examples = {"portrait tail                                        # every result, from now on",
                    "portrait tail churn-alerts --band high --json        # for a program",
                    "portrait tail tag-changes --tag silent --since 7d    # who fell silent this week",
                    "portrait tail --customer 00042 --from-beginning --exit"}},
      [options](const Program& chosen) { return Tail(*options, chosen); });
  options->config.AddTo(app);
  app.add_option("outputs", options->outputs,
                 "Names of outputs, as in `portrait describe`, or dead-letters; all but these by default");
  app.add_flag("--from-beginning", options->from_beginning, "All that is there, not only what comes");
  app.add_option("--since", options->since, "From this time of arrival on: 2026-01-31, or 2h (ago)")->type_name("TIME");
  app.add_flag("--exit", options->exit, "End when everything that is there has been shown");
  app.add_option("--customer", options->customers, "Only of this customer; may be given again");
  app.add_option("--tag", options->tags, "Only changes of this tag; may be given again");
  app.add_option("--band", options->band, "Only churn alerts of at least this band")
      ->check(CLI::IsMember({"low", "medium", "high"}));
  app.add_option("--code", options->codes, "Only dead letters with this code; may be given again");
  app.add_flag("--json", options->json, "One JSON object a line, with the names of result.proto");
  app.add_option("-n,--limit", options->limit, "End after this many");
}

}  // namespace portrait
