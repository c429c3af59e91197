#!/usr/bin/env bash
# The comparison of bench/run.sh with few events: that every contender runs to its end, and that Portrait's results are those of
# Kafka Streams. No figure is judged.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$(bench/run.sh --quick --events 20000)
echo "$out"
grep -q 'the same .* results' <<< "$out" || { echo "bench_quick.sh: the results were not compared" >&2; exit 1; }
grep -q '^exactly once costs' <<< "$out" || { echo "bench_quick.sh: what transactions cost is not told" >&2; exit 1; }
grep -Eq '^at half of its rate, portrait-full, .* p99.9 [0-9]+ ms' <<< "$out" || { echo "bench_quick.sh: latencies are not told" >&2; exit 1; }
[[ $(tail -n 1 <<< "$out") =~ ^portrait\ /\ kafka-streams:\ [0-9]+\.[0-9]\ events\ per\ CPU-second$ ]] ||
  { echo "bench_quick.sh: the last line is not the ratio" >&2; exit 1; }
