#!/usr/bin/env python3
"""Compares random strings and random ids, official tokenizers against ours, and prints what differs.

    pip install tokenizers gguf
    cmake -S . -B build/release -DRUNG_BENCHMARKS=ON && ninja -C build/release bench_tokenizer
    python tools/fuzz_tokenizers.py [--strings N] [--seed S] [NAME …]

Run with --strings 1000000 --seed 7 against tokenizers 0.23.3: of a million questions each (nine strings to one list of
ids) qwen3, qwen2_5, llama3, gemma3 and smollm2 answered none differently.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import unicodedata

from goldens.official_tokenizers import PATHS, official

DRIVER = pathlib.Path(__file__).resolve().parent.parent / "build/release/bench/bench_tokenizer"
SPACES = "   \t\n\r\x0b\x0c\x1c\x85\u00a0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u180e\u200b\ufeff"
SNIPPETS = ["'s", "'T", "'re", "'VE", "'m", "'ll", "'D", "'\u017f", "\u2019s", "don't", "I'M", "\r\n", "\n\n", "  \n",
            "\t\t", "123",
            "1234567", "3.14", "x.\n\n1", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "e\u0301", "é", "ﬁ", "Å", "Å", "각", "ᄀ\u1161\u11a8",
            "ก็", "नि", "ـــ",
            "中文", "日本語", "한국어", "Привет", "ελληνικά", "עברית", "العربية", "ไทย", "𝔘𝔫𝔦", "Ⅷ", "²", "½", "٣", "১", "߀",
            "_", "__init__", "->",
            "!=", "//", "/*", "#include <a>", "{}", "();", "http://a.b/c?d=e&f", "<|im_start|>", "<|im_end|>",
            "<|endoftext|>",
            "<|begin_of_text|>", "<|eot_id|>", "<think>", "</think>", "<tool_call>", "<bos>", "<eos>",
            "<start_of_turn>", "<end_of_turn>",
            "<unused0>", "<0x0A>", "<0xZZ>", "▁", "▁▁▁", "Ġ", "<|", "|>", "<", "[multimodal]", "<table>",
            "\u0300\u0316\u0301", "\u1ab0",
            "\U0001f1e9\U0001f1ea", "\u200d", "\ufe0f", "\ufffd", "\U00016ea0", "\U0001fae8", "\x00", "\x7f", "\x1b[0m"]
RANGES = [(0x20, 0x7f), (0x20, 0x7f), (0xa0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x780), (0x900, 0xe00),
          (0xe00, 0x1200),
          (0x1100, 0x1200), (0x1e00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2c00), (0x3000, 0x3400), (0x4e00, 0x9fff),
          (0xac00, 0xd7a4),
          (0xf900, 0x10000), (0x10000, 0x11fff), (0x1d400, 0x1d800), (0x1f000, 0x1fb00), (0x0, 0x110000)]
MARKS = [chr(c) for c in range(0x110000) if unicodedata.combining(chr(c))]


def character(r):
    low, high = r.choice(RANGES)
    c = r.randrange(low, high)
    return chr(c) if not 0xd800 <= c < 0xe000 else "?"


def piece(r, words):
    kind = r.random()
    if kind < 0.30:
        return r.choice(words)
    if kind < 0.45:
        return r.choice(SNIPPETS)
    if kind < 0.60:
        return r.choice(SPACES) * (1 if r.random() < 0.7 else r.randrange(1, 9))
    if kind < 0.70:
        return "".join(character(r) for _ in range(r.randrange(1, 6)))
    if kind < 0.75:
        low, high = r.choice(RANGES)
        return "".join(chr(c) for c in (r.randrange(low, high) for _ in range(r.randrange(1, 8))) if not 0xd800 <= c
                       < 0xe000)
    if kind < 0.80:
        return r.choice("aeoucAEOsngK가ᄀא\u0915") + "".join(r.choice(MARKS) for _ in range(r.randrange(1, 4)))
    if kind < 0.85:
        return str(r.randrange(10 ** r.randrange(1, 12)))
    if kind < 0.92:
        return r.choice(words).upper() if r.random() < 0.5 else r.choice(words).title()
    return r.choice("abcxyz.,;:!?-_=+*/\\'\"()[]{}<>|@#$%^&~`") * r.randrange(1, 5)


def questions(r, words, ids, count):
    for _ in range(count):
        if r.random() < 0.1:
            yield [r.choice(ids) for _ in range(r.randrange(1, 12))]
        else:
            yield "".join(piece(r, words) for _ in range(r.randrange(1, 10)))


def compare(name, count, seed):
    theirs = official(name)
    r = random.Random(f"{seed} {name}")
    vocabulary = theirs.get_vocab()
    words = [t.replace("Ġ", " ").replace("▁", " ").replace("Ċ", "\n") for t in r.sample(sorted(vocabulary), 20000)]
    ids = sorted(vocabulary.values())
    ours = subprocess.Popen([DRIVER, PATHS[name], "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            encoding="utf-8")
    wrong = done = 0
    while done < count:
        batch = list(questions(r, words, ids, min(200, count - done)))
        ours.stdin.write("".join(json.dumps(q) + "\n" for q in batch))
        ours.stdin.flush()
        for q in batch:
            answer = json.loads(ours.stdout.readline())
            if isinstance(q, str):
                expected = theirs.encode(q, add_special_tokens=False).ids
            else:
                expected = theirs.decode(q, skip_special_tokens=False)
            if answer != expected:
                wrong += 1
                if wrong <= 20:
                    print(f"{name}: {q!r}\n  official {expected!r}\n  ours     {answer!r}", flush=True)
        done += len(batch)
    ours.stdin.close()
    print(f"{name}: {done} compared, {wrong} differ", flush=True)
    return wrong


parser = argparse.ArgumentParser()
parser.add_argument("--strings", type=int, default=10000)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("names", nargs="*", default=["qwen3", "llama3", "gemma3", "smollm2", "qwen2_5"])
options = parser.parse_args()
sys.exit(1 if sum(compare(name, options.strings, options.seed) for name in options.names) else 0)
