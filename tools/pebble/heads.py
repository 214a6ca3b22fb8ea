#!/usr/bin/env python3
"""Which heads of pebble do a job that has a name, measured over 100 stories that training did not see.

    pip install torch transformers tokenizers safetensors numpy
    python3 tools/pebble/heads.py

Enters: models/pebble/. Leaves, on stdout, a table: for each job the best heads, and the mean attention that they give to the claimed target.
  previous token    the token just before
  same word         the last earlier place of the very same token (names and things only)
  what followed     the token that followed the last earlier place of the same token (names and things only): an induction head
  who has it        "The fox gave the lantern to Mia. Mia has the": from the last token to the thing that was given
"""
import argparse
import os
import random
import sys

import numpy as np
import torch
from transformers import AutoTokenizer, Qwen3ForCausalLM

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evaluate import ROOT, held_out_story
from plots import Cast
from story import capital


def attention_of(model, ids):
    with torch.no_grad():
        return torch.stack([a[0] for a in model(input_ids=torch.tensor([ids]), output_attentions=True, use_cache=False).attentions]).numpy()


def in_stories(model, tokenizer, stories):
    """Sums of attention [job, layer, head] over the rows that have the job's target, and the number of such rows."""
    total, rows = {}, {}
    for seed in range(stories):
        story = held_out_story(seed)[1]
        ids = tokenizer(story.text())["input_ids"]
        attention = attention_of(model, ids)
        content = {tokenizer(" " + word)["input_ids"][-1] for word in [c.name or c.kind for c in story.cast] + [x.noun for x in story.things]}
        for t in range(1, len(ids)):
            targets = {"previous token": t - 1}
            earlier = [i for i in range(t) if ids[i] == ids[t]]
            if earlier and ids[t] in content:
                targets |= {"same word": earlier[-1], "what followed": earlier[-1] + 1} if earlier[-1] + 1 < t else {"same word": earlier[-1]}
            for job, target in targets.items():
                total[job] = total.get(job, 0) + attention[:, :, t, target]
                rows[job] = rows.get(job, 0) + 1
    return {job: total[job] / rows[job] for job in total}, rows


def who_has_it(model, tokenizer, prompts):
    rng, total = random.Random("who has it"), 0
    for _ in range(prompts):
        cast = Cast(rng, 0)
        one, other, thing = cast.character().key, cast.character().key, cast.thing().noun
        start, middle = f"{capital(one)} gave the", f" {thing}"
        ids = tokenizer(f"{start}{middle} to {other}. {capital(other)} has the")["input_ids"]
        target = len(tokenizer(start + middle)["input_ids"]) - 1
        total = total + attention_of(model, ids)[:, :, -1, target]
    return total / prompts


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default=os.path.join(ROOT, "models", "pebble"))
    p.add_argument("--stories", type=int, default=100)
    a = p.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    model = Qwen3ForCausalLM.from_pretrained(a.model, dtype=torch.float32, attn_implementation="eager").eval()
    means, rows = in_stories(model, tokenizer, a.stories)
    means["who has it"], rows["who has it"] = who_has_it(model, tokenizer, a.stories), a.stories
    print("| job | the three heads that do it most | mean attention on the target | rows measured |\n| --- | --- | --- | ---: |")
    for job in ("previous token", "same word", "what followed", "who has it"):
        best = [np.unravel_index(i, means[job].shape) for i in np.argsort(-means[job], axis=None)[:3]]
        print(f"| {job} | {', '.join(f'layer {l} head {h}' for l, h in best)} | {', '.join(f'{means[job][l, h]:.2f}' for l, h in best)} | {rows[job]} |")


if __name__ == "__main__":
    main()
