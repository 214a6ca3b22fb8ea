#!/usr/bin/env python3
"""Which heads of pebble do a job that has a name, measured over 100 stories that training did not see, and shown in one
picture each.

    pip install torch transformers tokenizers safetensors numpy
    python3 tools/pebble/heads.py

Enters: models/pebble/, and ./rung for the pictures. Leaves, on stdout, a table and the pictures as Markdown. The jobs,
and their targets:
  previous token    the token just before
  same word         the last earlier place of the very same token (names and things only)
  what followed     the token that followed the last earlier place of the same token (names and things only): an
  induction head what was asked    from the token before the first word of a thing in a story to that word in the
  request who has it        "The fox gave the lantern to Mia. Mia has the": from the last token to the thing that was
  given
"""
import argparse
import os
import random
import subprocess
import sys

import numpy as np
import torch
from transformers import AutoTokenizer, Qwen3ForCausalLM

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chat
from evaluate import ROOT, held_out_story
from plots import Cast
from story import capital

PICTURES = {   # job → a text that shows it, where a head does it
    "previous token": "The fox gave the lantern to Mia. Mia has the",
    "same word": "The fox met Mia. Mia had a kite. The fox liked the kite",
    "what followed": "Once there was a fox named Pip. Pip met a cow. Then Pip",
    "what was asked": (f"{chat.START}user\nTell me a story about a fox and a lantern.{chat.END}\n"
                       f"{chat.START}assistant\nOnce a fox had a"),
    "who has it": "The fox gave the lantern to Mia. Mia has the",
}


def attention_of(model, ids):
    with torch.no_grad():
        return torch.stack([a[0] for a in model(input_ids=torch.tensor([ids]), output_attentions=True,
                                                use_cache=False).attentions]).numpy()


class Sums:
    """Attention [layer, head] on the target of each job, summed over the rows that have one."""

    def __init__(self):
        self.total, self.rows = {}, {}

    def add(self, job, weights):
        self.total[job] = self.total.get(job, 0) + weights
        self.rows[job] = self.rows.get(job, 0) + 1

    def mean(self, job):
        return self.total[job] / self.rows[job]


def in_stories(model, tokenizer, stories, sums):
    for seed in range(stories):
        story = held_out_story(seed)[1]
        ids = tokenizer(story.text())["input_ids"]
        attention = attention_of(model, ids)
        names = [c.name or c.kind for c in story.cast] + [x.noun for x in story.things]
        content = {tokenizer(" " + word)["input_ids"][-1] for word in names}
        for t in range(1, len(ids)):
            sums.add("previous token", attention[:, :, t, t - 1])
            earlier = [i for i in range(t) if ids[i] == ids[t]]
            if earlier and ids[t] in content:
                sums.add("same word", attention[:, :, t, earlier[-1]])
                if earlier[-1] + 1 < t:
                    sums.add("what followed", attention[:, :, t, earlier[-1] + 1])


def in_requests(model, tokenizer, stories, sums):
    for seed in range(stories):
        rng, story = held_out_story(seed)
        for thing in story.things[:1]:
            wish = f"{chat.asked_character(story.cast[0], rng)} and {chat.asked_thing(thing, rng)}"
            request = f"{chat.START}user\nTell me a story about {wish}.{chat.END}\n"
            asked, told = tokenizer(request)["input_ids"], tokenizer(chat.START + "assistant\n"
                                                                     + story.text())["input_ids"]
            word = tokenizer(" " + thing.noun)["input_ids"][0]
            if word in asked and word in told:
                attention = attention_of(model, (asked + told)[:512])
                sums.add("what was asked", attention[:, :, len(asked) + told.index(word) - 1, asked.index(word)])


def who_has_it(model, tokenizer, prompts, sums):
    rng = random.Random("who has it")
    for _ in range(prompts):
        cast = Cast(rng, 0)
        one, other, thing = cast.character().key, cast.character().key, cast.thing().noun
        start, middle = f"{capital(one)} gave the", f" {thing}"
        ids = tokenizer(f"{start}{middle} to {other}. {capital(other)} has the")["input_ids"]
        target = len(tokenizer(start)["input_ids"])   # its first token: the one that must come next
        sums.add("who has it", attention_of(model, ids)[:, :, -1, target])


def quoted(text):
    return "$'" + text.replace("\n", "\\n") + "'" if "\n" in text else f'"{text}"'


def picture(rung, model, text, layer, head):
    """What rung draws of this head: the lines from its headline to the empty one."""
    command = [rung, "trace", "-m", model, "--layer", str(layer), "--heads", "--", text]
    drawn = subprocess.run(command, capture_output=True, text=True, check=True,
                           env={**os.environ, "COLUMNS": "120"}).stdout
    return "\n".join(line.rstrip() for line
                     in drawn.split(f"layer {layer} head {head}\n")[1].split("\n\n")[0].splitlines())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default=os.path.join(ROOT, "models", "pebble"))
    p.add_argument("--rung", default=os.path.join(ROOT, "rung"))
    p.add_argument("--stories", type=int, default=100)
    a = p.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    model = Qwen3ForCausalLM.from_pretrained(a.model, dtype=torch.float32, attn_implementation="eager").eval()
    sums = Sums()
    in_stories(model, tokenizer, a.stories, sums)
    in_requests(model, tokenizer, a.stories, sums)
    who_has_it(model, tokenizer, a.stories, sums)
    print("| job | the three heads that do it most | mean attention on the target | rows measured |\n| --- | --- | --- "
          "| ---: |")
    best = {job: [np.unravel_index(i, sums.mean(job).shape) for i in np.argsort(-sums.mean(job), axis=None)[:3]]
            for job in PICTURES}
    for job, heads in best.items():
        named, means = ", ".join(f"layer {l} head {h}" for l, h
                                 in heads), ", ".join(f"{sums.mean(job)[at]:.2f}" for at in heads)
        print(f"| {job} | {named} | {means} | {sums.rows[job]} |")
    for job, heads in best.items():
        if sums.mean(job)[heads[0]] < 0.2:
            print(f"\n**{job[0].upper() + job[1:]}**: no head does this.")
            continue
        layer, head = map(int, heads[0])
        print(f"\n**{job[0].upper() + job[1:]}**: head {head} of\n"
              f"```\n./rung trace {quoted(PICTURES[job])} --layer {layer} --heads\n")
        print(picture(a.rung, a.model, PICTURES[job], layer, head) + "\n```")


if __name__ == "__main__":
    main()
