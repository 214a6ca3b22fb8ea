#!/usr/bin/env python3
"""A model of Qwen3-0.6B's shape with random weights, a GGUF file in bf16: to measure speed on true sizes without 1.2 GB
from the network.

    python3 tools/random_model.py OUT.gguf [--tokenizer FOLDER] [--layers N] [--vocab N] [--seed N]      pip install
    gguf numpy

FOLDER holds Qwen3's tokenizer.json (tests/fetch brings it to build/downloads/tokenizers/tokenizer-qwen3); without it
the vocabulary is made up: the 256 bytes and pairs of them. The weights are normal, each matrix's outputs about as large
as its inputs, so that activations stay what a real model has and nothing overflows in any engine. What the model says
is noise.

    rung quantize OUT.gguf --to q8_0 qwen3-shaped-q8_0.gguf
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np

HIDDEN, HEADS, KV_HEADS, HEAD_DIM, INTERMEDIATE = 1024, 16, 8, 128, 3072


def byte_alphabet() -> list[str]:
    """GPT-2's spelling of the 256 bytes."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = iter(range(256, 512))
    return [chr(b) if b in shown else chr(next(hidden)) for b in range(256)]


def made_up_vocabulary(size: int) -> tuple[list[str], list[int], list[str]]:
    """256 bytes, pairs of letters, and unused tokens up to `size`; the last four are control tokens."""
    alphabet = byte_alphabet()
    tokens, merges = list(alphabet), []
    for a in "etaoinsrhldcumfpgwybvkxjqzĠ":
        for b in "etaoinsrhldcumfpgwybvkxjqz":
            tokens.append(a + b)
            merges.append(f"{a} {b}")
    types = [gguf.TokenType.NORMAL] * len(tokens)
    while len(tokens) < size - 4:
        tokens.append(f"[unused{len(tokens)}]")
        types.append(gguf.TokenType.UNUSED)
    for name in ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"):
        tokens.append(name)
        types.append(gguf.TokenType.CONTROL)
    return tokens, types, merges


def official_vocabulary(folder: Path, size: int) -> tuple[list[str], list[int], list[str]]:
    file = json.loads((folder / "tokenizer.json").read_text())
    by_id = {i: (token, gguf.TokenType.NORMAL) for token, i in file["model"]["vocab"].items()}
    for token in file["added_tokens"]:
        by_id[token["id"]] = (token["content"], gguf.TokenType.CONTROL if token["special"]
                              else gguf.TokenType.USER_DEFINED)
    filled = [by_id.get(i, (f"[PAD{i}]", gguf.TokenType.UNUSED)) for i in range(size)]
    merges = [m if isinstance(m, str) else " ".join(m) for m in file["model"]["merges"]]
    return [token for token, _ in filled], [kind for _, kind in filled], merges


def matrices(layers: int, vocab: int):
    """Name, rows, columns, standard deviation."""
    def fair(rows: int, columns: int) -> tuple[int, int, float]:
        return rows, columns, columns ** -0.5
    yield "token_embd.weight", (vocab, HIDDEN, 0.03)
    for i in range(layers):
        yield f"blk.{i}.attn_q.weight", fair(HEADS * HEAD_DIM, HIDDEN)
        yield f"blk.{i}.attn_k.weight", fair(KV_HEADS * HEAD_DIM, HIDDEN)
        yield f"blk.{i}.attn_v.weight", fair(KV_HEADS * HEAD_DIM, HIDDEN)
        yield f"blk.{i}.attn_output.weight", fair(HIDDEN, HEADS * HEAD_DIM)
        yield f"blk.{i}.ffn_gate.weight", fair(INTERMEDIATE, HIDDEN)
        yield f"blk.{i}.ffn_up.weight", fair(INTERMEDIATE, HIDDEN)
        yield f"blk.{i}.ffn_down.weight", fair(HIDDEN, INTERMEDIATE)


def vectors(layers: int):
    yield "output_norm.weight", HIDDEN
    for i in range(layers):
        yield f"blk.{i}.attn_norm.weight", HIDDEN
        yield f"blk.{i}.ffn_norm.weight", HIDDEN
        yield f"blk.{i}.attn_q_norm.weight", HEAD_DIM
        yield f"blk.{i}.attn_k_norm.weight", HEAD_DIM


def random_bf16(rng: np.random.Generator, rows: int, columns: int, deviation: float) -> np.ndarray:
    values = rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(deviation)
    return (values.view(np.uint32) >> 16).astype(np.uint16)  # cut, not rounded: random is random


def add_metadata(writer: gguf.GGUFWriter, layers: int, vocabulary: tuple[list[str], list[int], list[str]]):
    tokens, types, merges = vocabulary
    writer.add_name("Random weights in the shape of Qwen3-0.6B")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(layers)
    writer.add_context_length(40960)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--tokenizer", type=Path, help="a folder with Qwen3's tokenizer.json (default: a made-up "
                                                       "vocabulary)")
    parser.add_argument("--layers", type=int, default=28)
    parser.add_argument("--vocab", type=int, default=151936)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    vocabulary = official_vocabulary(args.tokenizer, args.vocab) if args.tokenizer else made_up_vocabulary(args.vocab)
    rng = np.random.default_rng(args.seed)
    writer = gguf.GGUFWriter(args.out, "qwen3")
    add_metadata(writer, args.layers, vocabulary)
    for name, size in vectors(args.layers):
        writer.add_tensor_info(name, (size,), np.dtype(np.float32), 4 * size)
    for name, (rows, columns, _) in matrices(args.layers, args.vocab):
        writer.add_tensor_info(name, (rows, columns), np.dtype(np.float16), 2 * rows * columns,
                               raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    # One after the other, so that no more than one is in memory.
    for _, size in vectors(args.layers):
        writer.write_tensor_data(np.ones(size, dtype=np.float32))
    for _, (rows, columns, deviation) in matrices(args.layers, args.vocab):
        writer.write_tensor_data(random_bf16(rng, rows, columns, deviation))
    writer.close()


if __name__ == "__main__":
    main()
