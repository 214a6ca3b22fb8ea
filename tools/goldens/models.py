"""Tiny models with random weights, as folders from the hub, and the official answers at every checkpoint.

    python3 tools/goldens/models.py [--out tests/golden]      writes models/NAME/: the model, golden.safetensors,
    golden.json pip install torch transformers safetensors gguf numpy
"""

import argparse
import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import safetensors.torch
import torch
import transformers

from capture import Capture, checkpoint_order
from gguf_file import check_gguf, round_to_stored, write_gguf
from variants import VARIANTS, VISION, Variant
from weights import informative, token_ids

FAMILIES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
    "gemma3": (transformers.Gemma3TextConfig, transformers.Gemma3ForCausalLM),
}


def make_config(variant: Variant) -> transformers.PreTrainedConfig:
    given = {key: value for key, value in variant.config.items() if value is not None}
    running = dict(attn_implementation="eager", dtype=torch.float32)
    if variant.nested:
        vocab = given["vocab_size"]
        return transformers.Gemma3Config(text_config=given, vision_config=VISION, mm_tokens_per_image=4,
                                         image_token_index=vocab - 1,
                                         boi_token_index=vocab - 2, eoi_token_index=vocab - 3, **running)
    return FAMILIES[variant.family][0](**given, **running)


def model_class(variant: Variant) -> type:
    return transformers.Gemma3ForConditionalGeneration if variant.nested else FAMILIES[variant.family][1]


def build(name: str, variant: Variant) -> transformers.PreTrainedModel:
    """The model in f32, its weights rounded to the type they are stored in."""
    config = make_config(variant)
    model = model_class(variant)(config).eval()
    stored = getattr(torch, variant.dtype)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            values = informative(name, parameter_name, tuple(parameter.shape), variant.family == "gemma3",
                                 config.tie_word_embeddings)
            parameter.copy_(torch.from_numpy(values).to(stored).float())
    if variant.gguf:
        round_to_stored(model, variant.gguf)
    return model


def old_dialect(family: str, config: dict) -> dict:
    """The same configuration as most of the hub writes it; what equals the family's default is left out."""
    if "text_config" in config:
        old = {key: value for key, value in config.items() if key not in ("dtype", "transformers_version")}
        return old | {"torch_dtype": config["dtype"], "text_config": old_dialect(family, config["text_config"])}
    defaults = FAMILIES[family][0]().to_dict()
    old = {key: value for key, value in config.items() if key not in defaults or defaults[key] != value}
    old |= {key: config[key] for key in ("architectures", "model_type") if key in config}
    if "dtype" in config:
        old["torch_dtype"] = config["dtype"]
    for key in ("dtype", "layer_types", "rope_parameters", "transformers_version"):
        old.pop(key, None)
    rope = config["rope_parameters"]
    if family == "gemma3":
        old["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        old["sliding_window_pattern"] = 1 + config["layer_types"].index("full_attention")
        rope = rope["full_attention"]
    old["rope_theta"] = rope["rope_theta"]
    scaling = {key: value for key, value in rope.items() if key not in ("rope_theta", "partial_rotary_factor")}
    if scaling["rope_type"] in ("linear", "dynamic") and family != "gemma3":
        scaling = {"type": scaling["rope_type"], "factor": scaling["factor"]}  # older still
    old["rope_scaling"] = None if scaling.get("rope_type") == "default" else scaling
    return old


def check_old_dialect(folder: Path, config: dict, ids: list[int], logits: torch.Tensor):
    """transformers itself must read the old dialect to the very same answers."""
    with tempfile.TemporaryDirectory() as scratch:
        for file in folder.iterdir():
            if file.name != "config.json":
                shutil.copy(file, scratch)
        (Path(scratch) / "config.json").write_text(json.dumps(config))
        model = transformers.AutoModelForCausalLM.from_pretrained(scratch, dtype=torch.float32,
                                                                  attn_implementation="eager")
        with torch.no_grad():
            assert torch.equal(model(input_ids=torch.tensor([ids]), use_cache=False).logits[0],
                               logits), "the old dialect reads differently"


def check_informative(name: str, captured: dict[str, torch.Tensor]):
    """A golden that any model could meet by chance would prove nothing."""
    assert captured["logits"].std() >= 1, (name, captured["logits"].std())
    for layer, weights in enumerate(captured["attention_weights"]):
        likeliest = weights[:, 4:].amax(-1).mean().item()  # of rows that see several keys
        assert 0.3 < likeliest < 0.95, (name, layer, likeliest)


def write_lengths(name: str, variant: Variant, folder: Path) -> dict:
    """The last logits of beginnings of one prompt, each in one pass of a model that has seen none before: dynamic
    ropes remember."""
    ids = token_ids(name, variant.config["vocab_size"], max(variant.lengths))
    last = {}
    for length in variant.lengths:
        with torch.no_grad():
            out = build(name, variant)(input_ids=torch.tensor([ids[:length]]), use_cache=False)
        last[f"logits.{length}"] = out.logits[0, -1].clone()
    safetensors.torch.save_file(last, folder / "lengths.safetensors")
    return {"ids": ids, "tokens": list(variant.lengths)}


def write_golden(folder: Path, shows: str, ids: list[int], captured: dict[str, torch.Tensor], layers: int,
                 lengths: dict | None = None):
    values = {key: value.contiguous() for key, value in captured.items() if key != "attention_weights"}
    safetensors.torch.save_file(values, folder / "golden.safetensors")
    golden = {
        "shows": shows,
        "official": {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]},
        "sha256": {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.glob("model*"))},
        "ids": ids,
        "checkpoints": [{"name": key, "axes": axes} for key, axes in checkpoint_order(layers) if key in values],
    }
    if lengths:
        golden["lengths"] = lengths
    (folder / "golden.json").write_text(lines(golden))


def lines(document: dict) -> str:
    """JSON with an entry a line, and an item a line in a list of objects: short, and readable in a diff."""
    def item(value):
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "[\n  " + ",\n  ".join(json.dumps(v) for v in value) + "\n ]"
        return json.dumps(value)
    return "{\n " + ",\n ".join(f"{json.dumps(key)}: {item(value)}" for key, value in document.items()) + "\n}\n"


def make_model(name: str, variant: Variant, folder: Path):
    folder.mkdir(parents=True)
    model = build(name, variant)
    ids = token_ids(name, variant.config["vocab_size"], variant.tokens)
    with Capture(model) as capture:
        captured = capture.run(ids)
    check_informative(name, captured)
    if variant.gguf:
        write_gguf(folder / "model.gguf", variant.family, model, variant.gguf, variant.ollama)
        if not variant.ollama:  # transformers does not read such files
            check_gguf(folder / "model.gguf", model)
    else:
        write_folder(folder, variant, model, ids, captured["logits"])
    lengths = write_lengths(name, variant, folder) if variant.lengths else None
    write_golden(folder, variant.shows, ids, captured, variant.config["num_hidden_layers"], lengths)


def write_folder(folder: Path, variant: Variant, model, ids: list[int], logits: torch.Tensor):
    stored = model_class(variant)(model.config).to(getattr(torch, variant.dtype))
    stored.load_state_dict(model.state_dict())
    stored.save_pretrained(folder, max_shard_size=variant.shard_bytes or 10**9)
    (folder / "generation_config.json").unlink()
    if variant.old_dialect:
        old = old_dialect(variant.family, json.loads((folder / "config.json").read_text()))
        check_old_dialect(folder, old, ids, logits)
        (folder / "config.old.json").write_text(json.dumps(old, indent=2) + "\n")


def make(out: Path):
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    shutil.rmtree(out / "models", ignore_errors=True)
    for name, variant in VARIANTS.items():
        make_model(name, variant, out / "models" / name)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "tests/golden")
    make(arguments.parse_args().out)
