#!/usr/bin/env bash
# Prints the folder of the library that the page in view/page draws its charts with: uPlot 1.6.30 (MIT), as npm's package has
# it, from its WebJar; kept in ${XDG_CACHE_HOME:-~/.cache}/portrait. Fails when it is not there and there is no network, or when
# the files are not those that were looked at.
set -euo pipefail

version=1.6.30
folder=${XDG_CACHE_HOME:-$HOME/.cache}/portrait/uplot-$version
check() {  # FOLDER
  (cd "$1" && sha256sum --check --quiet) >&2 << 'SUMS'
7f29cd14e36d84141ab49c5e0a806d88e4d855596a9bc0e10799bc2c114b4c4f  uPlot.iife.min.js
df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04  uPlot.min.css
SUMS
}
if [ ! -d "$folder" ]; then
  command -v mvn > /dev/null || { echo "page-libraries.sh: Maven is needed: deploy/install.sh" >&2; exit 1; }
  part=$(mktemp -d)
  trap 'rm -rf "$part"' EXIT
  mvn -q -B -ntp org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact="org.webjars.npm:uplot:$version:jar" \
    -DoutputDirectory="$part" >&2 < /dev/null
  python3 - "$part" << 'PYTHON'
import glob, os, sys, zipfile
(jar,) = glob.glob(os.path.join(sys.argv[1], "*.jar"))
os.mkdir(os.path.join(sys.argv[1], "files"))
with zipfile.ZipFile(jar) as archive:
    for name in archive.namelist():
        if name.endswith(("/dist/uPlot.iife.min.js", "/dist/uPlot.min.css")):
            with open(os.path.join(sys.argv[1], "files", os.path.basename(name)), "wb") as out:
                out.write(archive.read(name))
PYTHON
  check "$part/files"
  mkdir -p "$(dirname "$folder")"
  mv -T "$part/files" "$folder" 2> /dev/null || [ -d "$folder" ]  # another one was quicker
fi
check "$folder"
echo "$folder"
