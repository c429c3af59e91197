// Where results go.
#pragma once

#include <string_view>

#include "google/protobuf/message.h"

namespace portrait {

class OutputSink {
 public:
  virtual ~OutputSink() = default;

  // `output` numbers the outputs of the chain (Chain::outputs). The message is complete but for its emission time.
  virtual void Add(size_t output, std::string_view customer_id, const google::protobuf::Message& result) = 0;

  // Rules in the shadow would give a tag, or take it away: nothing goes out, and whoever counts may count it.
  virtual void AddShadow(std::string_view tag, bool comes) { static_cast<void>(tag), static_cast<void>(comes); }
};

}  // namespace portrait
