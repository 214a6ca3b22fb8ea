"""A model of transformers → a GGUF file, as llama.cpp's conversion writes one: its keys, its names, its foldings, its
block formats.

What differs from the folder on the hub: Llama's query and key rows are paired (0,1), (2,3)… instead of (0, n/2), (1,
n/2+1)…; Gemma's norms carry their 1; llama3 rope scaling is a tensor of divisors; vectors are always f32.

    pip install gguf torch
"""

import math
from pathlib import Path

import gguf
import numpy as np
import torch

from weights import uniform

Types = gguf.GGMLQuantizationType


def paired(rows: np.ndarray, heads: int) -> np.ndarray:
    """Row i of each head's first half beside row i of its second half."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def stored_type(name: str, shape: tuple, types: dict[str, str]) -> Types:
    return Types.F32 if len(shape) == 1 else Types[next(t for part, t in types.items() if part in name)]


def round_to_stored(model, types: dict[str, str]):
    """Gives the model the weights that its GGUF file can hold."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            kind = stored_type(name, parameter.shape, types)
            parameter.copy_(torch.from_numpy(gguf.dequantize(gguf.quantize(parameter.numpy(), kind),
                                                             kind).reshape(parameter.shape)))


def llama3_divisors(rope: dict, head_dim: int) -> np.ndarray:
    """rope_freqs.weight: what each frequency is divided by. Short waves are kept, long ones stretched, those between
    blended."""
    original = rope["original_max_position_embeddings"]
    divisors = []
    for i in range(0, head_dim, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (i / head_dim)
        turns = original / wavelength
        keep = min(max((turns - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"]), 0), 1)
        divisors.append(1 / (keep + (1 - keep) / rope["factor"]))
    return np.array(divisors, dtype=np.float32)


def add_sizes(writer: gguf.GGUFWriter, config):
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)


def add_keys(writer: gguf.GGUFWriter, family: str, config):
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(f"tiny {family}")
    add_sizes(writer, config)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    head_dim = getattr(config, "head_dim", None)
    if head_dim is not None:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    rope = config.rope_parameters.get("full_attention", config.rope_parameters)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    elif rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if family == "llama":
        writer.add_vocab_size(config.vocab_size)
        writer.add_rope_dimension_count(head_dim)
    if family == "gemma3":
        writer.add_sliding_window(config.sliding_window)
    writer.add_file_type(gguf.LlamaFileType.GUESSED)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def add_ollama_keys(writer: gguf.GGUFWriter, config):
    """What Ollama's converter says of a Gemma 3 that sees (ollama: convert/convert_gemma3.go): neither the norms'
    epsilon nor the ropes."""
    add_sizes(writer, config)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_sliding_window(config.sliding_window)
    vision = dict(block_count=1, embedding_length=8, feed_forward_length=8, image_size=4, patch_size=2, num_channels=3)
    for key, value in vision.items():
        writer.add_uint32(f"gemma3.vision.{key}", value)
    writer.add_uint32("gemma3.vision.attention.head_count", 1)
    writer.add_float32("gemma3.vision.attention.layer_norm_epsilon", 1e-6)
    writer.add_uint32("gemma3.mm.tokens_per_image", 4)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def add_parts_for_pictures(writer: gguf.GGUFWriter, hidden_size: int):
    """Under the names that Ollama gives them. No word of a text passes here."""
    shapes = {"v.patch_embedding.weight": (8, 3, 2, 2), "v.patch_embedding.bias": (8,),
              "v.position_embedding.weight": (4, 8),
              "v.blk.0.attn_q.weight": (8, 8), "v.blk.0.attn_q.bias": (8,), "v.blk.0.layer_norm1.weight": (8,),
              "v.post_layernorm.weight": (8,), "mm.mm_input_projection.weight": (8, hidden_size),
              "mm.mm_soft_emb_norm.weight": (8,)}
    for name, shape in shapes.items():
        kind = np.float32 if len(shape) == 1 else np.float16
        writer.add_tensor(name, uniform(name, shape).astype(kind))


def write_gguf(path: Path, family: str, model, types: dict[str, str], ollama: bool = False):
    config = model.config
    writer = gguf.GGUFWriter(path, family)
    if ollama:
        add_ollama_keys(writer, config)
        add_parts_for_pictures(writer, config.hidden_size)
    else:
        add_keys(writer, family, config)
    names = gguf.get_tensor_name_map(next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == family),
                                     config.num_hidden_layers)
    for name, parameter in model.named_parameters():
        values = parameter.detach().numpy()
        if family == "llama" and ".q_proj." in name:
            values = paired(values, config.num_attention_heads)
        if family == "llama" and ".k_proj." in name:
            values = paired(values, config.num_key_value_heads)
        if family == "gemma3" and name.endswith("norm.weight"):
            values = values + np.float32(1)
        kind = stored_type(name, values.shape, types)
        writer.add_tensor(names.get_name(name, (".weight", ".bias")), gguf.quantize(values, kind), raw_dtype=kind)
    if family == "llama" and config.rope_parameters["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_divisors(config.rope_parameters, config.head_dim))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def check_gguf(path: Path, model):
    """transformers itself must find the model's weights in the file."""
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint
    found = load_gguf_checkpoint(path, return_tensors=True, model_to_load=model)["tensors"]
    for name, parameter in model.named_parameters():
        assert torch.allclose(torch.as_tensor(found[name]), parameter, rtol=0, atol=2e-7), name
