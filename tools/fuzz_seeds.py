"""The seeds of the fuzzers that go the whole way from bytes to a model: one of a few hundred weights for each family
and format.

    python3 tools/fuzz_seeds.py      writes fuzz/corpus/gguf_model/ and fuzz/corpus/folder_model/
    pip install gguf safetensors numpy
"""

import json
from pathlib import Path

import gguf
import numpy as np
import safetensors.numpy

CORPUS = Path(__file__).parents[1] / "fuzz/corpus"
HIDDEN, VOCAB, WIDTH, HEADS, KV_HEADS, HEAD_DIM = 4, 3, 2, 2, 1, 2
SIZES = dict(vocab_size=VOCAB, hidden_size=HIDDEN, intermediate_size=WIDTH, num_hidden_layers=1,
             num_attention_heads=HEADS,
             num_key_value_heads=KV_HEADS, head_dim=HEAD_DIM, max_position_embeddings=8)
BLOCK = {"input_layernorm": ("attn_norm", (HIDDEN,)), "self_attn.q_proj": ("attn_q", (HEADS * HEAD_DIM, HIDDEN)),
         "self_attn.k_proj": ("attn_k", (KV_HEADS * HEAD_DIM, HIDDEN)),
         "self_attn.v_proj": ("attn_v", (KV_HEADS * HEAD_DIM, HIDDEN)),
         "self_attn.o_proj": ("attn_output", (HIDDEN, HEADS * HEAD_DIM)),
         "mlp.gate_proj": ("ffn_gate", (WIDTH, HIDDEN)),
         "mlp.up_proj": ("ffn_up", (WIDTH, HIDDEN)), "mlp.down_proj": ("ffn_down", (HIDDEN, WIDTH))}
NORM_BEHIND = {"post_attention_layernorm": ("ffn_norm", (HIDDEN,))}
HEAD_NORMS = {"self_attn.q_norm": ("attn_q_norm", (HEAD_DIM,)), "self_attn.k_norm": ("attn_k_norm", (HEAD_DIM,))}
GEMMA_NORMS = {"post_attention_layernorm": ("post_attention_norm", (HIDDEN,)),
               "pre_feedforward_layernorm": ("ffn_norm", (HIDDEN,)),
               "post_feedforward_layernorm": ("post_ffw_norm", (HIDDEN,))}
FAMILIES = {  # what a layer has besides, and which of its matrices have a bias
    "llama": (NORM_BEHIND, []), "qwen2": (NORM_BEHIND, ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
    "qwen3": (NORM_BEHIND | HEAD_NORMS, []), "gemma3": (GEMMA_NORMS | HEAD_NORMS, []),
}


def tensors(family: str) -> dict[str, tuple[str, np.ndarray]]:
    """By their names on the hub: GGUF's, and values."""
    more, biases = FAMILIES[family]
    found = {"model.embed_tokens.weight": ("token_embd.weight", (VOCAB, HIDDEN)),
             "model.norm.weight": ("output_norm.weight", (HIDDEN,))}
    for hub, (name, shape) in (BLOCK | more).items():
        found[f"model.layers.0.{hub}.weight"] = (f"blk.0.{name}.weight", shape)
        if hub in biases:
            found[f"model.layers.0.{hub}.bias"] = (f"blk.0.{name}.bias", shape[:1])
    return {hub: (name, np.full(shape, 0.5, np.float32)) for hub, (name, shape) in found.items()}


def held_of(family: str) -> dict[str, np.ndarray]:
    return {hub: values for hub, (_, values) in tensors(family).items()}


def write_gguf(path: Path, family: str, rope_freqs: bool = False):
    writer = gguf.GGUFWriter(path, family)
    writer.add_block_count(1)
    writer.add_context_length(8)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    for name, values in tensors(family).values():
        writer.add_tensor(name, values)
    if rope_freqs:
        writer.add_tensor("rope_freqs.weight", np.ones(HEAD_DIM // 2, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_folder(path: Path, config: dict, held: dict[str, np.ndarray]):
    path.write_bytes(json.dumps(config).encode() + b"\0" + safetensors.numpy.save(held))


def main():
    for folder in ("gguf_model", "folder_model"):
        (CORPUS / folder).mkdir(exist_ok=True)
    for family in FAMILIES:
        write_gguf(CORPUS / f"gguf_model/{family}.gguf", family, rope_freqs=family == "llama")
        config = dict(model_type="gemma3_text" if family == "gemma3" else family, tie_word_embeddings=True, **SIZES)
        write_folder(CORPUS / f"folder_model/{family}.bin", config, held_of(family))
    head = {"lm_head.weight": np.ones((VOCAB, HIDDEN), np.float32)}
    write_folder(CORPUS / "folder_model/llama-head.bin", dict(model_type="llama", **SIZES), held_of("llama") | head)
    nested = {"language_model." + hub: values for hub, values in held_of("gemma3").items()}
    write_folder(CORPUS / "folder_model/gemma3-nested.bin", dict(model_type="gemma3", text_config=SIZES), nested)


if __name__ == "__main__":
    main()
