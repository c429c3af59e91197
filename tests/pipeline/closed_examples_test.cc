#include "pipeline/closed_examples.h"

#include <catch2/catch_test_macros.hpp>

#include "pipeline/emitter.h"
#include "portrait/v1/result.pb.h"
#include "tests/pipeline/documents.h"

namespace portrait {
namespace {

v1::ChurnExample Example(const std::string& model, double said, bool no_order) {
  v1::ChurnExample out;
  out.set_model(model);
  out.set_probability(said);
  out.set_no_order(no_order);
  return out;
}

double Value(const Metrics& metrics, const std::string& sample) {
  for (const std::string& line : LinesOf(metrics.Text())) {
    if (line.starts_with(sample + " ")) return std::stod(line.substr(sample.size() + 1));
  }
  return -1;
}

TEST_CASE("closed examples are counted by model, beside what it had said") {
  Metrics metrics;
  ClosedExamples closed(metrics);
  Emitter emitter;
  v1::ChurnAlert alert;
  alert.set_model("one");
  emitter.Add(0, "anna", alert);
  emitter.Add(1, "anna", Example("one", 0.75, true));
  emitter.Add(1, "bob", Example("one", 0.5, false));
  v1::ChurnExample beside = Example("two", 0.25, true);
  beside.set_shadow_model("three");
  beside.set_shadow_probability(0.5);
  emitter.Add(1, "carl", beside);
  const Emitter::Taken taken = emitter.Take();
  const std::vector<const google::protobuf::Descriptor*> types = {v1::ChurnAlert::descriptor(),
                                                                  v1::ChurnExample::descriptor()};
  closed.OnCommitted({.results = &taken.batch, .types = &types});
  CHECK(Value(metrics, "portrait_churn_examples_total{model=\"one\"}") == 2);
  CHECK(Value(metrics, "portrait_churn_examples_no_order_total{model=\"one\"}") == 1);
  CHECK(Value(metrics, "portrait_churn_examples_said_no_order_total{model=\"one\"}") == 1.25);
  CHECK(Value(metrics, "portrait_churn_examples_squared_error_total{model=\"one\"}") == 0.3125);
  CHECK(Value(metrics, "portrait_churn_examples_total{model=\"two\"}") == 1);
  CHECK(Value(metrics, "portrait_churn_examples_no_order_total{model=\"three\"}") == 1);
  CHECK(Value(metrics, "portrait_churn_examples_squared_error_total{model=\"three\"}") == 0.25);
}

}  // namespace
}  // namespace portrait
