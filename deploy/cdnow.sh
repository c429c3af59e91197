#!/usr/bin/env bash
# Prints the path of CDNOW_master.txt: 69 659 purchases of 23 570 customers (Fader and Hardie), or with the word `sample` of
# CDNOW_sample.txt: the 2 357 customers that studies fit their models to. Out of the wheel of the Python package lifetimes
# 0.11.3, kept in ${XDG_CACHE_HOME:-~/.cache}/portrait. Fails when it is not there and there is no network.
set -euo pipefail

case "${1:-master}" in
  master | sample) file=CDNOW_${1:-master}.txt ;;
  *) echo "cdnow.sh: no such part, master or sample: $1" >&2; exit 2 ;;
esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/portrait/cdnow
if [ ! -s "$cache/$file" ]; then
  mkdir -p "$cache"
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$folder" lifetimes==0.11.3 >&2
  python3 - "$folder" "$cache/$file" >&2 << 'PYTHON'
import glob, os, sys, zipfile
(wheel,) = glob.glob(os.path.join(sys.argv[1], "*.whl"))
with zipfile.ZipFile(wheel) as archive:
    data = archive.read("lifetimes/datasets/" + os.path.basename(sys.argv[2]))
with open(sys.argv[2] + ".part", "wb") as out:
    out.write(data)
os.rename(sys.argv[2] + ".part", sys.argv[2])
PYTHON
fi
echo "$cache/$file"
