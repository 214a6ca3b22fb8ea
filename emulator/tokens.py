"""Tokens of preprocessed Metal Shading Language (clang -E), and the small tools for walking over them."""

import re

TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f\v]+)
      | (?P<string>"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
      | (?P<number>\.?[0-9](?:[eEpP][+-]|[\w.'])*)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<other>.)""",
    re.X | re.S,
)
LINE_MARKER = re.compile(r'# (\d+) "((?:\\.|[^"])*)"(.*)')
DROPPED_PRAGMA = re.compile(r"\s*#pragma\s+(GCC poison|clang system_header|once|unroll|clang loop|METAL)")


class Token:
    __slots__ = ("kind", "text", "file", "line", "output")

    def __init__(self, kind, text, file, line):
        self.kind, self.text, self.file, self.line = kind, text, file, line
        self.output = text  # what the rewriter makes of it


def read(text):
    """All tokens of a preprocessed file. What comes from a system header (our own metal_stdlib) stays one opaque token
    a line, as do pragmas: only what the user wrote is rewritten."""
    tokens, is_user, line, file = [], False, 1, "?"
    for raw in text.split("\n"):
        marker = LINE_MARKER.match(raw)
        if marker:
            line, file = int(marker[1]), marker[2]
            is_user = "3" not in marker[3].split() and not file.startswith("<")
            tokens += [Token("opaque", raw, file, line), Token("opaque", "\n", file, line)]
            continue
        if is_user and not raw.lstrip().startswith("#pragma"):
            tokens += [Token(m.lastgroup, m[0], file, line) for m in TOKEN.finditer(raw)]
        else:
            tokens.append(Token("opaque", "" if DROPPED_PRAGMA.match(raw) else raw, file, line))
        tokens.append(Token("opaque", "\n", file, line))
        line += 1
    return tokens


def significant(tokens):
    return [t for t in tokens if t.kind in ("name", "number", "string", "other")]


class Unbalanced(Exception):
    pass


def closing(tokens, start, opening, end):
    """The index of the token that closes tokens[start]."""
    depth = 0
    for i in range(start, len(tokens)):
        if tokens[i].text == opening:
            depth += 1
        elif tokens[i].text == end:
            depth -= 1
            if depth == 0:
                return i
    raise Unbalanced(f"{tokens[start].file}:{tokens[start].line}: error: '{opening}' is never closed")


def past_template_arguments(tokens, start):
    """tokens[start] is '<': the index after the '>' that closes it."""
    depth = parentheses = 0
    for i in range(start, len(tokens)):
        text = tokens[i].text
        if text in "([":
            parentheses += 1
        elif text in ")]":
            parentheses -= 1
        elif parentheses == 0 and text == "<":
            depth += 1
        elif parentheses == 0 and text == ">":
            depth -= 1
            if depth == 0:
                return i + 1
    raise Unbalanced(f"{tokens[start].file}:{tokens[start].line}: error: '<' is never closed")
