// Collects the results of a transaction: their bytes in order, and a digest over them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "operators/output.h"
#include "pipeline/options.h"
#include "pipeline/shadow_counts.h"

struct XXH3_state_s;

namespace portrait {

// A digest over results in their order. The emission time is not in it.
class OutputDigest {
 public:
  OutputDigest();
  ~OutputDigest();
  OutputDigest(OutputDigest&& other) noexcept;
  OutputDigest& operator=(OutputDigest&& other) noexcept;

  void Add(size_t output, std::string_view key, std::string_view payload);
  uint64_t value() const;
  uint64_t count() const { return count_; }
  void Reset();

 private:
  XXH3_state_s* state_;
  uint64_t count_ = 0;
};

// How often rules in the shadow would have given a tag, and taken it away.
struct ShadowChanges {
  uint64_t entries = 0, exits = 0;
};

// Results of one task between two commits. One thread.
class Emitter final : public OutputSink {
 public:
  void Add(size_t output, std::string_view customer_id, const google::protobuf::Message& result) override;

  void AddShadow(std::string_view tag, bool comes) override;
  void AddShadowJudgement(const ShadowJudgement& judged) override;
  void AddShadowAlert(AlertBy by, v1::ChurnAlert::Phase phase) override;

  // What rules in the shadow would have done since the last call; nothing of a replay.
  std::map<std::string, ShadowChanges> TakeShadow() { return std::exchange(shadow_, {}); }
  // The same of models in the shadow.
  ShadowCounts TakeShadowCounts() { return std::exchange(shadow_counts_, {}); }

  // While replaying, results are digested and thrown away.
  void Discard(bool discard) { discard_ = discard; }

  struct Output {
    size_t output = 0;
    std::string_view key;
    std::string_view payload;  // the result as Protobuf, without an emission time
  };
  // In order; valid until the next Add or Take.
  class Batch {
   public:
    size_t size() const { return spans_.size(); }
    Output operator[](size_t i) const;
    size_t bytes() const { return bytes_.size(); }

   private:
    friend class Emitter;
    struct Span {
      size_t output, begin, key_end, end;
    };
    std::string bytes_;
    std::vector<Span> spans_;
  };

  // Everything since the last Take, and its digest; begins anew.
  struct Taken {
    Batch batch;
    uint64_t digest = 0;
    uint64_t count = 0;
  };
  Taken Take();
  size_t bytes() const { return batch_.bytes(); }
  bool empty() const { return digest_.count() == 0; }

 private:
  Batch batch_;
  OutputDigest digest_;
  std::map<std::string, ShadowChanges> shadow_;  // by tag
  ShadowCounts shadow_counts_;
  bool discard_ = false;
};

// A result in the form in which it is written: with its emission time, as Protobuf or as JSON.
// `type` is the message type of the output. DataLoss if `payload` is not one.
absl::Status EncodeResult(const google::protobuf::Descriptor& type, std::string_view payload, int64_t emission_time_us,
                          WireFormat format, std::string& out);

// The value of the content-type header for a format.
std::string_view ContentType(WireFormat format);

}  // namespace portrait
