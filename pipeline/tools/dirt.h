// Adds the dirt of real life to a stream of clean records, on purpose and counted: for demonstrations and tests.
//
//   DirtySink dirty({.rate = 0.01}, &kafka);   // every clean record still goes out, a hundredth has dirt after it
//
// Dirt is added, never put in the place of a clean record, so what a pipeline makes of the clean ones must not change.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pipeline/tools/draws.h"
#include "pipeline/tools/record_sink.h"

namespace portrait {

enum class Dirt {
  kDuplicate,    // the same record once more
  kBrokenClock,  // the event claims a time years after its record
  kMalformed,    // cut in the middle
  kGarbage,      // bytes that mean nothing
  kNoCustomer,   // neither key nor ids
  kTombstone,    // no value
};
inline constexpr size_t kDirtKinds = 6;
std::string_view DirtName(Dirt dirt);

struct DirtOptions {
  double rate = 0;  // share of records that are followed by dirt
  uint64_t seed = 1;
};

class DirtySink final : public RecordSink {
 public:
  // `clean` must outlive this. Only records of Protobuf or JSON as EventWriter makes them.
  DirtySink(DirtOptions options, RecordSink* clean)
      : options_(options), draws_(DrawSeed(options.seed, 0, 7)), clean_(*clean) {}

  absl::Status Write(const NewRecord& record) override;
  absl::Status Finish() override { return clean_.Finish(); }

  uint64_t count(Dirt dirt) const { return counts_[static_cast<size_t>(dirt)]; }

 private:
  absl::Status WriteDirt(Dirt dirt, const NewRecord& record);

  DirtOptions options_;
  Draws draws_;
  RecordSink& clean_;
  std::array<uint64_t, kDirtKinds> counts_{};
};

}  // namespace portrait
