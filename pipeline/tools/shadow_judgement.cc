#include "pipeline/tools/shadow_judgement.h"

#include <vector>

#include "absl/strings/str_format.h"
#include "operators/models/judgement.h"

namespace portrait {

void ShadowOnClosed::Add(const v1::ChurnExample& example) {
  if (example.shadow_model().empty()) return;
  closed_[{example.model(), example.shadow_model()}][{example.origin_us(), example.info().customer_id()}] = {
      example.probability(), example.shadow_probability(), example.no_order()};
}

std::string ShadowOnClosed::Text() const {
  std::string text;
  for (const auto& [models, examples] : closed_) {
    std::vector<double> in_force, shadow;
    std::vector<bool> no_order;
    for (const auto& [place, one] : examples) {
      in_force.push_back(one.in_force), shadow.push_back(one.shadow);
      no_order.push_back(one.no_order);
    }
    const Judgement before = Judge(in_force, no_order), beside = Judge(shadow, no_order);
    absl::StrAppendFormat(&text,
                          "in the shadow, on %d closed examples, %d without an order:  AUC   Brier  calibration\n",
                          examples.size(), before.happened);
    const auto row = [&](const char* where, const std::string& model, const Judgement& judged) {
      absl::StrAppendFormat(&text, "  %-13s  %-40s  %6.4f  %6.4f  %.4f\n", where, model, judged.auc, judged.brier,
                            judged.calibration_error);
    };
    row("in force", models.first, before);
    row("in the shadow", models.second, beside);
  }
  return text;
}

}  // namespace portrait
