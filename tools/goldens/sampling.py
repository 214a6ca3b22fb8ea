"""Recorded logits and settings → the distribution that transformers' generate() would draw from.

    python3 tools/goldens/sampling.py [--out tests/golden]      writes sampling/{cases,rules,lengths}.json
    pip install torch transformers numpy

The processors are the list that generate() itself builds. -inf is written as null. A case whose answer depends on the
order in which equal logits happen to be sorted is left out: there the official implementation promises nothing.
"""

import argparse
import itertools
import json
from pathlib import Path

import numpy as np
import torch
import transformers

from weights import uniform

INF = float("inf")
DEFAULTS = dict(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0)


def vectors() -> dict[str, np.ndarray]:
    """Named logits: as a model gives them, and as it hopefully never does."""
    plain = 6 * uniform("sampling/plain", (120,)) * np.abs(uniform("sampling/plain/2", (120,)))
    peaked = plain.copy()
    peaked[17] = 30.0
    holes = 4 * uniform("sampling/holes", (100,))
    holes[uniform("sampling/holes/where", (100,)) > 0.2] = -INF
    one_left = np.full(100, -INF)
    one_left[42] = -3.0
    steps = np.linspace(-8, 8, 128)[np.argsort(uniform("sampling/steps", (128,)))]
    return {name: v.astype(np.float32) for name, v in {
        "plain": plain, "peaked": peaked, "holes": holes, "one left": one_left, "steps": steps,
        "ties": np.round(3 * uniform("sampling/ties", (110,))), "all equal": np.full(50, 1.5),
        "two tokens": np.array([0.25, -0.5]),
        "one token": np.array([-7.0]), "far apart": 400 * uniform("sampling/far", (60,)),
        "all below zero": 5 * uniform("sampling/below", (80,)) - 50,
        "nearly equal": 1 + 1e-6 * np.round(8 * uniform("sampling/nearly", (64,))),
    }.items()}


SINGLE = [dict(temperature=t) for t in (0.1, 0.7, 1.7)] + [dict(top_k=k) for k in (1, 5, 64, 1000)] \
    + [dict(top_p=p) for p in (0.01, 0.5, 0.9, 0.999)] + [dict(min_p=p) for p in (0.02, 0.3, 1.0)] \
    + [dict(repetition_penalty=r) for r in (1.3, 0.8, 2.0)]
COMBINED = [dict(temperature=t, top_k=k, top_p=p, min_p=m, repetition_penalty=r)
            for t, k, p, m, r in itertools.product((0.6, 1.4), (12, 0), (0.85, 1.0), (0.05, 0.0), (1.2, 1.0))]


def distribution(model, logits: np.ndarray, seen: list[int], settings: dict) -> torch.Tensor:
    config = transformers.GenerationConfig(do_sample=True, **settings)
    model._prepare_special_tokens(config, device="cpu")
    processors = model._get_logits_processor(config, input_ids_seq_length=len(seen))
    scores = processors(torch.tensor([seen], dtype=torch.long), torch.tensor(logits)[None])
    return torch.softmax(scores, dim=-1)[0]


def case(model, name: str, logits: np.ndarray, settings: dict) -> dict | None:
    settings = DEFAULTS | settings
    last = len(logits) - 1
    seen = sorted({int((u + 1) / 2 * last) for u in uniform(f"sampling/{name}/seen", (9,))})
    seen = [*seen[::-1], seen[0]]  # out of order, and one of them twice
    p = distribution(model, logits, seen, settings)
    turned = distribution(model, logits[::-1].copy(), [last - i for i in seen], settings).flip(0)
    if not torch.equal(p > 0, turned > 0):
        return None
    kept = p.nonzero()[:, 0].tolist()
    return {"logits": name, "seen": seen, **settings, "ids": kept, "probabilities": [float(x) for x in p[kept]]}


# What forbids or forces tokens, alone and together: of prompt + answer = TOKENS, PROMPT are the prompt.
TOKENS, PROMPT, ENDS = [7, 3, 11, 5, 3, 11, 9, 7, 3], 4, [2, 17]
RULES = [
    *(dict(no_repeat_ngram_size=n) for n in (1, 2, 3, 4, 9, 10)),
    *(dict(bad_words_ids=w) for w in ([[3]], [[3, 17], [7, 3, 40], [3, 3]], [[2], [17], [5]])),
    dict(bad_words_ids=[[7, 3, 11, 5, 3, 11, 9, 7, 3, 8], [7, 3, 8, 8]]),
    *(dict(min_new_tokens=n) for n in (5, 6)), *(dict(min_length=n) for n in (9, 10)),
    dict(min_length=20, min_new_tokens=2),
    *(dict(forced_eos_token_id=e, max_new_tokens=n) for e, n in ((2, 6), (17, 7), ([2, 17], 6))),
    dict(suppress_tokens=[1, 17, 60]), dict(begin_suppress_tokens=[17, 33]),
    dict(suppress_tokens=[17], begin_suppress_tokens=[3]),
    dict(repetition_penalty=1.4, no_repeat_ngram_size=2, bad_words_ids=[[33], [3, 20]], suppress_tokens=[40],
         min_new_tokens=9),
    dict(forced_eos_token_id=[2, 17], max_new_tokens=6, suppress_tokens=[2], min_new_tokens=9, repetition_penalty=1.5),
]
DRAWN = [dict(do_sample=True, temperature=0.8, top_k=16, top_p=0.95), dict(do_sample=False)]


def rule_case(model, name: str, logits: np.ndarray, rule: dict, drawn: dict, answered: bool) -> dict:
    tokens = TOKENS if answered else TOKENS[:PROMPT]
    settings = ({k: v for k, v in DEFAULTS.items() if drawn["do_sample"] or k == "repetition_penalty"}) | drawn | rule
    config = transformers.GenerationConfig(eos_token_id=ENDS, **settings)
    model._prepare_special_tokens(config, device="cpu")
    config.update(**config._get_default_generation_params(), defaults_only=True)  # as generate() does
    no_min_length = "min_length" not in rule
    config = model._prepare_generated_length(config, True, no_min_length, "input_ids", PROMPT, torch.zeros(1, PROMPT))
    processors = model._get_logits_processor(config, input_ids_seq_length=PROMPT)
    scores = processors(torch.tensor([tokens], dtype=torch.long), torch.tensor(logits)[None])[0]
    p = torch.softmax(scores, dim=-1) if drawn["do_sample"] else torch.eye(len(scores))[scores.argmax()]
    kept = p.nonzero()[:, 0].tolist()
    probabilities = [float(x) for x in p[kept]]
    return {"logits": name, "tokens": tokens, "generation_config": settings, "ids": kept,
            "probabilities": probabilities}


def make_rules(model, recorded: dict[str, np.ndarray]) -> dict:
    names = ("plain", "peaked", "steps")
    cases = [rule_case(model, name, recorded[name], rule, drawn, answered)
             for name, rule, drawn, answered in itertools.product(names, RULES, DRAWN, (True, False))]
    return {"prompt_tokens": PROMPT, "ends": ENDS,
            "logits": [{"name": n, "values": [float(f"{x:.9g}") for x in recorded[n]]} for n in names], "cases": cases}


def make_lengths(model) -> list[dict]:
    """How many tokens generate() adds, by what the model's generation_config and the caller say; null: it refuses."""
    def added(theirs: dict, callers: dict, prompt: int) -> int | None:
        model.generation_config = transformers.GenerationConfig(pad_token_id=0, **theirs)
        ids = torch.ones(1, prompt, dtype=torch.long)
        try:
            return model.generate(ids, attention_mask=torch.ones_like(ids), **callers).shape[1] - prompt
        except ValueError:
            return None
    theirs = (dict(max_new_tokens=5), dict(max_length=9), dict(max_length=20), dict(max_length=300),
              dict(max_new_tokens=5, max_length=9), dict(max_new_tokens=5, max_length=3))
    return [{"generation_config": config, "caller": caller, "prompt_tokens": prompt,
             "new_tokens": added(config, caller, prompt)}
            for config, caller, prompt in itertools.product(theirs, ({}, dict(max_new_tokens=3)), (4, 12))]


def make(out: Path):
    transformers.logging.set_verbosity_error()
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=8, hidden_size=8, intermediate_size=8,
                                                                   num_hidden_layers=1,
                                                                   num_attention_heads=1, pad_token_id=0))
    recorded = vectors()
    cases = [case(model, name, logits, settings) for name, logits in recorded.items() for settings in SINGLE + COMBINED]
    print(f"{sum(c is not None for c in cases)} cases, {sum(c is None for c in cases)} left out for ties")
    document = {
        "official": {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]},
        "logits": [{"name": n, "values": [None if x == -INF else float(f"{x:.9g}") for x in v]} for n, v
                   in recorded.items()],
        "cases": [c for c in cases if c],
    }
    folder = out / "sampling"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.json").write_text(lines(document))
    (folder / "rules.json").write_text(lines({"official": document["official"], **make_rules(model, recorded)}))
    (folder / "lengths.json").write_text(lines({"official": document["official"], "cases": make_lengths(model)}))


def lines(document: dict) -> str:
    """A vector, or a case, a line; probabilities to the nine digits that tell one f32 from the next."""
    short = json.loads(json.dumps(document), parse_float=lambda x: float(f"{float(x):.9g}"))
    # noqa: E731
    item = lambda v: "[\n  " + ",\n  ".join(map(json.dumps, v)) + "\n ]" if isinstance(v, list) else json.dumps(v)
    return "{\n " + ",\n ".join(f"{json.dumps(k)}: {item(v)}" for k, v in short.items()) + "\n}\n"


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "tests/golden")
    make(arguments.parse_args().out)
