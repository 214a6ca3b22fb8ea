"""What each tokenizer.ggml.pre does to hard strings → tests/golden/text/pres.jsonl.

A GGUF file names how it cuts text into words and leaves what the name means to the reader. Here a vocabulary and its
merges, taken from an official tokenizer.json, are written as a GGUF file for each name, and two programs are asked: the
tokenizers library with the pipeline of that name's own official tokenizer.json (where there is one at hand), and
llama.cpp, who made the names up. A line of pres.jsonl:

    pre         the name                         vocabulary  whose vocabulary and merges (what tests/fetch brings)
    by          who says so                      strings     the CRC-32 of the ids of each of the hard strings
    characters  the CRC-32 of the ids of texts that hold every character of an alphabet, 1024 a text; null: nobody to
                believe

It prints on how many of these strings and texts the other of the two says something else.

    pip install tokenizers gguf llama-cpp-python
"""
import json
import pathlib
import tempfile
import zlib

import gguf
import tokenizers
from hard_strings import HARD_STRINGS
from official_tokenizers import FOLDERS
from tokenizers import AddedToken, decoders, models, pre_tokenizers

try:
    import llama_cpp
except ImportError:
    llama_cpp = None

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/text/pres.jsonl"

# GPT-2's pre-tokenizer as its official tokenizer.json has it. (SmolLM's and StarCoder's, single digits before it, is in
# tokenizer_ids.py.)
PIPELINES = {"gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)}
# name → whose vocabulary; None: the tokenizer.json itself is the official answer.
CASES = [("llama-bpe", "llama3", None), ("qwen2", "qwen2_5", None), ("tekken", "mistral_nemo", None),
         ("gpt-4o", "gpt4o", None),
         ("gpt-2", "llama3", "gpt-2"),
         # No official file is at hand for these. DeepSeek's vocabularies join no digits; so does Qwen's, but not
         # Llama's.
         ("default", "llama3", "llama.cpp"), ("deepseek-llm", "qwen2_5", "llama.cpp"),
         ("deepseek-coder", "qwen2_5", "llama.cpp")]


# Texts of 1024 characters on which llama.cpp is not believed: letters newer than its Unicode (on the same texts it
# differs from the official Llama 3), U+180E, which is a space to the official library, and spaces beyond ASCII, which
# are none to the patterns of DeepSeek in llama.cpp.
NEWEST = [0x10C00, 0x11000, 0x11400, 0x11800, 0x16000, 0x16C00, 0x1CC00, 0x1E400]
NOT_BELIEVED = {"default": [0x1800, *NEWEST], "deepseek-llm": [0x1400, 0x2000], "deepseek-coder": [0x1400, 0x2000]}

# Hard strings on which it is not believed either: DeepSeek's patterns take no U+3000 for a space there, and "</s>", a
# word of Qwen's vocabulary, is made a control token because of its looks.
STRINGS_NOT_BELIEVED = {
    "default": lambda text: False,
    "deepseek-llm": lambda text: "\u3000" in text and text.startswith((" ", "\t", "x")) or text == "</s>",
    "deepseek-coder": lambda text: text == "</s>",
}


def character_texts():
    """Every character of the first two planes, where all alphabets lie, before and after a letter, a space, a digit and
    itself."""
    for first in [*range(0, 0x20000, 1024), 0xe0000]:
        characters = [chr(c) for c in range(first, first + 1024) if not 0xd800 <= c < 0xe000]
        if characters:
            yield "\n".join(f"a{c}b {c}{c} 1{c}2{c}" for c in characters)


def read(name):
    file = json.loads((FOLDERS[name] / "tokenizer.json").read_text(encoding="utf-8"))
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in file["model"]["merges"]]
    return file["model"]["vocab"], merges, file["added_tokens"]


def write_gguf(path, pre, vocabulary, merges, added):
    size = max(list(vocabulary.values()) + [t["id"] for t in added]) + 1
    tokens, types = [f"[PAD{i}]" for i in range(size)], [gguf.TokenType.UNUSED] * size
    for token, i in vocabulary.items():
        tokens[i], types[i] = token, gguf.TokenType.NORMAL
    for token in added:
        tokens[token["id"]] = token["content"]
        types[token["id"]] = gguf.TokenType.CONTROL if token["special"] else gguf.TokenType.USER_DEFINED
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([" ".join(m) for m in merges])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def official(vocabulary, merges, added, pipeline):
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer, tokenizer.decoder = pipeline, decoders.ByteLevel()
    for token in added:
        add = tokenizer.add_special_tokens if token["special"] else tokenizer.add_tokens
        add([AddedToken(token["content"], special=token["special"], normalized=token["normalized"])])
    return tokenizer


def checksum(ids):
    return zlib.crc32(",".join(map(str, ids)).encode())


def main():
    missing = [name for _, name, _ in CASES if not (FOLDERS[name] / "tokenizer.json").exists()]
    if missing or not llama_cpp:
        return print(f"nothing made: {', '.join(missing) or 'llama-cpp-python'} missing")
    texts, lines = list(character_texts()), []
    for pre, name, by in CASES:
        vocabulary, merges, added = read(name)
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/{pre}.gguf"
            write_gguf(path, pre, vocabulary, merges, added)
            llama = llama_cpp.Llama(path, vocab_only=True, verbose=False)
        theirs = [llama.tokenize(t.encode(), add_bos=False, special=True) for t in HARD_STRINGS + texts]
        if by is None:
            tokenizer = tokenizers.Tokenizer.from_file(str(FOLDERS[name] / "tokenizer.json"))
        elif by in PIPELINES:
            tokenizer = official(vocabulary, merges, added, PIPELINES[by])
        else:
            tokenizer = None
        answers = [tokenizer.encode(t, add_special_tokens=False).ids for t in HARD_STRINGS
                   + texts] if tokenizer else theirs
        different = [t for t, a, b in zip(HARD_STRINGS + texts, answers, theirs) if a != b]
        doubtful = {chr(first) for first in NOT_BELIEVED.get(pre, [])}
        not_believed = STRINGS_NOT_BELIEVED.get(pre, lambda text: False)
        sums = [None if len(text) > 4096 and text[1] in doubtful or not_believed(text) else checksum(ids)
                for text, ids in zip(HARD_STRINGS + texts, answers)]
        lines.append({"pre": pre, "vocabulary": name, "by": "tokenizers" if tokenizer else "llama.cpp",
                      "strings": sums[:len(HARD_STRINGS)],
                      "characters": sums[len(HARD_STRINGS):]})
        print(f"{pre}: {lines[-1]['by']}; the other differs on {len(different)} of {len(answers)}: "
              f"{[d[:30] for d in different[:6]]}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines),
                   encoding="utf-8")


if __name__ == "__main__":
    main()
