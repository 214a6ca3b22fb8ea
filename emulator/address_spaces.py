#!/usr/bin/env python3
"""Checks the address spaces of a file of the Metal Shading Language: `device`, `threadgroup`, `constant`, `thread`.
usage: address_spaces.py [-D NAME…] [-I FOLDER…] IN.metal

The emulator has one space for all, so it would run what a Mac's compiler refuses: a threadgroup pointer made of a
device pointer. OpenCL C++ has the same four, with the same rules, and clang knows it: the rewriter gives them OpenCL's
names, and clang looks at the result without compiling it."""

import os
import re
import subprocess
import sys
import tempfile

import rewrite

HERE = os.path.dirname(os.path.abspath(__file__))
AS_OPENCL = ["-x", "clcpp", "-cl-std=clc++2021", "--target=spir64", "-Xclang", "-cl-ext=+all"]
AS_OPENCL += ["-cl-no-stdinc", "-nostdinc++"]


def main(arguments):
    *more, source = arguments
    command = ["clang++-19", "-E", *AS_OPENCL, "-D__METAL_VERSION__=310", *more, "-isystem", f"{HERE}/shim", source]
    preprocessed = subprocess.run(command, capture_output=True, check=False)
    if preprocessed.returncode:
        sys.stderr.write(preprocessed.stderr.decode(errors="replace"))
        return 1
    rewriter = rewrite.Rewriter(preprocessed.stdout.decode(errors="replace"), for_address_spaces=True)
    try:
        rewriter.rewrite()
    except rewrite.tk.Unbalanced as problem:
        print(problem, file=sys.stderr)
        return 1
    if rewriter.errors:
        print("\n".join(rewriter.errors), file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        opencl = f"{folder}/kernels.clcpp"
        with open(opencl, "w", encoding="utf-8") as file:
            file.write(rewriter.text())
        command = ["clang++-19", "-fsyntax-only", *AS_OPENCL, "-Wno-everything", "-ferror-limit=0", opencl]
        words = subprocess.run(command, capture_output=True, check=False).stderr.decode(errors="replace")
    wrong = [block for block in blocks_of(words) if not is_false_alarm(block)]
    sys.stderr.write("".join(wrong))
    return 1 if wrong else 0


def blocks_of(words):
    """Each error with its notes."""
    starts = [m.start() for m in re.finditer(r"^\S+:\d+:\d+: (fatal )?error: ", words, re.M)]
    return [words[a:b] for a, b in zip(starts, starts[1:] + [len(words)])]


def is_false_alarm(block):
    """Where Metal copies an object out of another space, and OpenCL does not: `condition ? of_device : of_thread`,
    and a struct in `constant` given by value."""
    choice = re.search(r"incompatible operand types \('([^'*&]*)' and '([^'*&]*)'\)", block)
    if choice:
        plain = [re.sub(r"\b(const|__\w+) ", "", side) for side in choice.groups()]
        return plain[0] == plain[1]
    return "no matching constructor for initialization" in block and (
        "the implicit copy constructor) not viable: cannot bind reference in address space '__constant'" in block
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
