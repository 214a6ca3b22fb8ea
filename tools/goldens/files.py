#!/usr/bin/env python3
"""Files as the official packages write them, and what the official packages read from them.

    pip install gguf==0.19.0 safetensors numpy
    python tools/goldens/files.py

tests/golden/tensor/  random blocks of every type (TYPE.blocks, one row) and the values that gguf decodes them to
                      (TYPE.f32, little
                      endian). The bytes are random, but the f16 scales run through the values that go wrong: zeros of
                      both signs, subnormals, the largest, infinities, NaN, negatives.
tests/golden/files/   small GGUF and safetensors files, whole, split and sharded, and NAME.json: metadata and tensors as
                      gguf.GGUFReader
                      and safetensors.safe_open see them.
fuzz/corpus/          the same files as seeds for the fuzzers.
"""
import json
import pathlib
import shutil
import struct

import gguf
import numpy as np
import safetensors.numpy

ROOT = pathlib.Path(__file__).parents[2]
TENSORS = ROOT / "tests" / "golden" / "tensor"
FILES = ROOT / "tests" / "golden" / "files"
CORPUS = ROOT / "fuzz" / "corpus"

ODD_HALVES = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00, 0x7C00, 0xFC00,
              0x7E00, 0xFE00,
              0x2E66]
# Where the f16 scales lie in a block.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "IQ4_NL": [0], "IQ4_XS": [0], "IQ3_S": [0], "IQ3_XXS": [0], "IQ2_S": [0], "IQ2_XS": [0], "IQ2_XXS": [0],
    "IQ1_S": [0], "IQ1_M": [],
    "TQ1_0": [52], "TQ2_0": [64], "MXFP4": [],
}


# --- blocks of every type

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
    if name == "IQ1_M":  # four bits of the scale in the upper four of each of the last four numbers of 16 bits
        for row, half in enumerate(halves(rng, count)):
            for part in range(4):
                data[row, 49 + 2 * part] = data[row, 49 + 2 * part] & 15 | (half >> (4 * part) & 15) << 4
    if name == "MXFP4":  # every second exponent from 0 on, to the largest
        data[::2, 0] = [0, 1, 2, 3, 254, 255, *range(4, 256)][:data[::2].shape[0]]
    return data.reshape(-1)


def plain(rng, name):
    if name == "F32":
        return rng.integers(0, 256, 4 * 1024, dtype=np.uint8)
    # 16-bit patterns of every sign and exponent, with some fractions.
    patterns = np.arange(0, 0x10000, 7, dtype=np.uint32).astype("<u2")
    return np.concatenate([patterns, np.array(ODD_HALVES, dtype="<u2")]).view(np.uint8)


def make_blocks():
    TENSORS.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20260101)
    np.seterr(all="ignore")
    for name in ["F32", "F16", "BF16", *SCALES]:
        data = blocks(rng, name) if name in SCALES else plain(rng, name)
        # the package takes plain floats as arrays of their type
        source = data.view({"F32": "<f4", "F16": "<f2"}.get(name, np.uint8))
        values = gguf.dequantize(source, gguf.GGMLQuantizationType[name]).astype("<f4").reshape(-1)
        (TENSORS / f"{name.lower()}.blocks").write_bytes(data.tobytes())
        (TENSORS / f"{name.lower()}.f32").write_bytes(values.tobytes())


# --- GGUF files

def fill(writer):
    """Every metadata type, alone and in an array, and a tensor of every type."""
    t = gguf.GGUFValueType
    limits = {t.UINT8: [0, 255], t.INT8: [-128, 127], t.UINT16: [0, 65535], t.INT16: [-32768, 32767],
              t.UINT32: [0, 2**32 - 1],
              t.INT32: [-2**31, 2**31 - 1], t.UINT64: [0, 2**64 - 1], t.INT64: [-2**63, 2**63 - 1],
              t.FLOAT32: [-0.5, 3.0e38],
              t.FLOAT64: [-0.5, 1.0e300], t.BOOL: [True, False], t.STRING: ["", "wörld 🦊 \x00\x01"]}
    for kind, (low, high) in limits.items():
        writer.add_key_value(f"test.{kind.name.lower()}", high, kind)
        writer.add_key_value(f"test.array.{kind.name.lower()}", [low, high], t.ARRAY, sub_type=kind)
    writer.add_key_value("test.array.array", [[1, 2, 3], ["a", "b"]], t.ARRAY)
    rng = np.random.default_rng(7)
    for name in ["F32", "F16", "BF16", *SCALES, "NVFP4", "I64"]:
        qtype = gguf.GGMLQuantizationType[name]
        values, size = gguf.GGML_QUANT_SIZES[qtype]
        rows, row_bytes = 3, 2 * size
        data = rng.integers(0, 256, (rows, row_bytes), dtype=np.uint8)
        writer.add_tensor(f"blk.0.{name.lower()}.weight", data, raw_shape=(rows, row_bytes), raw_dtype=qtype)
    writer.add_tensor("scalar", np.array([1.5], dtype=np.float32))


def write_gguf(path, **options):
    writer = gguf.GGUFWriter(path, "llama", **options)
    if path.stem == "aligned":
        writer.add_custom_alignment(64)
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe_gguf(paths):
    metadata, tensors = {}, {}
    for index, path in enumerate(paths):
        reader = gguf.GGUFReader(path)
        for tensor in reader.tensors:
            tensors[tensor.name] = {"type": tensor.tensor_type.name.lower(),
                                    "shape": [int(e) for e in reversed(tensor.shape)],
                                    "bytes": tensor.data.tobytes().hex()}
        if index > 0:
            continue
        for key, field in reader.fields.items():
            if key.startswith("test.") and key != "test.array.array":  # whose elements the package flattens
                metadata[key] = field.contents()
    return {"metadata": metadata, "tensors": tensors}


def make_gguf():
    write_gguf(FILES / "all_types.gguf")
    write_gguf(FILES / "aligned.gguf")
    whole = (FILES / "all_types.gguf").read_bytes()
    # version 3 changed nothing but byte orders
    (FILES / "version2.gguf").write_bytes(whole[:4] + struct.pack("<I", 2) + whole[8:])
    write_gguf(FILES / "split.gguf", split_max_tensors=10)
    parts = sorted(FILES.glob("split-*-of-*.gguf"))
    assert len(parts) == 3, parts
    for name, paths in {"all_types": [FILES / "all_types.gguf"], "split": parts}.items():
        (FILES / f"{name}.json").write_text(json.dumps(describe_gguf(paths), indent=1) + "\n")


# --- safetensors files

def make_safetensors():
    rng = np.random.default_rng(9)
    tensors = {"model.embed_tokens.weight": rng.normal(size=(5, 4)).astype(np.float32),
               "model.norm.weight": rng.normal(size=4).astype(np.float16), "scalar": np.array(2.5, dtype=np.float32),
               "empty": np.zeros((0, 4), dtype=np.float32), "position_ids": np.arange(6),
               "mask": np.array([True, False]),
               "wörld 🦊 \"\\": np.ones(3, dtype=np.float32)}
    safetensors.numpy.save_file(tensors, FILES / "whole.safetensors", metadata={"format": "np", "note": "é \"\n"})
    folder = FILES / "sharded"
    folder.mkdir(exist_ok=True)
    names = list(tensors)
    shards = {"model-00001-of-00002.safetensors": names[:3], "model-00002-of-00002.safetensors": names[3:]}
    for shard, members in shards.items():
        safetensors.numpy.save_file({name: tensors[name] for name in members}, folder / shard,
                                    metadata={"format": "np"})
    index = {"metadata": {"total_size": sum(t.nbytes for t in tensors.values())},
             "weight_map": {name: shard for shard, members in shards.items() for name in members}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
    expected = {}
    with safetensors.safe_open(FILES / "whole.safetensors", "np") as file:
        for name in file.keys():
            data = file.get_tensor(name)
            expected[name] = {"type": file.get_slice(name).get_dtype(), "shape": list(data.shape),
                              "bytes": data.tobytes().hex()}
        (FILES / "whole.json").write_text(json.dumps({"metadata": file.metadata(), "tensors": expected}, indent=1)
                                          + "\n")


def make_corpus():
    for kind in ["gguf", "safetensors"]:
        folder = CORPUS / kind
        folder.mkdir(parents=True, exist_ok=True)
        for path in [*FILES.glob(f"*.{kind}"), *FILES.glob(f"sharded/*.{kind}")]:
            shutil.copy(path, folder / path.name)


if __name__ == "__main__":
    FILES.mkdir(parents=True, exist_ok=True)
    make_blocks()
    make_gguf()
    make_safetensors()
    make_corpus()
