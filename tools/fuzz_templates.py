"""Random templates from a grammar, on random conversations: Rung and jinja2 must render the same text, or both refuse.

    pip install jinja2 transformers
    python tools/fuzz_templates.py --driver build/release/tests/render_templates --cases 200000 --seed 1

jinja2 runs in the very environment that transformers makes for chat templates. What Rung refuses as "unsupported" is counted by reason, not
as a difference: the grammar strays a little beyond what Rung promises. Every difference is printed with its template and context.

Result, 2026-11: see fuzz/README.md.
"""

import argparse
import collections
import datetime
import json
import random
import subprocess
import sys
import warnings

from transformers.utils import chat_template_utils

warnings.filterwarnings("ignore")
CLOCK = datetime.datetime(2026, 7, 4, 15, 6, 7)

STRINGS = [
    "", " ", "a", "b", "ab", "Hello", "hello world", "  padded  ", "two\nlines", "\n", "\r\n", "a\r\nb\rc", "tab\there", "<|im_end|>", "<think>deep</think> answer",
    "é", "ÀÉ straße", "ΑΣ ΟΔΟΣ", "👍🏽 ok", "日本語", "\u2028", "\x85", "\x0b\x1c", "\u00a0x\u00a0", "it's", 'say "hi"', "both ' and \"", "back\\slash", "A-b c_d", "{{ x }}",
    "{% if %}", "0", "12", "-3", "+7", "1.5", "1e3", "0x1f", "0b11", " 42 ", "1_000", "nan?", "%s", "%d items", "a,b,,c", ",", "user", "assistant", "system", "tool",
    "x" * 30, "aXbXc", "\x00", "\x7f", "ǅ", "ŉ", "\u0301e", "true", "None", "[1]",
]
KEYS = ["role", "content", "a", "b", "c", "name", "items", "keys", "x y", "é", "type", "function", "tool_calls"]
ROLES = ["system", "user", "assistant", "tool"]
NAMES = ["messages", "tools", "s", "t", "i", "j", "f", "l", "d", "b", "n", "nothing", "bos_token", "add_generation_prompt", "ll"]


class Grammar:
    def __init__(self, rng):
        self.r = rng
        self.names = list(NAMES)
        self.macros = []
        self.loops = 0
        self.namespaces = []
        self.sanity = rng.choice([1, 1, 0.95, 0.8, 0.3])

    def pick(self, *options):
        return self.r.choice(options)()

    # ---- contexts

    def value(self, depth=2):
        r = self.r.random()
        if depth == 0 or r < 0.6:
            return self.r.choice([self.string(), self.string(), self.string(), self.r.randint(-5, 20), self.r.choice([0.5, -1.25, 3.0, 1e20, 1e-7, 123456.789, 0.1]),
                                  True, False, None])
        if r < 0.8:
            return [self.value(depth - 1) for _ in range(self.r.randint(0, 4))]
        return {self.r.choice(KEYS): self.value(depth - 1) for _ in range(self.r.randint(0, 4))}

    def string(self):
        return self.r.choice(STRINGS)

    def message(self):
        content = self.r.choice([self.string(), self.string(), self.string(), None, [{"type": "text", "text": self.string()}], ""])
        message = {"role": self.r.choice(ROLES), "content": content}
        if self.r.random() < 0.1:
            message["tool_calls"] = [{"type": "function", "function": {"name": "f", "arguments": self.value(2)}}]
        if self.r.random() < 0.05:
            message[self.r.choice(["reasoning_content", "thinking", "reasoning"])] = self.string()
        return message

    def context(self):
        context = {"messages": [self.message() for _ in range(self.r.randint(0, 4))]}
        context["tools"] = self.r.choice([None, None, [{"type": "function", "function": {"name": "get", "parameters": self.value(3)}}]])
        context["add_generation_prompt"] = self.r.random() < 0.5
        context["bos_token"] = "<s>"
        context.update(s=self.string(), t=self.string(), i=self.r.randint(-4, 9), j=self.r.randint(0, 4), f=self.r.choice([0.5, 2.5, -1.5, 3.0, 0.1, 1e16, 2.675]))
        context.update(l=[self.value(1) for _ in range(self.r.randint(0, 5))], d={k: self.value(2) for k in self.r.sample(KEYS, self.r.randint(0, 4))})
        context.update(b=self.r.random() < 0.5, n=None, ll=[self.r.choice([self.r.randint(0, 9)]) for _ in range(self.r.randint(0, 5))])
        if self.r.random() < 0.3:
            context["ll"] = [self.string() for _ in range(self.r.randint(0, 5))]
        return context

    # ---- expressions

    def literal_string(self):
        text = self.string()
        if self.r.random() < 0.2:
            return self.r.choice(["'a\\nb'", '"\\u00e9"', "'\\x41'", "'\\\\'", "'\\''", '"it\'s"', "'\\d'", "'\\101'", "'a' 'b'", "'\\\n'", "'two\nlines'"])
        quote = "'" if "'" not in text else '"'
        return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote

    def literal(self):
        return self.r.choice([self.literal_string, self.literal_string, lambda: str(self.r.randint(0, 12)), lambda: self.r.choice(["0.5", "1.0", "2.5", "1e3", "1_0", "0x1F", "3.14"]),
                              lambda: self.r.choice(["true", "false", "none", "True", "False", "None"])])()

    def name(self):
        return self.r.choice(self.names + ["loop"] * (1 if self.loops else 0))

    def collection(self, depth):
        items = [self.expr(depth - 1) for _ in range(self.r.randint(0, 3))]
        kind = self.r.randint(0, 2)
        if kind == 0:
            return "[" + ", ".join(items) + "]"
        if kind == 1:
            return "(" + "".join(item + "," for item in items) + ")"
        return "{" + ", ".join(f"{self.r.choice([self.literal_string(), str(self.r.randint(0, 3)), 'true'])}: {item}" for item in items) + "}"

    def index(self, depth):
        return self.r.choice([lambda: str(self.r.randint(-3, 3)), lambda: self.r.choice(["'role'", "'content'", "'a'", "'items'", "'b'"]), lambda: self.expr(depth - 1)])()

    def slice(self):
        part = lambda: self.r.choice(["", str(self.r.randint(-4, 4)), "i", "none"])
        return self.r.choice([f"{part()}:{part()}", f"{part()}:{part()}:{self.r.choice(['', '-1', '2', '-2', '1', '3'])}", "::-1", "1:"])

    def method(self, depth):
        s = lambda: self.expr(depth - 1) if self.r.random() < 0.25 else self.literal_string()
        n = lambda: str(self.r.randint(-2, 4))
        r = self.r
        return r.choice([
            lambda: f"strip({r.choice(['', s()])})", lambda: f"lstrip({r.choice(['', s()])})", lambda: f"rstrip({r.choice(['', s()])})",
            lambda: f"split({r.choice(['', s(), s() + ', ' + n(), 'none, ' + n(), 'maxsplit=1', 'sep=' + s()])})", lambda: f"rsplit({r.choice(['', s(), s() + ', ' + n(), 'none, ' + n()])})",
            lambda: f"splitlines({r.choice(['', 'true'])})", lambda: f"startswith({s()})", lambda: f"endswith({s()})", lambda: f"startswith({s()}, {n()})",
            lambda: f"upper()", lambda: "lower()", lambda: "title()", lambda: "capitalize()", lambda: "swapcase()", lambda: f"replace({s()}, {s()})", lambda: f"replace({s()}, {s()}, {n()})",
            lambda: f"find({s()})", lambda: f"rfind({s()}, {n()})", lambda: f"find({s()}, {n()}, {n()})", lambda: f"count({s()})", lambda: f"count({s()}, {n()}, {n()})", lambda: f"index({s()})",
            lambda: f"join({self.expr(depth - 1)})", lambda: f"format({self.expr(depth - 1)}, a={s()})", lambda: "isdigit()", lambda: "isspace()", lambda: "isupper()", lambda: "islower()",
            lambda: "isalpha()", lambda: "isalnum()", lambda: f"zfill({n()})", lambda: f"center({r.randint(0, 9)})", lambda: f"ljust({r.randint(0, 9)}, '*')", lambda: f"rjust({r.randint(0, 9)})",
            lambda: f"partition({s()})", lambda: f"rpartition({s()})", lambda: f"removeprefix({s()})", lambda: f"removesuffix({s()})",
            lambda: "items()", lambda: "keys()", lambda: "values()", lambda: f"get({s()})", lambda: f"get({s()}, {self.expr(depth - 1)})", lambda: f"append({s()})", lambda: "pop()",
            lambda: f"index({self.expr(depth - 1)})", lambda: f"count({self.expr(depth - 1)})", lambda: "frobnicate()",
        ])()

    def filter(self, depth):
        e = lambda: self.expr(depth - 1)
        s = self.literal_string
        n = lambda: str(self.r.randint(-2, 5))
        a = lambda: self.r.choice(["'role'", "'content'", "'a'", "'function.name'", "0", "'b'"])
        r = self.r
        return r.choice([
            lambda: "trim", lambda: f"trim({s()})", lambda: "upper", lambda: "lower", lambda: "title", lambda: "capitalize", lambda: "length", lambda: "count",
            lambda: f"join({r.choice(['', s(), 'i'])})", lambda: f"join({s()}, attribute={a()})", lambda: f"default({e()})", lambda: f"d({s()}, true)", lambda: "default", lambda: "first",
            lambda: "last", lambda: "list", lambda: f"map({r.choice([repr(x) for x in ['upper', 'trim', 'length', 'string', 'int', 'first', 'nope', 'tojson', 'list']])})",
            lambda: f"map(attribute={a()})", lambda: f"map(attribute={a()}, default={e()})", lambda: f"map('default', {s()})", lambda: f"map('replace', {s()}, {s()})",
            lambda: f"select({self.test_args(depth)})", lambda: f"reject({self.test_args(depth)})", lambda: f"selectattr({a()}{self.more_test_args(depth)})",
            lambda: f"rejectattr({a()}{self.more_test_args(depth)})", lambda: "items", lambda: "dictsort", lambda: f"dictsort(by={r.choice([repr('key'), repr('value')])}, reverse={r.choice(['true', 'false'])})",
            lambda: "dictsort(true)", lambda: f"replace({s()}, {s()})", lambda: f"replace({s()}, {s()}, {n()})", lambda: f"replace({e()}, {e()})", lambda: "tojson",
            lambda: f"tojson(indent={r.choice(['2', '4', '0', 'none', repr('--'), 'true', '-1'])})", lambda: "tojson(sort_keys=true)", lambda: "tojson(ensure_ascii=true)",
            lambda: "tojson(separators=(',', ':'))", lambda: "tojson(indent=2, separators=(', ', ' : '))", lambda: "string", lambda: "int", lambda: f"int({n()})", lambda: "int(0, 16)",
            lambda: "float", lambda: f"float({n()})", lambda: "round", lambda: f"round({r.randint(0, 3)})", lambda: f"round(1, {r.choice([repr('floor'), repr('ceil'), repr('common')])})", lambda: "round|int",
            lambda: "abs", lambda: "sum", lambda: f"sum(start={n()})", lambda: f"sum(attribute={a()})", lambda: "min", lambda: "max", lambda: f"max(attribute={a()})", lambda: "unique", lambda: "unique|list",
            lambda: f"unique(attribute={a()})|list", lambda: "reverse", lambda: "reverse|list", lambda: "sort", lambda: "sort(reverse=true)", lambda: f"sort(attribute={a()})", lambda: "sort(case_sensitive=true)",
            lambda: "indent", lambda: f"indent({r.randint(0, 5)})", lambda: f"indent(2, true)", lambda: "indent(first=true, blank=true)", lambda: f"indent({s()})", lambda: "e", lambda: "escape", lambda: "safe",
            lambda: f"batch({r.randint(1, 3)})|list", lambda: f"batch(2, {s()})|list", lambda: f"format({e()}, {e()})", lambda: f"attr({s()})", lambda: f"truncate({r.randint(3, 12)})", lambda: f"truncate({r.randint(3, 12)}, true, '', 0)",
            lambda: f"center({r.randint(0, 12)})", lambda: "nosuchfilter", lambda: "list|length", lambda: "forceescape", lambda: "sort|list|first",
        ])()

    def test_name(self, depth):
        return self.r.choice(["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "sequence", "iterable", "callable",
                              "odd", "even", "lower", "upper", "escaped", f"divisibleby({self.r.randint(0, 3)})", f"divisibleby {self.r.randint(1, 3)}", f"equalto({self.expr(depth - 1)})", f"eq {self.literal()}",
                              f"ne({self.expr(depth - 1)})", f"lt({self.r.randint(0, 5)})", f"gt {self.r.randint(0, 5)}", f"ge(1)", f"le 2", f"in({self.expr(depth - 1)})", f"in [1, 'a', none]", f"sameas({self.r.choice(['true', 'none', 'false'])})",
                              "filter", "test", "nosuchtest"])

    def test_args(self, depth):
        return self.r.choice(["", "'defined'", "'string'", "'odd'", "'none'", f"'equalto', {self.literal()}", f"'in', {self.expr(depth - 1)}", "'>', 2", "'mapping'", "'number'", "'nope'", "'=='", "'ne', 'a'"])

    def more_test_args(self, depth):
        args = self.test_args(depth)
        return ", " + args if args else ""

    def call(self, depth):
        r = self.r
        options = [lambda: f"range({r.randint(0, 4)})", lambda: f"range({r.randint(-2, 3)}, {r.randint(-2, 6)})", lambda: f"range({r.randint(-2, 6)}, {r.randint(-2, 6)}, {r.choice(['1', '2', '-1', '-2', '0'])})",
                   lambda: f"dict(a={self.expr(depth - 1)}, b=1)", lambda: f"dict([({self.literal()}, 1)], c=2)", lambda: "dict(d)", lambda: f"namespace(a={self.expr(depth - 1)})",
                   lambda: f"strftime_now({r.choice(['%d %b %Y', '%Y-%m-%d', '%H:%M', '%A %-d %B', '%j%%'])!r})"]
        if r.random() < 0.05:
            options.append(lambda: f"raise_exception({self.expr(depth - 1)})")
        if self.macros:
            name = r.choice(self.macros)
            args = r.choice(["", self.expr(depth - 1), f"{self.expr(depth - 1)}, {self.expr(depth - 1)}", f"b={self.expr(depth - 1)}", f"{self.literal()}, b={self.expr(depth - 1)}", "*l", "**d", f"zz={self.literal()}",
                             "1, 2, 3, 4"])
            options += [lambda: f"{name}({args})"] * 8
        if self.loops:
            options += [lambda: f"loop.cycle({self.expr(depth - 1)}, {self.literal()})", lambda: f"loop.changed({self.expr(depth - 1)})"]
        return r.choice(options)()

    def atom(self, depth):
        r = self.r.random()
        if r < 0.45:
            return self.name()
        if r < 0.7:
            return self.literal()
        if self.loops and r < 0.8:
            return "loop." + self.r.choice(["index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "depth", "nope"])
        if self.namespaces and r < 0.87:
            return self.r.choice(self.namespaces) + "." + self.r.choice(["a", "b", "c"])
        if r < 0.92:
            return f"messages[{self.r.randint(-1, 2)}]" + self.r.choice([".role", "['content']", ".content", "", ".tool_calls", ".get('content')"])
        return self.collection(max(depth, 1)) if depth > 0 else self.literal()

    # Mostly of the wanted type, so that most templates render to their end.
    def typed(self, kind, depth):
        if self.r.random() < 0.06:
            return self.expr(depth)
        e = lambda k: self.wrap(self.typed(k, depth - 1))
        lit, n = self.literal_string, lambda: str(self.r.randint(-2, 5))
        m = lambda: f"messages[{self.r.choice(['0', '-1', '0', 'loop.index0' if self.loops else '0'])}]"
        leaf = depth <= 0
        if kind == "str":
            if leaf:
                return self.r.choice([lit, lit, lambda: self.r.choice(["s", "t", "bos_token"]), lambda: m() + ".role", lambda: m() + "['role']", lambda: f"{m()}.content|string"])()
            return self.r.choice([
                lambda: f"{e('str')}|{self.r.choice(['trim', 'upper', 'lower', 'title', 'capitalize', 'string', 'indent', 'e', 'safe', 'reverse', 'length|string', 'list|join', 'tojson'])}",
                lambda: f"{e('str')}.{self.r.choice(['strip()', 'upper()', 'lower()', 'title()', 'capitalize()', 'swapcase()', 'lstrip()', 'rstrip()'])}",
                lambda: f"{e('str')}.{self.r.choice(['strip', 'lstrip', 'rstrip', 'removeprefix', 'removesuffix'])}({self.typed('str', depth - 1)})",
                lambda: f"{e('str')}.replace({self.typed('str', depth - 1)}, {self.typed('str', depth - 1)}{self.r.choice(['', ', 1', ', -1', ', 0'])})",
                lambda: f"{e('str')}|replace({self.typed('str', depth - 1)}, {self.typed('str', depth - 1)}{self.r.choice(['', ', 1', ', 2', ', none'])})",
                lambda: f"{e('str')} {self.r.choice(['+', '~', '+'])} {e('str')}", lambda: f"{e('str')} ~ {e('any')} ~ {e('int')}", lambda: f"{e('str')} * {self.r.randint(-1, 3)}",
                lambda: f"{e('str')}[{self.slice()}]", lambda: f"{e('list')}|join({self.r.choice(['', lit(), lit()])})", lambda: f"{lit()}.join({e('list')}|map('string'))",
                lambda: f"{e('any')}|tojson{self.r.choice(['', '(indent=2)', '(indent=4)', '(sort_keys=true)', '(ensure_ascii=true)', '(indent=2, separators=(1|string, 2|string))'])}", lambda: f"{e('any')}|string",
                lambda: f"{e('str')}.split({lit()})[{self.r.choice(['0', '-1'])}]", lambda: f"{e('str')}.split()|first|default('', true)", lambda: f"{e('str')}|truncate({self.r.randint(3, 9)}, {self.r.choice(['true', 'false'])}, '…', {self.r.randint(0, 3)})",
                lambda: f"({self.typed('str', depth - 1)} if {self.typed('bool', depth - 1)} else {self.typed('str', depth - 1)})", lambda: f"{e('str')} or {e('str')}", lambda: f"{e('str')}|indent({self.r.randint(0, 4)}, {self.r.choice(['true', 'false'])}, {self.r.choice(['true', 'false'])})",
                lambda: f"'%s|%s' % ({self.typed('any', depth - 1)}, {self.typed('any', depth - 1)})", lambda: f"'{{}} {{0}}'.format({self.typed('any', depth - 1)})" if self.r.random() < 0.1 else f"'{{}} {{a!r}} {{{{}}}}'.format({self.typed('any', depth - 1)}, a={self.typed('str', depth - 1)})",
                lambda: f"'%5d|%-4s|%05.1f' % ({self.typed('int', depth - 1)}, {self.typed('str', depth - 1)}, f)", lambda: f"{e('str')}.{self.r.choice(['center', 'ljust', 'rjust', 'zfill'])}({self.r.randint(0, 9)})", lambda: f"{e('str')}.splitlines()|join('/')",
                lambda: f"{e('any')}|default({lit()})|string",
            ])()
        if kind == "int":
            if leaf:
                return self.r.choice(["i", "j", str(self.r.randint(0, 9)), "messages|length", "loop.index" if self.loops else "i", "loop.revindex0" if self.loops else "j"])
            return self.r.choice([
                lambda: f"{e('int')} {self.r.choice(['+', '-', '*'])} {e('int')}", lambda: f"{e('int')} {self.r.choice(['//', '%'])} {self.r.choice(['2', '3', '-2', '-3', 'f', 'j'])}", lambda: f"{e('list')}|length", lambda: f"{e('str')}|length",
                lambda: f"{e('str')}.{self.r.choice(['find', 'rfind', 'count'])}({self.typed('str', depth - 1)})", lambda: f"{e('str')}|int", lambda: f"{e('int')}|abs", lambda: f"{e('int')} / {self.r.choice(['2', '3', '7', 'f'])}", lambda: f"{e('str')}|float",
                lambda: f"-{e('int')}", lambda: f"{e('int')}|float|round({self.r.randint(0, 2)})", lambda: f"ll|select('number')|sum", lambda: f"f|round({self.r.choice(['0', '1', '2', '1, ' + repr('floor'), '0, ' + repr('ceil')])})", lambda: f"{e('int')} ** {self.r.randint(0, 3)}",
                lambda: "f * 3", lambda: f"[{self.typed('int', depth - 1)}, {self.typed('int', depth - 1)}]|{self.r.choice(['min', 'max', 'sum', 'first', 'last'])}", lambda: f"{e('int')} / 3|round(2)",
            ])()
        if kind == "list":
            if leaf:
                return self.r.choice(["l", "ll", "messages", "[1, 2, 3]", "['b', 'a']", "range(3)", "d", "tools or []", "[]"])
            return self.r.choice([
                lambda: f"{e('list')}[{self.slice()}]", lambda: f"{e('str')}.split({self.r.choice(['', lit()])})", lambda: f"{e('list')}|list", lambda: f"{e('list')}|{self.r.choice(['reverse', 'unique', 'select', 'reject'])}|list", lambda: f"{e('list')}|map('string')|list",
                lambda: f"{e('list')}|map('string')|{self.r.choice(['sort', 'sort(reverse=true)', 'sort(case_sensitive=true)', 'unique', 'map(@)'])}|list".replace("map(@)", self.r.choice(["map('upper')", "map('length')", "map('trim')", "map('replace', 'a', 'b')"])),
                lambda: f"messages|{self.r.choice(['selectattr', 'rejectattr'])}('role', '{self.r.choice(['equalto', '==', 'ne', 'in', 'eq'])}', {lit()})|list", lambda: f"messages|map(attribute='{self.r.choice(['role', 'content', 'nope'])}')|list", lambda: f"messages|map(attribute='nope', default={lit()})|list",
                lambda: f"[{self.typed('any', depth - 1)}, {self.typed('str', depth - 1)}] + [{self.typed('int', depth - 1)}]", lambda: f"{e('list')}|batch({self.r.randint(1, 3)})|list", lambda: f"{e('str')}|list", lambda: "d|dictsort", lambda: "d|items|list", lambda: "d.items()|list", lambda: "d.keys()|list", lambda: "d.values()|list",
                lambda: f"({self.typed('list', depth - 1)} if {self.typed('bool', depth - 1)} else [])", lambda: f"{e('list')}|select('{self.r.choice(['string', 'number', 'mapping', 'none', 'defined', 'sequence', 'iterable', 'true'])}')|list", lambda: f"range({self.typed('int', 0)})|list", lambda: f"{e('str')}.splitlines({self.r.choice(['', 'true'])})",
                lambda: f"messages|sort(attribute='role')", lambda: f"messages|unique(attribute='role')|list", lambda: f"{e('str')}.{self.r.choice(['partition', 'rpartition'])}({self.r.choice(['s or 1|string', repr('a'), repr(' '), repr('|')])})", lambda: f"{e('str')}.rsplit({self.r.choice(['none', repr('a'), repr(',')])}, {self.r.randint(-1, 2)})",
            ])()
        if kind == "bool":
            if leaf:
                return self.r.choice(["b", "true", "false", "add_generation_prompt", "tools", "n", "nothing", "loop.first" if self.loops else "b", "loop.last" if self.loops else "b", "i", "s"])
            return self.r.choice([
                lambda: f"{e('any')} == {e('any')}", lambda: f"{e('str')} != {e('str')}", lambda: f"{e('int')} {self.r.choice(['<', '<=', '>', '>='])} {e('int')}", lambda: f"{e('str')} {self.r.choice(['<', '>='])} {e('str')}", lambda: f"{e('str')} {self.r.choice(['in', 'not in'])} {e('str')}",
                lambda: f"{e('any')} {self.r.choice(['in', 'not in'])} {e('list')}", lambda: f"{e('bool')} {self.r.choice(['and', 'or'])} {e('bool')}", lambda: f"not {e('bool')}", lambda: f"{e('any')} is {self.r.choice(['', 'not '])}{self.r.choice(['defined', 'none', 'string', 'mapping', 'iterable', 'sequence', 'number', 'boolean', 'integer', 'float', 'true', 'callable', 'undefined', 'upper', 'lower'])}",
                lambda: f"{e('str')}.{self.r.choice(['startswith', 'endswith'])}({self.typed('str', depth - 1)})", lambda: f"{e('int')} is {self.r.choice(['odd', 'even', 'divisibleby 2', 'divisibleby(3)', 'gt 1', 'in [1, 2]'])}", lambda: f"'role' in {m()}", lambda: f"{e('str')}.{self.r.choice(['isdigit', 'isspace', 'isupper', 'islower', 'isascii'])}()",
                lambda: f"{m()}.role == {lit()}", lambda: f"{m()}.tool_calls is defined", lambda: f"{e('int')} < {e('int')} <= {e('int')}",
            ])()
        return self.typed(self.r.choice(["str", "str", "str", "int", "list", "bool"]), depth) if self.r.random() < 0.85 else self.r.choice(["d", "n", "nothing", "f", "messages[0]", "d.a", "d['b']", "d.get('c', 1)", "1.5", "none", "{'a': s, 'b': [1]}", "(1, 'x')"])

    def wrap(self, text):
        return text if text.isidentifier() or text[-1] in "'\"" and text.count(text[-1]) == 2 else f"({text})"

    def expr(self, depth):
        if self.r.random() < self.sanity:
            return self.typed("any", depth)
        return self.wild(depth)

    def test_expr(self, depth):
        return self.typed("bool", depth)

    def wild(self, depth):
        if depth <= 0:
            return self.atom(0)
        r = self.r.random()
        e = lambda: self.expr(depth - 1)
        if r < 0.2:
            return self.atom(depth)
        if r < 0.4:
            return f"{self.operand(depth)}|{self.filter(depth)}"
        if r < 0.5:
            return f"{self.operand(depth)}.{self.method(depth)}"
        if r < 0.56:
            return f"{self.operand(depth)}[{self.index(depth)}]"
        if r < 0.6:
            return f"{self.name()}[{self.slice()}]"
        if r < 0.63:
            return f"{self.operand(depth)}.{self.r.choice(KEYS[:2] + ['a', 'b', 'items', 'name', '0', 'upper'])}"
        if r < 0.69:
            return f"{e()} {self.r.choice(['+', '+', '-', '*', '/', '//', '%', '~', '~'])} {e()}"
        if r < 0.70:
            return f"{self.r.choice(['i', 'j', 'f', '2', '3'])} ** {self.r.choice(['2', '3', 'j', '0', '-1'])}"
        if r < 0.76:
            return f"{e()} {self.r.choice(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} {e()}"
        if r < 0.77:
            return f"{e()} < {e()} <= {e()}"
        if r < 0.81:
            return f"{e()} {self.r.choice(['and', 'or'])} {e()}"
        if r < 0.83:
            return self.r.choice(["not ", "-", "+"]) + self.operand(depth)
        if r < 0.87:
            return f"({e()} if {e()}" + (f" else {e()})" if self.r.random() < 0.8 else ")")
        if r < 0.92:
            return f"{self.operand(depth)} is {self.r.choice(['', 'not '])}{self.test_name(depth)}"
        if r < 0.93:
            return f"{self.r.choice([repr(x) for x in ['%s', '%s-%s', '%d', '%5.1f|', '%(a)s', '%%', '%r', '%-5s|', '%05d', '%x', '%e', '%.2s', '%g']])} % {self.r.choice([e(), '(' + e() + ', ' + e() + ')'])}"
        if r < 0.98:
            return self.call(depth)
        return self.collection(depth)

    def operand(self, depth):
        text = self.expr(depth - 1)
        return text if self.r.random() < 0.3 or text.isidentifier() else f"({text})"

    # ---- statements

    def open(self):
        return "{%" + self.r.choice(["-", "-", "", "", "", "+"]) + self.r.choice([" ", " ", ""])

    def close(self):
        return self.r.choice([" ", " ", ""]) + self.r.choice(["-", "-", "", "", "", "+"]) + "%}"

    def tag(self, text):
        return self.open() + text + self.close()

    def data(self):
        return self.r.choice(["", "", " ", "\n", "\n\n", "text", " text ", "  \n  ", "a\n  ", "\tb", "{ }", "}}", "\r\n", "<|x|>", "\u00a0\n", "end\n", "  ", "% }"])

    def output(self, depth):
        expr = self.expr(depth)
        return "{{" + self.r.choice(["-", "", "", "+" if self.r.random() < 0.3 else ""]) + " " + expr + " " + self.r.choice(["-", "", ""]) + "}}"

    def scoped(self, body):
        names, macros, namespaces = list(self.names), list(self.macros), list(self.namespaces)
        text = body()
        if self.r.random() < 0.9:  # mostly forget what was set inside; sometimes use it outside, too
            self.names, self.macros, self.namespaces = names, macros, namespaces
        return text

    def for_loop(self, depth):
        target = self.r.choice(["m", "x", "k, v", "x", "s", "(k, v)"])
        iterable = self.r.choice(["messages", "l", "d", "d.items()", "ll", "range(3)", "tools", "s", "messages[1:]", "messages|reverse", "d|items", "d|dictsort", self.expr(depth - 1)])
        condition = f" if {self.test_expr(depth - 1)}" if self.r.random() < 0.2 else ""
        names = list(self.names)

        def body():
            self.names += [n.strip("() ") for n in target.split(",")] * 3
            self.loops += 1
            text = self.block(depth - 1)
            self.loops -= 1
            return text

        text = self.scoped(body)
        otherwise = self.tag("else") + self.block(depth - 1) if self.r.random() < 0.15 else ""
        self.names = names if self.r.random() < 0.9 else self.names
        return self.tag(f"for {target} in {iterable}{condition}") + text + otherwise + self.tag("endfor")

    def if_block(self, depth):
        text = self.tag(f"if {self.test_expr(depth)}") + self.block(depth - 1)
        for _ in range(self.r.choice([0, 0, 1, 2])):
            text += self.tag(f"elif {self.test_expr(depth - 1)}") + self.block(depth - 1)
        if self.r.random() < 0.4:
            text += self.tag("else") + self.block(depth - 1)
        return text + self.tag("endif")

    def new_name(self):
        name = self.r.choice(["x", "y", "z", "s", "m", "i"])
        self.names.append(name)
        return name

    def set(self, depth):
        if self.namespaces and self.r.random() < 0.4:
            return self.tag(f"set {self.r.choice(self.namespaces)}.{self.r.choice(['a', 'b', 'c'])} = {self.expr(depth)}")
        r = self.r.random()
        expr = self.expr(depth)
        if r < 0.6:
            return self.tag(f"set {self.new_name()} = {expr}")
        if r < 0.7:
            return self.tag(f"set {self.new_name()}, {self.new_name()} = {self.expr(depth - 1)}, {expr}")
        if r < 0.8:
            self.namespaces.append("ns")
            return self.tag(f"set ns = namespace(a={expr}, b=0)")
        text = self.scoped(lambda: self.block(depth - 1))
        return self.tag(f"set {self.new_name()}{self.r.choice(['', '', ' | upper', ' | trim | length'])}") + text + self.tag("endset")

    def macro(self, depth):
        name = self.r.choice(["foo", "bar"])
        signature = self.r.choice(["", "a", "a, b", "a, b=1", "a='x', b=a", "a, b=none"])
        loops, self.loops = self.loops, 0

        def body():
            self.names += ["a", "b"] * 2 + self.r.choice([[], [], ["caller()"], ["varargs"], ["kwargs"]])
            macros, self.macros = self.macros, []
            text = self.block(depth - 1)
            self.macros = macros
            return text

        text = self.scoped(body)
        self.loops = loops
        self.macros.append(name)
        return self.tag(f"macro {name}({signature})") + text + self.tag("endmacro")

    def call_block(self, depth):
        if not self.macros:
            return self.output(depth)
        loops, self.loops = self.loops, 0
        text = self.scoped(lambda: self.block(depth - 1))
        self.loops = loops
        return self.tag(f"call{self.r.choice(['', '', '(q)'])} {self.r.choice(self.macros)}({self.r.choice(['', self.expr(depth - 1)])})") + text + self.tag("endcall")

    def statement(self, depth):
        r = self.r.random()
        if r < 0.4:
            return self.output(depth)
        if r < 0.55:
            return self.if_block(depth)
        if r < 0.7:
            return self.for_loop(depth)
        if r < 0.83:
            return self.set(depth)
        if r < 0.87:
            return self.macro(depth)
        if r < 0.89:
            return self.call_block(depth)
        if r < 0.91:
            return self.scoped(lambda: self.tag(f"filter {self.r.choice(['upper', 'trim', 'indent', 'replace(1, 2)', 'trim | length'])}") + self.block(depth - 1) + self.tag("endfilter"))
        if r < 0.93:
            self.names += ["w"]
            return self.tag(f"with w = {self.expr(depth - 1)}, s = w") + self.scoped(lambda: self.block(depth - 1)) + self.tag("endwith")
        if r < 0.94:
            loops, self.loops = self.loops, 0
            text = self.scoped(lambda: self.block(depth - 1))
            self.loops = loops
            return self.tag("generation") + text + self.tag("endgeneration")
        if r < 0.96:
            return "{#" + self.r.choice(["-", "", "+"]) + self.r.choice([" note ", "", "\n", " {{ x }} "]) + self.r.choice(["-", "", "+"]) + "#}"
        if r < 0.975:
            return self.open() + "raw" + self.r.choice([" %}", "%}", " -%}"]) + self.data() + self.r.choice(["", "{{ x }}", "{% if %}"]) + self.data() + self.tag("endraw")
        if self.loops and r < 0.995:
            control = self.tag(self.r.choice(["break", "continue"]))
            return control if self.r.random() < 0.3 else self.tag(f"if {self.test_expr(depth - 1)}") + control + self.tag("endif")
        return self.output(depth)

    def block(self, depth):
        if depth <= 0:
            return self.data() + self.output(1) + self.data()
        return "".join(self.data() + self.statement(depth) for _ in range(self.r.randint(1, 2))) + self.data()

    def template(self):
        depth = self.r.choice([1, 2, 2, 3])
        return "".join(self.data() + self.statement(depth) for _ in range(self.r.randint(1, 4))) + self.data()


def mutate(rng, text):
    """Sometimes a template that a person got wrong: something dropped, doubled or swapped."""
    if rng.random() > 0.05 or len(text) < 4:
        return text
    i, j = sorted(rng.sample(range(len(text)), 2))
    j = min(j, i + 8)
    return rng.choice([text[:i] + text[j:], text[:j] + text[i:j] + text[j:], text[:i] + rng.choice("{}%#-+'\"()[]|.,:=~ \n0a") + text[i + 1 :]])


def official(env, template, context):
    context = dict(context)
    context["messages"] = chat_template_utils._alias_reasoning_fields(context["messages"])
    context.setdefault("tools", None)
    context.setdefault("documents", None)
    context.setdefault("add_generation_prompt", False)
    try:
        return {"text": env.from_string(template).render(**context)}
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"}


def environment():
    env = chat_template_utils._cached_compile_jinja_template("").environment
    env.globals["strftime_now"] = lambda format: CLOCK.strftime(format)
    env.cache = None
    return env


def verdict(ours, theirs):
    """same, unsupported (with the reason), skipped, or different"""
    if "text" in theirs and " at 0x" in theirs["text"]:
        return "skipped: an address in the text"
    if "text" in theirs and any(0xD800 <= ord(c) < 0xE000 for c in theirs["text"]):
        return "skipped: half a surrogate pair"
    if "error" in ours and "error" in theirs:
        return "same error"
    if "text" in ours and "text" in theirs and ours["text"] == theirs["text"]:
        return "same text"
    if "error" in ours and "unsupported" in ours["error"]:
        return "unsupported" + ours["error"].split("unsupported", 1)[1][:60]
    return "different"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--driver", required=True)
    parser.add_argument("--cases", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10, help="how many differences to print")
    args = parser.parse_args()
    env = environment()
    counts = collections.Counter()
    different = 0
    batch = 1000
    for start in range(0, args.cases, batch):
        cases = []
        for n in range(start, min(start + batch, args.cases)):
            rng = random.Random(f"{args.seed}/{n}")
            grammar = Grammar(rng)
            context = grammar.context()
            cases.append({"template": mutate(rng, grammar.template()), "context": context})
        lines = "\n".join(json.dumps(case) for case in cases) + "\n"
        answers = subprocess.run([args.driver], input=lines, capture_output=True, text=True, encoding="utf-8", check=True).stdout.split("\n")
        for n, (case, line) in enumerate(zip(cases, answers, strict=False)):
            ours, theirs = json.loads(line), official(env, **case)
            result = verdict(ours, theirs)
            counts[result] += 1
            if result == "different":
                different += 1
                if different <= args.show:
                    print(f"---- case {args.seed}/{start + n}\ntemplate: {case['template']!r}\ncontext: {json.dumps(case['context'])}\nours:   {ours}\ntheirs: {theirs}", flush=True)
    for result, count in counts.most_common():
        print(f"{count:9} {result}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
