// Whether a store's rows may be caught up from the changelog; recovery and standby must not differ in that.
#pragma once

#include <string_view>

#include "operators/time.h"
#include "portrait/v1/row.pb.h"
#include "state/row_store.h"

namespace portrait {

enum class StoreJudgement {
  kCanBeCaughtUp,
  kOfAnotherBuild,    // in another format: to be thrown away
  kOfAnotherHistory,  // of another lineage: nobody may touch it
  kTooOld,            // a removal may have come and gone, tombstone and all: to be thrown away
};

inline StoreJudgement Judge(const v1::StoreMeta& meta, std::string_view lineage, Timestamp now,
                            Duration tombstones_kept) {
  if (meta.format() != kStoreFormat) return StoreJudgement::kOfAnotherBuild;
  if (meta.lineage() != lineage) return StoreJudgement::kOfAnotherHistory;
  if (now - FromMicros(meta.as_of_us()) > tombstones_kept / 2) return StoreJudgement::kTooOld;
  return StoreJudgement::kCanBeCaughtUp;
}

}  // namespace portrait
