// Features with values that a test sets, without operators: what conditions are tried on.
//
//   SomeFeatures features;
//   features.values["shop.orders"] = int64_t{3};
//   CHECK(features.Shown("shop.orders + 1") == "4");
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "operators/features.h"
#include "operators/rules/compiler.h"
#include "operators/rules/program.h"
#include "portrait/v1/row.pb.h"

namespace portrait::rules {

class SomeFeatures {
 public:
  struct Interest {
    std::string name;
    Value score;
    Value views;
    Value last;
  };

  SomeFeatures() {
    Add("shop.vip", FeatureType::kBoolean, "1");
    Add("shop.orders", FeatureType::kInteger, "orders");
    Add("shop.returns", FeatureType::kInteger, "orders");
    Add("shop.spend", FeatureType::kNumber, "currency");
    Add("shop.rate", FeatureType::kNumber, "1");
    Add("shop.silent", FeatureType::kNumber, "days");
    Add("shop.city", FeatureType::kText, "text");
    Add("shop.name", FeatureType::kText, "text");
    Add("shop.last", FeatureType::kTimestamp, "time");
    Add("shop.first", FeatureType::kTimestamp, "time");
    Add("shop.visit", FeatureType::kDuration, "days");
    FeatureDescription& list = descriptions_.emplace_back();
    list.name = "shop.interests";
    list.type = FeatureType::kItems;
    list.columns = {{"score", FeatureType::kNumber, "1", ""},
                    {"views", FeatureType::kInteger, "views", ""},
                    {"last", FeatureType::kTimestamp, "time", ""}};
    list.items = [this](const google::protobuf::Message&, const Moment&) {
      Items out;
      for (const Interest& i : interests) out.push_back({i.name, {i.score, i.views, i.last}});
      return out;
    };
    Register(list);
    row_.states = OperatorStates(2);
  }
  SomeFeatures(const SomeFeatures&) = delete;

  std::map<std::string, Value> values;  // none: there is no value
  std::vector<Interest> interests;
  Moment now{FromMicros(int64_t{20'000} * 86'400'000'000 + 12 * int64_t{3'600'000'000}), 20'000};

  const FeatureRegistry& registry() const { return registry_; }
  FeatureReader reader() const { return FeatureReader(row_, now); }
  const std::deque<FeatureDescription>& descriptions() const { return descriptions_; }
  void ChangedBy(EventKind kind) { kinds_.set(static_cast<size_t>(kind)); }
  void Changes(std::string_view name, OverTime over_time) {
    for (FeatureDescription& about : descriptions_) {
      if (about.name == name) about.over_time = std::move(over_time);
    }
  }
  void ColumnsChange(const OverTime& over_time) {
    for (FeatureDescription& about : descriptions_) {
      for (FeatureColumn& column : about.columns) column.over_time = over_time;
    }
  }

  // The value of an expression as text; "error: …" when it is an error, or what is wrong with it.
  std::string Shown(std::string_view source, const Scope& scope = {}) const {
    Program program;
    const auto node = Compiler(registry_, program).Anything(source, scope);
    if (!node.ok()) return std::string(node.status().message());
    const FeatureReader from = reader();
    return ScalarText(Evaluation(program, from, now, Scratch::OfThisThread()).Run(*node));
  }

  static std::string ScalarText(const Scalar& value) {
    if (!value.failed()) return ToText(ToValue(value));
    switch (value.failure) {
      case Failure::kNoValue: return "error: no value";
      case Failure::kDivisionByZero: return "error: division by zero";
      case Failure::kOverflow: return "error: overflow";
    }
    return "";
  }

 private:
  void Add(const char* name, FeatureType type, const char* unit) {
    FeatureDescription& about = descriptions_.emplace_back();
    about.name = name;
    about.type = type;
    about.unit = unit;
    about.value = [this, key = about.name](const google::protobuf::Message&, const Moment&) {
      const auto it = values.find(key);
      return it == values.end() ? Value() : it->second;
    };
    Register(about);
  }
  void Register(const FeatureDescription& about) {
    static_cast<void>(registry_.Add(1, &about, &v1::OperatorState::default_instance(), &kinds_));
  }

  EventKindSet kinds_;
  std::deque<FeatureDescription> descriptions_;
  FeatureRegistry registry_;
  RowState row_;
};

}  // namespace portrait::rules
