"""Random templates from a grammar, on random conversations: Rung and jinja2 must render the same text, or both refuse.

    pip install jinja2 transformers
    python tools/fuzz_templates.py --driver build/release/tests/render_templates --cases 200000 --seed 1

jinja2 runs in the very environment that transformers makes for chat templates. What Rung refuses as "unsupported" is
counted by reason, not as a difference: the grammar strays a little beyond what Rung promises. Every difference is
printed with its template and context; the results of long runs stand in fuzz/README.md.
"""

import argparse
import collections
import datetime
import json
import random
import re
import subprocess
import sys
import warnings

from transformers.utils import chat_template_utils

warnings.filterwarnings("ignore")
CLOCK = datetime.datetime(2026, 7, 4, 15, 6, 7)
CONTEXTS_PER_TEMPLATE = 4  # compiling a template is what costs jinja2 the time

STRINGS = [
    "", "a", "b", "ab", "Hello", "hello world", "  padded  ", "<|im_end|>", "<think>deep</think> answer", "é",
    "ÀÉ straße",
    "ΑΣ ΟΔΟΣ", "👍🏽 ok", "日本語", "it's", 'say "hi"', 'both \' and "', "back\\slash", "A-b c_d", "{{ x }}", "{% if %}",
    "0", "12", "-3",
    "+7", "1.5", "1e3", "0x1f", "0b11", " 42 ", "1_000", "nan?", "%s", "%d items", "a,b,,c", ",", "user", "assistant",
    "system",
    "tool", "aXbXc", "ǅ", "ŉ", "true", "None", "[1]",
]  # fmt: skip
STRINGS += [" ", "two\nlines", "\n", "\r\n", "a\r\nb\rc", "tab\there", "\u2028", "\x85", "\x0b\x1c", "\u00a0x\u00a0",
            "x" * 30, "\x00",
            "\x7f", "\u0301e"]
KEYS = ["role", "content", "a", "b", "c", "name", "items", "keys", "x y", "é", "type", "function", "tool_calls"]
ROLES = ["system", "user", "assistant", "tool"]
CONTROLS = ["{%", "{%", "{%-", "{%-", "{%+"], ["%}", "%}", "-%}", "-%}", "+%}"]
DATA = ["", "", "", " ", "\n", "\n\n", "text", " text ", "  \n  ", "a\n  ", "\tb", "{ }", "}}", "\r\n", "<|x|>",
        "\u00a0\n", "end\n", "  ",
        "% }"]

# kind → productions; <kind> stands for another expression of that kind, one level less deep. Leaves (no <…>) end what
# is deep enough.
GRAMMAR = {
    "str": """<lit> ;; <lit> ;; <lit> ;; s ;; t ;; bos_token ;; messages[0].role ;; messages[-1]['role']
        messages[0].content|string ;; (<str>)|<textfilter> ;; (<str>)|<textfilter>|<textfilter>
        (<str>).<textmethod> ;; (<str>).<textmethod> ;; (<str>) + <str> ;; <str> ~ <any> ~ <int>
        (<str>) * <small> ;; (<str>)[<slice>] ;; (<list>)|join ;; (<list>)|join(<lit>)
        <lit>.join((<list>)|map('string')) ;; (<any>)|tojson ;; (<any>)|tojson(indent=<small>)
        (<any>)|tojson(sort_keys=true) ;; (<any>)|tojson(ensure_ascii=true) ;; (<any>)|tojson(separators=(',', ':'))
        (<any>)|tojson(indent='--', separators=(', ', ' : ')) ;; (<any>)|string ;; (<str>).split(<lit>)[0]
        (<str>).split(<lit>)[-1] ;; (<str>).split()|first|default('', true) ;; (<str> if <bool> else <str>)
        (<str>) or <str> ;; '%s|%s' % (<any>, <any>) ;; '{} {a!r} {{}}'.format(<any>, a=<str>)
        '{0} {1}'.format(<any>, <str>) ;; '%5d|%-4s|%05.1f|%r' % (<int>, <str>, f, <any>)
        '%(a)s %(b)s' % {'a': <any>, 'b': <str>} ;; '%s'|format(<any>) ;; (<any>)|default(<lit>)|string
        strftime_now('%d %b %Y, %A %-d %B %H:%M %j%%') ;; messages[0].get('content')|string
        (<str>)|list|last|default('') ;; (<str>)|first|default(<lit>)""",
    "textfilter": """trim ;; trim(<lit>) ;; upper ;; lower ;; title ;; capitalize ;; string ;; indent
        indent(<small>) ;; indent(2, true) ;; indent(first=true, blank=true) ;; indent(<lit>) ;; e ;; escape
        forceescape ;; safe ;; reverse ;; list|join ;; tojson ;; replace(<str>, <str>)
        replace(<lit>, <lit>, <small>) ;; replace(<int>, <str>, none) ;; truncate(6) ;; truncate(5, true, '…', 0)
        truncate(9, leeway=<small>) ;; center(<small>) ;; default(<str>, true) ;; d""",
    "textmethod": """strip() ;; strip(<str>) ;; lstrip() ;; lstrip(<str>) ;; rstrip() ;; rstrip(<lit>) ;; upper()
        lower() ;; title() ;; capitalize() ;; swapcase() ;; replace(<str>, <str>) ;; replace(<lit>, <lit>, <small>)
        removeprefix(<str>) ;; removesuffix(<str>) ;; center(<small>) ;; ljust(<small>, '*') ;; rjust(<small>)
        zfill(<small>) ;; splitlines()|join('/') ;; split(<lit>)|join(<lit>) ;; split()|join('_')""",
    "int": """i ;; j ;; 0 ;; 1 ;; 2 ;; 3 ;; 7 ;; messages|length ;; 0x1F ;; 1_0 ;; 2.5 ;; 1e3 ;; (<int>) + <int>
        (<int>) - (<int>) ;; (<int>) * <int> ;; (<int>) // <divisor> ;; (<int>) % <divisor> ;; (<int>) / <divisor>
        (<list>)|length ;; (<str>)|length ;; (<str>).find(<str>) ;; (<str>).rfind(<str>, <small>)
        (<str>).find(<lit>, <small>, <small>) ;; (<str>).count(<str>) ;; (<str>).count(<lit>, <small>)
        (<str>)|int ;; (<str>)|int(<small>, 16) ;; (<str>)|int(base=0) ;; (<int>)|abs ;; (<str>)|float ;; -(<int>)
        +(<int>) ;; (<int>)|float|round(<small>) ;; ll|select('number')|sum ;; f|round ;; f|round(1)
        f|round(1, 'floor') ;; f|round(0, 'ceil') ;; f|int ;; (<int>) ** 2 ;; 2 ** j ;; 2 ** (i - j) ;; f * 3
        f // <divisor> ;; f % <divisor> ;; [<int>, <int>]|min ;; [<int>, <int>]|max ;; [<int>, <int>]|sum
        [<int>, <int>]|sum(start=<int>) ;; (<int>) / 3|round(2) ;; (<list>).count(<any>)
        messages|map(attribute='role')|map('length')|max""",
    "divisor": "2 ;; 3 ;; 7 ;; -2 ;; -3 ;; f ;; j ;; 0.5",
    "small": "-2 ;; -1 ;; 0 ;; 1 ;; 2 ;; 3 ;; 4 ;; j",
    "slice": """1: ;; :1 ;; :-1 ;; -2: ;; ::-1 ;; ::2 ;; <small>:<small> ;; <small>:<small>:2 ;; <small>:<small>:-1
        :: ;; 5:0:-2 ;; none:<small>""",
    "list": """l ;; ll ;; messages ;; [1, 2, 3] ;; ['b', 'a', 'B'] ;; range(3) ;; range(5, 0, -2) ;; d
        tools or [] ;; [] ;; (1, 'x') ;; (<list>)|list|<listfilter>|list ;; (<list>)|<listfilter>|list
        (<list>)|list|<listfilter>|list ;; (<list>)[<slice>] ;; (<str>).split() ;; (<str>).split(<lit>)
        (<str>).split(none, <small>) ;; (<str>).split(<lit>, <small>) ;; (<str>).rsplit(<lit>, <small>)
        (<str>).rsplit(none, 1) ;; (<str>).splitlines() ;; (<str>).splitlines(true) ;; (<str>).partition(<lit>)
        (<str>).rpartition(<lit>) ;; (<list>)|map('string')|sort ;; (<list>)|map('string')|sort(reverse=true)
        (<list>)|map('string')|sort(case_sensitive=true) ;; (<list>)|map('string')|unique|list
        (<list>)|map('string')|map(<filtername>)|list ;; messages|selectattr('role', <testname>, <lit>)|list
        messages|rejectattr('role', 'in', <list>)|list ;; messages|map(attribute='content')|list
        messages|map(attribute='nope', default=<any>)|list ;; [<any>, <str>] + [<int>] ;; (<list>)|list + [<any>]
        [<any>] * <small> ;; (<str>)|list ;; d|dictsort ;; d|dictsort(reverse=true) ;; d|items|list
        d.items()|list ;; d.keys()|list ;; d.values()|list ;; (<list> if <bool> else [])
        range(<small>, <int>)|list ;; messages|sort(attribute='role') ;; messages|sort(attribute='role,content')
        messages|unique(attribute='role')|list ;; messages|map(attribute='content.0.text')|list
        {'b': <any>, 'a': <int>}|dictsort ;; {<str>: <any>, 'a': 1}|list ;; dict(a=<any>, b=<int>).values()|list
        (<any>, <any>)""",
    "listfilter": """reverse ;; unique ;; select ;; reject ;; map('string') ;; map('upper') ;; map('tojson')
        map('default', <lit>) ;; select('string') ;; select('number') ;; select('mapping') ;; select('none')
        reject('none') ;; select('defined') ;; select('true') ;; select('equalto', <any>) ;; reject('in', <list>)
        batch(2) ;; batch(3, <any>) ;; selectattr('role') ;; selectattr('role', 'defined')
        rejectattr('content', 'string') ;; map(attribute='role') ;; map(attribute=0) ;; map('list') ;; map('first')
        map('length')""",
    "filtername": """'upper' ;; 'length' ;; 'trim' ;; 'title' ;; 'int' ;; 'first' ;; 'list' ;; 'nosuch'
        'replace', 'a', 'b' ;; 'default', 1 ;; 'tojson' ;; 'indent', 2""",
    "testname": "'equalto' ;; '==' ;; 'eq' ;; 'ne' ;; 'in' ;; '!=' ;; 'lt' ;; 'ge'",
    "bool": """b ;; true ;; false ;; add_generation_prompt ;; tools ;; n ;; nothing ;; i ;; s ;; l ;; <any> == <any>
        (<str>) != <str> ;; (<int>) < <int> ;; (<int>) >= <int> ;; (<str>) < <str> ;; <str> in <str>
        <str> not in <str> ;; <any> in <list> ;; <any> not in <list> ;; (<bool>) and <bool> ;; <bool> or <bool>
        not <bool> ;; (<any>) is <typetest> ;; (<any>) is not <typetest> ;; <any> is <typetest> and <bool>
        (<str>).startswith(<str>) ;; (<str>).endswith(<lit>) ;; (<str>).startswith((<lit>, <lit>))
        (<int>) is <numbertest> ;; 'role' in messages[0] ;; messages[0].role == <lit>
        messages[0].tool_calls is defined ;; messages[-1]['content'] is string ;; (<str>).isdigit()
        (<str>).isspace() ;; (<str>).isupper() ;; (<str>).islower() ;; (<str>).isascii() ;; (<int>) < <int> <= <int>
        (<list>) == <list> ;; [<int>, <str>] < [<int>, <str>] ;; (<bool> if <bool> else <bool>)
        <any> is sameas(true) ;; <any> is eq(<any>) ;; <any> is in(<list>)""",
    "typetest": """defined ;; undefined ;; none ;; string ;; mapping ;; iterable ;; sequence ;; number ;; boolean
        integer ;; float ;; true ;; false ;; callable ;; upper ;; lower ;; escaped ;; filter ;; test""",
    "numbertest": """odd ;; even ;; divisibleby 2 ;; divisibleby(3) ;; gt 1 ;; lt(<int>) ;; ne <small> ;; le 2
        in [1, 2] ;; greaterthan(0)""",
    "any": """<str> ;; <str> ;; <str> ;; <int> ;; <int> ;; <list> ;; <list> ;; <bool> ;; d ;; n ;; nothing ;; f
        messages[0] ;; messages[<small>] ;; d.a ;; d['b'] ;; d.get('c', <any>) ;; 1.5 ;; none
        {'a': <any>, 'b': [<int>]} ;; (<list>)|first ;; (<list>)|list|last ;; d.items ;; d.x.y
        messages[0].content ;; messages[1].content[0].text ;; namespace(a=<any>) ;; dict(d)
        dict([(<lit>, <any>)]) ;; (<any> if <bool>) ;; (<list>)[<small>] ;; (<str>)[<small>]
        (<any>)|default(<any>, true) ;; (<any>)|attr(<lit>) ;; (<list>)|min ;; (<list>)|max ;; d[<any>]
        {<int>: <any>, true: <any>} ;; 5.upper""",
    # whatever stands anywhere: mostly an error
    "wild": """<any> + <any> ;; <any> - <any> ;; <any> * <small> ;; <any> // <any> ;; <any> % <any> ;; <any> < <any>
        <any> in <any> ;; (<any>)|<textfilter> ;; (<any>)|<listfilter> ;; (<any>)|<listfilter>|list
        (<any>).<textmethod> ;; <any>(<any>) ;; (<any>)|length ;; (<any>)|sum ;; (<any>)|sort ;; (<any>)|unique|list
        (<any>)|dictsort ;; (<any>)|items|list ;; (<any>)|float ;; (<any>)|int ;; (<any>)|abs ;; (<any>)|round
        l.append(<any>) ;; d.pop('a') ;; s.nosuch() ;; <any>|nosuch ;; <any> is nosuch ;; raise_exception(<any>)
        range(<any>) ;; l[<slice>][<any>] ;; nothing.x ;; -<any> ;; <any> is <numbertest> ;; <any> ** <small>
        d.items().x ;; (<any>)|map(<filtername>)|list ;; (<any>)|select(<testname>, <any>)|list
        (<any>)|reverse|list ;; (<any>)|first ;; (<any>)|last ;; l|batch(2, <any>)|list ;; (<any>)|truncate(3)
        (<any>)|tojson ;; loop.index ;; caller() ;; varargs ;; kwargs""",
}
GRAMMAR = {kind: [p.strip() for p in text.replace("\n", ";;").split(";;") if p.strip()] for kind, text
           in GRAMMAR.items()}
LEAVES = {kind: [p for p in productions if not re.search(r"<(?!lit>)\w+>", p)] or productions for kind, productions
          in GRAMMAR.items()}
LOOP = ["index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "depth", "nope"]


class Writer:
    """One template. It remembers which variables, macros and namespaces there are to use."""

    def __init__(self, rng):
        self.r = rng
        self.names, self.macros, self.namespaces, self.loops = [], [], [], 0
        self.wildness = rng.choice([0, 0, 0.02, 0.05, 0.3])

    # ---- expressions

    def literal(self):
        if self.r.random() < 0.1:
            return self.r.choice(["'a\\nb'", '"\\u00e9"', "'\\x41'", "'\\\\'", "'\\''", "'\\d'", "'\\101'", "'a' 'b'",
                                  "'\\\n'",
                                  "'two\nlines'"])
        text = self.r.choice(STRINGS)
        quote = "'" if "'" not in text else '"'
        return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote

    def expr(self, kind="any", depth=2):
        if kind == "lit":
            return self.literal()
        if kind in ("any", "str", "list", "int", "bool"):
            r = self.r.random()
            if r < self.wildness:
                kind = "wild"
            elif self.names and r < 0.2:
                return self.r.choice(self.names)
            elif self.namespaces and r < 0.24:
                return self.r.choice(self.namespaces) + "." + self.r.choice("abc")
            elif self.loops and r < 0.3:
                return self.r.choice([f"loop.{self.r.choice(LOOP)}", f"loop.cycle({self.literal()}, 2)",
                                      "loop.changed(i)"])
            elif self.macros and r < 0.3 and depth > 0:
                return self.macro_call(depth)
        production = self.r.choice((GRAMMAR if depth > 0 else LEAVES)[kind])
        return re.sub(r"<(\w+)>", lambda match: self.expr(match[1], depth - 1), production)

    def macro_call(self, depth):
        value = lambda: self.expr("any", depth - 1)
        args = ["", value(), f"{value()}, {value()}", f"b={value()}", f"{self.literal()}, b={value()}"]
        args += ["*l", "**{'b': 1}", "zz=1", "1, 2, 3, 4"] if self.r.random() < 0.2 else []
        return f"{self.r.choice(self.macros)}({self.r.choice(args)})"

    # ---- statements

    def tag(self, text):
        space = lambda: self.r.choice([" ", " ", ""])
        return self.r.choice(CONTROLS[0]) + space() + text + space() + self.r.choice(CONTROLS[1])

    def data(self):
        return self.r.choice(DATA)

    def output(self, depth):
        return self.r.choice(["{{", "{{", "{{-"]) + " " + self.expr("any",
                                                                    depth) + " " + self.r.choice(["}}", "}}", "-}}"])

    def block(self, depth):
        if depth <= 0:
            return self.data() + self.output(1) + self.data()
        return "".join(self.data() + self.statement(depth) for _ in range(self.r.randint(1, 2))) + self.data()

    def inside(self, depth, names=(), loop=False, function=False):
        """A block with names of its own. What it sets is mostly forgotten after it; sometimes used all the same, to try
        the scopes."""
        saved = list(self.names), list(self.macros), list(self.namespaces), self.loops
        self.names += list(names) * 2
        self.loops = 0 if function else self.loops + loop
        text = self.block(depth - 1)
        forget = self.r.random() < 0.85
        self.names, self.macros, self.namespaces = saved[:3] if forget else (self.names, saved[1], saved[2])
        self.loops = saved[3]
        return text

    def new_name(self):
        self.names.append(self.r.choice(["x", "y", "z", "s", "m", "i"]))
        return self.names[-1]

    def for_loop(self, depth):
        target = self.r.choice(["m", "x", "x", "s", "k, v", "(k, v)"])
        pairs = ["d.items()", "d|items", "d|dictsort", "[(1, 'a'), [2, 'b']]", "messages"]
        singles = ["messages", "messages[1:]", "d", "s", self.expr("list", depth - 1), self.expr("list", 1)]
        iterable = self.r.choice(pairs if "," in target else singles)
        condition = f" if {self.expr('bool', depth - 1)}" if self.r.random() < 0.2 else ""
        text = self.tag(f"for {target} in {iterable}{condition}") + self.inside(depth, target.strip("()").split(
            ", "), loop=True)
        if self.r.random() < 0.15:
            text += self.tag("else") + self.inside(depth)
        return text + self.tag("endfor")

    def if_block(self, depth):
        text = self.tag(f"if {self.expr('bool', depth)}") + self.block(depth - 1)
        for _ in range(self.r.choice([0, 0, 1, 2])):
            text += self.tag(f"elif {self.expr('bool', depth - 1)}") + self.block(depth - 1)
        return text + (self.tag("else") + self.block(depth - 1) if self.r.random() < 0.4 else "") + self.tag("endif")

    def set(self, depth):
        value = self.expr("any", depth)
        if self.namespaces and self.r.random() < 0.4:
            return self.tag(f"set {self.r.choice(self.namespaces)}.{self.r.choice('abc')} = {value}")
        r = self.r.random()
        if r < 0.6:
            return self.tag(f"set {self.new_name()} = {value}")
        if r < 0.7:
            return self.tag(f"set {self.new_name()}, {self.new_name()} = {self.expr('any', depth - 1)}, {value}")
        if r < 0.85:
            self.namespaces.append("ns")
            return self.tag(f"set ns = namespace(a={value}, b=0)")
        text = self.inside(depth)
        name, filters = self.new_name(), self.r.choice(["", "", " | upper", " | trim | length"])
        return self.tag(f"set {name}{filters}") + text + self.tag("endset")

    def macro(self, depth):
        name = self.r.choice(["foo", "bar"])
        signature, names = self.r.choice([("", []), ("a", ["a"]), ("a, b", "ab"), ("a, b=1", "ab"),
                                          ("a='x', b=a", "ab"),
                                          ("a, b=none", "ab")])
        macros, self.macros = self.macros, []  # no recursion
        body = self.inside(depth, [*names, *self.r.choice([[], [], ["caller()"], ["varargs"], ["kwargs"]])],
                           function=True)
        self.macros = [*macros, name]
        return self.tag(f"macro {name}({signature})") + body + self.tag("endmacro")

    def call_block(self, depth):
        if not self.macros:
            return self.output(depth)
        signature, macro = self.r.choice(["", "", "(q)"]), self.r.choice(self.macros)
        call = f"call{signature} {macro}({self.r.choice(['', self.expr('any', 1)])})"
        return self.tag(call) + self.inside(depth, function=True) + self.tag("endcall")

    def with_block(self, depth):
        return self.tag(f"with w = {self.expr('any', 1)}, s = w") + self.inside(depth, ["w"]) + self.tag("endwith")

    def filter_block(self, depth):
        name = self.r.choice(["upper", "trim", "indent", "replace(1, 2)", "trim | length", "title | e"])
        return self.tag(f"filter {name}") + self.inside(depth) + self.tag("endfilter")

    def generation(self, depth):
        return self.tag("generation") + self.inside(depth, function=True) + self.tag("endgeneration")

    def comment(self, depth):
        return self.r.choice(["{#", "{#-", "{#+"]) + self.r.choice([" note ", "", "\n",
                                                                    " {{ x }} "]) + self.r.choice(["#}", "-#}", "+#}"])

    def raw(self, depth):
        text = self.data() + self.r.choice(["", "{{ x }}", "{% if %}"]) + self.data()
        return self.r.choice(CONTROLS[0]) + "raw" + self.r.choice([" %}", "%}", " -%}"]) + text + self.tag("endraw")

    def control(self, depth):
        if not self.loops:
            return self.output(depth)
        return self.tag(f"if {self.expr('bool', 1)}") + self.tag(self.r.choice(["break", "continue"])) + self.tag(
            "endif")

    def statement(self, depth):
        kinds = {
            self.output: 40, self.if_block: 15, self.for_loop: 17, self.set: 13, self.macro: 5, self.call_block: 3,
            self.with_block: 2,
            self.filter_block: 2, self.generation: 1, self.comment: 2, self.raw: 2, self.control: 3,
        }  # fmt: skip
        return self.r.choices(list(kinds), kinds.values())[0](depth)

    def template(self):
        depth = self.r.choice([1, 2, 2, 3])
        text = "".join(self.data() + self.statement(depth) for _ in range(self.r.randint(1, 4))) + self.data()
        return self.broken(text) if len(text) > 3 and self.r.random() < 0.05 else text

    def broken(self, text):
        """A template that a person got wrong: something dropped, doubled or swapped."""
        i, j = sorted(self.r.sample(range(len(text)), 2))
        j = min(j, i + 8)
        other = self.r.choice("{}%#-+'\"()[]|.,:=~ \n0a")
        return self.r.choice([text[:i] + text[j:], text[:j] + text[i:j] + text[j:], text[:i] + other + text[i + 1 :]])


class Contexts:
    def __init__(self, rng):
        self.r = rng

    def string(self):
        return self.r.choice(STRINGS)

    def value(self, depth=2):
        r = self.r.random()
        if depth == 0 or r < 0.6:
            numbers = [self.r.randint(-5, 20), self.r.choice([0.5, -1.25, 3.0, 1e20, 1e-7, 123456.789, 0.1])]
            return self.r.choice([self.string(), self.string(), self.string(), *numbers, True, False, None])
        if r < 0.8:
            return [self.value(depth - 1) for _ in range(self.r.randint(0, 4))]
        return {self.r.choice(KEYS): self.value(depth - 1) for _ in range(self.r.randint(0, 4))}

    def message(self):
        content = self.r.choice([self.string(), self.string(), self.string(), None,
                                 [{"type": "text", "text": self.string()}], ""])
        message = {"role": self.r.choice(ROLES), "content": content}
        if self.r.random() < 0.1:
            message["tool_calls"] = [{"type": "function", "function": {"name": "f", "arguments": self.value(2)}}]
        if self.r.random() < 0.05:
            message[self.r.choice(["reasoning_content", "thinking", "reasoning"])] = self.string()
        return message

    def context(self):
        r = self.r
        tool = {"type": "function", "function": {"name": "get", "parameters": self.value(3)}}
        return {
            "messages": [self.message() for _ in range(r.randint(0, 4) or r.randint(0, 2))],
            "tools": r.choice([None, None, [tool]]),
            "add_generation_prompt": r.random() < 0.5,
            "bos_token": "<s>",
            "s": self.string(),
            "t": self.string(),
            "i": r.randint(-4, 9),
            "j": r.randint(0, 4),
            "f": r.choice([0.5, 2.5, -1.5, 3.0, 0.1, 1e16, 2.675]),
            "l": [self.value(1) for _ in range(r.randint(0, 5))],
            "d": {k: self.value(2) for k in r.sample(KEYS, r.randint(0, 4))},
            "b": r.random() < 0.5,
            "n": None,
            "ll": [self.string() if r.random() < 0.3 else r.randint(0, 9) for _ in range(r.randint(0, 5))],
        }


def environment():
    env = chat_template_utils._cached_compile_jinja_template("").environment
    env.globals["strftime_now"] = lambda format: CLOCK.strftime(format)
    env.cache = None
    return env


def official(env, template, contexts):
    try:
        compiled = env.from_string(template)
    except Exception as e:
        return [{"error": f"{type(e).__name__}: {e}"}] * len(contexts)
    answers = []
    for context in contexts:
        messages = chat_template_utils._alias_reasoning_fields(chat_template_utils._normalize_chat_messages(context[
            "messages"]))
        context = {**context, "documents": None, "messages": messages}
        try:
            if not messages:
                raise ValueError("apply_chat_template refuses an empty conversation")
            answers.append({"text": compiled.render(**context)})
        except Exception as e:
            answers.append({"error": f"{type(e).__name__}: {e}"})
    return answers


def verdict(ours, theirs):
    if "text" in theirs and re.search(r" at 0x[0-9a-f]{6}", theirs["text"]):
        return "skipped: jinja2 prints an address"
    if "error" in ours and "error" in theirs:
        return "same: both refuse"
    if "text" in ours and ours["text"] == theirs.get("text"):
        return "same text"
    if "error" in ours and "unsupported" in ours["error"]:
        return "unsupported" + ours["error"].split("unsupported", 1)[1][:70]
    return "different"


def batches(seed, cases):
    for start in range(0, cases, 1000):
        templates = []
        for n in range(start, min(start + 1000, cases), CONTEXTS_PER_TEMPLATE):
            rng = random.Random(f"{seed}/{n}")
            template, contexts = Writer(rng).template(), Contexts(rng)
            templates.append((template, [contexts.context() for _ in range(CONTEXTS_PER_TEMPLATE)]))
        yield templates


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--driver", required=True, help="the program tests/render_templates")
    parser.add_argument("--cases", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10, help="how many differences to print")
    args = parser.parse_args()
    env, counts = environment(), collections.Counter()
    for templates in batches(args.seed, args.cases):
        lines = [json.dumps({"template": template, "context": context}) for template, contexts in templates for context
                 in contexts]
        run = subprocess.run([args.driver], input="\n".join(lines) + "\n", capture_output=True, encoding="utf-8",
                             check=True)
        answers = iter(run.stdout.split("\n"))
        for template, contexts in templates:
            for context, theirs in zip(contexts, official(env, template, contexts)):
                ours = json.loads(next(answers))
                result = verdict(ours, theirs)
                counts[result] += 1
                if result == "different" and counts[result] <= args.show:
                    print(f"----\ntemplate: {template!r}\ncontext: {json.dumps(context)}\nours:   {ours}\ntheirs: "
                          f"{theirs}", flush=True)
        print(f"{sum(counts.values())} cases, {counts['different']} different", file=sys.stderr, flush=True)
    for result, count in counts.most_common():
        print(f"{count:9} {result}")
    sys.exit(1 if counts["different"] else 0)


if __name__ == "__main__":
    main()
