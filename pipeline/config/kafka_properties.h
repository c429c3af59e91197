// Which of librdkafka's properties a configuration may set, judged by librdkafka itself.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace portrait {

// InvalidArgument: no such property, a value that librdkafka refuses, or a property that Portrait sets itself because
// its guarantees depend on it. The message never holds the value.
absl::Status CheckKafkaProperty(const std::string& name, const std::string& value);

// Whether the value of a property must not be shown: passwords, keys and tokens.
bool IsSecretKafkaProperty(std::string_view name);

}  // namespace portrait
