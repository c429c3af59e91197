#!/usr/bin/env bash
# Format and clang-tidy. Not part of CI, which compiles with warnings as errors: one command, to be run before a submission.
#   tests/lint.sh                   every source
#   tests/lint.sh --changed [REF]   only what differs from REF (default: main), for a quick look
#   tests/lint.sh --format          clang-format only; --fix rewrites the files
set -euo pipefail
cd "$(dirname "$0")/.."

mode=all
ref=main
case "${1:-}" in
  '') ;;
  --changed) mode=changed; ref=${2:-main} ;;
  --format) mode=format ;;
  --fix) mode=fix ;;
  *) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
command -v clang-tidy-19 clang-format-19 > /dev/null || deploy/install.sh --lint

tracked() { git ls-files --cached --others --exclude-standard -- "$@"; }
mapfile -t files < <(tracked '*.cc' '*.h')
if [ "$mode" = changed ]; then
  mapfile -t files < <({ git diff --name-only --diff-filter=d "$ref"; git ls-files --others --exclude-standard; } |
    grep -E '\.(cc|h)$' | sort -u)
fi
[ ${#files[@]} -gt 0 ] || { echo "lint.sh: nothing to look at"; exit 0; }

if [ "$mode" = fix ]; then
  clang-format-19 -i "${files[@]}"
  exit 0
fi
clang-format-19 --dry-run --Werror "${files[@]}"
# Comments are not reflowed by clang-format; raw strings (samples of JSON) may be wide. In characters, not in bytes.
if LC_ALL=C.UTF-8 grep -HnP '^(?!.*R"\().{121,}' "${files[@]}"; then
  echo "lint.sh: these lines are wider than 120 columns" >&2
  exit 1
fi
echo "lint.sh: format of ${#files[@]} files is right"
[ "$mode" != format ] || exit 0

# Each source on its own, unlike the release build. Generated headers must be there; nothing else of the build is needed.
cmake --preset release -B build/lint -DPORTRAIT_UNITY=OFF > /dev/null
cmake --build build/lint --target portrait_proto bench/lean/lean_state.pb.h > /dev/null
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.cc$' | grep -v '^tests/external_operator/' || true)
printf '%s\0' "${sources[@]}" |
  xargs -0 -r -P "$(nproc)" -n 1 clang-tidy-19 --quiet -p build/lint \
    --extra-arg=-Wno-deprecated-declarations --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unused-command-line-argument 2>&1 |
  grep -v -E '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header-filter' || [ "${PIPESTATUS[1]}" = 0 ]
echo "lint.sh: clang-tidy found nothing in ${#sources[@]} sources"
