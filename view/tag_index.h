// Who has a tag: an index in RocksDB, sorted by since when and by value at risk.
//
//   auto index = TagIndex::Open(folder);
//   (*index)->Gain(partition, "anna", "silent", since_us);
//   auto page = (*index)->List("silent", TagSort::kSince, partitions, "", 50);
//
// It belongs to the process that makes it: Open begins with an empty one, and who fills it is TagFollower. Beside the
// entries it keeps only the counts in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "portrait/v1/tag_index.pb.h"

namespace portrait::view {

enum class TagSort { kSince, kValueAtRisk };  // the latest first; the highest first, without a value last

struct TagHolder {
  std::string customer;
  int64_t since_us = 0;
  std::optional<int64_t> value_at_risk_micros;
  std::string place;  // text in the order of the list, for `after`
};
struct TagPage {
  std::vector<TagHolder> holders;
  bool more = false;  // after the last of them
};

// One thread. Errors are those of the store, and name the folder.
class TagIndex {
 public:
  // What lies in the folder, which is the index's own, is deleted.
  static absl::StatusOr<std::unique_ptr<TagIndex>> Open(const std::filesystem::path& folder);
  ~TagIndex();

  // The customer holds these tags, and no others.
  absl::Status Put(int32_t partition, std::string_view customer, const v1::TagStanding& standing);
  absl::Status Gain(int32_t partition, std::string_view customer, std::string_view tag, int64_t since_us);
  absl::Status Lose(int32_t partition, std::string_view customer, std::string_view tag);
  absl::Status SetValueAtRisk(int32_t partition, std::string_view customer, std::optional<int64_t> micros);
  // Forgets all customers of a partition.
  absl::Status Drop(int32_t partition);

  // How many customers of each partition have a tag.
  const std::map<int32_t, int64_t>& Count(std::string_view tag) const;
  const std::map<std::string, std::map<int32_t, int64_t>, std::less<>>& counts() const { return counts_; }
  // Those after the place `after` of an earlier page, of this process or another, and of these partitions.
  // InvalidArgument: no page has such a place.
  absl::StatusOr<TagPage> List(std::string_view tag, TagSort sort, const std::set<int32_t>& partitions,
                               std::string_view after, size_t limit) const;

 private:
  struct Store;
  explicit TagIndex(std::unique_ptr<Store> store);
  absl::StatusOr<v1::TagStanding> Read(int32_t partition, std::string_view customer) const;
  absl::Status Change(int32_t partition, std::string_view customer,
                      absl::FunctionRef<void(v1::TagStanding& standing)> change);
  absl::Status Replace(int32_t partition, std::string_view customer, const v1::TagStanding& before,
                       const v1::TagStanding& after);
  void CountOne(std::string_view tag, int32_t partition, int64_t more);

  std::unique_ptr<Store> store_;
  std::map<std::string, std::map<int32_t, int64_t>, std::less<>> counts_;
};

}  // namespace portrait::view
