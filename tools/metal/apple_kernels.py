#!/usr/bin/env python3
"""Runs kernels that Apple's own compiler compiled, on the emulator's runtime, against double precision.
usage: apple_kernels.py [FOLDER]        what is downloaded and made stays in FOLDER

PyPI's mlx-metal (a wheel for macOS) holds a library of compiled kernels. Compiled means AIR: LLVM's bitcode, which any
LLVM reads, with Metal's own functions (air.simd_sum.f32) and, as metadata, what each argument is bound to. The address
spaces are taken out of it, the metadata becomes the emulator's table of arguments, and apple_kernels.cpp has the
functions. So nothing of ours compiled these kernels: it proves the runtime, and how we read the language: barriers,
SIMD sums, where a matrix's elements lie. Needs pip, clang-19, llvm-19, g++ and a network."""

import os
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EMULATOR = os.path.join(HERE, "../../emulator")
WHEEL = "mlx-metal==0.32.4"
KERNELS = [
    "rmsfloat32",
    "rms_loopedfloat32",
    "layer_normfloat32",
    "block_softmax_float32",
    "looped_softmax_float32",
    "affine_qmv_fast_float_gs_64_b_4_batch_0_pr_0_hgs_0_r_4",
    "affine_qmv_fast_float_gs_64_b_8_batch_0_pr_0_hgs_0_r_4",
    "steel_gemm_fused_nn_float32_float32_bm32_bn32_bk16_wm2_wn2",
]
# Function constants are fixed before the kernel runs: of the matrix product, sizes that are multiples of its tiles.
CONSTANTS = {"align_M": 1, "align_N": 1, "align_K": 1, "has_batch": 0, "use_out_source": 0, "do_axpby": 0}


def functions(library):
    """name → (offset, size) of its bitcode, from the list of functions at a library's head."""
    list_offset, _, _, _, _, _, bitcode, _ = struct.unpack_from("<8Q", library, 24)
    found, at = {}, list_offset + 4
    for _ in range(struct.unpack_from("<I", library, list_offset)[0]):
        size = struct.unpack_from("<I", library, at)[0]
        tags, q = {}, at + 4
        while library[q : q + 4] != b"ENDT":
            length = struct.unpack_from("<H", library, q + 4)[0]
            tags[library[q : q + 4]] = library[q + 6 : q + 6 + length]
            q += 6 + length
        name = tags[b"NAME"].rstrip(b"\0").decode()
        offset = struct.unpack_from("<3Q", tags[b"OFFT"])[2]
        found[name] = (bitcode + offset, struct.unpack("<Q", tags[b"MDSZ"])[0])
        at += size
    return found


# ---- from AIR to what clang compiles for this machine ----

# A matrix is 64 elements to AIR, of which a lane has two, in the first two places.
MATRIX = "air.simdgroup_matrix_8x8_multiply_accumulate.v64f32.v64f32.v64f32.v64f32"
MATRIX_PRODUCT = f"""
declare void @air_matrix_product(ptr, ptr)
define internal <64 x float> @{MATRIX}(<64 x float> %a, <64 x float> %b, <64 x float> %c) convergent {{
  %in = alloca [6 x float]
  %out = alloca [2 x float]
""" + "".join(
    f"  %{m}{i}v = extractelement <64 x float> %{m}, i64 {i}\n"
    f"  %{m}{i}p = getelementptr float, ptr %in, i64 {2 * k + i}\n"
    f"  store float %{m}{i}v, ptr %{m}{i}p\n"
    for k, m in enumerate("abc")
    for i in range(2)
) + """  call void @air_matrix_product(ptr %in, ptr %out)
  %r0 = load float, ptr %out
  %q = getelementptr float, ptr %out, i64 1
  %r1 = load float, ptr %q
  %s = insertelement <64 x float> undef, float %r0, i64 0
  %t = insertelement <64 x float> %s, float %r1, i64 1
  ret <64 x float> %t
}
"""


def for_this_machine(air):
    air = re.sub(r"^target (datalayout|triple).*$", "", air, flags=re.M)
    for name, value in CONSTANTS.items():
        air = re.sub(rf"(@_Z\d+{name}\.MTL_FC_INIT_\w+ = .*constant i8) undef", rf"\1 {value}", air)
    air = re.sub(r' ?addrspace\(\d\)|"air-buffer-no-alias"|, section "air\.\w+"| section "air\.\w+"', "", air)
    air = re.sub(r"\baddrspacecast \(ptr (@[\w.]+) to ptr\)", r"\1", air)
    air = re.sub(r"\b(externally_initialized|unnamed_addr) ?", "", air).replace("local_", "")
    air = re.sub(r"^@llvm\.(compiler\.)?used.*$", "", air, flags=re.M)
    air = re.sub(r"^!(air\.|llvm\.module|llvm\.ident).*$", "", air, flags=re.M)
    air = re.sub(r"(llvm\.\w+(?:\.\w+)*)\.p[123]", r"\1.p0", air)
    group = lambda m: f"attributes {m[1]} = {{ nounwind{' convergent' if 'convergent' in m[0] else ''} }}"
    air = re.sub(r"attributes (#\d+) = \{[^}]*\}", group, air)
    if MATRIX in air:
        air = re.sub(rf"^declare .*@{re.escape(MATRIX)}.*$", "", air, flags=re.M) + MATRIX_PRODUCT
    return air


def arguments(air):
    """(role, index, bytes, LLVM type) of each argument, in order."""
    metadata = dict(re.findall(r"^(!\d+) = (.*)$", air, re.M))
    kernel = metadata[re.search(r"^!air\.kernel = !\{(!\d+)\}", air, re.M)[1]]
    nodes = re.findall(r"!\d+", metadata[re.search(r"ptr @[^,]+, !\d+, (!\d+)", kernel)[1]])
    name = re.search(r"ptr @([^,]+),", kernel)[1]
    signature = re.search(rf"define [^@]*@{name}\((.*?)\) local_unnamed_addr", air)[1]
    types = re.findall(r"(ptr|i32|i16|<[23] x i(?:32|16)>)[^,%]*%\d+", re.sub(r'"[^"]*"', "", signature))
    for node, kind in zip(nodes, types):
        text = metadata[node]
        if '"air.buffer"' in text:
            size = re.search(r'air\.buffer_size", i32 (\d+)', text)
            index = re.search(r'location_index", i32 (\d+)', text)[1]
            yield "buffer", int(index), int(size[1]) if size else 0, kind
        else:
            # The first string is the role; what it is not, is a name of an argument's detail.
            role = re.search(r'"air\.(thread\w*|simdgroup\w*)"', text)[1]
            yield role, 0, 0, kind


def registration(name, table):
    """C++ that calls the kernel with what is bound, and tells the emulator of it."""
    plain = {"ptr": "void*", "i32": "unsigned", "i16": "unsigned short", "<3 x i32>": "U3", "<2 x i32>": "U2"}
    declared, given, rows = [], [], []
    for role, index, size, kind in table:
        declared.append(plain[kind])
        value = f"p.value[(int)msl::Role::{role}]"
        width = {"U2": 2, "U3": 3}.get(plain[kind])
        if role == "buffer":
            given.append(f"b.buffer[{index}]")
        elif width:
            given.append(f"{plain[kind]}{{{', '.join(f'{value}[{i}]' for i in range(width))}}}")
        else:
            given.append(f"({plain[kind]}){value}[0]")
        rows.append(f'{{msl::Role::{role}, {index}, false, {size}, nullptr, "{role}{index}"}}')
    return f"""#include "emulator/runtime/kernel_table.h"
typedef unsigned U3 __attribute__((ext_vector_type(3)));
typedef unsigned U2 __attribute__((ext_vector_type(2)));
extern "C" void kernel({", ".join(declared)}) __asm__("{name}");
static const msl::Argument arguments[] = {{{", ".join(rows)}}};
static void run(const msl::Bindings& b, const msl::Position& p) {{ kernel({", ".join(given)}); }}
static msl::Kernel table = {{"{name}", arguments, {len(rows)}, 1024, run, nullptr}};
static bool is_registered = (msl_register_kernel(&table), true);
"""


# ---- the whole ----


def run(*command):
    subprocess.run(command, check=True)


def shared_object(folder, library, name):
    offset, size = functions(library)[name]
    base = os.path.join(folder, name)
    with open(base + ".bc", "wb") as file:
        file.write(library[offset : offset + size])
    air = subprocess.run(["llvm-dis-19", base + ".bc", "-o", "-"], check=True, capture_output=True, text=True).stdout
    with open(base + ".ll", "w", encoding="utf-8") as file:
        file.write(for_this_machine(air))
    with open(base + ".cpp", "w", encoding="utf-8") as file:
        file.write(registration(name, list(arguments(air))))
    flags = ["-shared", "-fPIC", "-O1", "-Wno-override-module", f"-I{EMULATOR}/.."]
    run("clang++-19", *flags, base + ".ll", base + ".cpp", "-o", base + ".so")
    return base + ".so"


def runner(folder):
    program = os.path.join(folder, "apple_kernels")
    runtime = [os.path.join(EMULATOR, "runtime", n) for n in sorted(os.listdir(f"{EMULATOR}/runtime"))]
    sources = [path for path in runtime if path.endswith(".cpp")] + [os.path.join(HERE, "apple_kernels.cpp")]
    run("g++", "-std=c++20", "-O1", "-rdynamic", '-DMETAL_EMULATOR=""', '-DMETAL_CACHE=""', f"-I{EMULATOR}/..",
        *sources, "-o", program, "-ldl")  # fmt: skip
    return program


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = sys.argv[1] if len(sys.argv) > 1 else temporary
        path = os.path.join(folder, "mlx/lib/mlx.metallib")
        if not os.path.exists(path):
            run(sys.executable, "-m", "pip", "download", "-q", "--platform", "macosx_14_0_arm64", "--only-binary=:all:",
                "--no-deps", "-d", folder, WHEEL)  # fmt: skip
            (wheel,) = [n for n in os.listdir(folder) if n.endswith(".whl")]
            run("unzip", "-qo", os.path.join(folder, wheel), "mlx/lib/mlx.metallib", "-d", folder)
        with open(path, "rb") as file:
            library = file.read()
        objects = [shared_object(folder, library, name) for name in KERNELS]
        run(runner(folder), *objects)


if __name__ == "__main__":
    main()
