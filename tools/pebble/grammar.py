"""Reads forms/*.txt, the sentences that pebble can say, and turns each into something to render and something to
recognise.

Enters: the text files. Leaves: EVENTS, name → Event(logic, forms, questions). The teller renders a form from left to
right; the checker uses the regular expression of the very same form, so both speak one language by construction.
"""
import functools
import os
import re
from dataclasses import dataclass, field

from words import PLAIN

_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "forms")
_CHARACTER = r"[Tt]he [^\W\d_]+|[A-Z][^\W\d_]+"
_WORD = r"[^\W\d_]+"


@dataclass(frozen=True)
class Slot:
    role: str         # A, x, q, ... or "A&B"
    shape: str = ""   # "", "~", "a", "he", "at", ...


@dataclass
class Form:
    source: str
    parts: list       # of str, Slot, or a list of alternatives (each again such a list)
    slots: list = field(default_factory=list)  # all slots, in reading order

    def roles_with_pronouns(self):
        return {s.role for s in self.slots if s.shape in ("he", "his", "him")}

    @functools.cached_property
    def pattern(self):
        return re.compile(_regex(self.parts) + r"$")


@dataclass
class Event:
    name: str
    needs: list
    makes: list
    forms: list = field(default_factory=list)
    questions: list = field(default_factory=list)   # (Form, Form)


def parse_form(source):
    form = Form(source, [])
    form.parts, end = _parse_sequence(source, 0, form.slots)
    assert end == len(source), f"unbalanced: {source}"
    return form


def _parse_sequence(text, i, slots):
    parts, literal = [], ""
    while i < len(text) and text[i] not in "|)":
        if text[i] in "[(":
            if literal:
                parts.append(literal)
                literal = ""
            if text[i] == "[":
                end = text.index("]", i)
                slots.append(_parse_slot(text[i + 1:end]))
                parts.append(slots[-1])
                i = end + 1
            else:
                choices = []
                while text[i] in "(|":
                    choice, i = _parse_sequence(text, i + 1, slots)
                    choices.append(choice)
                i += 1
                parts.append(choices)
        else:
            literal += text[i]
            i += 1
    if literal:
        parts.append(literal)
    return parts, i


def _parse_slot(text):
    text = text.replace("^", "")   # the teller begins every sentence with a capital letter by itself
    if "&" in text:
        return Slot(text)
    if text.endswith("~"):
        return Slot(text[:-1], "~")
    role, _, shape = text.partition(".")
    return Slot(role, shape.lower())


def _regex(parts):
    out = ""
    for part in parts:
        if isinstance(part, str):
            # A sentence begins with a capital letter whatever the form says.
            out += f"[{part[0].upper()}{part[0].lower()}]{_literal(part[1:])}" if part[:1].isalpha() else _literal(part)
        elif isinstance(part, Slot):
            out += f"({slot_pattern(part)})"
        else:
            out += "(?:" + "|".join(_regex(choice) for choice in part) + ")"
    return out


def _literal(text):
    """An empty choice leaves two spaces, or one before a mark: the teller takes those away, so one of them may be
    missing."""
    return "".join("(?: |(?<= )|(?<!.)|(?=[.,!?]))" if c == " " else re.escape(c) for c in text)


def slot_pattern(slot):
    role, shape = slot.role, slot.shape
    if "&" in role:
        return rf"[Tt]hey|(?:{_CHARACTER}) and (?:{_CHARACTER})"
    if role in PLAIN:
        return "|".join(w if role != "d" else f"[{w[0].upper()}{w[0]}]{w[1:]}" for w in PLAIN[role])
    if role in "ABC":
        return {"": _CHARACTER, "~": _CHARACTER + "|he|she",
                "a": rf"[Aa]n? (?:{_WORD} )?{_WORD}(?: named [A-Z]{_WORD})?",
                "he": "[Hh]e|[Ss]he", "his": "[Hh]is|[Hh]er", "him": "him|her", "voc": rf"(?:dear |little )?{_WORD}",
                "trait": rf"{_WORD} and {_WORD}|{_WORD}"}[shape]
    if role in "xy":
        return {"": rf"[Tt]he (?:{_WORD} ){{0,2}}{_WORD}", "a": rf"[Aa]n? (?:{_WORD} ){{0,2}}{_WORD}", "n": _WORD,
                "adj": rf"(?:{_WORD} ){{0,2}}{_WORD}"}[shape]
    return {"": rf"[Tt]he {_WORD}", "at": rf"[IiAaBbOo][ntyn] the {_WORD}", "to": rf"to the {_WORD}"}[shape]


def _load():
    events = {}
    for name in ("common.txt", "plots.txt"):
        for line in open(os.path.join(_HERE, name), encoding="utf-8"):
            line = line.strip()
            if line.startswith("## "):
                head, _, logic = line[3:].partition("|")
                tokens = [tuple(t.split()) for t in logic.split(";") if t.strip()]
                event = Event(head.strip(), [t for t in tokens if t[0][0] != "+"],
                              [(t[0][1:], *t[1:]) for t in tokens if t[0][0] == "+"])
                assert event.name not in events, event.name
                events[event.name] = event
            elif line.startswith("? "):
                question, answer = line[2:].split(" = ")
                event.questions.append((parse_form(question + "?"), parse_form(answer)))
            elif line and not line.startswith("#"):
                event.forms.append(parse_form(line))
    return events


EVENTS = _load()
