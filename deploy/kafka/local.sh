#!/usr/bin/env bash
# A real Apache Kafka (KRaft, one process, loopback only) for tests and development.
#
#   deploy/kafka/local.sh start   [--port N] [--dir DIR]   start unless it runs already; returns once it answers
#   deploy/kafka/local.sh stop    [--dir DIR]              orderly stop, topics are kept
#   deploy/kafka/local.sh status  [--dir DIR]              exit 0 when it runs, 3 when it does not
#   deploy/kafka/local.sh restart [--dir DIR]              stop and start on the same port
#   deploy/kafka/local.sh kill    [--dir DIR]              kill -9, for fault tests; start again with start
#
# --port N    port to listen on, 0 for any free one; default: the one used before in DIR, else 19092. N + 1 is taken too.
# --dir DIR   where topics, log and process id are; default: .cache/kafka of this checkout. Delete it to start from nothing.
#
# `start` and `status` print the address for clients as the last word of their last line, for example 127.0.0.1:19092.
# The jars come from Maven Central by pom.xml, once, into ${XDG_CACHE_HOME:-~/.cache}/portrait.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
start_timeout_s=120
stop_timeout_s=30

fail() { echo "local.sh: $*" >&2; exit 1; }
usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

command=${1:-}
case "$command" in
  start | stop | status | restart | kill) shift ;;
  -h | --help | help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
port=
dir=$here/../../.cache/kafka
while [ $# -gt 0 ]; do
  case "$1" in
    --port) port=${2:?--port needs a number}; shift 2 ;;
    --dir) dir=${2:?--dir needs a folder}; shift 2 ;;
    *) fail "unknown argument: $1" ;;
  esac
done
[[ $port =~ ^[0-9]*$ ]] || fail "--port needs a number: $port"
case "$command" in
  start | restart) mkdir -p "$dir"; dir=$(cd "$dir" && pwd) ;;
  *) [ -d "$dir" ] && dir=$(cd "$dir" && pwd) ;;
esac
log=$dir/broker.log

# --- the process -------------------------------------------------------------------------------------------------------------

# Field 22 of /proc/PID/stat: when the process started. With the id it names one process for as long as the machine is up.
started_at() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  set -- ${stat##*) }
  echo "${20}"
}

# Prints the id of the broker that was started in DIR, if that very process is alive; a stale pid file names nobody.
running_pid() {
  local pid start cmdline
  { read -r pid start < "$dir/pid"; } 2>/dev/null || return 1
  [ "$(started_at "$pid")" = "$start" ] || return 1
  cmdline=$(tr '\0' '\n' < "/proc/$pid/cmdline" 2>/dev/null) || return 1
  grep -qxF -- "$dir/server.properties" <<< "$cmdline" || return 1
  echo "$pid"
}

# Whether nothing of the process is left: it is gone, or a zombie without threads that waits for its parent.
ended() {
  local status
  [ "$(started_at "$1")" = "$(cut -d' ' -f2 "$dir/pid")" ] || return 0  # another process by now, or none
  { status=$(<"/proc/$1/status"); } 2>/dev/null || return 0
  [[ $status =~ State:[[:space:]]*Z && $status =~ Threads:[[:space:]]*1[^0-9] ]]
}

wait_for_end() {  # PID SECONDS
  local deadline=$((SECONDS + $2))
  until ended "$1"; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.05
  done
}

stop_broker() {
  local pid
  if ! pid=$(running_pid); then
    echo "local.sh: not running in $dir"
    return
  fi
  kill -TERM "$pid"
  if ! wait_for_end "$pid" $stop_timeout_s; then
    echo "local.sh: no end within $stop_timeout_s s, killing it" >&2
    kill -KILL "$pid"
    wait_for_end "$pid" 10 || fail "process $pid does not end"
  fi
  rm -f "$dir/pid"
  echo "local.sh: stopped"
}

kill_broker() {
  local pid
  pid=$(running_pid) || fail "not running in $dir"
  kill -KILL "$pid"
  wait_for_end "$pid" 10 || fail "process $pid does not end"
  rm -f "$dir/pid"
  echo "local.sh: killed"
}

# --- starting ----------------------------------------------------------------------------------------------------------------

# Fetches the jars that pom.xml names, once per version of pom.xml, and prints their folder. Safe to run from two places at once.
jars() {
  local cache folder
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/portrait
  folder=$cache/kafka-$(sha256sum "$here/pom.xml" | cut -c1-12)
  if [ ! -d "$folder" ]; then
    mkdir -p "$cache"
    command -v mvn > /dev/null || fail "Maven is needed: deploy/install.sh"
    (
      flock 8
      [ ! -d "$folder" ] || exit 0
      echo "local.sh: fetching Kafka from Maven Central" >&2
      rm -rf "$folder.part"
      mvn -q -B -ntp -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$folder.part" >&2 < /dev/null
      mv "$folder.part" "$folder"
    ) 8> "$folder.lock" || fail "fetching Kafka failed"
  fi
  echo "$folder"
}

java_command() {
  local java=${JAVA_HOME:+$JAVA_HOME/bin/}java version
  version=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') || true
  [ "${version:-0}" -ge 17 ] || fail "Java 17 or later is needed: deploy/install.sh"
  echo "$java"
}

# Whether nobody listens on the port.
free() { ! (exec 3<> "/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  local candidate
  for _ in $(seq 100); do
    candidate=$((20000 + RANDOM % 12000))  # below the range from which the kernel hands out client ports
    if free $candidate && free $((candidate + 1)); then echo $candidate; return; fi
  done
  fail "no free port found"
}

write_properties() {
  cat > "$dir/server.properties" <<END
# Written by deploy/kafka/local.sh at each start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/data

# As in production: a topic nobody created is an error.
auto.create.topics.enable=false

# One broker.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# Small and quick: few internal partitions, no waiting for more members, short session time-outs allowed. After kill -9 the
# controller lets a broker of the same id in only when the dead one's session has expired.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
END
}

# Asks for the cluster's metadata; an accepted connection alone does not mean that the broker serves.
answers() {
  if command -v kcat > /dev/null; then
    kcat -L -b "127.0.0.1:$port" -m 2 2>/dev/null < /dev/null | grep '^ *broker 1 at' > /dev/null
  else
    grep -q 'Kafka Server started' "$log" && ! free "$port"
  fi
}

give_up() {
  echo "local.sh: $1; the end of $log:" >&2
  tail -n 20 "$log" >&2
  exit 1
}

start_broker() {
  local pid deadline java classpath began=$SECONDS used
  used=$(cat "$dir/port" 2>/dev/null || true)
  if pid=$(running_pid); then
    [ -z "$port" ] || [ "$port" = 0 ] || [ "$port" = "$used" ] || fail "already running on port $used, not $port: stop it first"
    port=$used
    answers || fail "process $pid runs but does not answer at 127.0.0.1:$port; see $log"
    echo "local.sh: already running: process $pid, 127.0.0.1:$port"
    return
  fi
  rm -f "$dir/pid"
  port=${port:-${used:-19092}}
  [ "$port" != 0 ] || port=$(free_port)
  free "$port" && free $((port + 1)) || fail "port $port or $((port + 1)) is taken by another process: use --port"
  java=$(java_command)
  classpath=$here:$(jars)/*

  write_properties
  if [ ! -e "$dir/data/meta.properties" ]; then
    "$java" -Xmx256m -Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$classpath" kafka.tools.StorageTool format \
      --cluster-id cG9ydHJhaXQtbG9jYWwtMQ --config "$dir/server.properties" > "$log" 2>&1 < /dev/null || give_up "format failed"
  fi
  # The process writes its own id before it becomes Java, in a session of its own, so that Ctrl-C here does not reach it.
  setsid bash -c 'echo $$ > "$0/pid.new"; exec "$@"' "$dir" \
    "$java" -Xms256m -Xmx512m -XX:+ExitOnOutOfMemoryError -Dlog4j2.configurationFile="$here/log4j2.properties" \
    -cp "$classpath" kafka.Kafka "$dir/server.properties" > "$log" 2>&1 < /dev/null 9>&- &
  while [ ! -s "$dir/pid.new" ]; do sleep 0.02; done
  pid=$(cat "$dir/pid.new")
  rm "$dir/pid.new"
  echo "$pid $(started_at "$pid")" > "$dir/pid"
  echo "$port" > "$dir/port"

  deadline=$((SECONDS + start_timeout_s))
  until answers; do
    [ -e "/proc/$pid" ] || give_up "the broker ended"
    [ $SECONDS -lt $deadline ] || { kill -KILL "$pid"; rm -f "$dir/pid"; give_up "no answer within $start_timeout_s s"; }
    sleep 0.1
  done
  echo "local.sh: ready after $((SECONDS - began)) s: process $pid, log $log, 127.0.0.1:$port"
}

status() {
  local pid
  if pid=$(running_pid); then
    port=$(cat "$dir/port")
    answers || fail "process $pid runs but does not answer at 127.0.0.1:$port; see $log"
    echo "local.sh: running: process $pid, 127.0.0.1:$port"
  else
    echo "local.sh: not running in $dir"
    exit 3
  fi
}

if [ -d "$dir" ]; then
  exec 9> "$dir/lock"
  flock 9  # two commands in one folder take turns
fi
case "$command" in
  start) start_broker ;;
  stop) stop_broker ;;
  status) status ;;
  restart) stop_broker; start_broker ;;
  kill) kill_broker ;;
esac
