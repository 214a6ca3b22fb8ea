"""The official ids of hard strings, and the official texts of hard ids → tests/golden/text/.

hard_strings.jsonl: a string per line. NAME.ids.jsonl: the ids of each, line by line, without BOS and EOS.
NAME.texts.jsonl: lists of ids, whose tokens hold parts of characters, with their text, whole and without control
tokens.

    pip install tokenizers gguf
"""
import json
import pathlib
import random

import tokenizers
from hard_strings import HARD_STRINGS
from official_tokenizers import PATHS, official

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/text"
NAMES = ["qwen3", "qwen2_5", "llama3", "llama3_2", "gemma3", "smollm2", "gpt4o", "mistral_nemo"]


def write(path, lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines),
                    encoding="utf-8")


def hard_ids(tokenizer, seed):
    """Lists of ids at random: plain ones, tokens that end inside a character, byte tokens, control tokens."""
    r = random.Random(seed)
    pieces = {i: tokenizer.decode([i], skip_special_tokens=False) for i in tokenizer.get_vocab().values()}
    broken = sorted(i for i, text in pieces.items() if "\ufffd" in text)
    added = sorted(tokenizer.get_added_tokens_decoder())
    everything = sorted(pieces)
    pools = [everything, broken or everything, added]
    for n in range(80):
        yield [r.choice(r.choice(pools) if n % 2 else broken or everything) for _ in range(r.randrange(1, 14))]
    for text in ("Hello 🦊 wörld", "日本語", "👨‍👩‍👧‍👦", "ཀྱི", "\n\n  x", "<|im_end|>a<eos>"):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        for cut in range(1, len(ids) + 1):
            yield ids[:cut]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write(OUT / "hard_strings.jsonl", HARD_STRINGS)
    for name in NAMES:
        if not PATHS[name].exists():
            print(f"{PATHS[name].relative_to(OUT.parents[2])} is not there: nothing made for {name}")
            continue
        tokenizer = official(name)
        write(OUT / f"{name}.ids.jsonl", [tokenizer.encode(s, add_special_tokens=False).ids for s in HARD_STRINGS])
        write(OUT / f"{name}.texts.jsonl",
              [[ids, tokenizer.decode(ids, skip_special_tokens=False), tokenizer.decode(ids, skip_special_tokens=True)]
               for ids in hard_ids(tokenizer, name)])
    print(f"tokenizers {tokenizers.__version__}: {len(HARD_STRINGS)} strings")


if __name__ == "__main__":
    main()
