#!/usr/bin/env bash
# deploy/kafka/local.sh with a real broker: started twice it is one, it comes back after restart and kill -9, stop ends it.
set -euo pipefail
local=$(cd "$(dirname "$0")/../../deploy/kafka" && pwd)/local.sh
dir=$(mktemp -d)
trap '"$local" stop --dir "$dir" > /dev/null; rm -rf --one-file-system "$dir"' EXIT
fail() { echo "local_kafka.sh: $*" >&2; tail -n 20 "$dir/broker.log" >&2; exit 1; }

"$local" start --port 0 --dir "$dir"
pid=$(cut -d' ' -f1 "$dir/pid")
address=$("$local" status --dir "$dir" | awk '{ print $NF }')
"$local" start --dir "$dir" > /dev/null
[ "$(cut -d' ' -f1 "$dir/pid")" = "$pid" ] || fail "a second start made a second broker"
grep -q 127.0.0.1 <<< "$address" || fail "not on loopback: $address"
if "$local" start --port 1 --dir "$dir" 2> /dev/null; then fail "another port was accepted while it runs"; fi

# Topics are not made by accident.
if kcat -L -b "$address" -t by-accident 2>&1 | grep 'topic "by-accident" with [1-9]' > /dev/null; then fail "a topic made itself"; fi

"$local" kill --dir "$dir"
if grep '^State:.*[RSD] ' "/proc/$pid/status" 2> /dev/null; then fail "still there after kill: $pid"; fi
if "$local" status --dir "$dir" > /dev/null; then fail "status says that a killed broker runs"; fi
"$local" start --dir "$dir"
[ "$("$local" status --dir "$dir" | awk '{ print $NF }')" = "$address" ] || fail "another address after a kill"
"$local" restart --dir "$dir"
[ "$("$local" status --dir "$dir" | awk '{ print $NF }')" = "$address" ] || fail "another address after a restart"

"$local" stop --dir "$dir"
"$local" stop --dir "$dir" > /dev/null || fail "a second stop failed"
if kcat -L -b "$address" -m 1 > /dev/null 2>&1; then fail "still answers after stop"; fi
echo "local_kafka.sh: well"
