#!/usr/bin/env bash
# Portrait beside Kafka Streams and a bare Kafka client: the same work on the same topics, one after the other.
#
#   bench/run.sh                    5 M events, every contender three times; about 20 minutes
#   bench/run.sh --quick            300 000 events, once; under 5 minutes once everything is built and fetched
#   bench/run.sh --events N --runs N --contenders portrait,kafka-streams,bare-client,portrait-at-least-once,portrait-full
#   bench/run.sh --variants lean,lean-1s,large
#   bench/run.sh --chart docs/benchmarks.svg       also draws the chart there
#
# Installs what is missing, builds, starts a Kafka of its own, and removes it at the end. Prints one table and, as the
# last line, `portrait / kafka-streams: X.X events per CPU-second`. Figures as JSON: build/bench/results.json; what was
# there before is what this run is compared with. docs/benchmarks.md says how to read them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${1:-}" in
  -h | --help) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
deploy/install.sh --bench
exec /usr/bin/python3 -B bench/comparison/main.py "$@"  # Debian's: it has the library that draws
