#!/usr/bin/env python3
"""Writes the model card models/pebble/README.md: what was measured, ten unselected stories, how pebble was made.

    python3 tools/pebble/evaluate.py > build/pebble/table.md
    python3 tools/pebble/heads.py > build/pebble/heads.md
    python3 tools/pebble/card.py

Enters: those two files, models/pebble/training.json, and ./rung, which tells the stories of seeds 0 to 9. Leaves: the
card.
"""
import argparse
import json
import os
import sys
import textwrap

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import engines

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CARD = """# Pebble

Pebble is a very small language model that tells short stories, follows a request ("Tell me a story about a fox who
finds a lantern."), and answers questions about the story that it told. It is the model that Rung uses when no other is
named. It was trained for Rung, from stories that a small program of this repository makes up; no other text went into
it.

```
./rung "Once upon a time"
./rung chat
./rung trace "The fox gave the lantern to Mia. Mia has the" --layer 3 --heads
```

## What it is
A Qwen3 decoder with {parameters:,} parameters: {layers} layers, hidden size {hidden}, {heads} query heads and {kv}
key/value heads of {head_dim}, SwiGLU of {ff}, q/k norm, RoPE (θ = 10,000), tied embedding, context {context}. Weights
in bf16. The tokenizer is a byte-level BPE of {vocab:,} tokens with Qwen2's regular expression; any Unicode text can be
written in it. Chats are in ChatML form. Licence: the repository's.

## How good it is
{table}

Measured by `python3 tools/pebble/evaluate.py`: 300 stories from fixed seeds at temperature 0.7 (two thirds asked for by
a request with a character and a thing that training never saw together, one third from a plain beginning), and
questions about the stories that could be read. A checker parses every sentence by the forms that the stories are made
of, and follows who is where and who has what; a sentence that it does not know counts as a failure of the story. The
samples, with what the checker says of each, are in `build/pebble/samples.jsonl`.

## The loss
![Training and held-out loss](loss.svg)

## What its heads do
{heads_table}

Measured by `python3 tools/pebble/heads.py`, which draws the pictures, too (layers and heads count from 0). A row looks,
a column is looked at; the fuller a cell, the more.

## What it cannot do
- It knows nothing but its small world: some 80 characters, 170 things and 60 places. Anything else than a story or a
  question about it gets the answer "I only know small stories. Shall I tell you one?", most of the time.
- It speaks plain English only, and the past tense of a fairy tale. It cannot count, reason or remember beyond its
  {context} tokens: a story and a few questions.
- Now and then it contradicts itself, in the share of stories given above: mostly a second character gets the name or
  the kind of the first ("She met a lion on the way", in a story about a lion), or a "he" is a girl. It says a word
  twice ("busy and always busy"). Words that it has never seen are copied, sometimes misspelt.
- A request for an unusual deed or place ("a fox who eats the moon", "a dragon in space") gets the first character, and
  another story than the one that was meant; a second wish in the same conversation often gets the plot of the first.
  After some 350 tokens of conversation there is no room for a whole story: Rung then forgets the oldest turns, which it
  says.
- What it says about the world outside its stories is worth nothing.

## How it was made
`{command}` made it, on {machine}. It makes the world and the corpus from seed {seed} ({corpus_tokens:.1f} M tokens,
{stories:,} stories, none twice), trains the tokenizer and the model, and writes this folder. Trained: {steps:,} steps
of {batch} × {context} tokens = {trained:.0f} M tokens, the corpus {epochs:.1f} times in different orders, in
{minutes:.1f} minutes. AdamW (β 0.9, 0.98; weight decay 0.1), rate {rate:g} after {warmup} steps of warm-up, constant,
then linearly to zero over the last quarter; gradients clipped at 1; bf16 autocast over f32 weights; no loss on what the
user says; a document sees only itself. SHA-256 of the packed corpus: `{sha}`; settings and counts are in
`training.json`.

`python3 tools/pebble/train.py` does it again where there is a GPU; on CPU cores it takes a smaller corpus once, for
hours, unless it is told otherwise (`--tokens`, `--steps`). Sums of floating-point numbers depend on the machine, and
how far a budget of minutes reaches does, too, so that another machine makes another pebble of the same kind; the corpus
is the same everywhere.

## Ten unselected stories
Seeds 0 to 9, as `./rung generate --seed N "Once upon a time"` tells them at temperature 0.7.

{stories_told}
"""


def wrapped(markdown):
    """Paragraphs and points of lists at 120 columns; code, tables and headlines as they are."""
    lines, is_code = [], False

    def add(line):
        begins_anew = is_code or not line or line[0] in "#|!" or line.startswith(("- ", "```"))
        if begins_anew or not lines or not lines[-1] or lines[-1][0] in "#|!" or lines[-1].startswith("```"):
            lines.append(line)
        else:
            lines[-1] += " " + line.strip()

    for line in markdown.split("\n"):
        add(line)
        if line.startswith("```"):
            is_code = not is_code
    is_code, out = False, []
    for line in lines:
        keeps = is_code or line.startswith(("#", "|", "!", "```"))
        if line.startswith("```"):
            is_code = not is_code
        indent = "  " if line.startswith("- ") else ""
        out += [line] if keeps or not line else textwrap.wrap(
            line, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(out)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--engine", choices=["rung", "transformers"], default="rung")
    p.add_argument("--rung", default=os.path.join(ROOT, "rung"))
    p.add_argument("--model", default=os.path.join(ROOT, "models", "pebble"))
    p.add_argument("--build", default=os.path.join(ROOT, "build", "pebble"))
    a = p.parse_args()
    read = lambda *path: open(os.path.join(*path), encoding="utf-8").read().strip()
    config, training = json.loads(read(a.model, "config.json")), json.loads(read(a.model, "training.json"))
    opening = "Once upon a time"
    told = engines.make(a.engine, a.model, a.rung, 0.7).complete([(opening, seed) for seed in range(10)], 480)
    card = CARD.format(
        parameters=training["parameters"], layers=config["num_hidden_layers"], hidden=config["hidden_size"],
        heads=config["num_attention_heads"], kv=config["num_key_value_heads"], head_dim=config["head_dim"],
        ff=config["intermediate_size"], context=config["max_position_embeddings"], vocab=config["vocab_size"],
        table=read(a.build, "table.md"), heads_table=read(a.build, "heads.md"), steps=training["steps"],
        seed=training["seed"],
        command=training["command"], machine=training["machine"], rate=training["rate"],
        warmup=training["warmup_steps"],
        epochs=training["tokens_trained"] / training["tokens"], corpus_tokens=training["tokens"] / 1e6,
        stories=training["stories"],
        batch=training["batch_rows"], trained=training["tokens_trained"] / 1e6, minutes=training["minutes"],
        sha=training["rows_sha256"],
        stories_told="\n\n".join(f"**{seed}.** {opening}{text}{'' if ended else ' …'}" for seed, (text, ended)
                                 in enumerate(told)))
    with open(os.path.join(a.model, "README.md"), "w", encoding="utf-8") as f:
        f.write(wrapped(card))


if __name__ == "__main__":
    main()
