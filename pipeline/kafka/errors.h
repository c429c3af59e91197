// librdkafka's errors as absl::Status.
//
//   Unavailable         brokers or coordinators are away or changing: try again
//   NotFound            a topic or partition that does not exist
//   OutOfRange          an offset that the log does not hold
//   FailedPrecondition  fenced: a later producer or member goes under the same id
//   Aborted             the group has moved on from this member's generation
//   PermissionDenied, Unauthenticated, InvalidArgument, AlreadyExists, ResourceExhausted, DataLoss as they say
//   Internal            anything else
#pragma once

#include <librdkafka/rdkafka.h>

#include <string_view>

#include "absl/status/status.h"
#include "operators/time.h"
#include "pipeline/kafka/handles.h"

namespace portrait {

absl::StatusCode StatusCodeOf(rd_kafka_resp_err_t error);

// OK for no error. Otherwise "<what>: <detail>"; without detail, librdkafka's own text of the error.
absl::Status StatusOf(rd_kafka_resp_err_t error, std::string_view what, std::string_view detail = {});
absl::Status StatusOf(const KafkaErrorPtr& error, std::string_view what);

// As librdkafka takes time-outs: whole milliseconds, rounded up, so that a short wait does not become none.
int TimeoutMillis(Duration timeout);

}  // namespace portrait
