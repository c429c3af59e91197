#!/usr/bin/env bash
# Installs what Portrait needs to build, run and test on Debian 12 or 13. Can be run again at any time.
#   deploy/install.sh          everything to build, run, demo and test
#   deploy/install.sh --lint   also clang-format, clang-tidy and debootstrap
set -euo pipefail

. /etc/os-release
case "${ID:-}-${VERSION_ID:-}" in
  debian-12 | debian-13) ;;
  *) echo "install.sh: Debian 12 or 13 is needed, this is ${PRETTY_NAME:-unknown}" >&2; exit 1 ;;
esac
[ "$(id -u)" = 0 ] || { echo "install.sh: must run as root (apt-get)" >&2; exit 1; }

packages=(
  build-essential ccache cmake ninja-build pkg-config ca-certificates git
  librdkafka-dev librocksdb-dev libprotobuf-dev protobuf-compiler libabsl-dev catch2 libcatch2-dev
  libsimdjson-dev libyaml-cpp-dev libcli11-dev prometheus-cpp-dev libcpp-httplib-dev libspdlog-dev
  libcsv-dev libxxhash-dev libmimalloc-dev nlohmann-json3-dev libbenchmark-dev zlib1g-dev libssl-dev
  python3 python3-pip curl kcat maven default-jdk-headless
)
if [ "${1:-}" = --lint ]; then
  packages+=(clang-tidy-19 clang-format-19 clang-19 debootstrap)
fi

backports_entry() {  # the machine's own Debian entry, with the backports suite
  local sources=/etc/apt/sources.list.d/debian.sources
  if [ -e "$sources" ]; then
    awk -v RS= '/\n?Suites:[^\n]*bookworm( |\n|$)/ && !/security/ { gsub(/Suites:[^\n]*/, "Suites: bookworm-backports"); print; exit }' "$sources"
  else
    awk '$1 == "deb" && $3 == "bookworm" { $3 = "bookworm-backports"; print; exit }' /etc/apt/sources.list
  fi
}

missing=()
installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
if [ ${#missing[@]} = 0 ]; then
  echo "install.sh: all ${#packages[@]} packages are there"
  exit 0
fi
echo "install.sh: installing ${missing[*]}"

export DEBIAN_FRONTEND=noninteractive
from=()
if [ "$VERSION_ID" = 12 ]; then  # Catch2 3 is in backports only
  entry=$(backports_entry)
  [ -n "$entry" ] || { echo "install.sh: no apt entry for bookworm found to derive backports from" >&2; exit 1; }
  if [ "${entry#Types}" != "$entry" ]; then file=/etc/apt/sources.list.d/portrait-backports.sources; else file=/etc/apt/sources.list.d/portrait-backports.list; fi
  printf '%s\n' "$entry" > "$file"
  for i in "${!missing[@]}"; do
    case "${missing[$i]}" in catch2 | libcatch2-dev) missing[i]="${missing[$i]}/bookworm-backports" ;; esac
  done
fi
apt-get -qq update
apt-get -qq install -y --no-install-recommends "${from[@]}" "${missing[@]}" > /dev/null
echo "install.sh: done"
