#!/usr/bin/env python3
"""Measures pebble against the simulated world: the table of its model card.

    pip install torch transformers tokenizers safetensors numpy
    python3 tools/pebble/evaluate.py                          # 300 samples at temperature 0.7 through ./rung
    python3 tools/pebble/evaluate.py --engine transformers    # the same through the official implementation

Enters: models/pebble/ and, for the known words and the longest copied run, the corpus in build/pebble/ (made anew from
the seed if it is not there: a minute for 5 million tokens a core). Leaves: the table on stdout; every sample, with what
the checker says about it, in build/pebble/samples.jsonl.
"""
import argparse
import json
import os
import random
import re
import sys
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chat
import checker
import copied
import corpus
import engines
from plots import tell
from story import NO_ANSWER, unanswerable

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OPENINGS = ["Once upon a time", "Long ago", "There once lived", "Once there was a", "Once upon a time there was a"]
_WORD = re.compile(r"[^\W\d_]+")


def words_of(text):
    return _WORD.findall(text.lower())


def held_out_story(seed):
    rng = random.Random(f"evaluation {seed}")
    while True:
        story = tell(rng)
        if corpus.for_holding_out(story):
            return rng, story


def make_tasks(samples):
    """Two thirds are asked for by a request that names a pair which training never saw together; one third are plain
    beginnings."""
    tasks = []
    for seed in range(samples):
        rng, story = held_out_story(seed)
        if seed % 3 == 2:
            opening = OPENINGS[seed // 3 % len(OPENINGS)]
            tasks.append({"seed": seed, "prompt": opening, "opening": opening, "asked": [], "reference": story.text()})
            continue
        hero, other = story.cast[0], story.cast[1]
        pairs = [(c, x) for c in story.cast[:2] for x in story.things if corpus.held_out(c, x)]
        hero, thing = pairs[0] if pairs else (hero, None)
        who, what = chat.asked_character(hero, rng), thing and chat.asked_thing(thing, rng)
        forms = [f"{who} and {what}", f"{who} who finds {what}", f"{who} with {what}"] if what else [
            f"{who} and {chat.asked_character(other, rng)}"]
        request = rng.choice(chat.ASK[:5]).format(rng.choice(forms))
        asked = [hero.name or hero.kind] + ([thing.noun] if thing else [other.name or other.kind])
        asked = [a for a in asked if a.lower() in words_of(request)] or words_of(request)[-1:]
        tasks.append({"seed": seed, "request": request, "opening": "", "asked": asked, "reference": story.text(),
                      "prompt": chat.user(request)[0][0] + chat.pebble("")[0][0]})
    return tasks


def judge(task, text, ended):
    story = task["opening"] + text
    reading = checker.read(story)
    told = words_of(story)
    task.update(story=story, ended=ended, problems=reading.problems, words=len(told),
                missing=[a for a in task["asked"] if a.lower() not in told])
    return reading


def hold_against_corpus(tasks, build, facts):
    """What the stories have in common with the training corpus, which is made anew from the seed where it is not
    there."""
    tokenizer, rows, _, _ = corpus.prepare(build, facts["seed"], facts["tokens_asked"],
                                           lambda text: print(text, file=sys.stderr, flush=True))
    told = sorted({w for t in tasks for w in words_of(t["story"])})
    longest, vocabulary = copied.compare([t["story"] for t in tasks], told, tokenizer, rows, corpus.SKIP)
    for t, copy in zip(tasks, longest.tolist()):
        known = vocabulary | set(words_of(t["prompt"]))
        t.update(copied_run=copy, unknown=sorted({w for w in words_of(t["story"]) if w not in known}),
                 unknown_count=sum(w not in known for w in words_of(t["story"])))


def make_questions(tasks, readings, wanted):
    """One or two questions for each story that could be read without a contradiction; one in six has no answer in the
    story."""
    out = []
    for repeat in range(2):
        for task, reading in zip(tasks, readings):
            rng = random.Random(f"question {repeat} {task['seed']}")
            if len(out) >= wanted or reading.problems or "request" not in task:
                continue
            answerable = reading.questions(rng)
            if rng.random() < 1 / 6 or not answerable:
                question, answer = unanswerable(reading.characters, reading.things, rng), NO_ANSWER
            else:
                question, answer = rng.choice(answerable)
            asked = "".join(t for t, _ in chat.user(question))
            transcript = task["prompt"] + task["story"] + chat.END + "\n" + asked + chat.pebble("")[0][0]
            out.append({"seed": 1000 + 1000 * repeat + task["seed"], "prompt": transcript, "question": question,
                        "expected": answer})
    return out


def distinct_4grams(stories):
    grams = [tuple(w[i:i + 4]) for s in stories for w in [words_of(s)] for i in range(len(w) - 3)]
    return len(set(grams)) / max(1, len(grams))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--engine", choices=["rung", "transformers"], default="rung")
    p.add_argument("--rung", default=os.path.join(ROOT, "rung"))
    p.add_argument("--model", default=os.path.join(ROOT, "models", "pebble"))
    p.add_argument("--build", default=os.path.join(ROOT, "build", "pebble"))
    p.add_argument("--samples", type=int, default=300)
    p.add_argument("--questions", type=int, default=300)
    p.add_argument("--temperature", type=float, default=0.7)
    p.add_argument("--no-corpus", action="store_true", help="leave out what needs the training corpus")
    p.add_argument("--show", type=int, default=0, help="print so many samples with the checker's complaints")
    a = p.parse_args()
    started = time.time()
    engine = engines.make(a.engine, a.model, a.rung, a.temperature)
    facts = json.load(open(os.path.join(a.model, "training.json")))
    tasks = make_tasks(a.samples)
    readings = [judge(t, text, ended) for t, (text, ended) in zip(tasks,
                                                                  engine.complete([(t["prompt"], t[
                                                                      "seed"]) for t in tasks], 480))]
    questions = make_questions(tasks, readings, a.questions)
    for q, (text, _) in zip(questions, engine.complete([(q["prompt"], q["seed"]) for q in questions], 60)):
        q.update(answer=text.strip(), right=text.strip().lower() == q["expected"].lower())
    if not a.no_corpus:
        hold_against_corpus(tasks, a.build, facts)
    os.makedirs(a.build, exist_ok=True)
    with open(os.path.join(a.build, "samples.jsonl"), "w", encoding="utf-8") as f:
        for item in tasks + questions:
            print(json.dumps(item, ensure_ascii=False), file=f)
    for t in tasks[:a.show]:
        print(f"[{t['seed']}] {t.get('request', '')}\n{t['story']}\n    {t['problems']} missing {t['missing']} "
              f"unknown {t.get('unknown')}\n")
    for q in [q for q in questions if not q["right"]][:a.show]:
        print(f"{q['question']}\n    expected {q['expected']}\n    answered {q['answer']}")
    print(table(tasks, questions))
    print(f"\n{len(tasks)} stories, {len(questions)} questions, temperature {a.temperature}, through {a.engine}, "
          f"{time.time() - started:.0f} s")


def table(tasks, questions):
    share = lambda good, all_of: f"{100 * good / max(1, all_of):.1f}%"
    asked = [t for t in tasks if t["asked"]]
    ratio = distinct_4grams([t["story"] for t in tasks]) / distinct_4grams([t["reference"] for t in tasks])
    compared = "copied_run" in tasks[0]
    unread = sum(any(p.startswith("unknown sentence") for p in t["problems"]) for t in tasks)
    rows = [
        ("stories that end by themselves", share(sum(t["ended"] for t in tasks), len(tasks)), "99%"),
        ("words that are words of the corpus or of the request",
         share(sum(t["words"] - t["unknown_count"] for t in tasks), sum(t["words"] for t in tasks)) if compared
         else "—", "99.5%"),
        ("requested characters and things that appear",
         share(sum(len(t["asked"]) - len(t["missing"]) for t in asked), sum(len(t["asked"]) for t in asked)), "95%"),
        ("stories without a contradiction (unreadable ones count as failures)",
         share(sum(not t["problems"] for t in tasks), len(tasks)), "90%"),
        ("— of the failures: stories with a sentence that the checker cannot read", str(unread), ""),
        ("distinct 4-grams, as a share of the held-out stories'", f"{100 * ratio:.1f}%", "80%"),
        ("longest run of words copied from training, 95th percentile",
         str(int(np.percentile([t["copied_run"] for t in tasks], 95))) if compared else "—", "≤ 30"),
        ("questions about the told story answered rightly", share(sum(q["right"] for q in questions), len(questions)),
         "85%"),
        ("— with an answer in the story",
         share(sum(q["right"] for q in questions if q["expected"] != NO_ANSWER),
               sum(q["expected"] != NO_ANSWER for q in questions)), ""),
        ("— without one",
         share(sum(q["right"] for q in questions if q["expected"] == NO_ANSWER),
               sum(q["expected"] == NO_ANSWER for q in questions)), ""),
    ]
    return "\n".join(["| measure | reached | wanted |", "| --- | ---: | ---: |"]
                     + [f"| {a} | {b} | {c} |" for a, b, c in rows])


if __name__ == "__main__":
    main()
