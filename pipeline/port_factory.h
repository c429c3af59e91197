// Makes the ports of a worker: Kafka and RocksDB in the service, memory in the simulator.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pipeline/event_decoder.h"
#include "pipeline/ports/clock.h"
#include "pipeline/ports/group_consumer.h"
#include "pipeline/ports/log_reader.h"
#include "pipeline/ports/log_trimmer.h"
#include "pipeline/ports/transactional_producer.h"
#include "state/row_store.h"

namespace portrait {

// Safe from any thread; what it makes belongs to the worker that asked. `worker` counts from 0 within the process.
class PortFactory {
 public:
  virtual ~PortFactory() = default;

  // The number of partitions, equal in all source topics.
  virtual int32_t partitions() const = 0;

  virtual absl::StatusOr<std::unique_ptr<GroupConsumer>> NewConsumer(int worker) = 0;
  virtual absl::StatusOr<std::unique_ptr<TransactionalProducer>> NewProducer(int worker) = 0;
  virtual absl::StatusOr<std::unique_ptr<LogReader>> NewReader(int worker) = 0;
  virtual absl::StatusOr<std::unique_ptr<LogTrimmer>> NewTrimmer(int worker) = 0;
  virtual absl::StatusOr<std::unique_ptr<RowStore>> OpenStore(int32_t partition) = 0;
  virtual std::unique_ptr<EventDecoder> NewDecoder() = 0;
  // Aborts the open transaction of a transactional id by fencing whoever uses it. Unimplemented: it is waited for until
  // it times out.
  virtual absl::Status EndTransactionOf(const std::string& transactional_id, Duration timeout) {
    static_cast<void>(timeout);
    return absl::UnimplementedError(transactional_id);
  }
  virtual const Clock& clock() const = 0;
};

}  // namespace portrait
