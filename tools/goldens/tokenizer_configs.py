"""What a tokenizer_config.json changes → tests/golden/text/tokenizer_configs.json: one tiny tokenizer.json, and what
transformers' AutoTokenizer makes of it beside each of several configurations. A case: text, ids, ids without special
tokens, the text of these, and that without control tokens.

With `--official`, nothing is written: the official folders in build/downloads are opened by AutoTokenizer and by the
tokenizers library, and where the two disagree on a hard string it is printed.

    pip install transformers tokenizers
"""
import json
import pathlib
import sys
import tempfile

import tokenizers
import transformers
from hard_strings import HARD_STRINGS
from official_tokenizers import FOLDERS

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/text/tokenizer_configs.json"

VOCABULARY = ["<s>", "</s>", "<pad>", "[X]", "Ġ", "a", "b", ",", ".", "<", ">", "s", "/", "p", "d", "[", "]", "X", "n",
              "'", "ab", "Y", "!"]
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
TOKENIZER = {"version": "1.0", "truncation": None, "padding": None, "normalizer": None, "pre_tokenizer": BYTE_LEVEL,
             "decoder": BYTE_LEVEL,
             "added_tokens": [{"id": 2, "content": "<pad>", "single_word": False, "lstrip": False, "rstrip": False,
                               "normalized": False,
                               "special": False}],
             "post_processor": {"type": "TemplateProcessing",
                                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                                           {"Sequence": {"id": "A", "type_id": 0}}],
                                "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                                         {"Sequence": {"id": "B", "type_id": 1}}],
                                "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
             "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                       "end_of_word_suffix": None,
                       "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                       "vocab": {t: i for i, t in enumerate(VOCABULARY)}, "merges": [["a", "b"]]}}
STRIPS = {"content": "[X]", "lstrip": True, "rstrip": True, "normalized": False, "single_word": False}
NEW = {"content": "Y!", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}
# name → tokenizer_config.json, special_tokens_map.json
CASES = {"nothing": ({}, {}),
         "names": ({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}, {}),
         "a name with flags": ({"bos_token": {"__type": "AddedToken", **STRIPS}}, {}),
         "add_bos_token and add_eos_token": ({"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": False,
                                              "add_eos_token": True}, {}),
         "additional_special_tokens": ({"additional_special_tokens": [
             "[X]", {"__type": "AddedToken", **STRIPS, "content": "</s>"}]}, {}),
         "extra_special_tokens": ({"extra_special_tokens": ["[X]"]}, {}),
         "clean_up_tokenization_spaces": ({"clean_up_tokenization_spaces": True}, {}),
         "added_tokens_decoder": ({"added_tokens_decoder": {"23": NEW}, "bos_token": "<s>"}, {"eos_token": "</s>"}),
         "special_tokens_map.json": ({"bos_token": "<s>"}, {"eos_token": "</s>", "bos_token": {**STRIPS}}),
         "add_prefix_space": ({"add_prefix_space": True}, {})}
TEXTS = ["", "ab", "<s>ab</s>", " <pad> a", "a [X] b", "a , b . a 's", "Y!Y !", "a </s> b"]


def write_folder(folder, config, special):
    files = {"tokenizer.json": TOKENIZER, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast",
                                                                    **config}}
    if special:
        files["special_tokens_map.json"] = special
    for name, value in files.items():
        pathlib.Path(folder, name).write_text(json.dumps(value), encoding="utf-8")
    return files


def case(tokenizer, text):
    plain = tokenizer.encode(text, add_special_tokens=False)
    return [text, tokenizer.encode(text), plain, tokenizer.decode(plain),
            tokenizer.decode(plain, skip_special_tokens=True)]


def make():
    lines = []
    for name, (config, special) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            files = write_folder(folder, config, special)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        del files["tokenizer.json"]
        lines.append({"name": name, "files": files, "bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id,
                      "cases": [case(tokenizer, t) for t in TEXTS]})
    rows = ",\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(f'{{"tokenizer": {json.dumps(TOKENIZER, ensure_ascii=False)},\n"configs": [\n{rows}\n]}}\n',
                   encoding="utf-8")
    print(f"transformers {transformers.__version__}: {len(lines)} configurations")


def compare_official():
    for name, folder in FOLDERS.items():
        if not folder.exists():
            continue
        auto, plain = transformers.AutoTokenizer.from_pretrained(folder), tokenizers.Tokenizer.from_file(str(
            folder / "tokenizer.json"))
        ids = [t for t in HARD_STRINGS if auto.encode(t) != plain.encode(t).ids]
        bare = [t for t in HARD_STRINGS if auto.encode(t, add_special_tokens=False)
                != plain.encode(t, add_special_tokens=False).ids]
        print(f"{name}: {type(auto).__name__}: {len(ids)} of {len(HARD_STRINGS)} differ, {len(bare)} without special "
              f"tokens {bare[:3]}")


if __name__ == "__main__":
    compare_official() if "--official" in sys.argv[1:] else make()
