"""Every part that a tokenizer.json may name, each alone in a tiny tokenizer, with the official answers →
tests/golden/text/variants.jsonl.

A line: {"name", "tokenizer": the document, "cases": [[text, ids with BOS and EOS, ids without, text of the latter,
without control tokens], …]}. The documents' models are few: they stand in variant_models.jsonl, and "model" is the line
there (from 0). And patterns.jsonl: regular expressions with what they cut texts into: {"pattern", "cases": [[text,
[piece, …]], …]}. And continuations.jsonl: how a text goes on, {"name" of a variant, "cases": [[ids before, ids after,
what the latter add to the text], …]}, without control tokens.

    pip install tokenizers
"""
import itertools
import json
import pathlib

import tokenizers
from tokenizers import Regex, pre_tokenizers

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/text"

# GPT-2's alphabet: printable Latin-1 characters stand for themselves, the other bytes for U+0100 and on.
PRINTABLE = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
OTHERS = [b for b in range(256) if b not in PRINTABLE]
ALPHABET = [chr(b) if b in PRINTABLE else chr(0x100 + OTHERS.index(b)) for b in range(256)]

TEXTS = ["", "a", "the cat", "The  Cat, the 1st!", " lead and trail ", "x1y22z333", "a-b--c---d", "don't (stop)",
         "tab\tnew\nline\r\n",
         "é e\u0301 ﬁ Å ½ ①", "日本 語", "😀 ok", "a<s>b</s>c", "a <m> b<m>", "one_word one word", "ab ab<x>ab", "ÀÉ İ ẞ",
         "  <r>  x <l>  ",
         "__a__ b_", "ａｂ １２", "a\u3000b\u00a0c", "-", "--", "1", "...wait"]


def merges_of(words):
    """Merges that build each word from the left, and the tokens they need."""
    merges = []
    for word in words:
        for i in range(2, len(word) + 1):
            if (word[:i - 1], word[i - 1]) not in merges:
                merges.append((word[:i - 1], word[i - 1]))
    return merges


def document(vocabulary, merges, model=None, **parts):
    ids = {t: i for i, t in enumerate(dict.fromkeys(vocabulary))}
    base = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": None,
            "post_processor": None, "decoder": None, **parts,
            "model": {**base, **(model or {}), "vocab": ids, "merges": [list(m) for m in merges]}}


BYTE_MERGES = merges_of(["the", "Ġthe", "Ġcat", "Cat", "ĠĠ", "22", "Ã©", "ab"])
BYTE_VOCABULARY = ALPHABET + [a + b for a, b in BYTE_MERGES]
TEXT_MERGES = merges_of(["the", "▁the", "▁cat", "▁▁", " t", "22", "333", "ab", "--", "e\u0301", "日本"])
TEXT_VOCABULARY = ["<unk>", *(chr(c) for c in range(0x20, 0x7f)), "▁", "\n", "é", "\u0301", "日", "本",
                   *(a + b for a, b in TEXT_MERGES), "i",
                   "Å", "½", "İ", "à", "ß"]
BYTE_DECODER = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
FALLBACK = [f"<0x{b:02X}>" for b in range(256)]


def byte_level(**parts):
    return document(BYTE_VOCABULARY, BYTE_MERGES,
                    **{"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                                         "use_regex": True},
                       "decoder": BYTE_DECODER, **parts})


def characters(model=None, fallback=True, **parts):
    model = {"byte_fallback": True, "unk_token": "<unk>", **(model or {})} if fallback else model
    return document(TEXT_VOCABULARY + (FALLBACK if fallback else []), TEXT_MERGES, model, **parts)


def added(document_, *tokens):
    next_id = len(document_["model"]["vocab"])
    for content, flags in tokens:
        known = document_["model"]["vocab"].get(content)
        document_["added_tokens"].append({"id": next_id if known is None else known, "content": content,
                                          **{f: f in flags for f in ("single_word", "lstrip", "rstrip", "normalized",
                                                                     "special")}})
        next_id += known is None
    return document_


def template(single, special):
    tokens = {t: {"id": t, "ids": ids, "tokens": [t] * len(ids)} for t, ids in special.items()}
    return {"type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}} if t == "A"
                       else {"SpecialToken": {"id": t, "type_id": 0}} for t in single],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": tokens}


def variants():
    regex, string = lambda r: {"Regex": r}, lambda s: {"String": s}
    replace = lambda p, c: {"type": "Replace", "pattern": p, "content": c}
    for form in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase"):
        yield form, byte_level(normalizer={"type": form})
    for left, right in itertools.product((False, True), repeat=2):
        yield f"Strip {left} {right}", byte_level(normalizer={"type": "Strip", "strip_left": left,
                                                              "strip_right": right})
    yield "Prepend", characters(normalizer={"type": "Prepend", "prepend": "▁"})
    yield "Replace string", characters(normalizer=replace(string(" "), "▁"))
    yield "Replace regex", byte_level(normalizer=replace(regex(r"\s+"), " "))
    yield "Replace with nothing", byte_level(normalizer=replace(string("a"), ""))
    yield "Sequence of normalizers", characters(normalizer={"type": "Sequence", "normalizers": [
        {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Prepend", "prepend": "▁"}, replace(string(" "), "▁")]})
    behaviors = ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous")
    for behavior, invert, pattern in itertools.product(behaviors, (False, True), (string("-"), regex(r"\d+|-|\s"))):
        yield f"Split {behavior} {invert} {pattern}", characters(
            pre_tokenizer={"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert})
    for behavior in behaviors:
        yield f"Punctuation {behavior}", characters(pre_tokenizer={"type": "Punctuation", "behavior": behavior})
    for individual in (False, True):
        yield f"Digits {individual}", characters(pre_tokenizer={"type": "Digits", "individual_digits": individual})
    for prefix, use_regex in itertools.product((False, True), repeat=2):
        yield f"ByteLevel {prefix} {use_regex}", byte_level(
            pre_tokenizer={"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True,
                           "use_regex": use_regex})
    for scheme, split in itertools.product(("always", "first", "never"), (False, True)):
        metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}
        yield f"Metaspace {scheme} {split}", added(characters(pre_tokenizer=metaspace, decoder=metaspace),
                                                   ("<s>", "special"), ("<m>", ""))
    yield "Whitespace", characters(pre_tokenizer={"type": "Whitespace"})
    yield "WhitespaceSplit", characters(pre_tokenizer={"type": "WhitespaceSplit"})
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    yield "Sequence Digits, ByteLevel", byte_level(pre_tokenizer={"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": True}, {**level, "use_regex": True}]})
    yield "Sequence ByteLevel, Digits", byte_level(pre_tokenizer={"type": "Sequence", "pretokenizers": [
        level, {"type": "Digits", "individual_digits": True}]})
    yield "Sequence WhitespaceSplit, Metaspace", characters(pre_tokenizer={"type": "Sequence", "pretokenizers": [
        {"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always",
                                      "split": True}]})
    yield "Sequence Split, Punctuation, ByteLevel", byte_level(pre_tokenizer={"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": regex(r"\p{N}{1,3}"), "behavior": "Isolated", "invert": False},
        {"type": "Punctuation", "behavior": "Contiguous"}, level]})
    yield "no pre-tokenizer", characters()
    for fuse, fallback, unk in itertools.product((False, True), (False, True), (None, "<unk>")):
        yield f"unknown: fuse {fuse}, bytes {fallback}, {unk}", document(
            TEXT_VOCABULARY + (FALLBACK if fallback else []), TEXT_MERGES,
            {"fuse_unk": fuse, "byte_fallback": fallback, "unk_token": unk})
    yield "some bytes only", document(TEXT_VOCABULARY + FALLBACK[:0xa8], TEXT_MERGES,
                                      {"fuse_unk": True, "byte_fallback": True, "unk_token": "<unk>"})
    yield "bytes lacking", document(ALPHABET[:97] + [m for a, b in BYTE_MERGES[:2] for m in (a, b, a + b)],
                                    BYTE_MERGES[:2],
                                    {"unk_token": "A", "fuse_unk": True}, pre_tokenizer=level, decoder=BYTE_DECODER)
    whole = byte_level()
    whole["model"]["vocab"]["lead"] = len(whole["model"]["vocab"])
    whole["model"]["ignore_merges"] = True
    yield "ignore_merges", whole
    byte_processor = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    for name, processor in (("BOS", template(["<s>", "A"], {"<s>": [3]})),
                            ("BOS and EOS", template(["<s>", "A", "</s>"], {"<s>": [3], "</s>": [4, 5]})),
                            ("ByteLevel", byte_processor),
                            ("Sequence", {"type": "Sequence", "processors": [
                                byte_processor, template(["<s>", "A", "</s>"], {"<s>": [3], "</s>": [4]})]})):
        yield f"post-processor {name}", byte_level(post_processor=processor)
    fallback, fuse = {"type": "ByteFallback"}, {"type": "Fuse"}
    strip = lambda c, start, stop: {"type": "Strip", "content": c, "start": start, "stop": stop}
    sequence = lambda *d: {"type": "Sequence", "decoders": list(d)}
    normalizer = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, replace(string(" "), "▁")]}
    for name, decoder in (("none", None), ("ByteFallback", fallback), ("Fuse", fuse),
                          ("Llama", sequence(replace(string("▁"), " "), fallback, fuse, strip(" ", 1, 0))),
                          ("Gemma", sequence(replace(string("▁"), " "), fallback, fuse)),
                          ("Strip starts", strip("a", 2, 0)),
                          ("Strip ends", strip("t", 0, 1)), ("Strip joined",
                                                             sequence(fuse, strip("▁", 2, 0), strip("t", 1, 0))),
                          ("Strip end", sequence(fallback, fuse, strip("t", 0, 1))),
                          ("Replace joined", sequence(fuse, replace(regex(r"▁+"), " "))),
                          ("Replace regex", replace(regex("[ab]"), "_")),
                          ("ByteLevel", BYTE_DECODER), ("ByteLevel then Strip",
                                                        sequence(BYTE_DECODER, strip("▁", 1, 0))),
                          ("Metaspace", {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always",
                                         "split": True}),
                          ("Metaspace never", {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never",
                                               "split": True})):
        yield f"decoder {name}", added(characters(normalizer=normalizer, decoder=decoder), ("<s>", "special"),
                                       ("</s>", "special"))
    kinds = ("single_word", "lstrip", "rstrip", "normalized", "special")
    for flags in itertools.chain.from_iterable(itertools.combinations(kinds, n) for n in range(6)):
        yield f"added tokens {' '.join(flags)}", added(
            byte_level(normalizer={"type": "Lowercase"}), ("<s>", flags), ("<m>", flags), ("ab", flags), ("THE", flags),
            ("word", flags),
            ("é", flags), ("a-b", flags))
    yield "added tokens overlap", added(byte_level(), ("<s>", "special"), ("a<s>b", ""), ("a<s", ""), ("b", "special"),
                                        ("--", ""),
                                        ("-", ""), ("<r>", "rstrip"), ("<l>", "lstrip"))
    yield "added tokens mixed", added(byte_level(normalizer={"type": "NFKC"}), ("<s>", "special"),
                                      ("fi", ("normalized",)), ("ﬁ", ()),
                                      ("1st", ("single_word",)), (" ", ()), ("<r>", ("rstrip", "lstrip")))
    yield "added token with a byte letter", added(byte_level(), ("Ġx", ()), ("日", ()), ("é", ()))


PATTERN_TEXTS = ["", "aB1 é\n", "aaa bbb", "foo123bar 45", "  x  \n\n y", "ab\r\ncd", "don't DON'T 'ſ", "ÀÉéß ſK",
                 "日本語テキスト", "١٢٣ ⅷ²",
                 "a.b,c!", "A-Z a-z", "\u3000\u00a0\u2028", "x\n", "\n", "aXbXc", "{a}{2}", "😀é\u0301", "[]^$.|",
                 "\u180e\u200b_"]
PATTERNS = r"""a | ab|a | a* | a+? | a?? | a{2} | a{2,} | a{,2} | a{1,2} | a{1,2}+ | (?:ab)* | (a|b)+ | (a|b)*?c | . |
.+ | [a-c] | [^a-c] | [^a-c]+ | [a-cx-z0-9] | [-a] | [a-] | [\w-] | \w | \w+ | \W+ | \s | \s+ | \S+ | \d+ | \D+ |
\h+ | \H+ | \p{L} | \p{L}+ | \P{L}+ | \p{^L}+ | \p{Lu} | \p{Ll}+ | \p{Lt} | \p{Lm} | \p{Lo}+ | \p{M} | \p{Mn} |
\p{N}+ | \p{Nd} | \p{Nl} | \p{No} | \p{P} | \p{Po}+ | \p{Pd} | \p{S} | \p{So} | \p{Sc} | \p{Z}+ | \p{Han}+ |
[\p{L}&&[^\p{Han}]]+ | \p{Zs} | \p{C} | \p{Cc} | \p{Cf} | [\p{L}\p{N}]+ | [^\s\p{L}\p{N}]+ | [\p{L}&&[^a-z]]+ |
[a-z&&[^aeiou]] | [a[b-d]] | [^a[b-d]] | [[:x] | ^a | ^. | .$ | $ | ^ | \A. | .\z | .\Z | \b. | \B. | \bx\b | a(?=b) |
a(?!b) | (?=b) | (?!a). | \s+(?!\S) | \s+(?=x) | (?i:a) | (?i:s) | (?i:k) | (?i:'s|'t) | (?i:[a-c]) | (?i:[^a-c]) |
(?i:\p{Lu}) | (?i:[\p{Lu}_]) | (?i:[^\p{Lu}]) | (?i:[a-z&&[^E]]) | (?i:\w) | (?i:é) | (?i:ß) | (?-i:a) |
(?i:a(?-i:b)) | (?>a+)a | (?>a+)b | a++ | a++b | a*+b | a?+a | (?:a|ab)(?:c|bcd)? | (?:a?)*b | (?:a*)* | (?:a*)+ |
(?:a|)+ | (?:|a)+ | (?:a*?)*? | x* | \n | \r?\n | \t | \x61 | \x{e9} | \u00e9 | [\x{3000}-\x{9fff}]+ | \. | \[ | \] |
\{ | \\ | \- | \_ | \# | {a | a{ | a{x} | a{2 | {2} | a|{,2} | a{2}{2} | (?:|a)* | (?:b?|a)+ | ] | } | [\]] | [\[] |
[.] | [$^] | [a\-z] | [\s\S] | [\d.]+ | [\n\r]+ | a|b|c|d | |a | a| | (?:) | [+--] | [!-/:-~]+ | \s?[A-Za-z]+ |
[^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3} | \p{N}{1,3}+ | \s*[\r\n]+ | \s*[\r\n]+|\s+(?!\S)|\s+ | [^\n]+|[\n]+ |
'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
PATTERNS = PATTERNS.replace("\n", " ").split(" | ")


def patterns():
    for pattern in PATTERNS:
        try:
            splitter = pre_tokenizers.Split(Regex(pattern), "isolated")
        except Exception as error:  # the official one refuses it: so must we
            yield {"pattern": pattern, "refused": str(error)}
            continue
        yield {"pattern": pattern, "cases": [[text, [piece for piece, _ in splitter.pre_tokenize_str(text)]] for text
                                             in PATTERN_TEXTS]}


def write(path, lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines),
                    encoding="utf-8")


def decode(tokenizer, ids, skip):
    try:
        return tokenizer.decode(ids, skip_special_tokens=skip)
    except BaseException as panic:  # the Strip decoder's, on an empty text
        assert "PanicException" in type(panic).__name__
        return ""


def answers(name, document_):
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(document_))
    cases = []
    for text in TEXTS:
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        cases.append([text, tokenizer.encode(text).ids, plain, decode(tokenizer, plain, False),
                      decode(tokenizer, plain, True)])
    return {"name": name, "tokenizer": document_, "cases": cases}


def continuations(name, document_):
    """What the official decoder says of the whole, less what it says of the beginning: where that is a beginning."""
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(document_))
    cases = []
    for text in ("the cat", "The  Cat, the 1st!", " lead and trail ", "日本 語", "<s> the cat", "taaat", "é the"):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        for cut in sorted({1, 2, len(ids) // 2, len(ids) - 1} & set(range(1, len(ids)))):
            before, whole = decode(tokenizer, ids[:cut], True), decode(tokenizer, ids, True)
            only_bos = ids[:cut] == tokenizer.encode("<s>", add_special_tokens=False).ids
            if whole.startswith(before) and (before or only_bos):
                cases.append([ids[:cut], ids[cut:], whole[len(before):]])
    return {"name": name, "cases": cases}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    # "Strip end" takes the end of a text away, so that what is said of a beginning is no beginning of the whole
    write(OUT / "continuations.jsonl", [continuations(name, d) for name, d in variants()
                                        if name.startswith(("decoder", "Metaspace")) and name != "decoder Strip end"])
    lines, models = list(itertools.starmap(answers, variants())), []
    for line in lines:
        model = line["tokenizer"]["model"]
        if model not in models:
            models.append(model)
        line["tokenizer"]["model"] = models.index(model)
    write(OUT / "variant_models.jsonl", models)
    write(OUT / "variants.jsonl", lines)
    write(OUT / "patterns.jsonl", patterns())


if __name__ == "__main__":
    main()
