// The stage before the operators: it returns the event, corrected where that is certain, or a rejection.
#pragma once

#include <optional>
#include <string>

#include "google/protobuf/message.h"
#include "operators/event.h"
#include "operators/fetcher.h"

namespace portrait {

// Why a record goes to the dead letters: a code for machines, a sentence for people.
struct Rejection {
  std::string code;  // snake_case, such as missing_customer_id; listed in docs/dead-letters.md
  std::string text;
};

// What is known about a record besides its event.
struct Arrival {
  Timestamp record_time;  // the timestamp that Kafka keeps for the record
};

// Constant and shared by all threads.
class CleaningStage {
 public:
  virtual ~CleaningStage() = default;

  // Validates and corrects; sees no row. A pure function of event and arrival.
  virtual std::optional<Rejection> Check(Event& event, const Arrival& arrival) const = 0;

  // Whether this customer's row has seen the event before, within a bounded window; if not, it is remembered.
  virtual bool IsDuplicate(const Event& event, google::protobuf::Message& state) const = 0;

  virtual const google::protobuf::Message& EmptyState() const = 0;

  // Names the memory of a state, so that it is fetched before it is looked at; only for speed.
  virtual void Fetch(const google::protobuf::Message& state, Fetcher& fetch) const {
    static_cast<void>(state), static_cast<void>(fetch);
  }
};

}  // namespace portrait
