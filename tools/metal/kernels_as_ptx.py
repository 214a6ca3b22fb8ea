#!/usr/bin/env python3
"""Compiles our Metal kernels for NVIDIA GPUs: another compiler's back end and NVIDIA's own assembler look at them.
usage: kernels_as_ptx.py [--keep FOLDER] [--arch sm_80,sm_90] [NAME=VALUE…]

The emulator's rewriter makes C++ of them, clang-19 makes PTX of that (optimised, a SIMD group is a warp, an 8 × 8
matrix two registers a lane), ptxas machine code: it comes with its mathematics from PyPI, once, into build/ptxas.
Prints for each kernel and GPU the registers a thread takes, the bytes of them that spill to memory, and a
threadgroup's shared memory but for what the host gives. Fails where a kernel does not compile, does not assemble, or
wants more registers than a core has.

NAME=VALUE fixes a function constant, as a pipeline does: kFormats=0x0a0a is Q4_K (args.h). Those that are not named are
read when the kernel runs, so that all formats are in it; an entry set_function_constants takes them. FOLDER gets
kernels.ptx and a .cubin for each GPU. An entry takes a pointer for each buffer, in the order of the kernel's
arguments, and an offset for threadgroup memory. Nothing runs here. Needs clang-19 and, the first time, a network."""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(f"{HERE}/../..")
EMULATOR = f"{ROOT}/emulator"
sys.path.insert(0, EMULATOR)

import mslcc  # noqa: E402
import rewrite  # noqa: E402

WHEEL = "nvidia-cuda-nvcc-cu12==12.9.86"
TARGET = ["--target=nvptx64-nvidia-cuda", "-march=sm_80", "-Xclang", "-target-feature", "-Xclang", "+ptx78"]
REGISTERS = 65536  # of a core, for all threads of a threadgroup


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:2])} … fails:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def tools():
    """ptxas, and the bitcode of NVIDIA's mathematics."""
    place = f"{ROOT}/build/ptxas"
    if not glob.glob(f"{place}/lib/python*/site-packages/nvidia"):
        run([sys.executable, "-m", "venv", place])
        run([f"{place}/bin/pip", "install", "-q", "--no-deps", WHEEL])
    package = glob.glob(f"{place}/lib/python*/site-packages/nvidia/cuda_nvcc")[0]
    return f"{package}/bin/ptxas", f"{package}/nvvm/libdevice/libdevice.10.bc"


def source():
    """All kernels as one text, in the order of source.cpp."""
    with open(f"{ROOT}/src/kernels/metal/source.cpp", encoding="utf-8") as file:
        names = re.findall(r'RUNG_INCBIN\(\w+, RUNG_SOURCE_FOLDER "/([^"]+)"\)', file.read())
    text = ""
    for name in names:
        with open(f"{ROOT}/src/{name}", encoding="utf-8") as file:
            text += f'#line 1 "{name}"\n{file.read()}'
    return text


def rewritten(metal, fixed):
    """C++ with an entry for each kernel; and how many threads a threadgroup of each may have."""
    command = ["clang++-19", "-E", "-x", "c++", "-std=c++17", "-nostdinc++", *TARGET, "-D__METAL_VERSION__=310"]
    command += ["-Wno-user-defined-literals", "-isystem", f"{HERE}/ptx", "-isystem", f"{EMULATOR}/shim", metal]
    rewriter = rewrite.Rewriter(run(command), for_address_spaces=False)
    rewriter.rewrite()
    if rewriter.errors or rewriter.instances:
        raise SystemExit("\n".join(rewriter.errors) or "kernel templates have no entry here")
    for token in rewriter.tokens:  # a place that the compiler fixes, where the emulator hands one out
        token.output = re.sub(r"msl_threadgroup_variable\((.*?)\);", r"msl_shared_variable<\1>();", token.output)
    text = "".join(token.output for token in rewriter.all)
    free = []
    for name, _ in rewriter.constants:
        declaration = re.search(rf"\bstatic (\w+) {name}\s*;", text)
        if name in fixed:
            value = f"static constexpr {declaration[1]} {name} = {fixed.pop(name)};"
            text = text.replace(declaration[0], value)
        else:
            free.append((declaration[1], name))
    if fixed:
        raise SystemExit(f"no function constant is called {', '.join(fixed)}")
    kernels = rewriter.kernels.values()
    entries = ['\n#line 1 "entries"\n#include "entry.h"\nnamespace msl_entries {']
    entries += [entry(kernel) for kernel in kernels]
    if free:
        takes = ", ".join(f"{kind} {name}" for kind, name in free)
        sets = " ".join(f"::{name} = {name};" for _, name in free)
        entries.append(f"MSL_ENTRY void set_function_constants({takes}) {{ {sets} }}")
    return text + "\n".join([*entries, "}\n"]), {kernel.name: kernel.max_threads for kernel in kernels}


def entry(kernel):
    takes, binds = [], []
    for a in kernel.arguments:
        if a.role == "buffer":
            takes.append(f"MSL_GLOBAL void* {a.name}")
            binds.append(f"bound.buffer[{a.index}] = (void*){a.name};")
        elif a.role == "threadgroup_memory":
            takes.append(f"unsigned {a.name}")
            binds.append(f"bound.threadgroup[{a.index}] = (void*)(msl_given + {a.name});")
    table = ", ".join(a.initialiser() for a in kernel.arguments)
    return (
        f"constexpr msl::Argument arguments_of_{kernel.name}[] = {{{table}}};\n"
        f"MSL_ENTRY void {kernel.name}({', '.join(takes)}) {{\n  msl::Bindings bound;\n  {' '.join(binds)}\n"
        f"  msl::call(&::{kernel.name}, arguments_of_{kernel.name}, bound, msl::position());\n}}"
    )


def to_ptx(cpp, ptx, libdevice, threads):
    command = ["clang++-19", *TARGET, "-S", "-x", "c++", "-std=c++17", "-O2", "-ffp-contract=off", "-fno-exceptions"]
    command += ["-fno-rtti", "-fno-strict-aliasing", "-fno-finite-loops"]
    command += ["-fconvergent-functions"]  # what all lanes must reach may not move into a branch
    command += ["-fmath-errno"]  # expf is then a call, to libdevice, and no instruction, which there is none for
    command += ["-mllvm", "-inline-threshold=100000"]  # as Metal does: all that a kernel calls is in it
    command += ["-Xclang", "-mlink-builtin-bitcode", "-Xclang", libdevice, "-Wno-unknown-cuda-version"]
    run([*command, "-nostdinc++", "-I", f"{EMULATOR}/runtime", "-I", f"{HERE}/ptx", *mslcc.QUIET, cpp, "-o", ptx])
    with open(ptx, encoding="utf-8") as file:
        text = file.read()
    for name, most in threads.items():  # so that ptxas leaves each thread no more registers than there are
        text, found = re.subn(rf"(\.entry {name}\([^)]*\))", rf"\1\n.maxntid {most}, 1, 1", text)
        if found != 1:
            raise SystemExit(f"{name} has no entry in what clang made")
    with open(ptx, "w", encoding="utf-8") as file:
        file.write(text)


ENTRY = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'(.*?)(?=Compiling entry|\Z)", re.S)


def assembled(ptxas, ptx, cubin, arch):
    """kernel → (registers, spilled bytes, bytes of shared memory)."""
    found = {}
    for name, _, words in ENTRY.findall(run([ptxas, "-v", f"-arch={arch}", ptx, "-o", cubin])):
        spilled = sum(int(n) for n in re.findall(r"(\d+) bytes spill stores", words))
        shared = re.search(r"(\d+) bytes smem", words)
        found[name] = (int(re.search(r"Used (\d+) registers", words)[1]), spilled, int(shared[1]) if shared else 0)
    return found


def name_and_value(text):
    name, value = text.split("=")
    return name, int(value, 0)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--keep")
    parser.add_argument("--arch", default="sm_80,sm_90")
    parser.add_argument("constants", nargs="*", type=name_and_value)
    options = parser.parse_args()
    ptxas, libdevice = tools()
    architectures = options.arch.split(",")
    with tempfile.TemporaryDirectory() as folder:
        place = options.keep or folder
        os.makedirs(place, exist_ok=True)
        with open(f"{folder}/kernels.metal", "w", encoding="utf-8") as file:
            file.write(source())
        cpp, threads = rewritten(f"{folder}/kernels.metal", dict(options.constants))
        with open(f"{folder}/kernels.cpp", "w", encoding="utf-8") as file:
            file.write(cpp)
        to_ptx(f"{folder}/kernels.cpp", f"{place}/kernels.ptx", libdevice, threads)
        found = {a: assembled(ptxas, f"{place}/kernels.ptx", f"{place}/{a}.cubin", a) for a in architectures}
    return report(found, threads)


def report(found, threads):
    print(f"{'':20}{'threads':>8}  " + "  ".join(f"{a:>30}" for a in found))
    print(f"{'':28}  " + "  ".join(f"{'registers':>10}{'spilled':>10}{'shared':>10}" for _ in found))
    bad = []
    for name, most in threads.items():
        cells = []
        for arch, kernels in found.items():
            if name not in kernels:
                bad.append(f"{name} is not in what ptxas made for {arch}")
                continue
            registers, spilled, shared = kernels[name]
            cells.append(f"{registers:>10}{spilled:>10}{shared:>10}")
            if registers * most > REGISTERS:
                bad.append(f"{name}: {most} threads of {registers} registers, of {REGISTERS} ({arch})")
        print(f"{name:20}{most:>8}  " + "  ".join(cells))
    print("\n".join(bad) if bad else f"{len(threads)} kernels assemble for {' and '.join(found)}; none was run")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
