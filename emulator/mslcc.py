#!/usr/bin/env python3
"""Compiles a file of the Metal Shading Language, as it is, for the emulator.

usage: mslcc.py [--checked | --contracted] [--std c++14|c++17] [--unoptimised] [-D NAME…] [-I FOLDER…]
                (IN.metal OUT.o | --cache FOLDER IN.metal)

With --cache it makes a shared object in FOLDER, unless it did so before, and prints its path. A shared object takes
the emulator's functions from the program that loads it. Needs clang-19; the rewriter is rewrite.py."""

import argparse
import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile

import rewrite

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILER = "clang++-19"
# Refused in a kernel, so that what C++ takes and Metal does not is an error here, too.
AS_ERRORS = ["-Werror=vla-cxx-extension", "-Werror=return-type"]
QUIET = [
    "-Wno-unused-function",
    "-Wno-unused-variable",
    "-Wno-unused-const-variable",
    "-Wno-missing-braces",
    "-Wno-user-defined-literals",
    "-Wno-unknown-attributes",
    "-Wno-ignored-qualifiers",
    "-Wno-c++17-extensions",
    "-Wno-c99-designator",
    "-Wno-duplicate-decl-specifier",
]


class Failed(Exception):
    """With the words for the user."""


def run(command, **more):
    done = subprocess.run(command, stderr=subprocess.PIPE, check=False, **more)
    words = done.stderr.decode(errors="replace")
    if done.returncode:
        raise Failed(words)
    return words


def target_flags(build):
    """Half floats by the processor's own instruction; contraction needs the one that it contracts to."""
    if platform.machine() != "x86_64":
        return []
    return ["-mf16c"] + (["-mfma"] if build == "contracted" else [])


def build_flags(options):
    build = options.build
    if options.unoptimised:  # hundreds of kernels in one file take minutes otherwise
        return ["-O0", "-ffp-contract=off"]
    if build == "checked":
        # One access in the source is one access in the report: no vectors made of neighbours.
        checks = "-fsanitize=thread,alignment,array-bounds"
        return [checks, "-O1", "-fno-vectorize", "-fno-slp-vectorize", "-ffp-contract=off"]
    return ["-O2", "-ffp-contract=" + ("fast" if build == "contracted" else "off")]


def preprocess(options):
    sanitizer = ["-fsanitize=thread"] if options.build == "checked" else []  # its __has_feature is asked for
    command = [COMPILER, "-E", "-x", "c++", f"-std={options.std}", "-nostdinc++", "-D__METAL_VERSION__=310"]
    command += ["-Wno-user-defined-literals", *sanitizer, *options.more, "-isystem", f"{HERE}/shim", options.source]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise Failed(done.stderr.decode(errors="replace"))
    text = done.stdout.decode(errors="replace")
    if f"{HERE}/shim/metal_stdlib" not in text:
        raise Failed(f"{options.source}:1: error: #include <metal_stdlib> is missing\n")
    return text


def rewritten(text):
    rewriter = rewrite.Rewriter(text, for_address_spaces=False)
    try:
        rewriter.rewrite()
        result = rewriter.text()
    except rewrite.tk.Unbalanced as problem:
        raise Failed(f"{problem}\n") from None
    if rewriter.errors:
        raise Failed("\n".join(rewriter.errors) + "\n")
    names = {name for name, _ in rewriter.constants + rewriter.derived}
    return result, names


def to_ir(cpp, ir, options):
    """To the compiler's intermediate language, not yet optimised: what Metal forbids still shows in it."""
    command = [COMPILER, "-S", "-emit-llvm", "-Xclang", "-disable-llvm-passes", "-x", "c++", f"-std={options.std}"]
    command += ["-fno-exceptions", "-fno-rtti", "-fno-strict-aliasing", "-fPIC", "-g1", "-Wall"]
    command += ["-fno-finite-loops"]  # C++ may take a loop without an end for one that ends; a GPU hangs in it
    # A half is rounded after each operation, as on the GPU, and not kept as a float between them.
    command += ["-Xclang", "-ffloat16-excess-precision=none", "-Xclang", "-fbfloat16-excess-precision=none"]
    command += ["-I", f"{HERE}/runtime", *QUIET, *AS_ERRORS, *target_flags(options.build), *build_flags(options)]
    return run([*command, cpp, "-o", ir])


def to_object(ir, target, options):
    command = [COMPILER, "-c", "-x", "ir", "-fPIC", "-Wno-override-module"]
    run([*command, *target_flags(options.build), *build_flags(options), ir, "-o", target])


# ---- what only the intermediate language shows ----

DEFINITION = re.compile(r'^define .*?@("?[^"(\s]+"?)\(.*?(?:!dbg !(\d+) )?\{$')
CALL = re.compile(r'\b(?:call|invoke)\b[^@%]*?(?:@("?[^"(\s]+"?)|(%[\w.]+))\(')
CALL_AT = re.compile(r"!dbg !(\d+)")
GLOBAL = re.compile(r'^@("?[^"=\s]+"?) = (?:[\w()]+ )*?global ')
# !7 = !DIFile(filename: "…", …), !9 = distinct !DISubprogram(name: …, file: !7, …), !12 = !DILocation(line: 3, …)
NOTE = re.compile(r"^!(\d+) = (?:distinct )?!DI(File|Subprogram|Location)\((.*)\)$")


def refuse_what_metal_has_not(ir, constants):
    """Recursion, calls through pointers, and variables that outlive a thread."""
    calls, through_pointers, variables, notes, function = {}, [], [], {}, None
    with open(ir, encoding="utf-8") as lines:
        for line in lines:
            if definition := DEFINITION.match(line):
                function = definition[1].strip('"')
                calls[function] = {}  # which it calls, and where first: the notes of the function and of the call
                of_function = definition[2]
            elif line.startswith("}"):
                function = None
            elif line.startswith("@"):
                if found := GLOBAL.match(line):
                    variables.append(found[1].strip('"'))
            elif line.startswith("!"):
                if note := NOTE.match(line):
                    notes[note[1]] = note[3]
            elif function and ("call " in line or "invoke " in line):
                of_call = CALL_AT.search(line)
                at = (of_function, of_call and of_call[1])
                for name, pointer in CALL.findall(line):
                    if name:
                        calls[function].setdefault(name.strip('"'), at)
                    elif pointer and "msl" not in function:  # what calls the kernels does so by their address
                        through_pointers.append((function, at))
    problems = [f"{place(notes, at)}error: a call through a pointer, in {demangled(f)}" for f, at in through_pointers]
    for name, at in sorted(recursive(calls).items()):
        problems.append(f"{place(notes, at)}error: recursion: {demangled(name)} calls itself")
    for name in variables:
        plain = demangled(name)
        is_ours = re.search(r"msl_registration|^(__|llvm\.|guard variable|\d+$)", plain)  # a number: a sanitizer's
        if not is_ours and plain not in constants and not re.match(r"msl_approximate$", plain):
            problems.append(f"error: a variable at program scope that is not constant, or a static one: {plain}")
    if problems:
        raise Failed("\n".join(dict.fromkeys(problems)) + "\n")


def place(notes, at):
    """Of a call "FILE:LINE: ", where that is known. The rewriter keeps lines, and no columns."""
    of_function, of_call = at
    file = re.search(r"\bfile: !(\d+)", notes.get(of_function, ""))
    name = file and re.search(r'filename: "([^"]*)"', notes.get(file[1], ""))
    line = re.search(r"\bline: (\d+)", notes.get(of_call, ""))
    return f"{name[1]}:{line[1]}: " if name and line else ""


def demangled(name):
    return subprocess.run(["c++filt", name], capture_output=True, text=True, check=False).stdout.strip() or name


def recursive(calls):
    """The functions that can reach themselves, each with the first call that leads there. Those are left when leaves,
    and then what calls only leaves, are taken."""
    left = {f: {c for c in called if c in calls} for f, called in calls.items()}
    while True:
        leaves = {f for f, called in left.items() if not called}
        if not leaves:
            break
        left = {f: called - leaves for f, called in left.items() if f not in leaves}
    # What merely calls a cycle is left, too: keep those that are called from the cycle itself.
    cycle = {f for f in left if f in walk(left, f)}
    leads = {f: [c for c in calls[f] if c == f or (c in cycle and f in walk(left, c))] for f in cycle}
    return {f: calls[f][leads[f][0]] for f in cycle}


def walk(graph, start):
    seen, waiting = set(), list(graph[start])
    while waiting:
        f = waiting.pop()
        if f not in seen:
            seen.add(f)
            waiting += graph[f]
    return seen


# ---- the whole ----


def compile_to(target, text, options):
    cpp, constants = rewritten(text)
    with tempfile.TemporaryDirectory() as folder:
        source, ir = f"{folder}/kernels.cpp", f"{folder}/kernels.ll"
        with open(source, "w", encoding="utf-8") as file:
            file.write(cpp)
        words = to_ir(source, ir, options)
        refuse_what_metal_has_not(ir, constants)
        if options.syntax_only:
            return words
        to_object(ir, target, options)
    return words


def cached(options):
    """The path of a shared object whose name says what went into it."""
    text = preprocess(options)
    everything = hashlib.sha256(text.encode())
    for name in ("mslcc.py", "rewrite.py", "kernels.py", "tokens.py"):
        with open(f"{HERE}/{name}", "rb") as file:
            everything.update(file.read())
    for name in ("kernel_table.h", "bind_arguments.h"):
        with open(f"{HERE}/runtime/{name}", "rb") as file:
            everything.update(file.read())
    everything.update(f"{options.build} {options.std} {options.unoptimised}".encode())
    stem = os.path.splitext(os.path.basename(options.source))[0]
    target = f"{options.cache}/{stem}-{options.build}-{everything.hexdigest()[:16]}.so"
    if os.path.exists(target):
        return target
    os.makedirs(options.cache, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.cache) as folder:
        words = compile_to(f"{folder}/kernels.o", text, options)
        sys.stderr.write(words)
        # clang's own runtime has the rounding to bfloat, which libgcc 12 has not.
        run([COMPILER, "-shared", "--rtlib=compiler-rt", f"{folder}/kernels.o", "-o", f"{folder}/kernels.so"])
        os.replace(f"{folder}/kernels.so", target)
    return target


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--checked", dest="build", action="store_const", const="checked", default="plain")
    parser.add_argument("--contracted", dest="build", action="store_const", const="contracted")
    parser.add_argument("--std", default="c++17")
    parser.add_argument("--cache")
    parser.add_argument("--syntax-only", action="store_true")
    parser.add_argument("--unoptimised", action="store_true")
    parser.add_argument("source")
    parser.add_argument("target", nargs="?")
    options, options.more = parser.parse_known_args()
    try:
        if options.cache:
            print(cached(options))
        else:
            sys.stderr.write(compile_to(options.target, preprocess(options), options))
    except Failed as problem:
        sys.stderr.write(str(problem))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
