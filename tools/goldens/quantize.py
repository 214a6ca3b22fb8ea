#!/usr/bin/env python3
"""What the official writers make of floats: rows of values, and the blocks that the gguf package and llama.cpp quantise
them to.

    pip install gguf==0.19.0 numpy llama-cpp-python
    python tools/goldens/quantize.py

tests/golden/quantize/  values.f32: 24 rows of 256 values, normal, heavy-tailed, one-sided, zero, denormal, tiny, huge,
                        equal, with ties.
                        TYPE.blocks: what gguf.quantize makes of them (f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1), with
                        which llama.cpp agrees. errors.json: Σ (value − decoded)² of each row as llama.cpp quantises it
                        to iq4_nl, q4_k, q5_k, q6_k (without importance), and Σ importance·(value − decoded)² of it with
                        importance.f32.
"""
import ctypes
import json
import pathlib

import gguf
import llama_cpp
import numpy as np

OUT = pathlib.Path(__file__).parents[2] / "tests" / "golden" / "quantize"
EXACT = ["f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1"]
SEARCHED = ["iq4_nl", "q4_k", "q5_k", "q6_k"]
WEIGHTED = ["q4_0", "q4_1", "q5_0", "q5_1", *SEARCHED]


def kind(name: str) -> gguf.GGMLQuantizationType:
    return gguf.GGMLQuantizationType[name.upper()]


def rows() -> np.ndarray:
    rng = np.random.default_rng(20260102)
    x = (rng.standard_normal((24, 256)) * 0.05).astype(np.float32)
    x[8] = (rng.standard_t(2, 256) * 0.02).astype(np.float32)
    x[9] = np.abs(x[9])
    x[10] = -np.abs(x[10])
    x[11] = 0
    x[12] *= np.float32(1e-38)      # denormals, whose inverse scale is infinite
    x[13] *= np.float32(1e-9)       # scales below the smallest f16
    x[14] *= np.float32(1e5)        # scales near the largest f16
    x[15] = 0.25
    x[16] = np.round(x[16] * 64) / 64  # ties, values of one size on both sides of zero
    x[17, ::32] = 3                 # one outlier in each block
    x[18, 1:] = 0
    x[19] = -x[19, ::-1] * np.float32(20)
    x[20] = np.where(np.arange(256) % 2, x[20], 0)
    x[21] = np.float32(0.5) + x[21] * np.float32(0.01)
    x[22, 0:32] = np.array([-1, 1] * 16, dtype=np.float32)
    x[23] = np.arange(256, dtype=np.float32) - 127
    return x


def ggml() -> ctypes.CDLL:
    for path in sorted((pathlib.Path(llama_cpp.__file__).parent / "lib").glob("*")):
        if "ggml-base" in path.name:
            return ctypes.CDLL(str(path))
    raise SystemExit("llama_cpp has no ggml-base library")


def llama_cpp_quantize(name: str, x: np.ndarray, importance: np.ndarray | None) -> np.ndarray:
    library = ggml()
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    values, size = gguf.GGML_QUANT_SIZES[kind(name)]
    out = np.zeros((x.shape[0], x.shape[1] // values * size), dtype=np.uint8)
    pointer = ctypes.c_void_p(None) if importance is None else importance.ctypes.data_as(ctypes.c_void_p)
    library.ggml_quantize_chunk(ctypes.c_int(kind(name)), x.ctypes.data_as(ctypes.c_void_p),
                                out.ctypes.data_as(ctypes.c_void_p),
                                ctypes.c_int64(0), ctypes.c_int64(x.shape[0]), ctypes.c_int64(x.shape[1]), pointer)
    return out


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    np.seterr(all="ignore")
    x = rows()
    (OUT / "values.f32").write_bytes(x.astype("<f4").tobytes())
    for name in EXACT:
        blocks = gguf.quantize(x, kind(name)).view(np.uint8).reshape(len(x), -1)
        # Where the inverse of a scale is infinite, what a code becomes is left to the machine; all of them decode to
        # zero.
        certain = np.arange(len(x)) != 12
        if name not in ("f16", "bf16"):
            assert (llama_cpp_quantize(name, x, None)[certain] == blocks[certain]).all(), name
        (OUT / f"{name}.blocks").write_bytes(blocks.tobytes())
    importance = np.random.default_rng(5).lognormal(0, 1.5, 256).astype(np.float32)
    (OUT / "importance.f32").write_bytes(importance.astype("<f4").tobytes())
    errors = {"plain": {}, "weighted": {}}
    for name in WEIGHTED:
        decoded = gguf.dequantize(llama_cpp_quantize(name, x, importance), kind(name))
        errors["weighted"][name] = [float(e) for e in (importance * (decoded - x).astype(np.float64) ** 2).sum(axis=1)]
    for name in SEARCHED:
        decoded = gguf.dequantize(llama_cpp_quantize(name, x, None), kind(name))
        errors["plain"][name] = [float(e) for e in ((decoded - x).astype(np.float64) ** 2).sum(axis=1)]
    (OUT / "errors.json").write_text(json.dumps(errors, indent=1) + "\n")


if __name__ == "__main__":
    main()
