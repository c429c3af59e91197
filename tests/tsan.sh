#!/usr/bin/env bash
# All tests under the thread sanitizer. Not part of CI: one command, to be run before a change to threads is merged.
#
# Debian's librdkafka, RocksDB, Abseil and Protobuf are not instrumented: the sanitizer sees what they call (malloc, mutexes of
# pthread), not their atomics. So a race inside them is not found, and a hand-over through them may be reported although there
# is none; tests/tsan.suppressions names those, each with its reason. Use absl::Mutex nowhere: Debian's is one of them.
set -euo pipefail
cd "$(dirname "$0")/.."
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.suppressions halt_on_error=1 second_deadlock_stack=1 ${TSAN_OPTIONS:-}"
exec tests/run.sh tsan
