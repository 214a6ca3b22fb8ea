"""Writes src/text/jinja/unicode_tables.cpp: what Python's str knows of letters (upper, lower, title case; what repr() shows as it is).

    python3.11 tools/python_unicode.py > src/text/jinja/unicode_tables.cpp

Chat templates are written for Python's jinja2, so Python's tables are the ones to follow; Python 3.11 has those of Unicode 14.
Needs nothing but Python. (3.11 was used; a newer one knows more letters.)
"""

import sys
import unicodedata

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def runs(convert):
    """Code points that map to one other, as runs of equal distance: first, last, step, delta."""
    found = []
    for c in POINTS:
        mapped = convert(chr(c))
        if mapped == chr(c) or len(mapped) != 1:
            continue
        delta = ord(mapped) - c
        if found:
            first, last, step, d = found[-1]
            if d == delta and (c - last == step or (first == last and c - last in (1, 2))):
                found[-1] = (first, c, c - last, delta)
                continue
        found.append((c, c, 1, delta))
    return found


def several(convert):
    return [(c, convert(chr(c))) for c in POINTS if len(convert(chr(c))) > 1]


def rows(items, per_line):
    return "\n".join("    " + " ".join(items[i : i + per_line]) for i in range(0, len(items), per_line))


def escaped(text):
    return "".join(f"\\{b:03o}" for b in text.encode())


def table(name, kind, items, per_line):
    return f"const {kind} {name}[] = {{\n{rows(items, per_line)}\n}};\nconst std::size_t {name}_size = {len(items)};\n"


def main():
    printable = [chr(c).isprintable() for c in range(0x110000)]
    edges = [f"{c:#x}," for c in range(1, 0x110000) if printable[c] != printable[c - 1]]
    out = [
        f"// Made by tools/python_unicode.py from Python's tables (Unicode {unicodedata.unidata_version}). Do not edit.",
        '#include "text/jinja/unicode_tables.h"\n',
        "namespace rung::jinja::tables {\n",
    ]
    for name, convert in (("upper", str.upper), ("lower", str.lower), ("title", str.title)):
        out.append(table(name, "CaseRun", [f"{{{a:#x}, {b:#x}, {s}, {d}}}," for a, b, s, d in runs(convert)], 4))
        out.append(table(name + "_several", "CaseString", [f'{{{c:#x}, "{escaped(s)}"}},' for c, s in several(convert)], 4))
    out.append(table("printable_edges", "char32_t", edges, 14))
    out.append("}  // namespace rung::jinja::tables")
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
