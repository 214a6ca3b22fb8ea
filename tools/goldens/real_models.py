"""SmolLM2 and Gemma 3 270M, as `rung pull` brings them: the official answers on real weights, for a few rows of a few
prompts.

    python3 tools/goldens/real_models.py [--out tests/golden]      writes real/NAME/golden.json and golden.safetensors
    pip install torch transformers accelerate gguf safetensors

Needs build/downloads/NAME.gguf; a model that is not there is named and left out. Of each row of logits the likeliest 40
to 50 are kept, 200 spread over the vocabulary, and the length of the whole row. Gemma's long prompt is longer than its
window of 512.
"""

import argparse
import hashlib
import json
from pathlib import Path

import safetensors.torch
import torch
import transformers

from capture import Capture
from models import lines

ROOT = Path(__file__).parents[2]
DOWNLOADS = ROOT / "build/downloads"
LAYERS = {"smollm2": [0, 14, 29], "gemma3": [0, 5, 17]}  # first, one in the middle (Gemma: the first global one), last


def likeliest(row: torch.Tensor) -> list[int]:
    """Ids of the 40 to 50 largest, cut where the gap is widest (so that noise cannot move the cut), in the order of the
    id."""
    values, ids = row.topk(51)
    cut = 40 + int((values[39:50] - values[40:51]).argmax())
    return sorted(ids[:cut].tolist())


def prompt_ids(tokenizer, prompt: dict, model: str) -> list[int]:
    ids = tokenizer(prompt["text"])["input_ids"]
    if "repeat_to_tokens" in prompt:
        tokens = prompt["repeat_to_tokens"][model]
        ids = tokenizer(prompt["text"] * (tokens // 8))["input_ids"][:tokens]
        assert len(ids) == tokens
    return ids


def keep_rows(captured: dict[str, torch.Tensor], layers: list[int], rows: list[int],
              fixed: list[int]) -> tuple[dict, list[list[int]]]:
    names = ["embedding", *(f"layer.{n}.output" for n in layers), "final_norm"]
    kept = {name: captured[name][rows] for name in names}
    logits = captured["logits"][rows]
    top_ids = [likeliest(row) for row in logits]
    kept["logits.top"] = torch.cat([row[ids] for row, ids in zip(logits, top_ids)])
    kept["logits.fixed"] = logits[:, fixed]
    kept["logits.norm"] = logits.double().norm(dim=1).float()
    return kept, top_ids


def make_model(name: str, folder: Path):
    path = DOWNLOADS / f"{name}.gguf"
    load = dict(gguf_file=path.name, dtype=torch.float32, attn_implementation="eager")
    model = transformers.AutoModelForCausalLM.from_pretrained(DOWNLOADS, **load).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(DOWNLOADS, gguf_file=path.name)
    vocab = model.config.vocab_size
    fixed = [i * vocab // 200 for i in range(200)]
    golden = {
        "official": {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]},
        "sha256": {path.name: hashlib.sha256(path.read_bytes()).hexdigest()},
        "layers": LAYERS[name], "fixed_ids": fixed, "prompts": [],
    }
    values = {}
    for prompt in json.loads(Path(__file__).with_name("prompts.json").read_text()):
        if name not in prompt.get("models", [name]):
            continue
        ids = prompt_ids(tokenizer, prompt, name)
        rows = sorted({0, 1, len(ids) // 2, len(ids) - 1})
        with Capture(model) as capture:
            kept, top_ids = keep_rows(capture.run(ids), LAYERS[name], rows, fixed)
        values |= {f"{prompt['name']}.{key}": value.contiguous() for key, value in kept.items()}
        golden["prompts"].append({"name": prompt["name"], "ids": ids, "rows": rows, "top_ids": top_ids})
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(values, folder / "golden.safetensors")
    (folder / "golden.json").write_text(lines(golden))


def make(out: Path):
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for name in LAYERS:
        if (DOWNLOADS / f"{name}.gguf").exists():
            make_model(name, out / "real" / name)
        else:
            print(f"build/downloads/{name}.gguf is not there: nothing made for it")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=ROOT / "tests/golden")
    make(arguments.parse_args().out)
