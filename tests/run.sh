#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests: release, then address and undefined-behaviour sanitizers.
#   tests/run.sh [PRESET ...]     default: release asan
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/install.sh
presets=("$@")
[ ${#presets[@]} -gt 0 ] || presets=(release asan)
for preset in "${presets[@]}"; do
  echo "== $preset"
  cmake --preset "$preset" > /dev/null
  cmake --build --preset "$preset"
  ctest --preset "$preset" --output-on-failure -j 2
done
