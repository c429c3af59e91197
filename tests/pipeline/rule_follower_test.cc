#include "pipeline/control/rule_follower.h"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "pipeline/config/default_chain.h"
#include "pipeline/config/model_file.h"
#include "pipeline/control/applied_models.h"
#include "pipeline/memory/memory_broker.h"
#include "tests/temporary_folder.h"

namespace portrait {
namespace {

std::string Text(int orders) { return absl::StrCat("- tag: frequent\n  when: purchases.orders > ", orders, "\n"); }

// A process whose configuration names a rule file, on a control topic that outlives it.
struct Running {
  Running(MemoryBroker& its_broker, const std::filesystem::path& file, bool built_in = false)
      : broker(its_broker), path(file), reader(broker.NewReader()) {
    if (!built_in) {
      std::ifstream in(file);
      config.chain.rules.path = config.chain.rules.name = file.string();
      config.chain.rules.text = std::string(std::istreambuf_iterator<char>(in), {});
    }
    build = [this](const DecidedRules& rules) { return BuildDefaultChain(config, rules); };
    base = BuildDefaultChain(config).value();
    editions.emplace(*base, build);
    follower.emplace(
        RuleFollower::Options{.rules = config.chain.rules, .process = "p"}, *editions, build, *reader, "control",
        [this](const v1::ControlRecord& record) {
          broker.Append("control", 0, {.key = record.rules(), .value = record.SerializeAsString()});
          return absl::OkStatus();
        },
        clock, metrics);
    REQUIRE(follower->Begin().ok());
  }
  // Later than what was written before, whatever the file system's resolution.
  void Edit(const std::string& text) {
    WriteText(path, text);
    std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(++edits));
    follower->Look();
  }
  std::string InForce() const { return editions->current()->rules; }
  double refused() const { return metrics.rules_refused.Value(); }

  MemoryBroker& broker;
  std::filesystem::path path;
  int edits = 0;
  Config config;
  ManualClock clock{FromMicros(1)};
  Metrics metrics;
  std::unique_ptr<LogReader> reader;
  RuleEditions::Build build;
  std::unique_ptr<Chain> base;
  std::optional<RuleEditions> editions;
  std::optional<RuleFollower> follower;
};

struct Fixture {
  Fixture() {
    broker.CreateTopic("control", 1);
    Write(Text(1));
  }
  void Write(const std::string& text) { WriteText(file, text); }
  void Apply(Running& running, const std::string& text, v1::ControlRecord::Origin origin = v1::ControlRecord::APPLIED) {
    v1::ControlRecord record;
    record.set_text(text);
    record.set_rules(RulesVersionOf(*running.build({"applied", text, {}, {}}).value()));
    record.set_origin(origin);
    broker.Append("control", 0, {.key = record.rules(), .value = record.SerializeAsString()});
    running.follower->Look();
  }
  // The identity of the models.
  std::string Publish(const v1::ModelFile& models,
                      v1::ControlRecord::Origin origin = v1::ControlRecord::MODELS_APPLIED) {
    v1::ControlRecord record;
    record.set_text(ModelFileText(models).value());
    record.set_name("models.json");
    record.set_models(ModelIdentity(ParseModelFile(record.text()).value()));
    record.set_origin(origin);
    broker.Append("control", 0, {.key = "", .value = record.SerializeAsString()});
    return record.models();
  }
  std::string PublishModels(const std::string& name) {
    v1::ModelFile models = BuiltInModels();
    models.set_name(name);
    return Publish(models);
  }
  std::string ApplyModels(Running& running, const std::string& name) {
    std::string models = PublishModels(name);
    running.follower->Look();
    return models;
  }
  void RollBackModels(Running& running) {
    v1::ControlRecord record;
    record.set_origin(v1::ControlRecord::MODELS_ROLLED_BACK);
    broker.Append("control", 0, {.key = "", .value = record.SerializeAsString()});
    running.follower->Look();
  }
  size_t published() { return broker.Committed("control", 0).size(); }

  ManualClock clock{FromMicros(1)};
  MemoryBroker broker{&clock};
  TemporaryFolder folder;
  std::filesystem::path file = folder.path() / "tags.yaml";
};

TEST_CASE("the rules of a new file are published once, by whichever process comes first") {
  Fixture f;
  Running first(f.broker, f.file), second(f.broker, f.file);
  CHECK(f.published() == 1);
  CHECK(first.InForce() == RulesVersionOf(*first.base));
  CHECK(second.InForce() == first.InForce());
  CHECK(first.editions->current()->control_position == 1);
}

TEST_CASE("a file that is edited takes effect in every process; one that is no good changes nothing") {
  Fixture f;
  Running first(f.broker, f.file), second(f.broker, f.file);
  const std::string before = first.InForce();
  first.Edit(Text(5));
  second.follower->Look();
  CHECK(first.InForce() != before);
  CHECK(second.InForce() == first.InForce());
  const std::string after = first.InForce();
  first.Edit("- tag: frequent\n  when: purchases.ordres > 5\n");
  CHECK(first.InForce() == after);
  CHECK(first.refused() == 1);
  first.follower->Look();
  CHECK(first.refused() == 1);  // told once
  CHECK(f.published() == 2);
  first.Edit(Text(1));  // an old text is meant when somebody writes it
  CHECK(first.InForce() == before);
}

TEST_CASE("rules that were applied stay in force when a process starts with its file as it was") {
  Fixture f;
  Running first(f.broker, f.file);
  f.Apply(first, Text(9));
  const std::string applied = first.InForce();
  CHECK(applied != RulesVersionOf(*first.base));
  CHECK(Running(f.broker, f.file).InForce() == applied);
  f.Write(Text(3));  // edited while nothing ran
  Running again(f.broker, f.file);
  CHECK(again.InForce() == RulesVersionOf(*again.base));
}

TEST_CASE("rules that are built in give way to any that somebody chose") {
  Fixture f;
  Running chosen(f.broker, f.file);
  Running built_in(f.broker, f.file, /*built_in=*/true);
  CHECK(built_in.InForce() == chosen.InForce());
  CHECK(f.published() == 1);
}

TEST_CASE("a control record that this build cannot use leaves the rules before it in force") {
  Fixture f;
  Running running(f.broker, f.file);
  const std::string before = running.InForce();
  v1::ControlRecord record;
  record.set_rules("0123456789ab");
  record.set_text("- tag: x\n  when: weather.sunny\n");
  f.broker.Append("control", 0, {.key = "x", .value = record.SerializeAsString()});
  running.follower->Look();
  CHECK(running.InForce() == before);
  CHECK(running.refused() == 1);
  CHECK(absl::IsFailedPrecondition(running.editions->Find("0123456789ab", 2).status()));
}

TEST_CASE("rules in the shadow stand beside those in force, until they are promoted or end") {
  Fixture f;
  Running running(f.broker, f.file);
  const std::string file = running.InForce();
  const auto at = [&] { return absl::StrCat(running.InForce(), " ", running.editions->current()->shadow); };
  const auto version = [&](int orders) { return RulesVersionOf(*running.build({"x", Text(orders), {}, {}}).value()); };
  f.Apply(running, Text(2), v1::ControlRecord::SHADOWED);
  CHECK(at() == file + " 2");
  CHECK(ShadowVersionOf(*running.editions->current()->chain) == version(2));
  f.Apply(running, Text(3), v1::ControlRecord::SHADOWED);
  CHECK(at() == file + " 3");  // in place of the others
  f.Apply(running, Text(9));
  CHECK(at() == version(9) + " 3");  // other rules in force leave them there
  f.Apply(running, Text(3), v1::ControlRecord::PROMOTED);
  CHECK(at() == version(3) + " 0");
  CHECK(ShadowVersionOf(*running.editions->current()->chain).empty());
  f.Apply(running, Text(2), v1::ControlRecord::SHADOWED);
  f.Apply(running, Text(2), v1::ControlRecord::SHADOW_ENDED);
  CHECK(at() == version(3) + " 0");
  CHECK(running.editions->current()->control_position == 7);
  const auto past = running.editions->Find(version(9), 4);
  REQUIRE(past.ok());
  CHECK((*past)->shadow == 3);
  CHECK(ShadowVersionOf(*(*past)->chain) == version(3));
  CHECK(absl::IsFailedPrecondition(running.editions->Find(version(2), 6).status()));  // never in force
  CHECK(running.refused() == 0);
}

TEST_CASE("what is in the shadow does not keep a file of rules from coming into force") {
  Fixture f;
  Running first(f.broker, f.file);
  f.Apply(first, Text(3), v1::ControlRecord::SHADOWED);
  Running(f.broker, f.file);
  CHECK(f.published() == 2);  // its rules are in force: nothing to publish
  f.Write(Text(3));
  Running again(f.broker, f.file);
  CHECK(again.InForce() == RulesVersionOf(*again.base));
  CHECK(f.published() == 3);
}

TEST_CASE("models that were applied are in force beside the rules as they stand, until they are rolled back") {
  Fixture f;
  Running running(f.broker, f.file);
  const std::string file = running.InForce(), configured = ModelsOfChain(*running.base);
  const auto models = [&] { return ModelsOfChain(*running.editions->current()->chain); };
  const auto at = [&] {
    const auto edition = running.editions->current();
    return absl::StrCat(edition->rules == file ? "file" : "other", " ", edition->shadow, " ", edition->models);
  };
  const std::string first = f.ApplyModels(running, "first"), second = f.ApplyModels(running, "second");
  CHECK(first.starts_with("first@"));
  CHECK(models() == second);
  CHECK(at() == "file 0 3");
  f.Apply(running, Text(2), v1::ControlRecord::SHADOWED);
  f.Apply(running, Text(9));
  CHECK(at() == "other 4 3");
  CHECK(models() == second);
  CHECK(ShadowVersionOf(*running.editions->current()->chain) != "");
  f.RollBackModels(running);
  CHECK(at() == "other 4 6");  // a position of its own: rows that others have judged meanwhile are swept
  CHECK(models() == configured);
  CHECK(running.editions->current()->chain->version() == running.base->version());
  const auto past = running.editions->Find(file, 2);
  REQUIRE(past.ok());
  CHECK(ModelsOfChain(*(*past)->chain) == first);
  CHECK((*past)->models == 2);
  CHECK(running.refused() == 0);
}

TEST_CASE("models in the shadow run beside those in force, until they are promoted or gone") {
  Fixture f;
  Running running(f.broker, f.file);
  const auto standing = [&] {
    running.follower->Look();
    const auto edition = running.editions->current();
    return absl::StrCat(ModelsOfChain(*edition->chain), " | ", ShadowModelsOfChain(*edition->chain), " ",
                        edition->models, " ", edition->models_shadow);
  };
  v1::ModelFile first = BuiltInModels(), second = BuiltInModels();
  first.set_name("first"), second.set_name("second");
  const std::string configured = ModelsOfChain(*running.base);
  const std::string one = f.Publish(first, v1::ControlRecord::MODELS_SHADOWED);
  CHECK(standing() == absl::StrCat(configured, " | ", one, " 0 2"));
  const std::string two = f.Publish(second, v1::ControlRecord::MODELS_SHADOWED);
  CHECK(standing() == absl::StrCat(configured, " | ", two, " 0 3"));
  f.Publish(first);
  CHECK(standing() == absl::StrCat(one, " | ", two, " 4 3"));
  f.Publish(second, v1::ControlRecord::MODELS_PROMOTED);
  CHECK(standing() == absl::StrCat(two, " |  5 0"));
  f.Publish(first, v1::ControlRecord::MODELS_SHADOWED);
  f.Publish(first, v1::ControlRecord::MODELS_SHADOW_ENDED);
  CHECK(standing() == absl::StrCat(two, " |  5 0"));
  // What a tail was written under can be found again.
  const auto past = running.editions->Find(running.InForce(), 3);
  REQUIRE(past.ok());
  CHECK(ShadowModelsOfChain(*(*past)->chain) == two);

  v1::ModelFile unusable = BuiltInModels();
  unusable.mutable_source()->set_currency("XYZ");
  f.Publish(unusable, v1::ControlRecord::MODELS_SHADOWED);
  CHECK(standing() == absl::StrCat(two, " |  5 0"));
  CHECK(running.metrics.models_refused.Value() == 1);
}

TEST_CASE("records of models are no rules: a process that starts takes its file for what is in force") {
  Fixture f;
  Running first(f.broker, f.file);
  f.ApplyModels(first, "shop");
  Running again(f.broker, f.file);
  CHECK(f.published() == 2);
  CHECK(again.InForce() == RulesVersionOf(*again.base));
  CHECK(ModelsOfChain(*again.editions->current()->chain).starts_with("shop@"));
}

TEST_CASE("models may be applied before any process has started") {
  Fixture f;
  const std::string models = f.PublishModels("early");
  Running running(f.broker, f.file);
  CHECK(running.InForce() == RulesVersionOf(*running.base));
  CHECK(ModelsOfChain(*running.editions->current()->chain) == models);
  CHECK(ModelsOfChain(*running.editions->Find("", 1).value()->chain) == models);
}

TEST_CASE("models that this build or this configuration cannot use leave those before them in force") {
  Fixture f;
  Running running(f.broker, f.file);
  const std::string before = ModelsOfChain(*running.editions->current()->chain);
  v1::ModelFile file = BuiltInModels();
  file.set_name("elsewhere");
  SECTION("another currency") { file.mutable_source()->set_currency("JPY"); }
  SECTION("another horizon") {
    file.mutable_learned()->set_version(1), file.mutable_learned()->set_horizon_days(7);
    file.mutable_learned()->add_features()->set_name("purchases.orders");
  }
  SECTION("a feature that is not there") {
    file.mutable_learned()->set_version(1), file.mutable_learned()->set_horizon_days(90);
    file.mutable_learned()->add_features()->set_name("purchases.ordres");
  }
  f.Publish(file);
  running.follower->Look();
  CHECK(ModelsOfChain(*running.editions->current()->chain) == before);
  CHECK(running.metrics.models_refused.Value() == 1);
  CHECK(running.refused() == 0);
  const std::string good = f.ApplyModels(running, "shop");
  CHECK(ModelsOfChain(*running.editions->current()->chain) == good);
}

TEST_CASE("a rollback of models goes back step by step, in the end to those of the configuration") {
  Fixture f;
  std::vector<ControlLog::Entry> history;
  const auto add = [&](v1::ControlRecord::Origin origin, const std::string& models) {
    ControlLog::Entry& entry = history.emplace_back();
    entry.record.set_origin(origin);
    entry.record.set_models(models);
  };
  const auto applied = [&] {
    std::string out;
    for (const v1::ControlRecord* record : AppliedModels(history)) absl::StrAppend(&out, record->models(), " ");
    return out;
  };
  add(v1::ControlRecord::FILE, "");
  CHECK(applied() == "");
  add(v1::ControlRecord::MODELS_APPLIED, "a"), add(v1::ControlRecord::MODELS_APPLIED, "b");
  CHECK(applied() == "a b ");
  add(v1::ControlRecord::APPLIED, "");
  add(v1::ControlRecord::MODELS_ROLLED_BACK, "a"), add(v1::ControlRecord::MODELS_ROLLED_BACK, "a");
  CHECK(applied() == "a ");
  add(v1::ControlRecord::MODELS_ROLLED_BACK, "");
  CHECK(applied() == "");
  add(v1::ControlRecord::MODELS_SHADOWED, "c");
  CHECK(applied() == "");
  add(v1::ControlRecord::MODELS_PROMOTED, "c"), add(v1::ControlRecord::MODELS_SHADOWED, "d");
  CHECK(applied() == "c ");
}

TEST_CASE("editions that a journal names are found again; one that is not known yet is asked for again") {
  Fixture f;
  Running running(f.broker, f.file);
  const std::string first = running.InForce();
  f.Apply(running, Text(7));
  const auto found = running.editions->Find(first, 1);
  REQUIRE(found.ok());
  CHECK(RulesVersionOf(*(*found)->chain) == first);
  CHECK(running.editions->Find("", 0).value()->chain.get() == running.base.get());
  CHECK(absl::IsUnavailable(running.editions->Find("later", 3).status()));
  CHECK(absl::IsFailedPrecondition(running.editions->Find("other", 1).status()));
}

TEST_CASE("a control topic that has lost its beginning is refused") {
  Fixture f;
  Running running(f.broker, f.file);
  f.Apply(running, Text(7));
  f.broker.Cut("control", 0, 1);
  const auto reader = f.broker.NewReader();
  ControlLog log(*reader, "control");
  const auto read = log.ReadNew(seconds(1));
  CHECK(absl::IsDataLoss(read.status()));
  CHECK(read.status().message().find("control") != std::string::npos);
}

}  // namespace
}  // namespace portrait
