#!/usr/bin/env bash
# Portrait at work, from a bare Debian 12 or 13: installs what is missing, builds, and sends real purchases through a whole
# engine. Ends with what came of them, and keeps its broker until Ctrl-C.
#
#   deploy/demo.sh                        a broker inside the process (librdkafka's mock cluster)
#   deploy/demo.sh --kafka                a real Apache Kafka on loopback (deploy/kafka/local.sh), which is left running
#   deploy/demo.sh --brokers HOST:PORT    your brokers, in topics of its own
#   deploy/demo.sh --generated            a made-up population in place of CDNOW's customers
#   deploy/demo.sh ... -- ARGS            ARGS go to `portrait demo`, for example: -- --exit --dirt 0.01
#
# The purchases are those of CDNOW (Fader and Hardie), 69 659 of 23 570 customers, out of the Python package lifetimes
# 0.11.3. Without a network a population is made up.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }
kafka=no generated=no arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    --kafka) kafka=yes; shift ;;
    --generated) generated=yes; shift ;;
    --brokers) arguments+=(--brokers "${2:?--brokers needs host:port}"); shift 2 ;;
    --) shift; arguments+=("$@"); break ;;
    -h | --help) usage; exit 0 ;;
    *) echo "demo.sh: unknown argument: $1" >&2; usage >&2; exit 2 ;;
  esac
done

began=$(date +%s)
step() { echo "demo.sh: $* ($(($(date +%s) - began)) s)"; }

step "installing what is missing"
if [ "$(id -u)" = 0 ]; then
  "$root/deploy/install.sh"
else
  sudo "$root/deploy/install.sh"
fi

step "building; the first time takes minutes"
(cd "$root" && cmake --preset release > /dev/null && cmake --build --preset release --target portrait)

if [ "$generated" = no ]; then
  if purchases=$("$root/deploy/cdnow.sh"); then
    arguments+=(--cdnow "$purchases")
  else
    echo "demo.sh: the package lifetimes could not be fetched, so a population is made up" >&2
  fi
fi
if [ "$kafka" = yes ]; then
  step "starting Kafka"
  brokers=$("$root/deploy/kafka/local.sh" start | tee /dev/stderr | awk 'END { print $NF }')
  arguments+=(--brokers "$brokers")
fi
step "running"
exec "$root/build/release/pipeline/portrait" demo "${arguments[@]}"
