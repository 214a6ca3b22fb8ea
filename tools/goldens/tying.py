"""Whether the head is the embedding: what config.json says, against what the file holds, as transformers decides it.

    python3 tools/goldens/tying.py [--out tests/golden]      writes tying/: MODEL.safetensors, cases.json,
    logits.safetensors pip install torch transformers safetensors numpy

A case is a model, its config.json, and which tensors of MODEL.safetensors its file holds, under which names. It has the
logits of a short prompt, or the tensors that are missing: transformers makes these up at random, and whoever wants a
right answer must refuse.
"""

import argparse
import itertools
import json
import shutil
import tempfile
from pathlib import Path

import safetensors.torch
import torch
import transformers

from weights import informative

EMBEDDING, HEAD = "embed_tokens.weight", "lm_head.weight"
IDS = [3, 11, 7]
SIZES = dict(vocab_size=20, hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
             num_key_value_heads=1,
             head_dim=8, max_position_embeddings=32)
VISION = dict(model_type="siglip_vision_model", hidden_size=8, intermediate_size=8, num_hidden_layers=1,
              num_attention_heads=1,
              image_size=4, patch_size=2, num_channels=3)
ABSENT = "absent"
HOLDS = {  # in the file: the embedding, and at the head's name that same tensor or another
    "embedding": (True, None), "embedding, equal head": (True, "equal"), "embedding, other head": (True, "other"),
    "only a head": (False, "other"), "neither": (False, None),
}


def with_tie(config: dict, tie) -> dict:
    return config if tie == ABSENT else config | {"tie_word_embeddings": tie}


def configs() -> dict[str, list[tuple[str, dict]]]:
    """For each model its configurations: the key absent, true and false, in each place that there is."""
    every = (ABSENT, True, False)
    llama, text = dict(model_type="llama", **SIZES), dict(model_type="gemma3_text", query_pre_attn_scalar=8, **SIZES)
    nested = dict(model_type="gemma3", vision_config=VISION, mm_tokens_per_image=4, image_token_index=19,
                  boi_token_index=18,
                  eoi_token_index=17)
    return {
        "llama": [(f"tie {tie}", with_tie(llama, tie)) for tie in every],
        "gemma3_text": [(f"tie {tie}", with_tie(text, tie)) for tie in every],
        "gemma3": [(f"outer tie {outer}, inner {inner}", with_tie(nested | {"text_config": with_tie(text, inner)},
                                                                  outer))
                   for outer, inner in itertools.product(every, every)],
    }


def official_class(model: str) -> type:
    return {"llama": transformers.LlamaForCausalLM, "gemma3_text": transformers.Gemma3ForCausalLM,
            "gemma3": transformers.Gemma3ForConditionalGeneration}[model]


def all_tensors(model: str, config: dict) -> dict[str, torch.Tensor]:
    """The text's tensors as the hub names them, with a head that is not the embedding."""
    built = official_class(model)(transformers.AutoConfig.for_model(**with_tie(config, False)))
    tensors = {}
    for name, parameter in built.named_parameters():
        if "vision_tower" in name or "multi_modal" in name:
            continue
        name = name.replace("model.language_model.", "language_model.model.") if model == "gemma3" else name
        name = "language_model.lm_head.weight" if model == "gemma3" and name == HEAD else name
        values = informative(f"tying/{model}", name, tuple(parameter.shape), model != "llama", True)
        tensors[name] = torch.from_numpy(values)
    return tensors


def holding(tensors: dict[str, torch.Tensor], embedding: bool, head) -> dict[str, torch.Tensor]:
    name_of = {end: next(name for name in tensors if name.endswith(end)) for end in (EMBEDDING, HEAD)}
    held = {name: tensor for name, tensor in tensors.items() if name not in name_of.values()}
    if embedding:
        held[name_of[EMBEDDING]] = tensors[name_of[EMBEDDING]]
    if head:
        held[name_of[HEAD]] = tensors[name_of[HEAD if head == "other" else EMBEDDING]].clone()
    return held


def official_answer(model: str, config: dict, held: dict[str, torch.Tensor]) -> tuple[list[str], torch.Tensor]:
    """The missing tensors, and the logits of the prompt."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "config.json").write_text(json.dumps(config))
        safetensors.torch.save_file(held, Path(scratch) / "model.safetensors", metadata={"format": "pt"})
        loaded, info = official_class(model).from_pretrained(scratch, dtype=torch.float32, attn_implementation="eager",
                                                             output_loading_info=True)
    assert not info["unexpected_keys"] and not info["mismatched_keys"], info
    missing = sorted(name for name in info["missing_keys"] if "vision_tower" not in name and "multi_modal" not in name)
    with torch.no_grad():
        return missing, loaded.eval()(input_ids=torch.tensor([IDS]), use_cache=False).logits[0]


def make(out: Path):
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    folder = out / "tying"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cases, answers = [], {}
    for model, variants in configs().items():
        tensors = all_tensors(model, variants[0][1])
        safetensors.torch.save_file(tensors, folder / f"{model}.safetensors")
        for (says, config), (holds, (embedding, head)) in itertools.product(variants, HOLDS.items()):
            missing, logits = official_answer(model, config, holding(tensors, embedding, head))
            name = f"{model}: {says}; file: {holds}"
            case = {"name": name, "model": model, "config": config, "embedding": embedding, "head": head}
            if missing:
                case["missing"] = missing
            else:
                answers[name] = logits.contiguous()
            cases.append(case)
    safetensors.torch.save_file(answers, folder / "logits.safetensors")
    document = {"official": {"transformers": transformers.__version__}, "ids": IDS, "cases": cases}
    (folder / "cases.json").write_text('{"official": %s, "ids": %s, "cases": [\n%s\n]}\n' % (
        json.dumps(document["official"]), json.dumps(IDS), ",\n".join(json.dumps(case) for case in cases)))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "tests/golden")
    make(arguments.parse_args().out)
