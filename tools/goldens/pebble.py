"""Pebble, the trained model of models/pebble: the official answers at every checkpoint, for a short prompt and for a
full context.

    python3 tools/goldens/pebble.py [--out tests/golden]      writes pebble/short/ and pebble/full/: golden.safetensors,
    golden.json pip install torch transformers safetensors gguf numpy

Of the short prompt every row is kept, of the full context (stories one after the other, 512 tokens) four rows.
"""

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

import safetensors.torch
import torch
import transformers

from capture import Capture, checkpoint_order
from models import lines

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "models" / "pebble"
SHORT = "The fox gave the lantern to Mia. Mia has the"
CONTEXT = 512


def full_context(tokenizer) -> list[int]:
    """Stories that training did not see, told one after the other until the context is full."""
    sys.path.insert(0, str(ROOT / "tools" / "pebble"))
    from evaluate import held_out_story
    text = "<|endoftext|>".join(held_out_story(seed)[1].text() for seed in range(8))
    return tokenizer(text)["input_ids"][:CONTEXT]


def write(folder: Path, shows: str, model, ids: list[int], rows: list[int]):
    with Capture(model) as capture:
        captured = capture.run(ids)
    names = [(name, axes) for name, axes in checkpoint_order(model.config.num_hidden_layers) if name in captured]
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file({name: captured[name][rows].contiguous() for name, _ in names}, folder
                                / "golden.safetensors")
    (folder / "golden.json").write_text(lines({
        "shows": shows,
        "official": {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]},
        "sha256": {"model.safetensors": hashlib.sha256((FOLDER / "model.safetensors").read_bytes()).hexdigest()},
        "ids": ids, "rows": rows,
        "checkpoints": [{"name": name, "axes": axes} for name, axes in names],
    }))


def make(out: Path):
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    shutil.rmtree(out / "pebble", ignore_errors=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32,
                                                              attn_implementation="eager").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(FOLDER)
    short = tokenizer(SHORT)["input_ids"]
    write(out / "pebble" / "short", SHORT, model, short, list(range(len(short))))
    write(out / "pebble" / "full", "a full context of stories", model, full_context(tokenizer),
          [0, 1, CONTEXT // 2, CONTEXT - 1])


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=ROOT / "tests/golden")
    make(arguments.parse_args().out)
