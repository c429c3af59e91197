// A result as the API shows it: schema Result of view/openapi.yaml.
#pragma once

#include "portrait/v1/result.pb.h"
#include "view/json.h"
#include "view/masking.h"

namespace portrait::view {

// `masked`: personal data in reasons is.
Json ResultJson(const v1::TagChange& change, bool masked);
Json ResultJson(const v1::ChurnAlert& alert, bool masked);

// In one line, without time and customer: "+ silent", "churn opened, high: 87 % that no order comes within 90 days".
std::string ResultText(const v1::TagChange& change);
std::string ResultText(const v1::ChurnAlert& alert);

// Of a list of v1.Reason, of whatever type.
template <class Reasons>
Json ReasonsJson(const Reasons& reasons, bool masked) {
  Json out = Json::array();
  for (const v1::Reason& reason : reasons) out.push_back(ReasonJson(masked ? Masked(reason) : reason));
  return out;
}

}  // namespace portrait::view
