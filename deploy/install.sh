#!/usr/bin/env bash
# Installs what Portrait needs to build, run and test on Debian 12 or 13. Can be run again at any time; it touches nothing
# when everything is there, and only then needs no root.
#   deploy/install.sh          everything to build, run, demo and test
#   deploy/install.sh --build  only what the build of the program needs (deploy/Dockerfile)
#   deploy/install.sh --lint   also what tests/lint.sh and tests/debian13.sh need
#   deploy/install.sh --bench  also what draws the chart of bench/run.sh
#   deploy/install.sh --backports-entry [APT_DIR]   only prints the apt entry it would add on Debian 12 (for its test)
set -euo pipefail

# The entry of the machine's own mirror, with the backports suite in place of the release: no host is named here.
backports_entry() {  # APT_DIR; prints a deb822 stanza or a one-line entry, as the machine has it
  local files
  shopt -s nullglob
  files=("$1"/sources.list.d/*.sources)
  [ ${#files[@]} = 0 ] || awk '
    BEGIN { RS = ""; FS = "\n" }
    /(^|\n)Suites:[^\n]*[ \t](bookworm|stable|oldstable)\/?([ \t]|\n|$)/ && /(^|\n)Types:[^\n]*[ \t]deb([ \t]|\n|$)/ &&
        !/(^|\n)Enabled:[ \t]*no/ {
      for (i = 1; i <= NF; ++i) {
        if ($i ~ /^#/) continue
        if ($i ~ /^Types:/) $i = "Types: deb"
        if ($i ~ /^Suites:/) $i = "Suites: bookworm-backports"
        if ($i ~ /^Components:/) $i = "Components: main"
        print $i
      }
      found = 1
      exit
    }' "${files[@]}"
  files=("$1"/sources.list.d/*.list)
  [ ! -e "$1/sources.list" ] || files=("$1/sources.list" "${files[@]}")
  [ ${#files[@]} = 0 ] || sed -nE \
    's/^[[:space:]]*(deb([[:space:]]+\[[^]]*\])?[[:space:]]+[^[:space:]]+)[[:space:]]+(bookworm|stable|oldstable)\/?[[:space:]].*/\1 bookworm-backports main/p' \
    "${files[@]}"
}

first_entry() {  # of either format
  backports_entry "$1" | awk 'NR == 1 { one_line = /^deb/ } one_line && NR > 1 { exit } !one_line && /^deb/ { exit } { print }'
}

if [ "${1:-}" = --backports-entry ]; then
  first_entry "${2:-/etc/apt}"
  exit 0
fi

. /etc/os-release
case "${ID:-}-${VERSION_ID:-}" in
  debian-12 | debian-13) ;;
  *) echo "install.sh: Debian 12 or 13 is needed, this is ${PRETTY_NAME:-unknown}" >&2; exit 1 ;;
esac

packages=(
  # to build
  build-essential ccache cmake ninja-build pkg-config ca-certificates git
  librdkafka-dev librocksdb-dev libprotobuf-dev protobuf-compiler libabsl-dev catch2 libcatch2-dev
  libboost-dev libeigen3-dev libnlopt-dev libxgboost-dev libsimdjson-dev libyaml-cpp-dev libcli11-dev prometheus-cpp-dev libcpp-httplib-dev libspdlog-dev
  libcsv-dev libxxhash-dev tao-pegtl-dev libre2-dev libmimalloc-dev nlohmann-json3-dev libbenchmark-dev zlib1g-dev libssl-dev
  python3 maven default-jdk-headless  # Maven fetches what Debian has no package of: deploy/page-libraries.sh, deploy/kafka
)
more=(  # the demo's data, tests on a real Kafka and in a real browser
  python3-pip python3-yaml python3-jsonschema curl kcat chromium chromium-driver python3-selenium fonts-wqy-microhei
)
case "${1:-}" in
  --build) ;;
  *) packages+=("${more[@]}") ;;
esac
case "${1:-}" in
  '' | --build) ;;
  --bench) packages+=(python3-matplotlib) ;;
  --lint) packages+=(clang-tidy-19 clang-format-19 clang-19 debootstrap) ;;
  *) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac

missing=()
installed() { dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^.i'; }
for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
# Debian 12 itself has Catch2 2, on which its libspdlog-dev depends by name; version 3 replaces it.
if installed catch2 && dpkg --compare-versions "$(dpkg-query -W -f='${Version}' catch2)" lt 3; then missing+=(catch2); fi
if [ ${#missing[@]} = 0 ]; then
  echo "install.sh: all ${#packages[@]} packages are there"
  exit 0
fi
[ "$(id -u)" = 0 ] || { echo "install.sh: must run as root to install ${missing[*]}" >&2; exit 1; }
echo "install.sh: installing ${missing[*]}"

export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"; }

knows_backports() {
  apt-get indextargets -o APT::Get::IndexTargets::Filtered=false --format '$(RELEASE)' 'Identifier: Packages' |
    grep -x bookworm-backports > /dev/null
}
if [ "$VERSION_ID" = 12 ]; then  # Catch2 3 is in backports only
  if ! knows_backports; then
    entry=$(first_entry /etc/apt)
    case "$entry" in
      '') echo "install.sh: no apt entry for bookworm found to derive backports from" >&2; exit 1 ;;
      deb*) file=/etc/apt/sources.list.d/portrait-backports.list ;;
      *) file=/etc/apt/sources.list.d/portrait-backports.sources ;;
    esac
    printf '%s\n' "$entry" > "$file"
  fi
  for i in "${!missing[@]}"; do
    case "${missing[i]}" in catch2 | libcatch2-dev) missing[i]+=/bookworm-backports ;; esac
  done
fi
apt update
log=$(mktemp)
apt install -y --no-install-recommends "${missing[@]}" > "$log" 2>&1 || { tail -n 30 "$log" >&2; exit 1; }
rm "$log"
echo "install.sh: done"
