#!/usr/bin/env python3
"""What `rung quantize` makes of a model beside what llama.cpp makes of it: the type of every tensor, and the error of
every type.

    python3 tools/compare_quantizers.py MODEL [--rung build/release/src/cli/rung] [--formats q4_k_m,q6_k,...]
    pip install gguf numpy llama-cpp-python

MODEL: whatever `rung quantize` reads, in f32 or bf16. A line for each type: how many tensors there are, how many are
the same bytes, and the root of the mean squared distance from the original, ours and llama.cpp's without an importance
matrix.
"""

import argparse
import ctypes
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

FORMATS = {"q4_0": 2, "q4_1": 3, "q8_0": 7, "q5_0": 8, "q4_k_m": 15, "q6_k": 18, "iq4_nl": 25}  # llama.h's llama_ftype


def quantize_by_llama_cpp(source: Path, ftype: int, out: Path) -> None:
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype, parameters.nthread = ftype, 2
    if llama_cpp.llama_model_quantize(bytes(source), bytes(out), ctypes.byref(parameters)) != 0:
        sys.exit(f"llama.cpp cannot quantize {source}")


def values(tensor: gguf.ReaderTensor) -> np.ndarray:
    return gguf.dequantize(tensor.data, tensor.tensor_type).reshape(-1).astype(np.float64)


def tensors(path: Path) -> dict[str, gguf.ReaderTensor]:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}


def compare(original: Path, ours: Path, theirs: Path) -> bool:
    """Prints the lines of one format; whether types agree and no type of ours has a larger error."""
    good, sums = True, defaultdict(lambda: np.zeros(5))
    exact, mine = tensors(original), tensors(ours)
    for name, tensor in tensors(theirs).items():
        other = mine[name]
        if other.tensor_type != tensor.tensor_type:
            print(f"  {name}: {other.tensor_type.name}, llama.cpp has {tensor.tensor_type.name}")
            good = False
            continue
        wanted = values(exact[name])
        sums[tensor.tensor_type.name] += [1, other.data.tobytes() == tensor.data.tobytes(), wanted.size,
                                          ((values(other) - wanted)**2).sum(), ((values(tensor) - wanted)**2).sum()]
    for kind, (count, same, size, ours_sum, theirs_sum) in sums.items():
        print(f"  {kind:5} {count:4.0f} tensors, {same:4.0f} the same bytes, error {(ours_sum / size)**0.5:.6f}, "
              f"llama.cpp {(theirs_sum / size)**0.5:.6f}")
        good = good and ours_sum <= theirs_sum * 1.000001
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--rung", type=Path, default=Path("build/release/src/cli/rung"))
    parser.add_argument("--formats", default=",".join(FORMATS))
    arguments = parser.parse_args()
    silent = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(silent, None)
    good = True
    with tempfile.TemporaryDirectory() as scratch:
        original, ours, theirs = (Path(scratch) / name for name in ("f32.gguf", "ours.gguf", "theirs.gguf"))
        subprocess.run([arguments.rung, "quantize", arguments.model, "--to", "f32", original], check=True,
                       capture_output=True)
        for form in arguments.formats.split(","):
            subprocess.run([arguments.rung, "quantize", original, "--to", form, ours], check=True, capture_output=True)
            quantize_by_llama_cpp(original, FORMATS[form], theirs)
            print(form, flush=True)
            good = compare(original, ours, theirs) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
