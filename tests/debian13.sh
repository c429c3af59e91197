#!/usr/bin/env bash
# Builds and tests everything on Debian 13, in a chroot: its compiler and libraries are newer than Debian 12's. Not part of CI:
# one command, of about half an hour. Needs root, and deploy/install.sh --lint (debootstrap).
#   tests/debian13.sh [PRESET ...]     default: release
#
# The system is made once, in ${XDG_CACHE_HOME:-~/.cache}/portrait/debian13; delete that folder (rm -rf --one-file-system) to
# begin anew. It is debootstrapped from the machine's own mirror. The checkout is copied into it as git has it, with what is
# changed and not committed. Mounts are in a namespace of this script's own, so none is ever left behind.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "debian13.sh: must run as root (chroot)" >&2; exit 1; }
command -v debootstrap > /dev/null || deploy/install.sh --lint

if [ -z "${PORTRAIT_OWN_MOUNTS:-}" ]; then
  PORTRAIT_OWN_MOUNTS=1 exec unshare --mount --propagation private "$0" "$@"
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/portrait
root=$cache/debian13
mkdir -p "$cache"
exec 9> "$root.lock"
flock -n 9 || { echo "debian13.sh: another one is at work in $root" >&2; exit 1; }

# The entry of the machine's own Debian mirror, as deploy/install.sh finds it, reduced to its address.
mirror() {
  deploy/install.sh --backports-entry | sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p; s/^deb([[:space:]]+\[[^]]*\])?[[:space:]]+([^[:space:]]+).*/\2/p' | head -n 1
}

if [ ! -e "$root/.ready" ]; then
  address=$(mirror)
  [ -n "$address" ] || { echo "debian13.sh: no apt entry found to take the mirror from" >&2; exit 1; }
  echo "== debootstrap"
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase trixie "$root" "$address" > "$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
  touch "$root/.ready"
fi

mkdir -p "$root/portrait" "$root/cache" "$root/etc/apt/apt.conf.d"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
for file in /etc/apt/apt.conf.d/*; do  # how this machine reaches its mirror
  if grep -q -E '^ *Acquire' "$file" 2>/dev/null; then cp "$file" "$root/etc/apt/apt.conf.d/"; fi
done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
[ ! -d "$HOME/.m2" ] || cp -rn "$HOME/.m2" "$root/root/"  # what Maven has fetched already

# The sources anew, the build folder kept, so that a second run compiles only what has changed.
find "$root/portrait" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf --one-file-system {} +
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | tar --null -T - -c | tar -x -C "$root/portrait"

[ $# -gt 0 ] || set -- release
chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM="${TERM:-dumb}" CCACHE_DIR=/cache/ccache \
  ${PORTRAIT_TEST_JOBS:+PORTRAIT_TEST_JOBS=$PORTRAIT_TEST_JOBS} /portrait/tests/run.sh "$@"
