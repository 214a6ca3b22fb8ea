"""SmolLM2 from its GGUF file → the same weights as folders from the hub: f32, bf16, and f32 in shards (this one in the
old dialect).

    python3 tools/export_smollm2.py OUT [--gguf build/downloads/smollm2.gguf]      writes OUT/f32, OUT/bf16, OUT/sharded
    pip install torch transformers accelerate tokenizers safetensors gguf

The tokenizer is made anew from the vocabulary and merges in the model's official pipeline, single digits and then
byte-level: the conversion that transformers has for GGUF files forgets the digits.
"""

import argparse
import copy
import json
from pathlib import Path

import gguf
import tokenizers
import torch
import transformers

CONTROL = 3  # token type of special tokens in a GGUF file


def official_tokenizer(path: Path) -> transformers.PreTrainedTokenizerFast:
    fields = {key: field.contents() for key, field in gguf.GGUFReader(path).fields.items()
              if key.startswith("tokenizer.")}
    tokens = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={token: i for i, token in enumerate(tokens)},
                                                           merges=merges))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
        tokenizers.pre_tokenizers.Digits(individual_digits=True),
        tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    types = fields["tokenizer.ggml.token_type"]
    tokenizer.add_special_tokens([tokenizers.AddedToken(t, special=True) for t, kind in zip(tokens, types) if kind
                                  == CONTROL])
    assert tokenizer.get_vocab_size() == len(tokens)
    assert tokenizer.encode("x.\n\n1").ids[2] == 1116, "\\n\\n is one token before a digit"
    named = {name: tokens[fields[f"tokenizer.ggml.{key}_token_id"]]
             for name, key in (("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"),
                               ("pad_token", "padding"))}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer,
                                                chat_template=fields["tokenizer.chat_template"], **named)


def plain_model(path: Path) -> transformers.PreTrainedModel:
    """The model with its weights decoded to f32, and no trace of the file that they came from."""
    read = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    config = copy.deepcopy(read.config)
    del config.quantization_config
    model = type(read)(config)
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    return model.eval()


def to_old_dialect(folder: Path):
    """As most of the hub writes it: rope_theta and torch_dtype in config.json, the template in
    tokenizer_config.json."""
    config = json.loads((folder / "config.json").read_text())
    rope = config.pop("rope_parameters")
    assert rope["rope_type"] == "default"
    config |= {"rope_theta": rope["rope_theta"], "rope_scaling": None, "torch_dtype": config.pop("dtype")}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    template = folder / "chat_template.jinja"
    tokenizer_config = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer_config["chat_template"] = template.read_text()
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=2) + "\n")
    template.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--gguf", type=Path, default=Path(__file__).parents[1] / "build/downloads/smollm2.gguf")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    tokenizer, model = official_tokenizer(arguments.gguf), plain_model(arguments.gguf)
    for name, dtype, shard in (("f32", torch.float32, "10GB"), ("sharded", torch.float32, "100MB"),
                               ("bf16", torch.bfloat16, "10GB")):
        folder = arguments.out / name
        model.to(dtype).save_pretrained(folder, max_shard_size=shard)
        tokenizer.save_pretrained(folder)
        if name == "sharded":
            to_old_dialect(folder)
        files = list(folder.glob("*.safetensors"))
        print(f"{folder}: {sum(f.stat().st_size for f in files) / 1e6:.0f} MB of weights in {len(files)} file(s)")


if __name__ == "__main__":
    main()
