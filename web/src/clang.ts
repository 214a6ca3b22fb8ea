// How a learner's file is compiled: the same flags in a page, in Node, and where the header is precompiled
// (compiler/pack.mjs).
//
// clang is called as -cc1 and wasm-ld by itself: their driver would start LLVM once more for each.

/** The learner's file between the header and the glue, which they do not see; their lines keep their numbers. */
export function entry(file: string, functionName: string, signature: string): string {
  return `#include "learn.h"\n#include "${file}"\n#include "entry.h"\nRUNG_EXERCISE(${functionName}, ${signature})\n`;
}

const target = ['-triple', 'wasm32-unknown-wasip1', '-target-cpu', 'generic', '-target-feature', '+simd128'];
const library = [
  ...['-resource-dir', '/usr', '-isysroot', '/usr'],
  ...['/usr/include/wasm32-wasip1/c++/v1', '/usr/include/c++/v1', '/usr/include', '/usr/include/wasm32-wasip1'].flatMap(
    (folder) => ['-internal-isystem', folder],
  ),
  '-D_LIBCPP_REMOVE_TRANSITIVE_INCLUDES', // <cmath> alone would bring in half the library: 4.0 s → 0.65 s
  '-D_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_DEBUG', // an index beyond a span stops the program, with words
];
const language = [
  ...['-std=c++20', '-O2', '-fdeprecated-macro', '-ferror-limit', '19'],
  ...['-Wall', '-Wextra', '-Wno-unused-parameter', '-Wno-sign-compare'], // int i, as most write it, beside a size
  ...['-ffp-contract=off', '-fno-rounding-math'], // the same sums as the engine
  '-fno-finite-loops', // else an endless loop may be taken for one that is never reached, and vanish
  ...['-vectorize-loops', '-vectorize-slp', '-fvisibility=hidden', '-mconstructor-aliases'],
  ...['-mrelocation-model', 'static', '-mframe-pointer=none', '-fno-implicit-modules', '-fno-pch-timestamp'],
  ...['-disable-free', '-clear-ast-before-backend'],
];
// more costs std::sort 1.6 s
const lines = ['-debug-info-kind=line-tables-only', '-dwarf-version=4', '-debugger-tuning=gdb'];
const words = ['-fdiagnostics-print-source-range-info', '-fdiagnostics-parseable-fixits'];
const all = [...target, ...library, ...language, ...lines, ...words];

export const toPrecompile = ['clang++', '-cc1', '-emit-pch', ...all, '-x', 'c++-header', '-o', 'learn.pch', 'learn.h'];

export const toCompile = [
  ...['clang++', '-cc1', '-emit-obj', ...all, '-include-pch', 'learn.pch'],
  ...['-x', 'c++', '-main-file-name', 'entry.cpp', '-o', 'entry.o', 'entry.cpp'],
];

/** Bytes of the stack that a learner's functions have. */
export const stackBytes = 1 << 18;

/** What a learner's module may ask of its host. Everything else that is declared and nowhere defined is an error. */
export const fromHost = ['rung_print', 'rung_not_yet', 'rung_malloc', 'rung_free'];

/** The module lies in the engine's memory, at `base`: first its data, then its stack. */
export const toLink = (base: number) => [
  ...['wasm-ld', '-m', 'wasm32', '-L/usr/lib/wasm32-wasip1', 'entry.o', '--no-entry', '--export=rung_exercise'],
  ...['--import-memory', `--global-base=${base}`, '--no-stack-first', '-z', `stack-size=${stackBytes}`],
  ...['--export=__heap_base', '--allow-undefined-file=from_host', '-lc++', '-lc++abi', '-lc'],
  ...['/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a', '-o', 'learner.wasm'],
];

/** Places in a module's code → their functions and lines. */
export const toFindLines = (offsets: number[]) => [
  'symbolizer',
  '--inlines',
  '--obj=learner.wasm',
  ...offsets.map((offset) => `0x${offset.toString(16)}`),
];
