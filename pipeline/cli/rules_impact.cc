#include "pipeline/cli/rules_impact.h"

#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "pipeline/cli/all_rows.h"
#include "pipeline/control/rule_editions.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/rule_impact.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

struct Count {
  RuleImpact impact;
  std::string models;  // that it goes by, as alerts name them
  int64_t shadow = 0;  // whose sweep is looked at; 0: none
  uint64_t overtaken = 0;
  uint64_t swept = 0;  // customers whom its sweep has reached
  Timestamp read_at;
};

bool HasSwept(const v1::TaskState& task, std::string_view customer, int64_t shadow) {
  return task.shadow() == shadow && (!task.sweeping() || customer <= task.swept_to());
}

absl::Status CountRows(const Config& config, Count& count) {
  const auto told = [&] { return absl::StrCat(ShortCount(count.impact.customers()), " customers"); };
  const auto read =
      VisitRows(config, {.command = "rules", .doing = "counting", .told = told},
                [&](std::string_view customer, std::string_view row, const v1::TaskState& task, Timestamp now) {
                  count.swept += HasSwept(task, customer, count.shadow) ? 1 : 0;
                  return count.impact.Add(customer, row, now);
                });
  if (!read.ok()) return read.status();
  count.read_at = read->read_at;
  count.overtaken = read->overtaken;
  return absl::OkStatus();
}

nlohmann::json JsonOf(const Count& count, const UnfilledWindows& windows) {
  nlohmann::json out = count.impact.Json();
  out["read_at"] = ToText(count.read_at);
  out["overtaken"] = count.overtaken;
  out["windows"] = JsonOf(windows);
  out["models"] = count.models;
  return out;
}

std::string TextOf(const Count& count, const Config& config) {
  std::string out = absl::StrCat(count.impact.Text(), "\nCounted on the rows that the changelog held at ",
                                 ToText(count.read_at), ", by the models ", count.models, ". A row is written at most ",
                                 absl::FormatDuration(absl::Microseconds(config.engine.checkpoint_interval.count())),
                                 " after it changes: later events are not in it.\n");
  return out + LeftOut({count.read_at, count.overtaken});
}

void Print(const nlohmann::json& line) {
  std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

absl::StatusOr<std::unique_ptr<Chain>> ChainNow(DecidedRules now, const Config& config, const Program& program) {
  now.models_shadow.reset();  // of no account for tags
  auto chain = program.BuildChainWithRules(config, now);
  if (chain.ok()) return chain;
  return absl::FailedPreconditionError(
      absl::StrCat("this build cannot use the rules as they stand, so it cannot tell what changes (--no-count leaves "
                   "that out): ",
                   chain.status().message()));
}

}  // namespace

absl::Status TellImpact(const DecidedRules& now, const Chain& to_come, const UnfilledWindows& windows, bool json,
                        const Config& config, const Program& program) {
  const auto chain = ChainNow(now, config, program);
  if (!chain.ok()) return chain.status();
  Count count{.impact = RuleImpact(**chain, to_come, config.engine.zone), .models = ModelsOfChain(to_come)};
  if (absl::Status s = CountRows(config, count); !s.ok()) {
    return absl::Status(s.code(),
                        absl::StrCat("what changes cannot be counted (--no-count leaves that out): ", s.message()));
  }
  if (json) {
    Print(JsonOf(count, windows));
  } else {
    std::cout << TextOf(count, config) << std::flush;
  }
  return absl::OkStatus();
}

absl::Status TellShadow(const DecidedRules& now, const v1::ControlRecord& begun, const UnfilledWindows& windows,
                        bool json, const Config& config, const Program& program) {
  const auto chain = ChainNow(now, config, program);
  if (!chain.ok()) return chain.status();
  const auto promoted = program.BuildChainWithRules(config, {now.shadow->name, now.shadow->text, {}, now.models});
  if (!promoted.ok()) return promoted.status();
  Count count{.impact = RuleImpact(**chain, **promoted, config.engine.zone),
              .models = ModelsOfChain(**chain),
              .shadow = now.shadow->begun};
  if (absl::Status s = CountRows(config, count); !s.ok()) return s;
  if (json) {
    nlohmann::json out = JsonOf(count, windows);
    out.update({{"version", begun.rules()},
                {"file", begun.name()},
                {"since", ToText(FromMicros(begun.time_us()))},
                {"author", begun.author()},
                {"comment", begun.comment()},
                {"swept", count.swept},
                {"entries", count.impact.entries()},
                {"exits", count.impact.exits()}});
    Print(out);
    return absl::OkStatus();
  }
  std::cout << "In the shadow since " << ToText(FromMicros(begun.time_us())) << ": " << begun.rules() << " of "
            << begun.name() << ", by " << begun.author() << (begun.comment().empty() ? "" : ": ") << begun.comment()
            << "\nSwept: " << LongCount(count.swept) << " of " << LongCount(count.impact.customers())
            << " customers. Since then tags would have come " << LongCount(count.impact.entries())
            << " times, and gone " << LongCount(count.impact.exits()) << " times.\n"
            << TextOf(windows) << "\nIf they were promoted now:\n"
            << TextOf(count, config) << std::flush;
  return absl::OkStatus();
}

}  // namespace portrait
