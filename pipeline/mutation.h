// Faults planted in the engine, to see that the simulator's checker and the engine's own assertions find them.
//
//   entry.set_floor(Mutated(Mutation::kFloorIsEnd) ? entry.last() + 1 : rows_.Floor(entry.last()));
//
// In every build but that of tests/mutants, Mutated is a constant false: nothing of this is in the product, and nothing
// can switch it on. docs/reliability.md says what each one does.
#pragma once

#include <bitset>
#include <cstddef>

namespace portrait {

enum class Mutation {
  // Rows and floor.
  kRowsBeforeCommit,
  kFloorIsEnd,
  kFloorIsPageNumber,
  kImageLost,
  kHandOverLeavesRows,
  kRemovedAtOnce,
  // Journal.
  kEntryLost,
  kJournalCutTooFar,
  kTickNotJournalled,
  kStateBeforeNotJournalled,
  // Transactions and the group.
  kOffsetsNotSent,
  kOffsetsOnlyWhenMoved,
  kUnknownIsCommitted,
  kAbortedIsCommitted,
  kFencedIsCommitted,
  kUnknownKeepsProducer,
  kPartialRollback,
  kKeepsLostTasks,
  kStopsWithoutAskingWhoOwns,
  // Recovery.
  kTailWithoutLastEntry,
  kReplayInStateAfter,
  kStaleStoreTakenForFresh,
  kOldStoreTrusted,
  kStoredRowWins,
  kRestoreMissesRecord,
  kSkipsWholeStep,
  kRowAheadTakesStepAgain,
  kDigestWhenNoSkipSeen,
  // Timers.
  kReplayFiresAllDue,
  kFiringStopsAtRowAhead,
  kIndexDropsRowsAhead,
  kIndexTrusted,
  kRestoreIndexesNothing,
  kTimerOfTimerNotIndexed,
  // Switches and sweeps.
  kSwitchNotJournalled,
  kSwitchesBack,
  kShadowNotSwept,
  kModelsNotSwept,
  kModelsShadowNotSwept,
  kSweepMissesUnwritten,
  kSweepBoundTooFar,
  kReplaySweepsAll,
  kSweepEndsEarly,
  // Ports: what they promise, broken.
  kOffsetsNotStable,
  kEndIsStableEnd,
  kGenerationAskedAtCommit,
  // Operators.
  kOperatorReadsClock,
  kHashOrderInResults,
  // Not a fault by itself: the engine does not compare witness rows and digests, so that the checker has to.
  kSelfChecksOff,
  kCount,
};

#ifdef PORTRAIT_MUTANTS
using Mutations = std::bitset<static_cast<size_t>(Mutation::kCount)>;
inline Mutations active_mutations;
inline bool Mutated(Mutation mutation) { return active_mutations.test(static_cast<size_t>(mutation)); }
#else
constexpr bool Mutated(Mutation) { return false; }
#endif

}  // namespace portrait
