#!/usr/bin/env python3
"""Writes src/text/unicode_tables.inc: what each code point is to the official tokenizers.

Nothing is taken from a Unicode release: every code point is put through the `tokenizers` library itself (its regular
expressions, digit, punctuation and white space pre-tokenizers, lower-casing and the four normal forms), so that our
tables agree with it whatever Unicode versions its parts were built with.

    pip install tokenizers
    python tools/unicode_tables.py
"""
import pathlib
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

OUT = pathlib.Path(__file__).resolve().parent.parent / "src/text/unicode_tables.inc"
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn".split()
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]  # a surrogate is no character
BLOCK = 128


def matching(pattern, text):
    """The code points of `text` that a one-character pattern matches."""
    splitter = pre_tokenizers.Split(Regex(f"(?:{pattern})+"), "removed", invert=True)
    return {ord(c) for i in range(0, len(text), 1 << 16) for run, _ in splitter.pre_tokenize_str(text[i:i + (1 << 16)])
            for c in run}


def fates(splitter):
    """What becomes of a code point between two letters x: 'alone', 'merged' with them, or 'removed'."""
    fate = {}
    for i in range(0, len(CODE_POINTS), 1 << 14):
        some = CODE_POINTS[i:i + (1 << 14)]
        pieces = {}
        for _, (begin, end) in splitter.pre_tokenize_str("x" + "x".join(map(chr, some)) + "x"):
            for k in range(begin, end):
                pieces[k] = end - begin
        for j, c in enumerate(some):
            fate[c] = {None: "removed", 1: "alone"}.get(pieces.get(2 * j + 1), "merged")
    return fate


def mapping(normalizer):
    """code point → text, where they differ."""
    changed = {}
    for c in CODE_POINTS:
        text = normalizer.normalize_str(chr(c))
        if text != chr(c):
            changed[c] = text
    return changed


def combining_classes(nfd, candidates):
    """Canonical combining class as the library has it: where it puts a mark among marks whose class is known."""
    marks = {}
    for c in candidates:
        # the library knows it too: it goes before class 240
        if c == 0x345 or nfd.normalize_str("\u0345" + chr(c)) == chr(c) + "\u0345":
            marks.setdefault(unicodedata.combining(chr(c)), c)
    classes = {}
    for c in CODE_POINTS:
        # U+0334 has class 1, the lowest
        if chr(c) in nfd.normalize_str(chr(c) + "\u0334")[1:] or unicodedata.combining(chr(c)):
            if c in HAS_NFD:
                continue
            # class(c) > k
            above = [k for k, m in marks.items() if nfd.normalize_str(chr(c) + chr(m)) != chr(c) + chr(m)]
            # 0 < class(c) < k
            below = [k for k, m in marks.items() if nfd.normalize_str(chr(m) + chr(c)) != chr(m) + chr(c)]
            if not above and not below:
                continue  # a starter
            equal = [k for k in marks if k not in above and k not in below]
            assert len(equal) == 1, (hex(c), equal)
            classes[c] = equal[0]
    return classes


def compositions(nfc, nfd):
    """(first, second) → composite."""
    pairs = {}
    for c in set(HAS_NFD) | {c for c in CODE_POINTS if len(unicodedata.decomposition(chr(c)).split()) == 2}:
        if 0xAC00 <= c < 0xD7A4:
            continue  # Hangul is arithmetic
        parts = HAS_NFD.get(c) or unicodedata.normalize("NFD", chr(c))
        first = nfc.normalize_str(parts[:-1])
        if len(parts) > 1 and len(first) == 1 and nfc.normalize_str(first + parts[-1]) == chr(c):
            pairs[ord(first), ord(parts[-1])] = c
    return pairs


def rows(values, per_line=28):
    text = [str(v) for v in values]
    return "\n".join("    " + ", ".join(text[i:i + per_line]) + "," for i in range(0, len(text), per_line))


def two_stage(name, values):
    """values[code point] → an index of blocks and the distinct blocks."""
    blocks, index = {}, []
    for i in range(0, 0x110000, BLOCK):
        index.append(blocks.setdefault(tuple(values[i:i + BLOCK]), len(blocks)))
    flat = [v for block in blocks for v in block]
    return (f"constexpr std::uint16_t {name}_index[{len(index)}] = {{\n{rows(index)}\n}};\n"
            f"constexpr std::uint8_t {name}_blocks[{len(flat)}] = {{\n{rows(flat)}\n}};\n")


def string_table(name, table):
    """code point → text, sorted: {from, where in the pool, how many}."""
    pool, entries = [], []
    for c, text in sorted(table.items()):
        entries.append(f"{{{c}, {len(pool)}, {len(text)}}}")
        pool += [ord(x) for x in text]
    return (f"constexpr char32_t {name}_pool[] = {{\n{rows(pool, 18)}\n}};\n"
            f"constexpr Mapping {name}[] = {{\n{rows(entries, 7)}\n}};\n")


def fold_classes():
    """Sets of code points that (?i:…) takes for the same character."""
    cased = [c for c in CODE_POINTS if any(f(chr(c)) != chr(c) for f in (str.lower, str.upper, str.casefold))]
    cased += [c for c in CODE_POINTS if c >= 0x80 and unicodedata.category(chr(c)) == "Cn" and c < 0x20000
              and LETTERS >> c & 1]
    text = "".join(map(chr, sorted(set(cased))))
    classes = {}
    for c in sorted(set(cased)):
        same = matching(f"(?i:\\x{{{c:x}}})", text)
        if len(same) > 1:
            classes[c] = tuple(sorted(same - {c}))
    return classes


category_of = {}
everything = "".join(map(chr, CODE_POINTS))
for category in CATEGORIES:
    for c in matching(f"\\p{{{category}}}", everything):
        category_of[c] = category
word, space, han = (matching(p, everything) for p in (r"\w", r"\s", r"\p{Han}"))
assert matching(r"\d", everything) == {c for c in CODE_POINTS if category_of[c] == "Nd"}
digits, punctuation, white = (fates(p) for p in (pre_tokenizers.Digits(individual_digits=True),
                                                 pre_tokenizers.Punctuation(),
                                                 pre_tokenizers.Whitespace()))
LETTERS = sum(1 << c for c in CODE_POINTS if category_of[c] in ("Lu", "Ll", "Lt"))
forms = {n: getattr(normalizers, n)() for n in ("NFC", "NFD", "NFKC", "NFKD")}
changes = {n: mapping(f) for n, f in forms.items()}
HAS_NFD = changes["NFD"]
classes = combining_classes(forms["NFD"], [c for c in CODE_POINTS if unicodedata.combining(chr(c))])
pairs = compositions(forms["NFC"], forms["NFD"])
seconds = {b for _, b in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))

kinds, kind_of = {}, [0] * 0x110000
norms, norm_of = {(0, 0): 0}, [0] * 0x110000
for c in CODE_POINTS:
    kind = (CATEGORIES.index(category_of[c]), c in word, c in space, digits[c] == "alone", punctuation[c] == "alone",
            white[c] == "merged", c in han)
    kind_of[c] = kinds.setdefault(kind, len(kinds))
    composes = classes.get(c, 0) != 0 or c in seconds
    busy = [composes or c in changes["NFC"], c in HAS_NFD or c in classes, composes or c in changes["NFKC"],
            c in changes["NFKD"] or c in classes]
    norm_of[c] = norms.setdefault((classes.get(c, 0), sum(b << i for i, b in enumerate(busy))), len(norms))
assert len(kinds) <= 64 and len(norms) <= 256
for c in range(0xD800, 0xE000):
    kind_of[c] = kinds[(CATEGORIES.index("Cn"), False, False, False, False, False, False)]

with OUT.open("w") as out:
    out.write(f"// Made by tools/unicode_tables.py from the behaviour of tokenizers {tokenizers.__version__}, code "
              f"point by code point. "
              "Not edited by hand.\n\n")
    out.write(f"constexpr unsigned block_size = {BLOCK};\n\n// kind → general category and what else sets it apart.\n")
    out.write("constexpr KindInfo kind_infos[] = {\n")
    for category, *flags in kinds:
        out.write(f"    {{Category::{CATEGORIES[category]}, {', '.join(str(f).lower() for f in flags)}}},\n")
    out.write("};\n" + two_stage("kind", kind_of))
    out.write("// {canonical combining class, bit per form (NFC, NFD, NFKC, NFKD): not a character that the form "
              "leaves alone}\n")
    out.write(f"constexpr NormInfo norm_infos[] = {{\n{rows(['{%d, %d}' % n for n in norms], 14)}\n}};\n"
              + two_stage("norm", norm_of))
    no_hangul = {c: t for c, t in HAS_NFD.items() if not 0xAC00 <= c < 0xD7A4}
    out.write("// Full canonical decompositions (Hangul is arithmetic), and the compatibility ones that differ.\n")
    out.write(string_table("canonical", no_hangul))
    out.write(string_table("compatibility", {c: t for c, t in changes["NFKD"].items() if t != HAS_NFD.get(c)}))
    out.write("// {first, second, composite}\nconstexpr Composition compositions[] = {\n")
    out.write(rows(["{%d, %d, %d}" % (a, b, c) for (a, b), c in sorted(pairs.items())], 6) + "\n};\n")
    out.write(string_table("lowercase_map", mapping(normalizers.Lowercase())))
    out.write("// What else (?i:…) matches for a character.\n")
    out.write(string_table("case_fold", {c: "".join(map(chr, same)) for c, same in fold_classes().items()}))
