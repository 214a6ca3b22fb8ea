#!/usr/bin/env bash
# Links the whole program for a Mac with a chip of Apple's, on Linux: zig (PyPI's ziglang) brings Apple's headers and
# the linker. That it runs only a Mac can show; that every file compiles against Apple's headers, and that nothing but
# the system's own libraries is asked for, this shows.
#
#   tools/link_for_mac.sh [FOLDER]     FOLDER (default build/mac) gets `rung` and `undefined.txt`, the symbols that it
#                                      wants from the system
#
# It fails where a file does not compile, where a symbol is in none of the libraries below, and where what comes out is
# no program for such a Mac. Objective-C and Metal are none of these libraries: they are loaded when the program runs
# (src/ops/metal/objc.cpp), so a direct reference to them does not link.
#
# The rooms are compiled as a file each, without optimisation. CLI11, fmt, nlohmann-json and libedit's headers are those
# of this machine; libcurl and OpenSSL are left out, as they may be (src/files/hub/library.h).
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/mac}
mkdir -p "$out/include" "$out/objects"
rm -f "$out/rung" "$out/undefined.txt"
[ -x "$out/zig/bin/python" ] || { python3 -m venv "$out/zig" && "$out/zig/bin/pip" install -q ziglang==0.15.1; }
for headers in CLI fmt nlohmann editline; do ln -sfn "/usr/include/$headers" "$out/include/$headers"; done
zig=("$out/zig/bin/python" -m ziglang c++ -target aarch64-macos.13.0)
version=$(sed -n 's/^project(rung VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
flags=(-std=c++20 -O0 -g0 -ffp-contract=off -Isrc -Icourse -isystem "$out/include"
  -DFMT_HEADER_ONLY -DRUNG_VERSION="\"$version\""
  -DRUNG_SOURCE_FOLDER="\"$PWD/src\"" -DRUNG_PEBBLE="\"$PWD/models/pebble\"" -Wno-deprecated-declarations)

# compile NAME FILE…: files that may be one to the compiler
compile() {
  local name=$1
  shift
  for file in "$@"; do printf '#include "%s"\n' "$PWD/$file"; done >"$out/$name.cpp"
  echo "$name"
  "${zig[@]}" "${flags[@]}" -c "$out/$name.cpp" -o "$out/objects/$name.o"
}

for room in base files text templates ops model engine convert measure learn; do
  [ -d "src/$room" ] || continue
  mapfile -t sources < <(find "src/$room" -name '*.cpp' | sort)
  compile "$room" "${sources[@]}"
done
# Rooms whose files are not to be mixed.
while read -r source; do
  compile "$(echo "${source#src/}" | tr / _ | sed 's/\.cpp$//')" "$source"
done < <(find src/kernels src/tensor src/cli -name '*.cpp' | grep -v -e /avx -e /wasm | sort)
cmake -DFROM="$PWD/course/exercises" -DTO="$PWD/$out/exercise_files.cpp" -P cmake/exercise_files.cmake
echo exercise_files
"${zig[@]}" "${flags[@]}" -c "$out/exercise_files.cpp" -o "$out/objects/exercise_files.o"

# The system's libedit, as much as a linker must know of it: the names in it.
cat >"$out/libedit.tbd" <<'END'
--- !tapi-tbd
tbd-version:     4
targets:         [ arm64-macos ]
install-name:    '/usr/lib/libedit.3.dylib'
exports:
  - targets:     [ arm64-macos ]
    symbols:     [ _readline, _rl_readline_name, _rl_outstream, _add_history, _using_history, _stifle_history ]
...
END
"${zig[@]}" "$out"/objects/*.o "$out/libedit.tbd" -o "$out/rung"

llvm-nm-19 --undefined-only "$out/rung" | sed 's/^ *U //' | sort >"$out/undefined.txt"
kind=$(file -b "$out/rung")
echo "$kind"
case $kind in
  "Mach-O 64-bit arm64 executable"*) ;;
  *) echo "$out/rung: this is no program for a Mac with a chip of Apple's" >&2 && exit 1 ;;
esac
llvm-objdump-19 --macho --dylibs-used "$out/rung" | tail -n +2
