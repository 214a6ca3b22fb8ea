"""Tiny models and tokens → the perplexities that llama.cpp and transformers find, and the distances between models.

    python3 tools/goldens/perplexity.py [--out tests/golden]      writes perplexity/cases.json
    pip install torch transformers safetensors gguf numpy llama-cpp-python

The tokens are what the model itself says, so that its perplexity of them is neither that of a die nor 1. `halves` is
the loop of llama.cpp's perplexity tool (tools/perplexity/perplexity.cpp) over the logits that llama.cpp itself gives
where there is a GGUF file, else over those of transformers; `sliding` the loop on transformers' page about perplexity,
where a window that adds n tokens weighs n - 1.
"""

import argparse
import functools
import json
import math
import tempfile
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "tests/golden/models"
FOLDERS = ["llama", "qwen2", "qwen3", "gemma3"]
WINDOW, TOKENS = 64, 330
torch.set_num_threads(1)  # the models are too small for more
STRIDES = [8, 32, 64]
IN_LLAMA_CPP = ["llama", "qwen2", "qwen3"]  # it does not run gemma3 without its tokenizer
PAIRS = [("llama", "llama-linear"), ("llama", "llama-bias"), ("qwen3", "qwen3-window")]


def load(path: Path) -> transformers.PreTrainedModel:
    options = dict(dtype=torch.float32, attn_implementation="eager")
    if path.suffix == ".gguf":
        return transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **options).eval()
    return transformers.AutoModelForCausalLM.from_pretrained(path, **options).eval()


def say(logits_of_tokens, count: int) -> list[int]:
    """Drawn from the model's own distributions, each window anew."""
    generator, ids = torch.Generator().manual_seed(5), [7]
    while len(ids) < count:
        logits = torch.from_numpy(logits_of_tokens(ids[-(len(ids) % WINDOW + 1):])[-1])
        ids.append(int(torch.multinomial(torch.softmax(logits, 0), 1, generator=generator)))
    return ids


def logits_of(model, ids: list[int]) -> np.ndarray:
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy()


def losses(logits: np.ndarray, following: list[int]) -> np.ndarray:
    """-ln p of each row's following token."""
    rows = logits.astype(np.float64)
    top = rows.max(axis=1)
    return top + np.log(np.exp(rows - top[:, None]).sum(axis=1)) - rows[np.arange(len(following)), following]


def halves(logits_of_window, ids: list[int], window: int, bos: int | None = None, most: int | None = None) -> dict:
    """`logits_of_window(ids)`: [window, vocab], or its second half. A window's last token is foretold, but foretells
    nothing that counts."""
    first, all_losses = window // 2, []
    for start in range(0, len(ids) - window + 1, window)[:most]:
        given = ids[start:start + window]
        logits = logits_of_window([given[0] if bos is None else bos, *given[1:]])[-(window - first):]
        all_losses.append(losses(logits[:-1], given[first + 1:]))
    found = np.concatenate(all_losses)
    mean, count = found.mean(), len(found)
    error = math.sqrt(max(0.0, (found**2).mean() - mean**2) / (count - 1))
    return dict(window=window, counted=count, perplexity=math.exp(mean), error=error * math.exp(mean))


def sliding(model, ids: list[int], window: int, stride: int) -> dict:
    weighted, weights, counted, previous = 0.0, 0, 0, 0
    for begin in range(0, len(ids), stride):
        end = min(begin + window, len(ids))
        new = end - previous
        given = torch.tensor([ids[begin:end]])
        targets = given.clone()
        targets[:, :-new] = -100
        foretold = int((targets[:, 1:] != -100).sum())
        if foretold:
            with torch.no_grad():
                loss = float(model(input_ids=given, labels=targets).loss)
            weighted += loss * (new - 1)
            weights += new - 1
            counted += foretold
        previous = end
        if end == len(ids):
            break
    return dict(window=window, stride=stride, counted=counted, perplexity=math.exp(weighted / weights))


class LlamaCpp:
    """llama.cpp's logits for windows of tokens. A GGUF file without a tokenizer gets the one that knows no text, and
    its weights are decoded to f32: llama.cpp rounds the activations that meet a quantised weight, and what its tool
    computes is asked here, not how well."""

    def __init__(self, path: Path, window: int, threads: int = 2, cache: int = gguf.GGMLQuantizationType.F16):
        import llama_cpp
        self.api, self.window = llama_cpp, window
        self.scratch = tempfile.TemporaryDirectory()
        reader = gguf.GGUFReader(path)
        if not any(key.startswith("tokenizer.") for key in reader.fields):
            path = self.with_tokenizer(reader, Path(self.scratch.name) / "model.gguf")
        self.model = llama_cpp.Llama(str(path), n_ctx=window, n_batch=window, n_ubatch=window, n_threads=threads,
                                     n_threads_batch=threads,
                                     logits_all=True, verbose=False, type_k=cache, type_v=cache)

    @staticmethod
    def with_tokenizer(reader: gguf.GGUFReader, path: Path) -> Path:
        architecture = reader.fields["general.architecture"].contents()
        writer = gguf.GGUFWriter(path, architecture)
        for key, field in reader.fields.items():
            if not key.startswith("GGUF.") and key != "general.architecture":
                writer.add_key_value(key, field.contents(), field.types[0], field.types[-1] if len(field.types) > 1
                                     else None)
        writer.add_tokenizer_model("none")
        if f"{architecture}.vocab_size" not in reader.fields:
            writer.add_vocab_size(next(int(t.shape[1]) for t in reader.tensors if t.name == "token_embd.weight"))
        for t in reader.tensors:
            writer.add_tensor(t.name, gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    def bos(self) -> int | None:
        """What the tool puts in the place of each window's first token, if anything."""
        vocab = self.api.llama_model_get_vocab(self.model.model)
        return self.model.token_bos() if self.api.llama_vocab_get_add_bos(vocab) else None

    def __call__(self, ids: list[int]) -> np.ndarray:
        self.model.reset()
        self.model.eval(ids)
        return np.array(self.model.scores[:len(ids)])


def distance(base: np.ndarray, other: np.ndarray, following: list[int]) -> dict[str, np.ndarray]:
    """Row by row: KL(base ‖ other), whether both find the same token likeliest, the losses of both."""
    p, q = (torch.log_softmax(torch.from_numpy(x.astype(np.float64)), dim=1) for x in (base, other))
    return dict(divergence=torch.nn.functional.kl_div(q, p, log_target=True, reduction="none").sum(1).numpy(),
                same=(base.argmax(1) == other.argmax(1)), base=losses(base, following), other=losses(other, following))


def summary(rows: dict[str, np.ndarray]) -> dict:
    return dict(counted=len(rows["same"]), divergence=float(rows["divergence"].mean()),
                percentile_99=float(np.percentile(rows["divergence"], 99)), same_first=float(rows["same"].mean()),
                perplexity_ratio=float(np.exp((rows["other"] - rows["base"]).mean())))


def distances(base, other, ids: list[int], window: int) -> dict:
    parts = []
    for start in range(0, len(ids) - window + 1, window):
        given = ids[start:start + window]
        a, b = (logits_of(m, given)[window // 2:-1] for m in (base, other))
        parts.append(distance(a, b, given[window // 2 + 1:]))
    return summary({key: np.concatenate([p[key] for p in parts]) for key in parts[0]})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "tests/golden")
    out = parser.parse_args().out / "perplexity"
    transformers.logging.set_verbosity_error()
    cases = []
    for name in FOLDERS:
        model = load(MODELS / name)
        answer = functools.partial(logits_of, model)
        ids = say(answer, TOKENS)
        cases.append(dict(model=name, ids=ids, halves=[dict(by="transformers", **halves(answer, ids, WINDOW))],
                          sliding=[sliding(model, ids, WINDOW, stride) for stride in STRIDES]))
        if name not in IN_LLAMA_CPP:
            continue
        llama_cpp = LlamaCpp(MODELS / f"{name}-gguf/model.gguf", WINDOW, cache=gguf.GGMLQuantizationType.F32)
        ids = say(llama_cpp, TOKENS)
        cases.append(dict(model=f"{name}-gguf", ids=ids, halves=[dict(by="llama.cpp",
                                                                      **halves(llama_cpp, ids, WINDOW))], sliding=[]))
    pairs = []
    for base, other in PAIRS:
        ids = next(c["ids"] for c in cases if c["model"] == base)
        pairs.append(dict(base=base, other=other, window=WINDOW,
                          **distances(load(MODELS / base), load(MODELS / other), ids, WINDOW)))
    out.mkdir(parents=True, exist_ok=True)
    lines = [f"  {json.dumps(case)}" for case in cases], [f"  {json.dumps(pair)}" for pair in pairs]
    (out / "cases.json").write_text('{"models": [\n' + ",\n".join(lines[0]) + '\n ],\n "distances": [\n'
                                    + ",\n".join(lines[1]) + "\n ]}\n")


if __name__ == "__main__":
    main()
