// A page of who has a tag, as one process knows it, and as all processes of the pipeline do: each lists the customers
// of its partitions in the same order, and a page of all is the first so many of the pages of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "view/json.h"
#include "view/tag_index.h"

namespace portrait::view {

struct HolderList {
  bool known = false;  // a rule gives the tag, or somebody has it
  int64_t total = 0;
  std::set<int32_t> partitions;  // that are known
  struct Holder {
    std::string place;  // in the order of all lists
    Json customer;      // as it is told
  };
  std::vector<Holder> holders;
  bool more = false;  // after the last of them
};

Json HolderJson(const TagHolder& holder);

// `partitions`: all there are.
Json ToJson(std::string_view tag, TagSort sort, const HolderList& list, int32_t partitions);

// What ToJson made elsewhere. InvalidArgument: it did not.
absl::StatusOr<HolderList> ReadHolderList(std::string_view text);

// The first `limit` of all. A customer whose partition moves may be in two lists, and is told once.
HolderList Merged(std::vector<HolderList> lists, size_t limit);

}  // namespace portrait::view
