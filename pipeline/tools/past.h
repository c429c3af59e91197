// One customer's past, run through a chain: what would have come of it.
//
//   Past past(chain, zone);
//   past.Live(customer, events, until);
//   for (const v1::TagChange& change : past.changes()) …
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "operators/chain.h"
#include "operators/tags.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

// Constant chain, one thread.
class Past {
 public:
  // The chain must outlive this.
  Past(const Chain& chain, absl::TimeZone zone);

  // Forgets who was before, and lives through these events, in the order of their time, as far as `until`, and what
  // time alone brings up to then. Events that the cleaning stage rejects, and duplicates, are left out.
  void Live(const std::string& customer, const std::vector<Event>& events, Timestamp until);

  const std::vector<v1::TagChange>& changes() const { return sink_.changes; }
  // The tags held at the end, sorted.
  std::vector<std::string> Held() const;

  // Why the customer has a tag at the end, or has not. NotFound: no rule gives such a tag.
  absl::StatusOr<rules::Judge::Standing> Explain(std::string_view tag) const;

 private:
  struct Sink final : OutputSink {
    void Add(size_t output, std::string_view customer_id, const google::protobuf::Message& result) override;
    std::vector<v1::TagChange> changes;
  };

  const Chain& chain_;
  TagsOfChain tags_;
  Calendar calendar_;
  Sink sink_;
  RowState row_;
  Timestamp until_{};
};

}  // namespace portrait
