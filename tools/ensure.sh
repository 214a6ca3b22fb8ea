# shellcheck shell=bash
# Sourced by ./rung and ./check: installs what is missing, builds without noise.
home=${home:?the folder of the repository}

# A line: what is tested (a command, a <header> as the compiler finds it, a python:module, a file by its pattern), then
# who brings it: Debian's package, Homebrew's package (-: comes with the system).
ensure_to_run() {
  ensure '
    c++                   g++                 -
    cmake                 cmake               cmake
    ninja                 ninja-build         ninja
    <CLI/CLI.hpp>         libcli11-dev        cli11
    <fmt/format.h>        libfmt-dev          fmt
    <nlohmann/json.hpp>   nlohmann-json3-dev  nlohmann-json
    <editline/readline.h> libedit-dev         -
    <gtest/gtest.h>       libgtest-dev        googletest
    <curl/curl.h>         libcurl4-openssl-dev  -
    <openssl/evp.h>       libssl-dev          openssl@3
    python:pip            python3-pip         python3'
}
ensure_to_check() {
  ensure '
    npm                   npm                 node
    chromium              chromium            -
    firefox-esr           firefox-esr         -
    pdfinfo               poppler-utils       -
    /usr/share/java/epubcheck.jar  epubcheck  -
    pkg-config            pkg-config          pkgconf
    dpkg-shlibdeps        dpkg-dev            -
    file                  file                -
    clang-format-19       clang-format-19     -
    clang-tidy-19         clang-tidy-19       -
    <benchmark/benchmark.h>  libbenchmark-dev  google-benchmark
    clang++-19            clang-19            -
    llvm-symbolizer-19    llvm-19             -
    /usr/lib/llvm-19/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a  libclang-rt-19-dev  -'
}
ensure_to_emulate() { # the kernels of 64-bit ARM, on Debian for x86-64
  ensure '
    aarch64-linux-gnu-g++ g++-aarch64-linux-gnu  -
    qemu-aarch64          qemu-user              -
    /usr/src/googletest/googletest/src/gtest-all.cc  libgtest-dev  -'
}
ensure_to_compile_for_pages() { # WebAssembly
  ensure '
    em++                  emscripten             emscripten
    npm                   npm                    -
    /usr/src/googletest/googletest/src/gtest-all.cc  libgtest-dev  -'
}

say() { printf '%s\n' "rung: $*" >&2; }

# quietly LABEL COMMAND...: in a terminal, one line on stderr tells how far it is; its words are shown when it fails,
# its warnings always.
quietly() {
  local label=$1 log status=0
  shift
  log=$(mktemp)
  "$@" </dev/null 2>&1 | tee "$log" | while IFS= read -r line; do
    [ ! -t 2 ] || printf '\r\033[K%.78s' "$label: $line" >&2
  done || status=$?
  [ ! -t 2 ] || printf '\r\033[K' >&2
  if [ "$status" = 0 ]; then
    grep -A3 ' warning: ' "$log" >&2 || true
  else
    cat "$log" >&2
    say "$label: failed ($1, exit status $status)"
  fi
  rm -f "$log"
  return "$status"
}

is_there() { # is_there THING, one of the first column
  case $1 in
    \<*) printf '#if !__has_include(%s)\n#error\n#endif\n' "$1" |
      c++ -E -x c++ -I/usr/local/include -I/opt/homebrew/include \
      -I/opt/homebrew/opt/openssl@3/include -I/usr/local/opt/openssl@3/include - ;;
    python:*) python3 -c "import ${1#python:}" ;;
    /*) compgen -G "$1" ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

# ensure TABLE: when nothing is missing it does nothing, and needs neither network nor rights.
ensure() {
  local thing debian brew missing='' packages=()
  while read -r thing debian brew; do
    if [ -z "$thing" ] || is_there "$thing"; then continue; fi
    if [ "$(uname)" = Darwin ]; then debian=$brew; fi
    if [ "$debian" = - ]; then continue; fi
    missing+=" $thing"
    packages+=("$debian")
  done <<<"$1"
  [ -z "$missing" ] || install_packages "$missing" "${packages[@]}"
}

install_packages() { # install_packages WHAT-IS-MISSING PACKAGE...
  local missing=$1 as_root=()
  shift
  if [ "$(uname)" = Darwin ]; then
    command -v brew >/dev/null || { say "missing:$missing. Install Homebrew, then: brew install $*"; exit 1; }
    say "installing$missing, with: brew install $*"
    quietly "installing $*" brew install "$@"
    return
  fi
  command -v apt-get >/dev/null || { say "missing:$missing. Install what Debian calls: $*"; exit 1; }
  if [ "$(id -u)" != 0 ]; then
    # sudo asks for its password here, where nothing hides the question; without a terminal it must not ask.
    if ! { [ -t 0 ] && sudo -v || sudo -n true; } 2>/dev/null; then
      say "missing:$missing. Run as root: apt-get update && apt-get install $*"
      exit 1
    fi
    as_root=(sudo)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  say "installing$missing, with: apt-get install $*"
  quietly "reading the list of packages" "${as_root[@]}" apt-get update
  quietly "installing $*" "${as_root[@]}" apt-get install -y --no-install-recommends "$@"
}

# build FOLDER 'TARGET...' [CMAKE OPTION...]: configures and builds build/FOLDER.
# Two at a time wait for each other. In CI a warning is an error.
build() {
  local name=$1 folder=$home/build/$1 targets
  read -ra targets <<<"$2"
  shift 2
  mkdir -p "$folder"
  (
    if command -v flock >/dev/null; then flock 9; fi
    touch "$folder/building" &&
      quietly "configuring $name" cmake -G Ninja -S "$home" -B "$folder" \
        -DCMAKE_COMPILE_WARNING_AS_ERROR="${CI:+ON}" "$@" &&
      quietly "building $name" cmake --build "$folder" --target "${targets[@]}" &&
      mv "$folder/building" "$folder/built"
  ) 9>"$folder.lock"
}
