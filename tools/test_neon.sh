#!/usr/bin/env bash
# Builds the kernels and their tests for 64-bit ARM and runs them in an emulator.
# Needs g++-aarch64-linux-gnu, qemu-user, libgtest-dev (its sources), libfmt-dev (its headers). Arguments go to the test program.
set -euo pipefail
home=$(dirname "$(dirname "$(readlink -f "$0")")")
out=$home/build/neon
gtest=/usr/src/googletest/googletest
mkdir -p "$out/include"
ln -sfn /usr/include/fmt "$out/include/fmt" # headers that are the same for every machine
flags=(-std=c++20 -O2 -ffp-contract=off -static -DFMT_HEADER_ONLY -I"$home/src" -I"$home/tests" -isystem "$out/include" -isystem "$gtest/include")
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion)

objects=()
for source in "$home"/src/kernels/{neon/neon,kernels,panels,scalar/scalar}.cpp "$home"/src/tensor/{dtype,blocks}.cpp \
  "$home"/src/base/environment.cpp "$home"/tests/kernels/*.cpp; do
  object=$out/$(basename "$source").o
  aarch64-linux-gnu-g++ "${flags[@]}" "${warnings[@]}" -c "$source" -o "$object"
  objects+=("$object")
done
for source in gtest-all gtest_main; do
  object=$out/$source.o
  [ -e "$object" ] || aarch64-linux-gnu-g++ "${flags[@]}" -I"$gtest" -c "$gtest/src/$source.cc" -o "$object"
  objects+=("$object")
done
aarch64-linux-gnu-g++ -static "${objects[@]}" -o "$out/test_kernels" 2>/dev/null # a static program that could ask for addresses: warned of
qemu-aarch64 -cpu max "$out/test_kernels" --gtest_filter='*neon*' "$@"
