#!/usr/bin/env python3
"""Compiles the Metal kernels of other engines, as they are, in our emulator: what they take for granted of the
language, the emulator must have.
usage: others_kernels.py llama.cpp|ds4 FOLDER [--address-spaces]
       others_kernels.py llama.cpp FOLDER --run LIBRUNG

FOLDER is a checkout of ggml (or llama.cpp's ggml/), or of ds4. Needs clang-19. Prints how many kernels there are in
what came out. LIBRUNG is a build's librung.a: with it, llama.cpp's kernels for a matrix × a vector are run, for each
weight format, against our own decoding of the blocks (others_kernels.cpp)."""

import ast
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EMULATOR = os.path.join(HERE, "../../emulator")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def llama_cpp(folder):
    """One file; bfloat kernels are built where the device has them, as every Apple GPU of today does."""
    src = os.path.join(folder, "src")
    return read(f"{src}/ggml-metal/ggml-metal.metal"), ["-DGGML_METAL_HAS_BF16=1", f"-I{src}", f"-I{src}/ggml-metal"]


def ds4(folder):
    """A head that stands as a string in the host's source, and after it the files that it names, in its order."""
    host = read(f"{folder}/ds4_metal.m")
    literals = re.search(r"static const char \*ds4_gpu_source =\n(.*?);\n\n", host, re.S)[1]
    text = "".join(ast.literal_eval(line) for line in re.findall(r'^"(?:[^"\\]|\\.)*"', literals, re.M))
    for name in re.findall(r'@\[@"DS4_METAL_\w+",\s*@"(metal/\w+\.metal)"\]', host):
        text += f'\n#line 1 "{name}"\n' + read(f"{folder}/{name}")
    return text, []


def run(place, text, flags, library):
    source, program = f"{place}/kernels.metal", f"{place}/run"
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    compiler = ["python3", f"{EMULATOR}/mslcc.py", "--unoptimised", "--cache", place, *flags, source]
    words = subprocess.run(compiler, check=True, stdout=subprocess.PIPE, text=True).stdout
    runtime = [f"{EMULATOR}/runtime/{n}" for n in os.listdir(f"{EMULATOR}/runtime") if n.endswith(".cpp")]
    include = ["-I" + os.path.join(HERE, "../..", place) for place in ("src", "")]
    command = ["g++", "-std=c++20", "-O1", "-rdynamic", '-DMETAL_EMULATOR=""', '-DMETAL_CACHE=""', *include, *flags]
    command += [*runtime, f"{HERE}/others_kernels.cpp", library, "-o", program, "-lfmt", "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return subprocess.run([program, words.split()[-1]], check=False).returncode


def main():
    name, folder, *more = sys.argv[1:]
    text, flags = {"llama.cpp": llama_cpp, "ds4": ds4}[name](folder)
    with tempfile.TemporaryDirectory() as place:
        if more[:1] == ["--run"]:
            raise SystemExit(run(place, text, flags, more[1]))
        source, target = f"{place}/kernels.metal", f"{place}/kernels.o"
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        if "--address-spaces" in more:
            command = ["python3", f"{EMULATOR}/address_spaces.py", *flags, source]
            raise SystemExit(subprocess.run(command, check=False).returncode)
        compiler = ["python3", f"{EMULATOR}/mslcc.py", "--unoptimised"]
        subprocess.run([*compiler, *flags, source, target], check=True)
        symbols = subprocess.run(["nm", "-C", target], capture_output=True, text=True, check=True).stdout
    kernels = re.findall(r" [bBdD] msl_registration::kernel_\d+$", symbols, re.M)
    print(f"{name}: {len(kernels)} kernels")


if __name__ == "__main__":
    main()
