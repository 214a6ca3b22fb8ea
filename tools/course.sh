#!/usr/bin/env bash
# Builds the course into build/course/ and checks it: every command of its pages prints what was recorded, every piece
# of code and every link is there; then every page in Chromium, where there is one. Says what each part took: seconds,
# in build/course.seconds, too.   tools/course.sh [RUNG]
set -euo pipefail
home=$(dirname "$(dirname "$(readlink -f "$0")")")
export RUNG=${1:-$home/build/release/src/cli/rung} # the tests ask it, too
# shellcheck source=tools/node.sh
. "$home/tools/node.sh"

part() { # part WHAT COMMAND...
  local began=$SECONDS
  "${@:2}"
  printf '%4d s  %s\n' $((SECONDS - began)) "$1" | tee -a "$seconds"
}
browser() { command -v chromium >/dev/null; }
node_tests=("$node" --experimental-strip-types --test --test-concurrency=2)
tests() { "${node_tests[@]}" "$@"; }

# Where the system lets us, without a network but the machine's own loop: pages need none, and a network that changes
# while they load stops what they ask for, even from this machine (net::ERR_NETWORK_CHANGED).
alone() {
  local how loop='import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP: netdevice(7)'
  for how in -n -rn; do
    if unshare $how python3 -c "$loop" 2>/dev/null; then
      unshare $how bash -c 'python3 -c "$0" && exec "$@"' "$loop" "$@"
      return
    fi
  done
  "$@"
}
in_a_browser() { alone "${node_tests[@]}" --test-reporter=./tests/report.mjs "$@"; }

packages() { packages_of "$home/web" && packages_of "$home/course"; }
the_engine() { # the package itself, beside the pages
  "$home/tools/web.sh" && rm -rf public/engine && cp -r "$home/web/dist" public/engine && rm public/engine/*.d.ts
}
engine_in_node() { # all of them but the exercises
  local GLOBIGNORE=$home/web/test/learn.test.mjs
  tests --test-reporter=dot "$home"/web/test/*.test.mjs
}
exercises_in_node() { tests --test-reporter=dot "$home/web/test/learn.test.mjs"; }
outputs() { "$node" tools/record.mjs --rung "$RUNG" && "$node" tools/toydata.mjs --check --rung "$RUNG"; }
# --force, else a page whose own text is the same keeps the code and the outputs that it had.
pages() { ASTRO_TELEMETRY_DISABLED=1 "$node" node_modules/astro/bin/astro.mjs build --force; }
book() { "$node" tools/book.mjs; }
links() { "$node" tools/finish.mjs; }
in_browsers() {
  local GLOBIGNORE=tests/exercises.test.mjs
  in_a_browser tests/*.test.mjs
}
exercises_in_browsers() { in_a_browser tests/exercises.test.mjs; }

seconds=$home/build/course.seconds
rm -f "$home"/build/course.{counts,skips,failures} "$seconds"
cd "$home/course"
part 'npm packages' packages
part 'the engine for pages' the_engine
part 'the exercises in Node' exercises_in_node # on two cores
part 'the engine in Node' engine_in_node & # beside what keeps one core busy
beside=$!
trap 'kill "$beside" 2>/dev/null || true' EXIT # it does not outlive a part that fails
part 'what commands print' outputs
part 'pages' pages
if browser; then part 'PDF, EPUB' book; fi
part 'links' links
wait "$beside"
if browser; then
  part 'pages in browsers' in_browsers
  part 'the exercises in a browser' exercises_in_browsers
else
  echo 'no chromium: the pages were built, not opened'
  echo '0 0 1' >>"$home/build/course.counts"
  printf 'course: its pages in a browser, PDF, EPUB\tno chromium\n' >>"$home/build/course.skips"
  : >"$home/build/course.failures"
fi
