// Where a process can be struck, and what can happen to it there. Ports and stores call World::At from within the
// engine's own calls, so the engine needs no hooks for it.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace portrait::simulation {

enum class Point {
  kStart,
  kAfterPoll,
  kApplying,
  kWriting,  // some of a transaction's records are sent
  kBeforeOffsetsSent,
  kAfterOffsetsSent,
  kEndSent,  // EndTxn is sent and not answered
  kEndAnswered,
  kBeforeRowsWritten,
  kAfterRowsWritten,
  kRestoring,
  kRestoringRows,  // within the restore, around a write of rows
  kHandingOver,
  kJournalCut,
  kStandbyRows,  // a standby, around a write of rows
};

inline constexpr std::array<std::string_view, 15> kPointNames = {
    "starting",
    "after poll",
    "applying",
    "writing the transaction",
    "before offsets are sent",
    "after offsets are sent",
    "EndTxn sent, not answered",
    "EndTxn answered",
    "before rows are written",
    "after rows are written",
    "restoring",
    "restoring, rows half written",
    "handing over",
    "cutting the journal",
    "a standby's rows half written",
};
inline constexpr size_t kPoints = kPointNames.size();

// Thrown through the engine when its process dies in the middle of a call.
struct Killed {};

}  // namespace portrait::simulation
