"""The official tokenizers that ours are held to, by name, from what tests/fetch brings into build/downloads.

Qwen, Llama and Gemma publish a tokenizer.json. SmolLM2 is at hand as a GGUF file, which holds its vocabulary and
merges; around them goes the pipeline of its own tokenizer.json: single digits, then GPT-2's byte level.

    pip install tokenizers gguf
"""
import pathlib

import tokenizers
from tokenizers import AddedToken, decoders, models, pre_tokenizers

DOWNLOADS = pathlib.Path(__file__).resolve().parents[2] / "build/downloads"
NAMES = ("qwen3", "qwen2_5", "llama3", "llama3_1", "llama3_2", "gemma3", "gpt4o", "mistral_nemo")
FOLDERS = {name: DOWNLOADS / "tokenizers" / f"tokenizer-{name}" for name in NAMES}
PATHS = {**FOLDERS, "smollm2": DOWNLOADS / "smollm2.gguf", "gemma3_gguf": DOWNLOADS / "gemma3.gguf"}


def smollm2():
    from gguf import GGUFReader
    fields = GGUFReader(PATHS["smollm2"]).fields
    tokens, types, merges = (fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "token_type", "merges"))
    model = models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=[tuple(m.split(" ")) for m in merges])
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                       pre_tokenizers.ByteLevel(
                                                           add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, kind in zip(tokens, types)
                                  if kind == 3])
    return tokenizer


def official(name):
    if name == "smollm2":
        return smollm2()
    return tokenizers.Tokenizer.from_file(str(FOLDERS["gemma3" if name == "gemma3_gguf" else name] / "tokenizer.json"))
