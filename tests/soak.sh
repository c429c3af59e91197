#!/usr/bin/env bash
# A long run of the simulator: other seeds than CI's, on every core, until one fails or all are done.
#   tests/soak.sh [SEEDS] [FIRST]     default: 100000 seeds from a place that today's date gives
# A failing seed is printed with the command that replays it. The last lines are the faults, counted by kind.
set -euo pipefail
cd "$(dirname "$0")/.."

seeds=${1:-100000}
first=${2:-$(($(date +%Y%m%d) * 1000000))}
jobs=${PORTRAIT_TEST_JOBS:-$(nproc)}
each=$(((seeds + jobs - 1) / jobs))
program=build/release/tests/simulation_tests
case_name="nothing is lost and nothing comes twice, whatever dies when"

cmake --preset release > /dev/null
cmake --build --preset release --target simulation_tests -- -j "$jobs" > /dev/null

logs=$(mktemp -d)
trap 'rm -rf --one-file-system "$logs"' EXIT
pids=()
for ((job = 0; job < jobs; ++job)); do
  PORTRAIT_FIRST_SEED=$((first + job * each)) PORTRAIT_SEEDS=$each "$program" "$case_name" > "$logs/$job" 2>&1 &
  pids+=($!)
done
failed=0
for ((job = 0; job < jobs; ++job)); do
  wait "${pids[$job]}" || failed=1
  grep -E -A 12 'FAILED:|seed :=|Segmentation' "$logs/$job" || true
done
awk '/^fault: / { kind = $0; sub(/ [0-9]+$/, "", kind); count[kind] += $NF }
     /^total: / { kind = $0; sub(/ [0-9]+$/, "", kind); count[kind] += $NF }
     END { for (kind in count) print kind, count[kind] }' "$logs"/* | sort
if [ "$failed" -ne 0 ]; then
  echo "soak.sh: a seed failed; PORTRAIT_SEED=N PORTRAIT_TRACE=1 $program '$case_name' replays it" >&2
  exit 1
fi
echo "soak.sh: $((each * jobs)) seeds from $first on, nothing lost, nothing twice"
