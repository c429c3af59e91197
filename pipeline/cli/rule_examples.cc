#include "pipeline/cli/rule_examples.h"

#include <algorithm>
#include <exception>
#include <initializer_list>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "pipeline/decode/decoder.h"
#include "pipeline/decode/iso_time.h"
#include "pipeline/tools/past.h"
#include "pipeline/tools/rule_comparison.h"
#include "yaml-cpp/yaml.h"

namespace portrait {
namespace {

constexpr const char* kCustomer = "example";
constexpr int64_t kMostTimes = 1000;

// Thrown within this file only.
struct Wrong {
  YAML::Mark mark;
  std::string what;
};

[[noreturn]] void Fail(const YAML::Node& node, std::string what) { throw Wrong{node.Mark(), std::move(what)}; }

// A plain scalar is a number or a truth where it reads as one, as in YAML; one in quotes is a text.
nlohmann::json JsonOf(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map: {
      nlohmann::json out = nlohmann::json::object();
      for (const auto& entry : node) out[entry.first.Scalar()] = JsonOf(entry.second);
      return out;
    }
    case YAML::NodeType::Sequence: {
      nlohmann::json out = nlohmann::json::array();
      for (const YAML::Node& item : node) out.push_back(JsonOf(item));
      return out;
    }
    case YAML::NodeType::Scalar: break;
    default: return nullptr;
  }
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;
  int64_t whole = 0;
  double number = 0;
  if (text == "true" || text == "false") return text == "true";
  if (absl::SimpleAtoi(text, &whole)) return whole;
  if (absl::SimpleAtod(text, &number)) return number;
  return text;
}

Timestamp TimeOf(const YAML::Node& node) {
  if (!node["at"] || !node["at"].IsScalar()) Fail(node, "needs a time: at: 2026-01-31 12:00");
  const auto time = ParseIsoTime(node["at"].Scalar());
  if (!time) Fail(node["at"], absl::StrCat("is no time such as 2026-01-31 12:00: ", node["at"].Scalar()));
  return FromMicros(*time);
}

std::vector<std::string> NamesOf(const YAML::Node& node) {
  std::vector<std::string> out;
  if (!node) return out;
  if (node.IsScalar()) return {node.Scalar()};
  if (!node.IsSequence()) Fail(node, "a list of tags is wanted");
  for (const YAML::Node& name : node) out.push_back(name.Scalar());
  return out;
}

void CheckKeys(const YAML::Node& node, std::initializer_list<const char*> allowed) {
  if (!node.IsMap()) Fail(node, absl::StrCat("a map is wanted, with ", absl::StrJoin(allowed, ", ")));
  for (const auto& entry : node) {
    const std::string& key = entry.first.Scalar();
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
      Fail(entry.first, absl::StrCat("no such key; there are ", absl::StrJoin(allowed, ", "), ": ", key));
    }
  }
}

class ExampleRunner {
 public:
  ExampleRunner(std::string_view name, const Chain& chain, absl::TimeZone zone) : name_(name), past_(chain, zone) {}

  ExampleReport Run(const YAML::Node& list) {
    if (!list.IsSequence()) Fail(list, "a list of examples is wanted: - example: …");
    for (const YAML::Node& example : list) RunOne(example);
    return std::move(report_);
  }

 private:
  void RunOne(const YAML::Node& example) {
    CheckKeys(example, {"example", "events", "expect"});
    for (const char* needed : {"example", "events", "expect"}) {
      if (!example[needed]) Fail(example, absl::StrCat("an example lacks `", needed, "`"));
    }
    std::vector<Event> events;
    for (const YAML::Node& event : example["events"]) ReadEvent(event, events);
    std::stable_sort(events.begin(), events.end(),
                     [](const Event& a, const Event& b) { return a.event_time_us() < b.event_time_us(); });
    ++report_.examples;
    for (const YAML::Node& expected : example["expect"]) {
      CheckKeys(expected, {"at", "has", "lacks"});
      const Timestamp at = TimeOf(expected);
      past_.Live(kCustomer, events, at);
      for (const std::string& tag : NamesOf(expected["has"])) Expect(example, expected, at, tag, true);
      for (const std::string& tag : NamesOf(expected["lacks"])) Expect(example, expected, at, tag, false);
    }
  }

  void Expect(const YAML::Node& example, const YAML::Node& expected, Timestamp at, const std::string& tag, bool has) {
    ++report_.expectations;
    const std::vector<std::string> held = past_.Held();
    const bool found = std::find(held.begin(), held.end(), tag) != held.end();
    const auto standing = past_.Explain(tag);
    if (found == has && (has || standing.ok())) return;
    const std::string why = standing.ok() ? WhyText(standing->reasons) : std::string(standing.status().message());
    report_.failures.push_back(absl::StrCat(name_, ":", expected.Mark().line + 1, ": ", example["example"].Scalar(),
                                            ": at ", ToText(at), (has ? " should have " : " should not have "), tag,
                                            "; has ", held.empty() ? "no tags" : absl::StrJoin(held, ", "),
                                            why.empty() ? "" : "; ", why));
  }

  // Segment's form, flat: what is not `at`, `event` or `times` is a property, or a trait of identify.
  void ReadEvent(const YAML::Node& node, std::vector<Event>& events) {
    if (!node.IsMap() || !node["event"]) Fail(node, "an event is wanted: {at: 2026-01-31, event: Order Completed, …}");
    const int64_t time_us = ToMicros(TimeOf(node));
    nlohmann::json fields = nlohmann::json::object();
    int64_t times = 1;
    for (const auto& entry : node) {
      const std::string& key = entry.first.Scalar();
      if (key == "at" || key == "event") continue;
      if (key != "times") {
        fields[key] = JsonOf(entry.second);
      } else if (!absl::SimpleAtoi(entry.second.Scalar(), &times) || times < 1 || times > kMostTimes) {
        Fail(entry.second, absl::StrCat("must be 1 to ", kMostTimes, ": ", entry.second.Scalar()));
      }
    }
    const std::string kind = node["event"].Scalar();
    nlohmann::json json = {{"userId", kCustomer}, {"timestamp", time_us}};
    if (kind == "identify" || kind == "page") {
      json["type"] = kind;
      json[kind == "page" ? "properties" : "traits"] = fields;
    } else {
      json["type"] = "track";
      json["event"] = kind;
      json["properties"] = fields;
    }
    for (int64_t i = 0; i < times; ++i) {
      json["messageId"] = absl::StrCat("event ", ++number_);
      const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      Record record;
      record.timestamp_us = time_us;
      record.value = text;
      Event event;
      if (const auto rejection = decoder_.Decode(record, SourceOptions{.topic = "examples"}, event)) {
        Fail(node, absl::StrCat(rejection->code, ": ", rejection->text));
      }
      events.push_back(std::move(event));
    }
  }

  std::string name_;
  Past past_;
  Decoder decoder_;
  int64_t number_ = 0;
  ExampleReport report_;
};

}  // namespace

absl::StatusOr<ExampleReport> RunExamples(std::string_view name, std::string_view yaml, const Chain& chain,
                                          absl::TimeZone zone) {
  try {
    return ExampleRunner(name, chain, zone).Run(YAML::Load(std::string(yaml)));
  } catch (const Wrong& wrong) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(name), ":", wrong.mark.line + 1, ":", wrong.mark.column + 1, ": ", wrong.what));
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(name), ":", error.mark.line + 1, ":",
                                                   error.mark.column + 1, ": not YAML: ", error.msg));
  }
}

}  // namespace portrait
