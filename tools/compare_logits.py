"""Runs `./rung logits --out` and transformers on the same tokens, and holds the one to the other.

    python3 tools/compare_logits.py MODEL TEXT…            MODEL: smollm2, gemma3, a .gguf file, or a folder from the
    hub
    python3 tools/compare_logits.py MODEL --file PROMPTS   a prompt between lines of ---
    pip install torch transformers accelerate safetensors gguf numpy

Rung makes the token ids, so that this is about the forward pass alone. For every token row ‖ours − official‖ ≤
1e-4·‖official‖, and every logit within 1e-3; else the exit status is 1. `--rung PATH` names another binary.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
import transformers

ROOT = Path(__file__).parents[1]
ROW_TOLERANCE, LOGIT_TOLERANCE = 1e-4, 1e-3


def load(path: Path) -> transformers.PreTrainedModel:
    options = dict(dtype=torch.float32, attn_implementation="eager")
    if path.is_dir():
        return transformers.AutoModelForCausalLM.from_pretrained(path, **options).eval()
    return transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **options).eval()


def ours(rung: str, model: Path, text: str) -> tuple[list[int], np.ndarray]:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "logits.safetensors"
        command = [rung, "logits", "-m", model, "--device", "reference", "--json", "--out", out]
        said = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if said.returncode != 0:
            sys.exit(said.stderr.strip())
        return json.loads(said.stdout)["ids"], safetensors.numpy.load_file(out)["logits"]


def official(model: transformers.PreTrainedModel, ids: list[int]) -> np.ndarray:
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy()


def compare(mine: np.ndarray, theirs: np.ndarray) -> tuple[float, float, float]:
    """The largest distance of a row, the largest difference of a logit, the share of rows with the same first
    choice."""
    rows = np.linalg.norm((mine - theirs).astype(np.float64),
                          axis=1) / np.linalg.norm(theirs.astype(np.float64), axis=1)
    return rows.max(), np.abs(mine - theirs).max(), (mine.argmax(1) == theirs.argmax(1)).mean()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("texts", nargs="*", metavar="TEXT")
    parser.add_argument("--file", type=Path, help="prompts, with lines of --- between them")
    parser.add_argument("--rung", default=str(ROOT / "rung"))
    arguments = parser.parse_args()
    texts = arguments.texts + (arguments.file.read_text().split("\n---\n") if arguments.file else [])
    if not texts:
        parser.error("no text")
    transformers.logging.set_verbosity_error()
    path = Path(arguments.model) if Path(arguments.model).exists() else ROOT / f"build/downloads/{arguments.model}.gguf"
    model, failed = load(path), 0
    print("tokens   row distance   logit difference   same first choice   prompt")
    for text in texts:
        ids, mine = ours(arguments.rung, path, text)
        row, logit, first = compare(mine, official(model, ids))
        bad = not (row <= ROW_TOLERANCE and logit <= LOGIT_TOLERANCE)
        failed += bad
        print(f"{len(ids):6}   {row:12.2e}   {logit:16.2e}   {first:16.1%}   {'DIFFERS ' if bad else ''}{text[:50]!r}",
              flush=True)
    allowed = f"{ROW_TOLERANCE:.0e} of a row's length, {LOGIT_TOLERANCE:.0e} of a logit"
    print(f"{len(texts) - failed} agree, {failed} differ (allowed: {allowed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
