#include "pipeline/cli/chain_description.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "operators/rules/event_fields.h"

namespace portrait {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> KindsRead(const Description& about) {
  std::vector<std::string> kinds;
  const auto* body = Event::descriptor()->FindOneofByName("body");
  for (int i = 0; i < body->field_count(); ++i) {
    if (about.reads().test(static_cast<size_t>(body->field(i)->number()))) kinds.push_back(body->field(i)->name());
  }
  return kinds;
}

// "every event" rather than thirty names.
std::string ReadsText(const Description& about) {
  const auto kinds = KindsRead(about);
  if (static_cast<int>(kinds.size()) == Event::descriptor()->FindOneofByName("body")->field_count())
    return "every event";
  return kinds.empty() ? "no events" : absl::StrJoin(kinds, ", ");
}

struct Written {
  std::string topic;
  WireFormat format;
};

Written WhereTo(std::string_view output, const EngineOptions& engine) {
  for (const OutputOptions& options : engine.outputs) {
    if (options.output == output) return {options.topic, options.format};
  }
  return {std::string(output), OutputOptions().format};
}

std::string FormatName(WireFormat format) { return format == WireFormat::kJson ? "json" : "protobuf"; }

std::string TypeAndUnit(FeatureType type, const std::string& unit) {
  std::string out(FeatureTypeName(type));
  if (!unit.empty() && unit != "1" && unit != out) absl::StrAppend(&out, ", ", unit);
  return out;
}

std::string FeaturesText(const Description& about) {
  size_t name_width = 0, type_width = 0;
  for (const FeatureDescription& feature : about.features()) {
    name_width = std::max(name_width, feature.name.size());
    type_width = std::max(type_width, TypeAndUnit(feature.type, feature.unit).size());
  }
  std::string out;
  for (const FeatureDescription& feature : about.features()) {
    const std::string type = TypeAndUnit(feature.type, feature.unit);
    absl::StrAppend(&out, "    ", feature.name, std::string(name_width + 2 - feature.name.size(), ' '), type,
                    std::string(type_width + 2 - type.size(), ' '), feature.meaning, "\n");
    for (const FeatureColumn& column : feature.columns) {
      absl::StrAppend(&out, "      of each: ", column.name, " (", TypeAndUnit(column.type, column.unit),
                      "): ", column.meaning, "\n");
    }
  }
  return out;
}

// The kinds of events with their fields, as windows in rules name them.
std::string EventsText() {
  std::string out = "\nEvents and their fields, for windows in rules such as count(page_viewed, \"7d\")\n";
  for (const EventKind kind : rules::EventFields::Kinds()) {
    std::string fields;
    for (const FeatureRef& field : rules::EventFields::Of(kind).registry().all()) {
      const FeatureDescription& about = field.description();
      absl::StrAppend(&fields, fields.empty() ? "" : ", ", about.name);
      if (about.type != FeatureType::kText) absl::StrAppend(&fields, " (", TypeAndUnit(about.type, about.unit), ")");
    }
    absl::StrAppend(&out, "    ", std::string(EventKindName(kind)), ": ", fields, "\n");
  }
  return out;
}

Json EventsJson() {
  Json out = Json::array();
  for (const EventKind kind : rules::EventFields::Kinds()) {
    Json fields = Json::array();
    for (const FeatureRef& field : rules::EventFields::Of(kind).registry().all()) {
      const FeatureDescription& about = field.description();
      fields.push_back(
          {{"name", about.name}, {"type", std::string(FeatureTypeName(about.type))}, {"unit", about.unit}});
    }
    out.push_back({{"kind", std::string(EventKindName(kind))}, {"fields", fields}});
  }
  return out;
}

std::string Quoted(const std::string& text) { return Json(text).dump(); }

Json FeatureJson(const FeatureDescription& feature) {
  Json out = {{"name", feature.name},
              {"type", std::string(FeatureTypeName(feature.type))},
              {"unit", feature.unit},
              {"meaning", feature.meaning}};
  for (const FeatureColumn& column : feature.columns) {
    out["columns"].push_back({{"name", column.name},
                              {"type", std::string(FeatureTypeName(column.type))},
                              {"unit", column.unit},
                              {"meaning", column.meaning}});
  }
  return out;
}

Json OperatorJson(const Description& about) {
  Json out = {{"name", about.name()},      {"about", about.about()},  {"reads", KindsRead(about)},
              {"features", Json::array()}, {"timers", Json::array()}, {"writes", Json::array()}};
  for (const FeatureDescription& feature : about.features()) out["features"].push_back(FeatureJson(feature));
  for (const TimerDescription& timer : about.timers()) {
    out["timers"].push_back({{"id", timer.id}, {"meaning", timer.meaning}});
  }
  for (const OutputDescription& output : about.outputs()) out["writes"].push_back(output.topic);
  return out;
}

}  // namespace

std::string ChainAsText(const Chain& chain, const EngineOptions& engine) {
  std::string out = absl::StrCat("Chain version ", chain.version(), "\n\nReads\n");
  for (const SourceOptions& source : engine.sources) {
    absl::StrAppend(&out, "    ", source.topic, " (", FormatName(source.format),
                    " unless the record says otherwise)\n");
  }
  absl::StrAppend(&out, "\nOperators, in their order\n  clean: validates, corrects, drops duplicates\n");
  for (const Chain::Link& link : chain.operators()) {
    const Description& about = *link.about;
    absl::StrAppend(&out, "\n  ", about.name(), ": ", about.about(), "\n    reads ", ReadsText(about), "\n");
    for (const TimerDescription& timer : about.timers())
      absl::StrAppend(&out, "    timer ", timer.id, ": ", timer.meaning, "\n");
    for (const OutputDescription& output : about.outputs()) absl::StrAppend(&out, "    writes ", output.topic, "\n");
    out += FeaturesText(about);
  }
  out += EventsText();
  absl::StrAppend(&out, "\nWrites\n");
  for (const OutputDescription& output : chain.outputs()) {
    const Written to = WhereTo(output.topic, engine);
    absl::StrAppend(&out, "    ", output.topic, " to topic ", to.topic, " (", FormatName(to.format),
                    "): ", output.meaning, "\n");
  }
  const Written dead = WhereTo("dead-letters", engine);
  absl::StrAppend(&out, "    dead-letters to topic ", dead.topic, " (", FormatName(dead.format),
                  "): records that could not be used, each with the reason\n");
  return out;
}

std::string ChainAsDot(const Chain& chain, const EngineOptions& engine) {
  std::string out = "digraph portrait {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n  clean [shape=box];\n";
  for (const SourceOptions& source : engine.sources) {
    absl::StrAppend(&out, "  ", Quoted(source.topic), " [shape=cds];\n  ", Quoted(source.topic), " -> clean;\n");
  }
  const std::string dead = Quoted(WhereTo("dead-letters", engine).topic);
  absl::StrAppend(&out, "  ", dead, " [shape=cds];\n  clean -> ", dead, " [style=dashed];\n");
  for (const OutputDescription& output : chain.outputs()) {
    absl::StrAppend(&out, "  ", Quoted(WhereTo(output.topic, engine).topic), " [shape=cds];\n");
  }
  std::string before = "clean";
  for (const Chain::Link& link : chain.operators()) {
    const std::string& name = link.about->name();
    absl::StrAppend(&out, "  ", name, " [shape=box, tooltip=", Quoted(link.about->about()), "];\n  ", before, " -> ",
                    name, ";\n");
    for (const OutputDescription& output : link.about->outputs()) {
      absl::StrAppend(&out, "  ", name, " -> ", Quoted(WhereTo(output.topic, engine).topic), ";\n");
    }
    before = name;
  }
  return out + "}\n";
}

std::string ChainAsJson(const Chain& chain, const EngineOptions& engine) {
  Json out = {{"version", chain.version()},
              {"sources", Json::array()},
              {"operators", Json::array()},
              {"outputs", Json::array()}};
  for (const SourceOptions& source : engine.sources) {
    out["sources"].push_back({{"topic", source.topic}, {"format", FormatName(source.format)}});
  }
  for (const Chain::Link& link : chain.operators()) out["operators"].push_back(OperatorJson(*link.about));
  out["events"] = EventsJson();
  auto add_output = [&](const std::string& name, const std::string& meaning) {
    const Written to = WhereTo(name, engine);
    out["outputs"].push_back(
        {{"name", name}, {"topic", to.topic}, {"format", FormatName(to.format)}, {"meaning", meaning}});
  };
  for (const OutputDescription& output : chain.outputs()) add_output(output.topic, output.meaning);
  add_output("dead-letters", "records that could not be used, each with the reason");
  return out.dump(2) + "\n";
}

}  // namespace portrait
