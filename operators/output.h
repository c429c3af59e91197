// Where results go, and what is only counted.
#pragma once

#include <string_view>

#include "google/protobuf/message.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

// What models in force and those in the shadow say of one customer at the same moment.
struct ShadowJudgement {
  struct Said {
    double no_order = 0;  // probability within the horizon
    v1::ChurnAlert::Band band = v1::ChurnAlert::NONE;
  };
  Said in_force, shadow;
};

// Which side raises an alert.
enum class AlertBy { kModelsInForce, kModelsInShadow };

class OutputSink {
 public:
  virtual ~OutputSink() = default;

  // `output` numbers the outputs of the chain (Chain::outputs). The message is complete but for its emission time.
  virtual void Add(size_t output, std::string_view customer_id, const google::protobuf::Message& result) = 0;

  // Rules in the shadow would give a tag, or take it away: nothing goes out, and whoever counts may count it.
  virtual void AddShadow(std::string_view tag, bool comes) { static_cast<void>(tag), static_cast<void>(comes); }
  // The same of models in the shadow: what both sides say, and whose alerts open or worsen.
  virtual void AddShadowJudgement(const ShadowJudgement& judged) { static_cast<void>(judged); }
  virtual void AddShadowAlert(AlertBy by, v1::ChurnAlert::Phase phase) {
    static_cast<void>(by), static_cast<void>(phase);
  }
};

}  // namespace portrait
