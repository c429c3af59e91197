// `portrait dead-letters`: look at them, count them, send them again.
#include "pipeline/tools/dead_letters.h"

#include <functional>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/kafka/log_reader.h"
#include "pipeline/ports/clock.h"
#include "pipeline/service/kafka_client_options.h"
#include "pipeline/tools/kafka_sink.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/result_text.h"
#include "pipeline/tools/result_topics.h"
#include "pipeline/tools/stop_signal.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

constexpr Duration kRequestTimeout = seconds(10);

struct LetterOptions {
  ConfigArguments config;
  std::string action = "list";
  std::vector<std::string> codes, topics;
  std::string since;
  uint64_t limit = 0;
  bool dry_run = false, json = false;
};

using LetterVisitor = std::function<absl::Status(const v1::DeadLetter&)>;

// Every dead letter that is there and is asked for, up to the limit.
absl::Status VisitLetters(const LetterOptions& options, const Config& config, const Program& program,
                          const LetterVisitor& visit) {
  auto chain = program.BuildChain(config);
  if (!chain.ok()) return chain.status();
  KafkaTail::Start start = KafkaTail::Start::Beginning();
  if (!options.since.empty()) {
    auto since = ParseTimestamp(options.since, SystemClock().Now());
    if (!since.ok()) return since.status();
    start = KafkaTail::Start::At(*since);
  }
  auto reader = ResultReader::Open(config, "dead-letters", {ResultTopics(**chain, config.engine).back()}, start);
  if (!reader.ok()) return reader.status();
  ResultFilter filter;
  filter.codes.insert(options.codes.begin(), options.codes.end());
  const std::set<std::string> topics(options.topics.begin(), options.topics.end());
  const StopSignal stop;
  uint64_t visited = 0;
  while (!stop.raised() && (options.limit == 0 || visited < options.limit)) {
    auto result = (*reader)->Next(std::chrono::milliseconds(200));
    if (absl::IsUnavailable(result.status())) continue;
    if (!result.ok()) return result.status();
    if (!result->has_value()) {
      if ((*reader)->at_end()) break;
      continue;
    }
    const auto message = DecodeResult(*v1::DeadLetter::descriptor(), (*result)->record);
    if (!message.ok()) return message.status();
    const auto& letter = static_cast<const v1::DeadLetter&>(**message);
    if (!filter.Passes(letter) || (!topics.empty() && !topics.contains(letter.topic()))) continue;
    ++visited;
    if (absl::Status status = visit(letter); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status List(const LetterOptions& options, const Config& config, const Program& program) {
  return VisitLetters(options, config, program, [&](const v1::DeadLetter& letter) {
    std::cout << (options.json ? ResultJson(letter) : ResultLine(letter)) << "\n";
    return absl::OkStatus();
  });
}

absl::Status Count(const LetterOptions& options, const Config& config, const Program& program) {
  LetterCounts counts;
  const absl::Status status = VisitLetters(options, config, program, [&](const v1::DeadLetter& letter) {
    counts.Add(letter);
    return absl::OkStatus();
  });
  std::cout << counts.Text();
  return status;
}

absl::Status Resend(const LetterOptions& options, const Config& config, const Program& program) {
  if (options.codes.empty() && options.topics.empty() && !options.dry_run) {
    return absl::InvalidArgumentError("resend needs --code or --topic (`count` shows them), or --dry-run");
  }
  std::vector<std::string> sources;
  for (const SourceOptions& source : config.engine.sources) sources.push_back(source.topic);
  auto reader = KafkaLogReader::Create(KafkaClientOptions(config, "dead-letters-originals"));
  if (!reader.ok()) return reader.status();
  std::unique_ptr<KafkaSink> sink;
  if (!options.dry_run) {
    auto opened = KafkaSink::Open(config, "dead-letters", sources);
    if (!opened.ok()) return opened.status();
    sink = *std::move(opened);
  }
  LetterSender sender(sink.get(), reader->get(), kRequestTimeout);
  absl::Status status =
      VisitLetters(options, config, program, [&](const v1::DeadLetter& letter) { return sender.Send(letter); });
  if (sink != nullptr) status.Update(sink->Finish());
  std::cout << LongCount(sender.sent())
            << (options.dry_run ? " records would be sent again\n" : " records sent again\n");
  for (const auto& [topic, count] : sender.by_topic())
    std::cout << "  to " << topic << "  " << LongCount(count) << "\n";
  for (const auto& [reason, count] : sender.not_sent())
    std::cout << "  not sent, because " << reason << "  " << LongCount(count) << "\n";
  return status;
}

absl::Status DeadLetters(const LetterOptions& options, const Program& program) {
  auto config = options.config.Load();
  if (!config.ok()) return config.status();
  if (options.action == "count") return Count(options, *config, program);
  if (options.action == "resend") return Resend(options, *config, program);
  return List(options, *config, program);
}

}  // namespace

void AddDeadLetters(Program& program) {
  auto options = std::make_shared<LetterOptions>();
  CLI::App& app = program.AddCommand(
      {.name = "dead-letters",
       .about = "Shows the records that were set aside, counts them, sends them again after a fix",
       .examples = {"portrait dead-letters count                                  # by code and topic",
                    "portrait dead-letters list --code malformed_json --limit 10",
                    "portrait dead-letters resend --code wrong_partition --dry-run",
                    "portrait dead-letters resend --code wrong_partition --since 2h"}},
      [options](const Program& chosen) { return DeadLetters(*options, chosen); });
  options->config.AddTo(app);
  app.add_option("action", options->action,
                 "list; count by code and topic; resend: each record to its topic, as it was.\n"
                 "Every resend sends all that match: --since leaves out what an earlier one sent")
      ->capture_default_str()
      ->check(CLI::IsMember({"list", "count", "resend"}));
  app.add_option("--code", options->codes, "Only with this code (docs/dead-letters.md); may be given again");
  app.add_option("--topic", options->topics, "Only records of this topic; may be given again");
  app.add_option("--since", options->since, "Only letters that arrived since: 2026-01-31, or 2h (ago)")
      ->type_name("TIME");
  app.add_option("-n,--limit", options->limit, "At most this many");
  app.add_flag("--dry-run", options->dry_run, "Count what would be sent, send nothing");
  app.add_flag("--json", options->json, "List as JSON, one object a line, values as Base64");
}

}  // namespace portrait
