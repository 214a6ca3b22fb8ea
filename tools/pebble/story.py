"""Tells a simulated story: every event is first done to the world, then said in one of its forms.

Enters: a random generator and a cast. Leaves: the text, the events that happened, and questions with their answers.
"""
import random
import re

import words
from grammar import EVENTS, Slot
from world import Character, Place, State, Thing

_SPACES, _BEFORE_MARK = re.compile("  +"), re.compile(" +(?=[.,!?])")
NO_ANSWER = "The story does not say."


class Discourse:
    """Whom a pronoun would mean: 'he' or 'she' is the subject of the last sentence, unless a second one there could be
    meant too; 'they' are the last two that were mentioned. The checker reads by the same rule."""

    def __init__(self):
        self.focus, self.mentioned, self.pair = None, [], []

    def may_be_pronoun(self, who):
        return self.focus is who and all(other is who or other.he != who.he for other in self.mentioned)

    def said(self, characters):
        self.mentioned = characters
        if characters:
            self.focus = characters[0]
            for c in characters:
                self.pair = [p for p in self.pair if p is not c][-1:] + [c]

    def said_they(self, pair):
        self.focus, self.mentioned, self.pair = None, list(pair), list(pair)


class Story:
    def __init__(self, rng):
        self.rng, self.state, self.discourse = rng, State(), Discourse()
        self.sentences, self.events, self.plot = [], [], ""
        self.fixed = {}   # plain words that stay the same all through: the weather
        self.cast, self.things, self.used = [], [], set()

    def text(self):
        return " ".join(self.sentences)

    # ---- saying
    # ------------------------------------------------------------------------------------------------------------------
    def say(self, name, chance=1.0, **roles):
        if chance < 1.0 and self.rng.random() > chance:
            return False
        event = EVENTS[name]
        problem = self.state.apply(event, roles)
        assert not problem, f"{self.plot}: {name}: {problem}"
        used = [s for s in roles.values()]
        for r in used:
            if isinstance(r, Character) and r not in self.cast:
                self.cast.append(r)
            if isinstance(r, Thing) and r not in self.things:
                self.things.append(r)
        form = self._choose(event, roles)
        plain = {}
        self.sentences.append(capital(tidy(self._render(form, roles, plain))))
        self.events.append((event, {**roles, **plain}))
        return True

    def say_one(self, names, **roles):
        """One of several events."""
        return self.say(self.rng.choice(names), **roles)

    def _choose(self, event, roles):
        """A form whose pronouns can only mean the right one."""
        for attempt in range(24):
            form = self.rng.choice(event.forms)
            if id(form) in self.used and attempt < 6:   # say it in another way than before
                continue
            inside = {s.role[0] for s in form.slots if s.role[0]
                      in "ABC"} | {s.role[2] for s in form.slots if "&" in s.role}
            if all(roles[other].he != roles[role].he for role in form.roles_with_pronouns() for other in inside
                   if other != role):
                self.used.add(id(form))
                return form
        raise AssertionError(f"{event.name}: every form is ambiguous")

    def _render(self, form, roles, plain):
        mentioned, they = [], []
        text = self._render_parts(form.parts, roles, plain, mentioned, they)
        if they:
            self.discourse.said_they(they)
        else:
            self.discourse.said(mentioned)
        return text

    def _render_parts(self, parts, roles, plain, mentioned, they):
        out = ""
        for part in parts:
            if isinstance(part, str):
                out += part
            elif isinstance(part, Slot):
                out += self._render_slot(part, roles, plain, mentioned, they)
            else:
                out += self._render_parts(self.rng.choice(part), roles, plain, mentioned, they)
        return out

    def _render_slot(self, slot, roles, plain, mentioned, they):
        if "&" in slot.role:
            pair = [roles[slot.role[0]], roles[slot.role[2]]]
            they.extend(pair)
            usable = set(map(id, self.discourse.pair)) == set(map(id, pair))
            return "they" if usable and self.rng.random() < 0.75 else f"{pair[0].key} and {pair[1].key}"
        if slot.role in words.PLAIN:
            if slot.role not in plain:
                plain[slot.role] = self.fixed.get(slot.role) or self.rng.choice(words.PLAIN[slot.role])
            return plain[slot.role]
        entity = roles[slot.role]
        if isinstance(entity, Character):
            if slot.shape == "~" and not mentioned and self.discourse.may_be_pronoun(entity) and self.rng.random(
                ) < 0.7:
                mentioned.append(entity)
                return entity.he
            if slot.shape in ("", "~", "a") and entity not in mentioned:
                mentioned.append(entity)
        return shape(entity, slot.shape, self.rng)

    # ---- asking
    # ------------------------------------------------------------------------------------------------------------------
    def questions(self):
        return questions_about(self.events, self.state, self.cast, self.things, self.rng)


def shape(entity, how, rng=random):
    """A character, thing or place in the words of a slot."""
    if isinstance(entity, Character):
        if how in ("", "~"):
            return entity.key
        if how == "a":
            described = words.with_article(f"{entity.adjective} {entity.kind}".strip())
            return described + (f" named {entity.name}" if entity.name else "")
        if how == "voc":
            return entity.name or rng.choice(("", "dear ", "little ")) + entity.kind
        if how == "trait":
            return " and ".join(rng.sample(words.CHARACTER_ADJECTIVES[4:], rng.choice((1, 2))))
        he = entity.he == "he"
        return {"he": "he" if he else "she", "him": "him" if he else "her", "his": "his" if he else "her"}[how]
    if isinstance(entity, Thing):
        full = " ".join(entity.adjectives + (entity.noun,))
        if how == "":
            return "the " + (full if len(entity.adjectives) == 1 and rng.random() < 0.12 else entity.noun)
        return {"a": words.with_article(full), "n": entity.noun, "adj": full}[how]
    return {"": "the ", "at": entity.preposition + " the ", "to": "to the "}[how] + entity.noun


def tidy(sentence):
    """Takes away the spaces that an empty choice leaves behind."""
    return _SPACES.sub(" ", _BEFORE_MARK.sub("", sentence)).strip()


def capital(sentence):
    i = 1 if sentence[0] == '"' else 0
    return sentence[:i] + sentence[i].upper() + sentence[i + 1:]


def plain_text(form, roles, rng):
    """A question or an answer: names, never 'he' for a subject; things by their bare noun."""
    def render(parts):
        out = ""
        for part in parts:
            if isinstance(part, str):
                out += part
            elif isinstance(part, Slot):
                entity = roles[part.role]
                if isinstance(entity, str):
                    out += entity
                elif isinstance(entity, Thing) and part.shape == "":
                    out += "the " + entity.noun
                else:
                    out += shape(entity, part.shape, rng)
            else:
                out += render(rng.choice(part))
        return out
    return capital(tidy(render(form.parts)))


def questions_about(events, state, cast, things, rng):
    """All questions that have exactly one right answer: [(question, answer)]. A question that two events answer
    differently is dropped."""
    found = {}
    for event, roles in events:
        for question, answer in event.questions:
            if any(s.role not in roles for form in (question, answer) for s in form.slots):
                continue
            variants = found.setdefault(question.source + str([(s.role, _key(roles[s.role])) for s in question.slots]),
                                        (question, roles, set()))
            variants[2].add(plain_text(answer, roles, rng))
    asked = {}
    for question, roles, answers in found.values():
        asked.setdefault(plain_text(question, roles, rng), set()).update(answers)
    if cast:
        asked.setdefault("Who is the story about?", set()).add(f"The story is about {cast[0].key}.")
    for thing in things:
        owner = state.owner(thing.key)
        if owner:
            asked.setdefault(f"Who has the {thing.noun} at the end?",
                             set()).add(capital(f"{owner} has the {thing.noun}."))
        colours = [a for a in thing.adjectives if a in words.COLOURS]
        if colours:
            asked.setdefault(f"What colour was the {thing.noun}?", set()).add(f"The {thing.noun} was {colours[0]}.")
    return [(q, next(iter(a))) for q, a in asked.items() if len(a) == 1]


def _key(role):
    return role if isinstance(role, str) else role.key


def unanswerable(cast, things, rng):
    """A question that the story does not answer."""
    who, what = rng.choice(cast), rng.choice(things) if things else None
    absent_thing = rng.choice([t for t in words.THINGS if all(t != x.noun for x in things)])
    absent = "the " + rng.choice([k for k in words.ANIMALS if all(k != c.kind for c in cast)])
    options = [f"How old was {who.key}?", f"What did {who.key} eat for breakfast?",
               f"What was the mother of {who.key} called?",
               f"What was the favourite song of {who.key}?", f"What did {who.key} dream about?",
               f"How many brothers did {who.key} have?",
               f"Who found the {absent_thing}?", f"Who has the {absent_thing} at the end?",
               f"Where was the {absent_thing}?",
               f"What colour was the {absent_thing}?", f"Where did {absent} live?", f"What did {absent} find?",
               f"Who gave the {absent_thing} to {who.key}?"]
    if what and not any(a in words.COLOURS for a in what.adjectives):
        options += [f"What colour was the {what.noun}?"] * 3
    if what:
        options += [f"How much did the {what.noun} cost?", f"Who made the {what.noun}?"]
    return rng.choice(options)
