#include "pipeline/control/rule_follower.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "pipeline/config/rule_file.h"
#include "pipeline/config/text_file.h"
#include "pipeline/log.h"

namespace portrait {
namespace {

std::optional<std::filesystem::file_time_type> WrittenAt(const std::string& path) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(path, error);
  return error ? std::nullopt : std::optional(time);
}

std::string_view EventOf(v1::ControlRecord::Origin origin) {
  switch (origin) {
    case v1::ControlRecord::SHADOWED: return "rules run in the shadow";
    case v1::ControlRecord::SHADOW_ENDED: return "the rules in the shadow are gone";
    case v1::ControlRecord::MODELS_SHADOWED: return "models run in the shadow";
    case v1::ControlRecord::MODELS_SHADOW_ENDED: return "the models in the shadow are gone";
    case v1::ControlRecord::MODELS_PROMOTED:
    case v1::ControlRecord::MODELS_APPLIED:
    case v1::ControlRecord::MODELS_ROLLED_BACK: return "models come into force";
    default: return "rules come into force";
  }
}

// A rollback of models to those of the configuration names none.
std::string VersionOf(const v1::ControlRecord& record, const Chain& now) {
  if (!IsOfModels(record)) return record.rules();
  return IsOfModelsInShadow(record) ? record.models() : ModelsOfChain(now);
}

}  // namespace

RuleFollower::RuleFollower(Options options, RuleEditions& editions, RuleEditions::Build build, LogReader& reader,
                           std::string topic, PublishControl publish, const Clock& clock, Metrics& metrics)
    : options_(std::move(options)),
      editions_(editions),
      build_(std::move(build)),
      log_(reader, std::move(topic)),
      publish_(std::move(publish)),
      clock_(clock),
      metrics_(metrics) {}

RuleFollower::~RuleFollower() = default;

absl::Status RuleFollower::LearnNew() {
  auto entries = log_.ReadNew(options_.timeout);
  if (!entries.ok()) return entries.status();
  for (ControlLog::Entry& entry : *entries) {
    const absl::Status learned = editions_.Learn(entry.offset, entry.record);
    entry.record.clear_text();
    Tell(entry, learned);
    if (BringsIntoForce(entry.record)) history_.push_back(std::move(entry.record));
  }
  return absl::OkStatus();
}

void RuleFollower::Tell(const ControlLog::Entry& entry, const absl::Status& learned) {
  const v1::ControlRecord& record = entry.record;
  const bool models = IsOfModels(record);
  if (learned.ok()) {
    LogInfo(EventOf(record.origin()), {{"version", VersionOf(record, *editions_.current()->chain)},
                                       {"file", record.name()},
                                       {"author", record.author()},
                                       {"comment", record.comment()},
                                       {"control_offset", entry.offset}});
    return;
  }
  (models ? metrics_.models_refused : metrics_.rules_refused).Increment();
  LogError(models ? "models of the control topic cannot be used; those before them stay in force"
                  : "rules of the control topic cannot be used; those before them stay in force",
           {{"version", models ? record.models() : record.rules()},
            {"file", record.name()},
            {"reason", std::string(learned.message())}});
}

absl::Status RuleFollower::Publish(const RulesConfig& rules, const std::string& version,
                                   v1::ControlRecord::Origin origin) {
  v1::ControlRecord record;
  record.set_rules(version);
  record.set_name(rules.name);
  record.set_text(rules.text);
  record.set_origin(origin);
  record.set_author(options_.process);
  record.set_time_us(ToMicros(clock_.Now()));
  return publish_(record);
}

bool RuleFollower::InForce(const std::string& version) const {
  return !history_.empty() && history_.back().rules() == version;
}

absl::Status RuleFollower::PublishConfigured() {
  const RulesConfig& rules = options_.rules;
  const std::string version = RulesVersionOf(editions_.base());
  if (InForce(version)) return absl::OkStatus();
  const auto origin = rules.path.empty() ? v1::ControlRecord::BUILT_IN : v1::ControlRecord::FILE;
  const bool known =
      std::any_of(history_.begin(), history_.end(), [&](const auto& record) { return record.rules() == version; });
  // Rules that nobody chose give way to any that somebody did.
  const bool chosen = !history_.empty() && history_.back().origin() != v1::ControlRecord::BUILT_IN;
  if (known || (chosen && origin == v1::ControlRecord::BUILT_IN)) {
    LogInfo("the control topic has later rules than the configuration",
            {{"in_force", history_.back().rules()}, {"configured", version}, {"file", rules.name}});
    return absl::OkStatus();
  }
  return Publish(rules, version, origin);
}

absl::Status RuleFollower::Begin() {
  const RulesConfig& rules = options_.rules;
  if (!rules.path.empty()) written_ = WrittenAt(rules.name);
  if (absl::Status s = LearnNew(); !s.ok()) return s;
  if (absl::Status s = PublishConfigured(); !s.ok()) return s;
  if (absl::Status s = LearnNew(); !s.ok()) return s;
  const auto current = editions_.current();
  LogInfo("models in force", {{"models", ModelsOfChain(*current->chain)}, {"control_position", current->models}});
  return absl::OkStatus();
}

void RuleFollower::LookAtFile() {
  RulesConfig rules = options_.rules;
  if (rules.path.empty()) return;
  const auto written = WrittenAt(rules.name);
  if (!written || written == written_) return;  // an editor may be about to put it back
  auto text = ReadTextFile(rules.name, kRuleFileBytes);
  absl::Status status = text.status();
  if (text.ok()) {
    rules.text = *std::move(text);
    status = PublishEdited(rules);
  }
  if (status.ok()) {
    written_ = written;
  } else {
    LogWarning("the rule file has changed, and its rules could not be published; tried again",
               {{"file", rules.name}, {"reason", std::string(status.message())}});
  }
}

absl::Status RuleFollower::PublishEdited(const RulesConfig& rules) {
  const auto chain = build_({rules.name, rules.text, {}, {}});
  if (!chain.ok()) {
    metrics_.rules_refused.Increment();
    LogError("the rules are no good; those before them stay in force",
             {{"file", rules.name}, {"reason", std::string(chain.status().message())}});
    return absl::OkStatus();
  }
  const std::string version = RulesVersionOf(**chain);
  return InForce(version) ? absl::OkStatus() : Publish(rules, version, v1::ControlRecord::FILE);
}

void RuleFollower::Look() {
  absl::Status s = LearnNew();  // before the file: another process may have published it
  if (s.ok()) {
    LookAtFile();
    s = LearnNew();
  }
  if (!s.ok() && !absl::IsUnavailable(s)) {
    LogWarning("the control topic could not be read", {{"reason", std::string(s.message())}});
  }
}

void RuleFollower::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Look();
      std::this_thread::sleep_for(options_.interval);
    }
  });
}

}  // namespace portrait
