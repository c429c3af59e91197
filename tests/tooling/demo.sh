#!/usr/bin/env bash
# deploy/demo.sh with a small population, to its last screen; and what it says to wrong arguments.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
fail() { echo "demo.sh: $*" >&2; exit 1; }

"$root/deploy/demo.sh" --help | grep -q -- '--brokers HOST:PORT' || fail "--help says nothing of --brokers"
if "$root/deploy/demo.sh" --fast 2> /dev/null; then fail "an unknown argument was accepted"; fi

screen=$("$root/deploy/demo.sh" --generated -- --exit --customers 200 --dirt 0.01)
for words in 'of them orders' 'duplicates dropped' 'malformed_protobuf' 'Churn alerts' 'Stories' 'Customer c000'; do
  grep -q "$words" <<< "$screen" || fail "the last screen says nothing of: $words
$screen"
done
sent=$(awk '/^Events:/ { for (i = 2; $i != "in"; ++i) printf $i }' <<< "$screen")
received=$(awk '$1 == "received" { for (i = 2; i <= NF; ++i) printf $i }' <<< "$screen")
[ "$sent" = "$received" ] || fail "sent $sent, received $received"

python3 "$root/tests/tooling/demo_page.py" "$root/build/release/pipeline/portrait"
echo "demo.sh: well"
