#!/usr/bin/env bash
# Builds the course into build/course/ and checks it: every command of its pages prints what was recorded, every piece
# of code and every link is there; then every page in Chromium, where there is one.   tools/course.sh [RUNG]
set -euo pipefail
home=$(dirname "$(dirname "$(readlink -f "$0")")")
rung=${1:-$home/build/release/src/cli/rung}
# shellcheck source=tools/node.sh
. "$home/tools/node.sh"

rm -f "$home/build/course.counts" "$home/build/course.skips"
packages_of "$home/course"
cd "$home/course"
# The engine in the page: the package itself, beside the pages.
"$home/tools/web.sh"
export RUNG=$rung # the tests ask it, too
"$node" --test --test-reporter=dot --test-concurrency=1 "$home"/web/test/*.test.mjs
rm -rf public/engine
cp -r "$home/web/dist" public/engine
rm public/engine/*.d.ts
"$node" tools/record.mjs --rung "$rung"
"$node" tools/toydata.mjs --check --rung "$rung"
# --force, else a page whose own text is the same keeps the code and the outputs that it had.
ASTRO_TELEMETRY_DISABLED=1 "$node" node_modules/astro/bin/astro.mjs build --force
if command -v chromium >/dev/null; then "$node" tools/book.mjs; fi
"$node" tools/finish.mjs
if command -v chromium >/dev/null; then
  "$node" --experimental-strip-types --test --test-reporter=./tests/report.mjs --test-concurrency=2 tests/*.test.mjs
else
  echo 'no chromium: the pages were built, not opened'
  echo '0 0 1' >"$home/build/course.counts"
  printf 'course: its pages in a browser, PDF, EPUB\tno chromium\n' >"$home/build/course.skips"
fi
