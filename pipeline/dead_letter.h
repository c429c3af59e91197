// What a record that cannot be used becomes.
#pragma once

#include <string_view>

#include "operators/cleaning.h"
#include "pipeline/ports/record.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

// The record as it was, with the reason. A value larger than `max_bytes` is cut; topic, partition and offset point to
// the original. `customer_id` may be empty. Its id follows from topic, partition and offset.
v1::DeadLetter MakeDeadLetter(const Record& record, std::string_view topic, const Rejection& rejection,
                              std::string_view customer_id, std::string_view version, size_t max_bytes);

}  // namespace portrait
