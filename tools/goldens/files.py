#!/usr/bin/env python3
"""Random blocks of every type, and the values that the gguf package decodes them to → tests/golden/tensor/.

    pip install gguf==0.19.0 numpy
    python tools/goldens/files.py

TYPE.blocks holds the bytes of one row, TYPE.f32 its values (little endian). The bytes are random, but the f16 scales run through the values that go
wrong: zeros of both signs, subnormals, the largest, infinities, NaN, negatives.
"""
import pathlib
import struct

import gguf
import numpy as np

OUT = pathlib.Path(__file__).parents[2] / "tests" / "golden" / "tensor"
ODD_HALVES = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00, 0x7C00, 0xFC00, 0x7E00, 0xFE00, 0x2E66]
# Where the f16 scales lie in a block.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}


def halves(rng, count):
    """Half of them odd, half of them like those of real weights."""
    real = rng.normal(0, 0.05, count).astype(np.float16).view(np.uint16)
    return [ODD_HALVES[i // 2 % len(ODD_HALVES)] if i % 2 == 0 else int(real[i]) for i in range(count)]


def blocks(rng, name):
    values, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    count = 64 if values == 32 else 40
    data = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for k, place in enumerate(SCALES[name]):
        column = halves(rng, count)
        if k == 1:
            column = column[3:] + column[:3]  # another partner for each odd scale
        for row, half in enumerate(column):
            data[row, place:place + 2] = list(struct.pack("<H", half))
    return data.reshape(-1)


def plain(rng, name):
    if name == "F32":
        return rng.integers(0, 256, 4 * 1024, dtype=np.uint8)
    # Every 16-bit pattern that differs in what matters: sign, exponent, some fractions.
    patterns = np.arange(0, 0x10000, 7, dtype=np.uint32).astype("<u2")
    return np.concatenate([patterns, np.array(ODD_HALVES, dtype="<u2")]).view(np.uint8)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20260101)
    np.seterr(all="ignore")
    for name in ["F32", "F16", "BF16", *SCALES]:
        data = blocks(rng, name) if name in SCALES else plain(rng, name)
        qtype = gguf.GGMLQuantizationType[name]
        # The package takes plain floats as arrays of their type.
        source = data.view({"F32": "<f4", "F16": "<f2"}.get(name, np.uint8))
        values = gguf.dequantize(source, qtype).astype("<f4").reshape(-1)
        (OUT / f"{name.lower()}.blocks").write_bytes(data.tobytes())
        (OUT / f"{name.lower()}.f32").write_bytes(values.tobytes())
        print(f"{name}: {data.size} bytes, {values.size} values, {int(np.isnan(values).sum())} NaN")


if __name__ == "__main__":
    main()
