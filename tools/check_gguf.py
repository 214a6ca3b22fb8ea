#!/usr/bin/env python3
"""Holds the files that `rung quantize` writes against llama.cpp: it must load each, go on greedily as Rung does,
and find the same perplexity.

    python3 tools/check_gguf.py MODEL... [--rung build/release/src/cli/rung] [--formats q8_0,q4_k_m,...] [--tokens 2048]
    pip install gguf numpy safetensors llama-cpp-python

MODEL: whatever `rung quantize` reads. The text is the GPL-3 that every Debian has. For each model and format, a line:
whether the gguf package reads the file; how many of 32 greedy tokens agree before the first that does not (the
reference backend, whose numbers are llama.cpp's but for its quantised activations); on how many both agree when both
read llama.cpp's text, by how much ours prefers its own choice at most where they do not, and how far apart the logits
are; and both perplexities on the same tokens, each predicted from those before it in windows of 512, the second half of
each window counted. Fails where tokens are others, perplexities differ by 1% or more, or first choices differ that are
not near equals.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import gguf
import llama_cpp
import numpy as np
import safetensors.numpy

WINDOW = 512
# logits: llama.cpp rounds activations to eight bits, so that of two near equals it may choose the other
NEAR_EQUALS = 0.25
PROMPT = "The freedom to share and change"


def log_softmax_of(logits: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    top = logits.max(axis=1, keepdims=True)
    below = logits - top
    return below[np.arange(len(chosen)), chosen] - np.log(np.exp(below.astype(np.float64)).sum(axis=1))


def llama_cpp_perplexity(model: llama_cpp.Llama, ids: list[int], bos: int | None) -> float:
    losses = []
    for begin in range(0, len(ids) - WINDOW + 1, WINDOW):
        window = list(ids[begin:begin + WINDOW])
        if bos is not None:
            window[0] = bos
        model.reset()
        model.eval(window)
        logits = model.scores[WINDOW // 2:WINDOW - 1]
        losses.append(-log_softmax_of(logits, np.array(ids[begin + WINDOW // 2 + 1:begin + WINDOW])))
    return float(np.exp(np.concatenate(losses).mean()))


def rung_json(rung: Path, *arguments: str) -> dict:
    out = subprocess.run([rung, *arguments, "--json"], check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def same_text(rung: Path, file: Path, theirs: llama_cpp.Llama, prompt: list[int],
              greedy: list[int]) -> tuple[str, bool]:
    """Both first choices after each token of llama.cpp's text, and whether they differ between near equals alone."""
    if greedy[-1] == theirs.token_eos():
        greedy = greedy[:-1]
    text = theirs.detokenize(prompt + greedy).decode(errors="replace")
    ids = rung_json(rung, "tokenize", "-m", str(file), text)["ids"]
    if ids != prompt + greedy:
        # cut within a character, or not as the tokenizer would spell it: no comparison
        return "its text has other tokens", True
    out = file.with_suffix(".logits.safetensors")
    rung_json(rung, "logits", "-m", str(file), "--device", "reference", "--out", str(out), text)
    ours = safetensors.numpy.load_file(out)["logits"][len(prompt) - 1:-1]
    out.unlink()
    theirs.reset()
    theirs.eval(ids)
    logits = theirs.scores[len(prompt) - 1:len(ids) - 1]
    rows, mine, llama = np.arange(len(greedy)), ours.argmax(axis=1), logits.argmax(axis=1)
    gaps = (ours[rows, mine] - ours[rows, llama])[mine != llama]
    apart = f", the others {gaps.max():.3f} apart" if len(gaps) else ""
    return (f"on its text {(mine == llama).sum()} of {len(greedy)}{apart} (logits {np.abs(ours - logits).max():.3f})",
            bool(gaps.max(initial=0) < NEAR_EQUALS))


def check(rung: Path, model: str, form: str, out: Path, text: Path) -> bool:
    made = rung_json(rung, "quantize", model, "--to", form, str(out))
    tensors = len(gguf.GGUFReader(out).tensors)
    theirs = llama_cpp.Llama(str(out), n_ctx=WINDOW, n_batch=WINDOW, logits_all=True, verbose=False, n_threads=2)
    prompt = rung_json(rung, "tokenize", "-m", str(out), PROMPT)["ids"]
    same_ids = prompt == theirs.tokenize(PROMPT.encode(), add_bos=True, special=False)
    greedy = []
    for token in theirs.generate(prompt, temp=0, repeat_penalty=1.0):
        greedy.append(token)
        if len(greedy) == 32 or token == theirs.token_eos():
            break
    ours = rung_json(rung, "generate", "-m", str(out), "--device", "reference", "--temperature", "0",
                     "--repeat-penalty", "1",
                     "-n", "32", PROMPT)["ids"]
    agree = next((i for i, (a, b) in enumerate(zip(ours, greedy)) if a != b), min(len(ours), len(greedy)))
    ids = theirs.tokenize(text.read_bytes(), add_bos=True, special=False)
    bos = theirs.token_bos() if prompt and prompt[0] == theirs.token_bos() else None
    mine = rung_json(rung, "eval", "-m", str(out), "--device", "reference", str(text))["perplexity"]
    llama = llama_cpp_perplexity(theirs, ids, bos)
    choices, near = same_text(rung, out, theirs, prompt, greedy)
    print(f"{model} {form}: {tensors} tensors, {made['bytes'] / 1e6:.1f} MB, tokens "
          f"{'same' if same_ids else 'DIFFER'}, "
          f"greedy {agree} of {len(greedy)}, {choices}, "
          f"perplexity {mine:.3f} (rung) {llama:.3f} (llama.cpp), {100 * (mine / llama - 1):+.2f}%",
          flush=True)
    return same_ids and near and abs(mine / llama - 1) < 0.01


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--rung", type=Path, default=Path("build/release/src/cli/rung"))
    parser.add_argument("--formats", default="f32,f16,bf16,q8_0,q6_k,q5_0,q4_1,q4_0,q4_k_m")
    parser.add_argument("--tokens", type=int, default=2048)
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as scratch:
        text = Path(scratch) / "text.txt"
        whole = Path("/usr/share/common-licenses/GPL-3").read_text()
        text.write_text(whole[:4 * args.tokens])
        for model in args.models:
            for form in args.formats.split(","):
                good = check(args.rung, model, form, Path(scratch) / "made.gguf", text) and good
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
