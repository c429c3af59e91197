#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests: release, then address and undefined-behaviour sanitizers.
#   tests/run.sh [PRESET ...]     default: release asan; tests/tsan.sh runs the thread sanitizer
#
# Tests with the label kafka run against a Kafka of their own (deploy/kafka/local.sh on a free port, its address in
# PORTRAIT_TEST_BROKERS), which is stopped at the end. Set PORTRAIT_TEST_BROKERS to use another one.
# The last lines count the tests by label, and say how long it took.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=${PORTRAIT_TEST_JOBS:-$(nproc)}
step=start
kafka_dir=
finish() {
  local code=$?
  [ -z "$kafka_dir" ] || { deploy/kafka/local.sh stop --dir "$kafka_dir" || true; rm -rf --one-file-system "$kafka_dir"; } > /dev/null
  [ -z "$step" ] || echo "run.sh: failed while it was to $step" >&2
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
elapsed() { printf '%d min %02d s' $((($SECONDS - $1) / 60)) $((($SECONDS - $1) % 60)); }

step="install packages"
deploy/install.sh

presets=("$@")
[ ${#presets[@]} -gt 0 ] || presets=(release asan)
counted=()
times=
for preset in "${presets[@]}"; do
  echo "== $preset: build"
  began=$SECONDS
  step="configure $preset"
  mkdir -p build
  cmake --preset "$preset" > "build/configure-$preset.log" 2>&1 || { cat "build/configure-$preset.log"; exit 1; }
  step="build $preset"
  cmake --build --preset "$preset" -- -j "$jobs"
  times+="$preset: built in $(elapsed $began)"

  if [ -z "${PORTRAIT_TEST_BROKERS:-}" ] && ctest --preset "$preset" -N -L kafka | grep 'Test *#' > /dev/null; then
    step="start Kafka"
    kafka_dir=$(mktemp -d)
    PORTRAIT_TEST_BROKERS=$(deploy/kafka/local.sh start --port 0 --dir "$kafka_dir" | awk '{ told = $NF } END { print told }')
    export PORTRAIT_TEST_BROKERS
    echo "== Kafka for the tests: $PORTRAIT_TEST_BROKERS"
  fi

  echo "== $preset: tests"
  began=$SECONDS
  step="list the tests of $preset"
  ctest --preset "$preset" --show-only=json-v1 > "build/$preset/tests.json"
  rm -f "build/$preset/results.xml"
  ctest --preset "$preset" --output-on-failure -j "$jobs" --output-junit results.xml || true  # counted below
  [ -e "build/$preset/results.xml" ] || exit 1
  counted+=("$preset=build/$preset/results.xml=build/$preset/tests.json")
  times+=", tested in $(elapsed $began)"$'\n'
done

step=
echo "== results"
printf '%s' "$times"
echo "all: $(elapsed 0)"
python3 -B tests/tooling/summary.py "${counted[@]}"
