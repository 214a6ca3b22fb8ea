"""Reads a story back: every sentence must be one of the known forms, and must fit to what was told before.

Enters: the text of a story. Leaves: a Reading: the events, the state at the end, and what is wrong ("unknown sentence",
"the kite is not with Mia but with Tom", "the fox was never introduced", ...). It reads pronouns by the rule by which
the teller uses them.
"""
import re
from dataclasses import dataclass, field

import words
from grammar import EVENTS, Event
from story import Discourse, questions_about
from world import Character, Place, State, Thing

_NEXT_SENTENCE = re.compile(r'\s+["A-Z]|\s*$')


def sentences(text):
    """Splits between sentences, but not inside a quotation."""
    out, start, inside = [], 0, False
    for i, c in enumerate(text):
        if c == '"':
            inside = not inside
        ends = not inside and (c in ".!?" or (c == '"' and text[i - 1:i] in (".", "!", "?")))
        if ends and _NEXT_SENTENCE.match(text, i + 1):
            out.append(text[start:i + 1].strip())
            start = i + 1
    if text[start:].strip():
        out.append(text[start:].strip())
    return out


@dataclass
class Reading:
    problems: list = field(default_factory=list)
    events: list = field(default_factory=list)
    characters: list = field(default_factory=list)
    things: list = field(default_factory=list)
    state: State = field(default_factory=State)

    def questions(self, rng):
        return questions_about(self.events, self.state, self.characters, self.things, rng)


class _Misfit(Exception):
    pass


class Reader:
    def __init__(self):
        self.reading, self.discourse = Reading(), Discourse()

    def read(self, text):
        for sentence in sentences(text):
            self._read_sentence(sentence)
        return self.reading

    def _read_sentence(self, sentence):
        complaints = []
        for event, form in _forms():
            match = form.pattern.match(sentence)
            if not match:
                continue
            try:
                self._take(event, form, match)
                return
            except _Misfit as misfit:
                complaints.append(str(misfit))
        self.reading.problems.append(f"{complaints[0]}: {sentence}" if complaints else f"unknown sentence: {sentence}")

    def _take(self, event, form, match):
        """Binds the slots, applies the event; nothing is kept if anything does not fit."""
        roles, new, genders, mentioned, they = {}, [], {}, [], None
        for slot, said in zip(form.slots, match.groups()):
            if said is None:
                continue
            if "&" in slot.role:
                they = self._pair(said)
                self._bind(roles, slot.role[0], they[0])
                self._bind(roles, slot.role[2], they[1])
            elif slot.role in words.PLAIN:
                self._bind(roles, slot.role, said[0].lower() + said[1:])
            elif slot.role in "ABC":
                self._character(slot, said, roles, new, genders, mentioned)
            elif slot.role in "xy":
                self._thing(slot, said, roles, new)
            else:
                noun = said.split()[-1]
                if noun not in words.PLACES:
                    raise _Misfit(f"unknown place {noun}")
                self._bind(roles, slot.role, Place(noun, words.PLACES[noun][0]), lambda a, b: a.noun == b.noun)
        for who, he in genders.items():
            if who.he and who.he != he:
                raise _Misfit(f"{who.key} was {who.he}")
        event = self._complete(event, roles)
        problem = self.reading.state.apply(event, roles)
        if problem:
            raise _Misfit(problem)
        for who, he in genders.items():
            who.he = he
        self.reading.characters += [e for e in new if isinstance(e, Character)]
        self.reading.things += [e for e in new if isinstance(e, Thing)]
        self.reading.events.append((event, roles))
        self.discourse.said_they(they) if they else self.discourse.said(mentioned)

    def _bind(self, roles, role, value, same=lambda a, b: a is b or a == b):
        if role in roles and not same(roles[role], value):
            raise _Misfit(f"{role} is two things")
        roles.setdefault(role, value)

    def _character(self, slot, said, roles, new, genders, mentioned):
        if slot.shape == "a":
            who = self._introduce(said, new)
        elif slot.shape in ("he", "his", "him"):
            he = "he" if said.lower() in ("he", "his", "him") else "she"
            who = roles.get(slot.role) or self._meant(he)
            genders[who] = he
        elif slot.shape == "voc":
            word = said.split()[-1].lower()
            who = self._find(lambda c: (c.name or c.kind).lower() == word, said)
        elif slot.shape == "trait":
            return
        elif said.lower() in ("he", "she"):
            who = self._meant(said.lower())
            genders[who] = said.lower()
        else:
            key = said[0].lower() + said[1:] if said[:4].lower() == "the " else said
            who = self._find(lambda c: c.key == key, said)
        self._bind(roles, slot.role, who)
        if slot.shape in ("", "~", "a") and who not in mentioned:
            mentioned.append(who)

    def _introduce(self, said, new):
        described, _, name = said.partition(" named ")
        parts = described.split()[1:]
        who = Character(parts[-1], name, {"girl": "she", "boy": "he"}.get(parts[-1], ""), " ".join(parts[:-1]))
        if any(c.key == who.key for c in self.reading.characters) or parts[-1] in ("boy", "girl") and not name:
            raise _Misfit(f"{who.key} is introduced twice")
        new.append(who)
        return who

    def _thing(self, slot, said, roles, new):
        parts = said.split()
        noun = parts[-1]
        if slot.shape in ("a", "adj"):
            if any(x.noun == noun for x in self.reading.things):
                raise _Misfit(f"the {noun} is introduced twice")
            thing = Thing(noun, tuple(parts[1 if slot.shape == "a" else 0:-1]))
            new.append(thing)
        else:
            thing = next((x for x in self.reading.things if x.noun == noun), None)
            if not thing or len(parts) == 3 and parts[1] not in thing.adjectives:
                raise _Misfit(f"'{said}' was never introduced")
        self._bind(roles, slot.role, thing)

    def _find(self, is_meant, said):
        for c in self.reading.characters:
            if is_meant(c):
                return c
        raise _Misfit(f"'{said}' was never introduced")

    def _meant(self, he):
        """Whom 'he' or 'she' means: the subject of the last sentence, if no other one mentioned there could be
        meant."""
        who = self.discourse.focus
        if not who or who.he and who.he != he:
            raise _Misfit(f"who is '{he}'?")
        return who

    def _pair(self, said):
        if said.lower() == "they":
            if len(self.discourse.pair) != 2:
                raise _Misfit("who are 'they'?")
            return sorted(self.discourse.pair, key=self.reading.characters.index)   # the hero first, as in the answers
        one, other = said.split(" and ")
        return [self._find(lambda c: c.key == (k[0].lower() + k[1:] if k[:4].lower() == "the " else k), k) for k
                in (one, other)]

    def _complete(self, event, roles):
        """What the logic needs and the sentence leaves out: a place is where the one is of whom it is said; a second
        character is the other one of the last two. Returns the event without what stays open."""
        where = self.reading.state.where
        for token in event.needs:
            if token[0] == "has" and token[1] not in roles and token[2] in roles:
                owner = self.reading.state.owner(roles[token[2]].key)
                roles.update({token[1]: c for c in self.reading.characters if c.key == owner})
        for token in event.makes + [n for n in event.needs if event.makes and n[0] == "at"]:
            for role in token[1:]:
                if role in "ABC" and role not in roles:
                    other = next((c for c in reversed(self.discourse.pair) if c not in roles.values()), None)
                    if other:
                        roles[role] = other
        for token in event.needs:
            if token[0] == "at" and token[2] not in roles and token[1] in roles:
                place = where.get(roles[token[1]].key)
                if place:
                    roles[token[2]] = Place(place, words.PLACES[place][0])
        known = lambda tokens: [t for t in tokens if all(r in roles for r in t[1:])]
        return Event(event.name, known(event.needs), known(event.makes), event.forms, event.questions)


def _forms():
    return [(event, form) for event in EVENTS.values() for form in event.forms]


def read(text):
    return Reader().read(text)
