#!/usr/bin/env bash
# Builds the engine for web pages, as the npm package web/ (web/dist/), with the compiler for learners' code, and the
# kernels' tests for WebAssembly.
#   tools/web.sh          the package
#   tools/web.sh test     the kernels' tests, in Node; further arguments go to the test program
# What it needs is installed first (Debian's emscripten, GoogleTest's sources).
set -euo pipefail
home=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/ensure.sh
. "$home/tools/ensure.sh"
# shellcheck source=tools/node.sh
. "$home/tools/node.sh"
ensure_to_compile_for_pages
export NODE_PATH=/usr/share/nodejs # where Debian's emscripten finds the modules that it calls
cache=$(em-config CACHE)
if [ ! -w "$cache" ]; then # where it writes as it works: whoever may not gets a copy
  export EM_CACHE=$home/build/emscripten
  if [ ! -e "$EM_CACHE" ]; then cp -r "$cache" "$EM_CACHE"; fi
fi

target=rung_page
if [ "${1:-}" = test ]; then target=test_wasm; fi
build wasm "$target" -DCMAKE_BUILD_TYPE=Release -DRUNG_TOGETHER=ON \
  -DCMAKE_TOOLCHAIN_FILE="$(em-config EMSCRIPTEN_ROOT)/cmake/Modules/Platform/Emscripten.cmake"
if [ "$target" = test_wasm ]; then
  exec node "$home/build/wasm/web/test_wasm.js" --gtest_filter='*simd128*:KvCacheOf*:KvShape*' "${@:2}"
fi

packages_of "$home/web"
cd "$home/web"
node node_modules/typescript/bin/tsc
node compiler/pack.mjs
cp "$home/build/wasm/web/rung.mjs" "$home/build/wasm/web/rung.wasm" dist/
