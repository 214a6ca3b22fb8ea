"""How far the fast backend is from the reference, beside how far llama.cpp is from it: the same file, the same text,
the same windows.

    python3 tools/compare_quality.py [MODEL.gguf] [TEXT] [--windows N] [--json FILE]
    pip install torch transformers accelerate safetensors gguf numpy llama-cpp-python

MODEL: build/downloads/smollm2.gguf; TEXT: the GPL-3 that every Debian has. Windows of 512 tokens, the second half of
each counts. The reference is transformers in f32 with the weights of the file for llama.cpp, and Rung's own reference
backend for `rung compare`; that these two are the same is seen in their perplexities (and, token by token, with
tools/compare_logits.py). --sliding compares `rung eval --stride` with transformers, too.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools/goldens"))
from perplexity import LlamaCpp, distance, halves, load, logits_of, sliding, summary  # noqa: E402

WINDOW, STRIDE = 512, 256


def rung(binary: str, *arguments: str) -> dict:
    said = subprocess.run([binary, *arguments, "--json"], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        sys.exit(said.stderr.strip())
    return json.loads(said.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path, default=ROOT / "build/downloads/smollm2.gguf")
    parser.add_argument("text", nargs="?", type=Path, default=Path("/usr/share/common-licenses/GPL-3"))
    parser.add_argument("--windows", type=int, help="only the first N")
    parser.add_argument("--sliding", action="store_true", help="transformers' sliding windows, too: twice the work")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rung", default=str(ROOT / "rung"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()

    tokens = json.loads(subprocess.run([given.rung, "tokenize", "-m", given.model, "--json", "--file", given.text],
                                       capture_output=True, text=True, check=True).stdout)["ids"]
    torch.set_num_threads(given.threads)
    official, llama_cpp = load(given.model), LlamaCpp(given.model, WINDOW, given.threads)
    ids = tokens[:WINDOW * given.windows] if given.windows else tokens
    bos = llama_cpp.bos()
    first = ["--windows", str(given.windows)] if given.windows else []
    first += ["--threads", str(given.threads)]

    kept = {}

    def reference(window: list[int]) -> np.ndarray:
        kept[tuple(window)] = logits_of(official, window)[WINDOW // 2:]
        return kept[tuple(window)]

    rows = []

    def theirs(window: list[int]) -> np.ndarray:
        logits = llama_cpp(window)[WINDOW // 2:]
        rows.append(distance(kept.pop(tuple(window))[:-1], logits[:-1], window[WINDOW // 2 + 1:]))
        return logits

    result = {"model": given.model.name, "text": given.text.name, "tokens": len(ids)}
    result["transformers"], result["llama.cpp"] = {}, {}
    parts = [ids[i:i + WINDOW] for i in range(0, len(ids) - WINDOW + 1, WINDOW)]
    perplexities = {"transformers": [], "llama.cpp": []}
    for part in parts:
        perplexities["transformers"].append(halves(reference, part, WINDOW, bos)["perplexity"])
        perplexities["llama.cpp"].append(halves(theirs, part, WINDOW, bos)["perplexity"])
        print(f"\r{len(rows)} of {len(parts)} windows", end="", file=sys.stderr, flush=True)
    for who, found in perplexities.items():
        result[who]["perplexity"] = float(np.exp(np.log(found).mean()))
    result["llama.cpp"] |= summary({key: np.concatenate([r[key] for r in rows]) for key in rows[0]})
    model, text = str(given.model), str(given.text)
    compared = rung(given.rung, "compare", f"{model}@reference", f"{model}@cpu", text, *first)
    result["rung reference"] = {"perplexity": compared["base"]["perplexity"]["value"],
                                "error": compared["base"]["perplexity"]["error"]}
    cpu = compared["models"][0]
    result["rung cpu"] = {"perplexity": cpu["perplexity"]["value"], "divergence": cpu["divergence"]["value"],
                          "kernels": cpu["kernels"],
                          "percentile_99": cpu["divergence"]["percentile_99"], "same_first": cpu["same_first"]["value"],
                          "perplexity_ratio": cpu["perplexity_ratio"]["value"], "counted": compared["counted_tokens"]}
    if given.sliding:
        result["transformers"]["sliding"] = sliding(official, ids, WINDOW, STRIDE)["perplexity"]
        slid = rung(given.rung, "eval", "-m", model, text, "--device", "reference", "--stride", str(STRIDE))
        result["rung reference"]["sliding"] = slid["perplexity"]
    print("\r", end="", file=sys.stderr)
    print(f"{'':16}{'perplexity':>12}{'mean KL':>12}{'99%':>10}{'same first':>12}{'sliding':>12}")
    for who in ("transformers", "rung reference", "rung cpu", "llama.cpp"):
        r = result[who]
        far = " " * 34
        if "divergence" in r:
            far = f"{r['divergence']:12.6f}{r['percentile_99']:10.5f}{r['same_first']:12.2%}"
        print(f"{who:16}{r['perplexity']:12.5f}{far}" + (f"{r['sliding']:12.5f}" if "sliding" in r else ""))
    print(f"rung cpu / llama.cpp: {result['rung cpu']['divergence'] / result['llama.cpp']['divergence']:.3f} of its "
          f"mean KL")
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
