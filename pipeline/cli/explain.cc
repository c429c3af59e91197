// `portrait explain`: why a customer has a tag, or what is missing for it; now or at a time in the past.
#include <algorithm>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/cli/models_in_force.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/history.h"
#include "pipeline/tools/past.h"
#include "pipeline/tools/result_text.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

struct ExplainArguments {
  ConfigArguments config;
  std::string customer, tag, at;
  std::vector<std::string> files;
  bool json = false;
};

struct Explanation {
  std::string customer, tag, about, models;
  Timestamp at;
  rules::Judge::Standing standing;
  std::vector<std::string> held;
  const v1::TagChange* change = nullptr;  // the last of this tag, if there was one
  uint64_t events = 0;
};

std::string CauseText(const v1::ResultInfo& info) {
  const v1::Cause& cause = info.cause();
  return cause.timer().empty() ? absl::StrCat(cause.event_kind(), " ", cause.event_id()) : std::string("time alone");
}

void Show(const Explanation& e) {
  std::cout << e.customer << (e.standing.has ? " has " : " does not have ") << e.tag << " at " << ToText(e.at);
  if (e.change != nullptr) {
    std::cout << (e.standing.has ? ", since " : "; lost at ") << ToText(FromMicros(e.change->info().event_time_us()))
              << " by " << CauseText(e.change->info());
  }
  std::cout << "\n";
  if (!e.about.empty()) std::cout << "  rule: " << e.about << "\n";
  if (e.change != nullptr) std::cout << "  then: " << ReasonsText(e.change->info()) << "\n";
  std::cout << (e.standing.has ? "  because:\n" : "  what stands in the way:\n");
  for (const v1::Reason& reason : e.standing.reasons) std::cout << "    " << ReasonText(reason) << "\n";
  std::cout << "  all tags: " << (e.held.empty() ? "none" : absl::StrJoin(e.held, ", ")) << "; from " << e.events
            << " events, by the models " << e.models << std::endl;
}

nlohmann::json JsonOf(const Explanation& e) {
  nlohmann::json reasons = nlohmann::json::array();
  for (const v1::Reason& reason : e.standing.reasons) {
    reasons.push_back({{"feature", reason.feature()}, {"comparison", reason.comparison()}, {"text", reason.text()}});
  }
  nlohmann::json out = {{"customer", e.customer}, {"tag", e.tag},   {"at", ToText(e.at)}, {"has", e.standing.has},
                        {"about", e.about},       {"tags", e.held}, {"reasons", reasons}, {"models", e.models}};
  if (e.change != nullptr) out["changed"] = nlohmann::json::parse(ResultJson(*e.change));
  return out;
}

absl::Status Explain(const ExplainArguments& arguments, const Program& program) {
  const auto config = arguments.config.Load();
  if (!config.ok()) return config.status();
  const auto models = arguments.files.empty() ? FindModelsInForce(*config) : ModelsOfConfiguration(*config);
  if (!models.ok()) return models.status();
  const auto chain = program.BuildChainWithRules(*config, {.models = models->decided});
  if (!chain.ok()) return chain.status();
  const Timestamp now = SystemClock().Now();
  std::optional<Timestamp> at;
  if (!arguments.at.empty()) {
    const auto parsed = ParseTimestamp(arguments.at, now);
    if (!parsed.ok()) return parsed.status();
    at = *parsed;
  }
  History history({.customers = {arguments.customer}});
  if (absl::Status s = history.Read(arguments.files, *config); !s.ok()) return s;
  if (history.events() == 0) {
    return absl::NotFoundError(absl::StrCat("no events of this customer: ", arguments.customer));
  }
  // Where time is what the events say, the end of what is known is now.
  const bool history_time = config->engine.clock == ClockMode::kEvent || !arguments.files.empty();
  if (!at) at = history_time ? history.last() : now;

  Past past(**chain, config->engine.zone);
  Explanation e{.customer = arguments.customer, .tag = arguments.tag, .models = models->name, .at = *at};
  history.ForEach([&](const std::string& customer, const std::vector<Event>& events) {
    past.Live(customer, events, *at);
    e.events = static_cast<uint64_t>(
        std::count_if(events.begin(), events.end(), [&](const Event& event) { return EventTime(event) <= *at; }));
  });
  auto standing = past.Explain(arguments.tag);
  if (!standing.ok()) return absl::InvalidArgumentError(standing.status().message());
  e.standing = *std::move(standing);
  e.held = past.Held();
  for (const v1::TagChange& change : past.changes()) {
    if (change.tag() == arguments.tag) e.change = &change;
  }
  if (const Tags* tags = TagsOfChain(**chain).op) {
    const int32_t rule = tags->rules()->RuleOf(arguments.tag);
    if (rule >= 0) e.about = tags->rules()->rules()[static_cast<size_t>(rule)].rule.about;
  }
  if (arguments.json) {
    std::cout << JsonOf(e).dump() << std::endl;
  } else {
    Show(e);
  }
  return absl::OkStatus();
}

}  // namespace

void AddExplain(Program& program) {
  auto options = std::make_shared<ExplainArguments>();
  CLI::App& app = program.AddCommand(
      {.name = "explain",
       .about = "Tells why a customer has a tag, or what is missing for it",
       .examples = {"portrait explain 00042 silent", "portrait explain 00042 interest:shoes --at 2026-01-31",
                    "portrait explain 00042 frequent_buyer --file events.ndjson --json"}},
      [options](const Program& chosen) { return Explain(*options, chosen); });
  options->config.AddTo(app);
  app.add_option("customer", options->customer, "The customer's id")->required();
  app.add_option("tag", options->tag, "The tag, such as silent or interest:shoes")->required();
  app.add_option("--at", options->at, "At this time: 2026-01-31, or 7d (ago); now by default")->type_name("TIME");
  app.add_option("--file", options->files,
                 "Events from this file, a JSON object a line, not from the source topics; may be repeated")
      ->type_name("FILE");
  app.add_flag("--json", options->json, "As a JSON object");
}

}  // namespace portrait
