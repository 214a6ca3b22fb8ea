#!/usr/bin/env bash
# Builds the kernels, the KV cache and their tests for 64-bit ARM and runs them in an emulator. Arguments go to the
# test program.
# What it needs is installed first (Debian's compiler for ARM, QEMU, GoogleTest's sources, the headers of fmt).
set -euo pipefail
home=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/ensure.sh
. "$home/tools/ensure.sh"
ensure_to_emulate
out=$home/build/neon
gtest=/usr/src/googletest/googletest
mkdir -p "$out/include"
ln -sfn /usr/include/fmt "$out/include/fmt" # headers that are the same for every machine

# A list of what to build, for ninja: it builds two at a time, and only what has changed.
list() {
  local source objects=()
  local headers="-I$home/src -I$home/tests -isystem $out/include -isystem $gtest/include -I$gtest"
  printf '%s\n' 'rule compile' "  command = aarch64-linux-gnu-g++ -std=c++20 -O2 -ffp-contract=off -DFMT_HEADER_ONLY \$
    \$warnings -MD -MF \$out.d $headers -c \$in -o \$out" '  depfile = $out.d' '  deps = gcc'
  # A static program that could look up addresses is warned of: this one does not.
  printf '%s\n' 'rule link' '  command = aarch64-linux-gnu-g++ -static $in -o $out 2>/dev/null'
  for source in "$home"/src/kernels/{neon/*,kernels,panels,scalar/scalar}.cpp \
    "$home"/src/tensor/{blocks,coded_blocks}.cpp \
    "$home"/src/ops/kv_cache.cpp "$home"/src/base/{environment,error,hub_environment,pages}.cpp \
    "$home"/tests/kernels/{attention,kernels,panels,vectors}_test.cpp \
    "$home"/tests/ops/kv_cache_test.cpp; do
    printf 'build %s.o: compile %s\n  warnings = -Wall -Wextra -Wpedantic -Wshadow -Wconversion\n' \
      "$(basename "$source")" "$source"
    objects+=("$(basename "$source").o")
  done
  for source in gtest-all gtest_main; do
    printf 'build %s.o: compile %s\n' "$source" "$gtest/src/$source.cc"
    objects+=("$source.o")
  done
  printf 'build test_neon: link %s\n' "${objects[*]}"
}
list >"$out/build.ninja"
ninja -C "$out" test_neon
qemu-aarch64 -cpu max "$out/test_neon" --gtest_filter='*neon*:KvCacheOf*:KvShape*' "$@"
