#!/usr/bin/env bash
# Installs a build of Portrait into a folder of its own, and builds and tests tests/external_operator against it, as an
# engineer with an operator in another repository does.
#   tests/tooling/external_operator.sh BUILD_DIR
set -euo pipefail
build=$(cd "${1:?the build folder}" && pwd)
project=$(cd "$(dirname "$0")/../external_operator" && pwd)
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" > /dev/null
cp -r "$project" "$work/project"  # nothing of the checkout must be within reach
cmake -S "$work/project" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" > /dev/null
cmake --build "$work/build" -- -j 2
ctest --test-dir "$work/build" --output-on-failure --no-tests=error
