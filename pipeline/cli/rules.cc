// `portrait rules`: tries expressions on values, and checks files of rules.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "nlohmann/json.hpp"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/cli/models_in_force.h"
#include "pipeline/cli/rule_examples.h"
#include "pipeline/cli/rules_control.h"
#include "pipeline/cli/rules_pins.h"
#include "pipeline/cli/rules_shadow.h"
#include "pipeline/cli/trial.h"
#include "pipeline/config/rule_file.h"
#include "pipeline/config/text_file.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/history.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/rule_comparison.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

constexpr size_t kLineBytes = 1024 * 1024;
constexpr std::string_view kInForce = "in-force";  // stands for a file: the rules of the services that run

struct RulesOptions {
  ConfigArguments config;
  std::string action;
  std::string what, second;
  const CLI::Option* what_given = nullptr;  // an expression may be empty, which is a mistake of its own
  std::string with;
  std::vector<std::string> files;
  std::string until;
  RuleDecision decision;
  double share = 1;
  std::string topic;
  bool days = false, json = false, absent = false;
  bool report = false, stop = false;
};

// One line, however long: what is beyond the limit is passed over. False: the input has ended.
bool NextLine(std::streambuf& in, std::string& line, bool& too_long) {
  line.clear();
  too_long = false;
  for (int c = in.sbumpc(); c != std::char_traits<char>::eof(); c = in.sbumpc()) {
    if (c == '\n') return true;
    if (line.size() < kLineBytes) {
      line += static_cast<char>(c);
    } else {
      too_long = true;
    }
  }
  return !line.empty();
}

absl::Status AnswerLines(const Trial& trial) {
  std::string line;
  bool too_long = false;
  while (std::cout && NextLine(*std::cin.rdbuf(), line, too_long)) {
    const absl::Status refused =
        absl::InvalidArgumentError(absl::StrCat("a line is too long; at most ", kLineBytes, " bytes"));
    std::cout << (too_long ? AnswerLine(refused) : trial.Answer(line)) << std::endl;
  }
  return absl::OkStatus();
}

absl::Status Evaluate(const RulesOptions& options, const Trial& trial) {
  if (options.what_given->count() == 0) {
    if (!options.with.empty()) {
      return absl::InvalidArgumentError("eval: --with goes with an expression; a line brings its own: {\"expr\": …}");
    }
    return AnswerLines(trial);
  }
  nlohmann::json with = nlohmann::json::object();
  if (!options.with.empty()) {
    const auto text = ReadTextFile(options.with, kLineBytes);
    if (!text.ok()) return text.status();
    with = nlohmann::json::parse(*text, nullptr, false);
    if (with.is_discarded()) return absl::InvalidArgumentError("not JSON: " + options.with);
  }
  const auto value = trial.Run(options.what, with);
  std::cout << AnswerLine(value) << std::endl;
  return value.status();
}

absl::Status CheckFile(const std::string& path, const FeatureRegistry& features) {
  const auto text = ReadTextFile(path, kRuleFileBytes);
  if (!text.ok()) return text.status();
  const auto file = ReadRules(path, *text, features);
  if (!file.ok()) return absl::InvalidArgumentError(absl::StrCat("not good rules\n", file.status().message()));
  std::cout << path << " is good: " << file->rules.size() << " rules, on " << file->features << " features, in "
            << file->steps << " steps" << std::endl;
  if (file->windows.empty()) return absl::OkStatus();
  std::cout
      << "Windows of events are kept for them; those that are new begin empty when these rules come into force:\n";
  for (const std::string& window : file->windows) std::cout << "    " << window << "\n";
  std::cout << std::flush;
  return absl::OkStatus();
}

// The chain with the rules of another file.
absl::StatusOr<std::unique_ptr<Chain>> ChainWith(const std::string& path, const ModelsInForce& models,
                                                 const Config& config, const Program& program) {
  const auto text = path == kInForce ? RulesInForce(config) : ReadTextFile(path, kRuleFileBytes);
  if (!text.ok()) return text.status();
  return program.BuildChainWithRules(config, {path, *text, {}, models.decided});
}

// tags.yaml has its examples in tags.test.yaml.
std::string ExamplesBeside(const std::string& path) {
  const std::filesystem::path file(path);
  return (file.parent_path() / absl::StrCat(file.stem().string(), ".test.yaml")).string();
}

absl::Status Test(const RulesOptions& options, const Config& config, const Program& program) {
  const auto models = options.what == kInForce ? FindModelsInForce(config) : ModelsOfConfiguration(config);
  if (!models.ok()) return models.status();
  const auto chain = ChainWith(options.what, *models, config, program);
  if (!chain.ok()) return chain.status();
  const std::string examples = options.second.empty() ? ExamplesBeside(options.what) : options.second;
  const auto text = ReadTextFile(examples, kExampleFileBytes);
  if (!text.ok()) return absl::InvalidArgumentError(absl::StrCat("the examples: ", text.status().message()));
  const auto report = RunExamples(examples, *text, **chain, config.engine.zone);
  if (!report.ok()) return report.status();
  for (const std::string& failure : report->failures) std::cout << failure << "\n";
  std::cout << report->examples << " examples, " << report->expectations << " expectations, " << report->failures.size()
            << " failed" << std::endl;
  return report->failures.empty() ? absl::OkStatus() : absl::AbortedError("some examples are not as expected");
}

absl::Status ReadHistory(const RulesOptions& options, const Config& config, History& history) {
  if (absl::Status s = history.Read(options.files, config); !s.ok()) return s;
  if (history.events() == 0) return absl::NotFoundError("there are no events");
  for (const auto& [code, count] : history.rejected()) {
    std::cerr << "portrait rules: " << count << " events are left out: " << code << "\n";
  }
  return absl::OkStatus();
}

absl::Status Diff(const RulesOptions& options, const Config& config, const Program& program) {
  if (options.second.empty())
    return absl::InvalidArgumentError("diff: two files of rules, the old one and the new one");
  const bool asks_brokers = options.files.empty() || options.what == kInForce || options.second == kInForce;
  const auto models = asks_brokers ? FindModelsInForce(config) : ModelsOfConfiguration(config);
  if (!models.ok()) return models.status();
  const auto before = ChainWith(options.what, *models, config, program),
             after = ChainWith(options.second, *models, config, program);
  if (!before.ok()) return before.status();
  if (!after.ok()) return after.status();
  ProgressBar reading("reading", {});
  History history({.share = options.share,
                   .progress = [&](uint64_t events) { reading.Update(events, ShortCount(events) + " events"); }});
  if (absl::Status s = ReadHistory(options, config, history); !s.ok()) return s;
  reading.Finish();
  Timestamp until = history.last();
  if (!options.until.empty()) {
    const auto parsed = ParseTimestamp(options.until, SystemClock().Now());
    if (!parsed.ok()) return parsed.status();
    until = *parsed;
  }
  RuleComparison comparison(**before, **after, config.engine.zone);
  ProgressBar bar("comparing", {.total = history.customers()});
  history.ForEach([&](const std::string& customer, const std::vector<Event>& events) {
    comparison.Add(customer, events, until);
    bar.Update(comparison.customers());
  });
  bar.Finish();
  if (options.json) {
    nlohmann::json told = comparison.Json();
    told["models"] = models->name;
    std::cout << told.dump() << std::endl;
    return absl::OkStatus();
  }
  std::cout << LongCount(history.events()) << " events, " << ToText(history.first()) << " to " << ToText(until)
            << ", by the models " << models->name << "\n"
            << comparison.Text(options.days) << std::flush;
  return absl::OkStatus();
}

absl::Status Pin(const RulesOptions& options, const Config& config, const Program& program) {
  if (options.what.empty() || options.second.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(options.action, ": which customer, which tag?"));
  }
  const PinRequest request{.customer = options.what,
                           .tag = options.second,
                           .author = AuthorOf(options.decision),
                           .reason = options.decision.comment,
                           .until = options.until,
                           .topic = options.topic,
                           .absent = options.absent};
  return options.action == "pin" ? PinTag(request, config, program) : UnpinTag(request, config, program);
}

absl::Status Shadow(const RulesOptions& options, const RuleDecision& decision, const Config& config,
                    const Program& program) {
  const int asked = (options.what.empty() ? 0 : 1) + (options.report ? 1 : 0) + (options.stop ? 1 : 0);
  if (asked != 1) return absl::InvalidArgumentError("shadow: a file of rules, or --report, or --stop; one of them");
  if (options.report) return ReportShadow(decision, config, program);
  if (options.stop) return EndShadow(decision, config);
  return RunInShadow(options.what, decision, config, program);
}

absl::Status Rules(const RulesOptions& options, const Program& program) {
  const auto config = options.config.Load();
  if (!config.ok()) return config.status();
  RuleDecision decision = options.decision;
  decision.json = options.json;
  if (decision.dry_run && !decision.count) {
    return absl::InvalidArgumentError("--dry-run only counts, and --no-count does not");
  }
  if (options.action != "shadow" && (options.report || options.stop)) {
    return absl::InvalidArgumentError(absl::StrCat("--report and --stop belong to shadow, not to ", options.action));
  }
  if (options.action == "shadow") return Shadow(options, decision, *config, program);
  if (options.action == "promote") return PromoteShadow(decision, *config, program);
  if (options.action == "history") return ShowRuleHistory(*config, options.json);
  if (options.action == "rollback") return RollBackRules(options.what, decision, *config, program);
  if (options.action == "pins") return ListPins(options.what, options.json, *config, program);
  if (options.action == "pin" || options.action == "unpin") return Pin(options, *config, program);
  if (options.action != "eval" && options.what.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(options.action, ": which file?"));
  }
  if (options.action == "test") return Test(options, *config, program);
  if (options.action == "diff") return Diff(options, *config, program);
  if (options.action == "apply") return ApplyRules(options.what, decision, *config, program);
  const auto chain = program.BuildChain(*config);
  if (!chain.ok()) return chain.status();
  if (options.action == "check") return CheckFile(options.what, (*chain)->features());
  return Evaluate(options, Trial((*chain)->features(), absl::Now()));
}

}  // namespace

void AddRules(Program& program) {
  auto options = std::make_shared<RulesOptions>();
  CLI::App& app = program.AddCommand(
      {.name = "rules",
       .about = "Checks, tests, compares and applies files of rules for tags, and tries conditions on values",
       .examples =
           {"portrait rules check deploy/tags.yaml", "portrait rules test deploy/tags.yaml",
            "portrait rules diff deploy/tags.yaml my-tags.yaml --file events.ndjson",
            "portrait rules apply my-tags.yaml --dry-run      # how many customers would change?",
            "portrait rules apply my-tags.yaml --comment 'frequent means five orders'", "portrait rules history",
            "portrait rules rollback", "portrait rules shadow my-tags.yaml --because 'tried beside the others'",
            "portrait rules shadow --report", "portrait rules promote --because 'it did well'",
            "portrait rules pin 00042 vip --because 'invited by the owner' --until 90d",
            "portrait rules unpin 00042 vip", "portrait rules pins          # of all customers",
            "portrait rules eval '2 * 3 + 1'", "portrait rules eval 'purchases.spend_365d > 2000' --with values.json",
            "portrait rules eval < trials.jsonl      # a line each: {\"expr\": \"x + 1\", \"with\": {\"x\": 2}}",
            "portrait rules eval -- '-1 + 2'         # what begins with - comes after --"}},
      [options](const Program& chosen) { return Rules(*options, chosen); });
  options->config.AddTo(app);
  app.add_option(
         "action", options->action,
         "check FILE: is a file of rules good, or what is wrong with it?\n"
         "test FILE [EXAMPLES]: do the examples beside it (FILE.test.yaml) come out as expected?\n"
         "diff OLD NEW: on the events in the source topics, or in files: who would come to a tag, who lose it?\n"
         "apply FILE: says whose tags change, and brings the rules into force in every process that runs\n"
         "history: who brought which rules into force, when and why; the last first\n"
         "rollback [VERSION]: brings back those before the ones in force, or a version of the history\n"
         "shadow FILE: judges customers by these rules beside those in force, and changes nothing;\n"
         "shadow --report: what would they do? shadow --stop: no longer\n"
         "promote: brings the rules in the shadow into force, with all that they know\n"
         "pin CUSTOMER TAG: the customer has the tag, whatever its rule says\n"
         "unpin CUSTOMER TAG: the rule decides again\n"
         "pins [CUSTOMER]: what is pinned on whom, by whom and why\n"
         "eval [EXPRESSION]: its value. Without one, lines of JSON on standard input are answered")
      ->required()
      ->check(CLI::IsMember({"check", "test", "diff", "apply", "history", "rollback", "shadow", "promote", "pin",
                             "unpin", "pins", "eval"}));
  options->what_given = app.add_option("what", options->what,
                                       "A file of rules (diff: or in-force), a version, a customer, or the expression");
  app.add_option("second", options->second, "test: the file of examples; diff: the new rules; pin, unpin: the tag");
  app.add_option("--with", options->with,
                 "A JSON file with the values, such as {\"purchases\": {\"spend_365d\": 2500.0}}")
      ->type_name("FILE");
  app.add_option("--file", options->files,
                 "diff: events from this file, a JSON object a line, not from the source topics; may be repeated")
      ->type_name("FILE");
  app.add_option("--share", options->share, "diff: of this share of the customers only, always the same ones")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--until", options->until,
                 "diff: time goes on up to here; the last event by default. pin: ends then, or after 30d")
      ->type_name("TIME");
  app.add_flag("--days", options->days, "diff: also how many came and went on each day");
  app.add_flag("--json", options->json,
               "As JSON; diff: with all days; history: with the rules; apply, rollback, promote, shadow: who changes");
  app.add_flag("--dry-run", options->decision.dry_run,
               "apply, rollback, promote: tells how many customers would change, only");
  app.add_flag("!--no-count", options->decision.count, "apply, rollback, promote: without counting who changes");
  app.add_option("--author,--by", options->decision.author,
                 "apply, rollback, shadow, promote, pin, unpin: who; the user by default")
      ->type_name("NAME");
  app.add_option("--comment,--because", options->decision.comment,
                 "apply, rollback, shadow, promote, unpin: why; pin: needed")
      ->type_name("TEXT");
  app.add_flag("--absent", options->absent, "pin: the customer has not the tag");
  app.add_flag("--report", options->report, "shadow: tells what the rules in the shadow would do");
  app.add_flag("--stop", options->stop, "shadow: ends it");
  app.add_option("--topic", options->topic, "pin, unpin: by way of this source; profile-events by default");
}

}  // namespace portrait
