#include "pipeline/cli/rules_pins.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "operators/tags.h"
#include "pipeline/cli/all_rows.h"
#include "pipeline/cli/partition_logs.h"
#include "pipeline/cli/rules_control.h"
#include "pipeline/config/units.h"
#include "pipeline/partitioner.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/event_writer.h"
#include "pipeline/tools/journal_end.h"
#include "pipeline/tools/kafka_sink.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

absl::StatusOr<std::string> SourceFor(const PinRequest& request, const Config& config) {
  const std::string topic = request.topic.empty() ? EventTopics().profile : request.topic;
  std::vector<std::string> sources;
  for (const SourceOptions& source : config.engine.sources) sources.push_back(source.topic);
  if (std::find(sources.begin(), sources.end(), topic) != sources.end()) return topic;
  return absl::InvalidArgumentError(absl::StrCat("no source of this configuration, so nobody would read the pin: ",
                                                 topic, "; --topic ", absl::StrJoin(sources, ", or ")));
}

// By the clock, with nothing asked; where time is what the events say, as far as the customer's task has come.
absl::StatusOr<Timestamp> NowOf(const std::string& customer, const std::string& topic, const Config& config) {
  const Timestamp now = SystemClock().Now();
  if (config.engine.clock == ClockMode::kWall) return now;
  const auto logs = OpenPartitionLogs(config, "rules", topic);
  if (!logs.ok()) return logs.status();
  const auto entry =
      LastJournalEntry(*logs->reader, config.engine.JournalTopic(), PartitionOf(customer, logs->partitions));
  if (!entry.ok()) return entry.status();
  const bool known = entry->has_value() && (*entry)->after().any_time();
  return known ? TimeReached((*entry)->after(), config, now) : now;
}

absl::StatusOr<Timestamp> UntilOf(const std::string& text, Timestamp now) {
  if (const auto length = ParseDuration(text); length.ok()) return now + *length;
  const auto until = ParseTimestamp(text, now);
  if (!until.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--until: no time such as 2026-01-31, \"2026-01-31 12:00\" or 30d (from now): ", text));
  }
  if (*until <= now) return absl::InvalidArgumentError(absl::StrCat("--until is over already: ", ToText(*until)));
  return until;
}

Event EventAt(const std::string& customer, Timestamp now) {
  absl::BitGen random;
  Event event;
  event.set_event_id(absl::StrCat("pin-", absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16)));
  event.set_customer_id(customer);
  event.set_event_time_us(ToMicros(now));
  event.set_source("portrait rules");
  return event;
}

// Checks the event as the engine will, so that what is wrong with it is told here and not by a dead letter.
absl::Status Send(Event event, const std::string& topic, const Chain& chain, const Config& config) {
  Event checked = event;
  if (const auto rejection = chain.Check(checked, {EventTime(event)})) {
    return absl::InvalidArgumentError(rejection->text);
  }
  auto sink = KafkaSink::Open(config, "rules", {topic});
  if (!sink.ok()) return sink.status();
  EventWriter writer({.format = WireFormat::kProtobuf, .only_topic = topic}, sink->get());
  if (absl::Status s = writer.Write(event); !s.ok()) return s;
  return (*sink)->Finish();
}

// The chain with the rules in force. InvalidArgument: none of them gives the tag.
absl::StatusOr<std::unique_ptr<Chain>> ChainThatGives(const std::string& tag, const Config& config,
                                                      const Program& program) {
  const auto text = RulesInForce(config);
  if (!text.ok()) return text.status();
  auto chain = program.BuildChainWithRules(config, {"the rules in force", *text, {}, {}});
  if (!chain.ok()) return chain.status();
  const Tags* tags = TagsOfChain(**chain).op;
  if (tags == nullptr) return absl::InvalidArgumentError("this chain has no tags");
  if (const auto rule = tags->RuleFor(tag); !rule.ok()) return absl::InvalidArgumentError(rule.status().message());
  return chain;
}

void Show(std::string_view customer, const v1::state::PinnedTag& pin, bool json) {
  const std::string since = ToText(FromMicros(pin.since_us()));
  const std::string until = pin.until_us() == 0 ? std::string() : ToText(FromMicros(pin.until_us()));
  if (json) {
    nlohmann::json line = {{"customer", std::string(customer)},
                           {"tag", pin.tag()},
                           {"absent", pin.absent()},
                           {"since", since},
                           {"author", pin.author()},
                           {"reason", pin.reason()}};
    line["until"] = until.empty() ? nlohmann::json() : nlohmann::json(until);
    std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return;
  }
  std::cout << customer << "  " << pin.tag() << (pin.absent() ? " absent" : "") << "  since " << since
            << (until.empty() ? "" : "  until ") << until << "  by " << pin.author() << ": " << pin.reason() << "\n";
}

}  // namespace

absl::Status PinTag(const PinRequest& request, const Config& config, const Program& program) {
  if (request.reason.empty()) return absl::InvalidArgumentError("pin: why? --because 'asked for it'");
  const auto topic = SourceFor(request, config);
  if (!topic.ok()) return topic.status();
  const auto chain = ChainThatGives(request.tag, config, program);
  if (!chain.ok()) return chain.status();
  const auto now = NowOf(request.customer, *topic, config);
  if (!now.ok()) return now.status();
  Event event = EventAt(request.customer, *now);
  v1::TagPin& pin = *event.mutable_tag_pinned();
  pin.set_tag(request.tag);
  pin.set_absent(request.absent);
  pin.set_author(request.author);
  pin.set_reason(request.reason);
  if (!request.until.empty()) {
    const auto until = UntilOf(request.until, *now);
    if (!until.ok()) return until.status();
    pin.set_until_us(ToMicros(*until));
  }
  if (absl::Status s = Send(event, *topic, **chain, config); !s.ok()) return s;
  std::cout << request.tag << " is pinned " << (request.absent ? "absent " : "") << "on " << request.customer << " by "
            << request.author;
  if (pin.until_us() != 0) std::cout << " until " << ToText(FromMicros(pin.until_us()));
  std::cout << ", as an event in " << *topic << " at " << ToText(*now) << std::endl;
  return absl::OkStatus();
}

absl::Status UnpinTag(const PinRequest& request, const Config& config, const Program& program) {
  const auto topic = SourceFor(request, config);
  if (!topic.ok()) return topic.status();
  const auto chain = program.BuildChain(config);  // a tag that no rule gives any more can be unpinned, too
  if (!chain.ok()) return chain.status();
  const auto now = NowOf(request.customer, *topic, config);
  if (!now.ok()) return now.status();
  Event event = EventAt(request.customer, *now);
  event.mutable_tag_unpinned()->set_tag(request.tag);
  event.mutable_tag_unpinned()->set_author(request.author);
  event.mutable_tag_unpinned()->set_reason(request.reason);
  if (absl::Status s = Send(event, *topic, **chain, config); !s.ok()) return s;
  std::cout << request.tag << " is no longer pinned on " << request.customer << ", by " << request.author
            << ", as an event in " << *topic << " at " << ToText(*now) << std::endl;
  return absl::OkStatus();
}

absl::Status ListPins(const std::string& customer, bool json, const Config& config, const Program& program) {
  const auto chain = program.BuildChain(config);
  if (!chain.ok()) return chain.status();
  const TagsOfChain tags(**chain);
  if (tags.op == nullptr) return absl::InvalidArgumentError("this chain has no tags");
  const auto read = VisitRows(config, {.command = "rules", .doing = "reading", .customer = customer},
                              [&](std::string_view of, std::string_view bytes, const v1::TaskState&, Timestamp) {
                                RowState row;
                                if (const auto number = (*chain)->Decode(bytes, row); !number.ok())
                                  return number.status();
                                for (const auto& pin : row.states.As<v1::state::Tags>(tags.slot).pins())
                                  Show(of, pin, json);
                                return (*chain)->Damage(row);
                              });
  std::cout << std::flush;
  if (!read.ok()) return read.status();
  std::cerr << LeftOut(*read);
  return absl::OkStatus();
}

}  // namespace portrait
