"""What is so in a story: who is where, who has what.

Enters: the logic of events ("near A B", "has A x", "+has B x", ...). Leaves: the complaints when something cannot be,
and the new state. The same State serves twice: in the simulation everything is known; in the checker only what has been
said is known, so what is unknown is assumed to be as the event needs it.
"""
from dataclasses import dataclass

GONE = "(gone)"


@dataclass(eq=False)
class Character:
    kind: str              # fox, queen, girl
    name: str = ""         # Pip, or nothing
    he: str = ""           # "he", "she", or "" while the checker does not know
    adjective: str = ""

    @property
    def key(self):
        return self.name or "the " + self.kind


@dataclass(eq=False)
class Thing:
    noun: str
    adjectives: tuple = ()
    use: str = "other"

    @property
    def key(self):
        return self.noun


@dataclass(eq=False)
class Place:
    noun: str
    preposition: str = "in"

    @property
    def key(self):
        return self.noun


class State:
    def __init__(self):
        self.home, self.where, self.holder = {}, {}, {}

    def apply(self, event, roles):
        """Returns what contradicts the state, as text; changes the state only if nothing does."""
        before = dict(self.home), dict(self.where), dict(self.holder)
        for need in event.needs:
            problem = getattr(self, "_need_" + need[0])(*(roles[r].key for r in need[1:]))
            if problem:
                self.home, self.where, self.holder = before
                return problem
        for effect in event.makes:
            getattr(self, "_make_" + effect[0])(*(roles[r].key for r in effect[1:]))
        return None

    def _need_at(self, who, place):
        if self.where.setdefault(who, place) != place:
            return f"{who} is not at {place} but at {self.where[who]}"

    def _need_near(self, one, other):
        if one not in self.where or other not in self.where:
            known = self.where.get(one, self.where.get(other))
            if known:
                self.where[one] = self.where[other] = known
        elif self.where[one] != self.where[other]:
            return f"{one} is at {self.where[one]}, {other} at {self.where[other]}"

    def _need_has(self, who, thing):
        if self.holder.setdefault(thing, (who,)) != (who,):
            return f"{thing} is not with {who} but with {self.holder[thing]}"

    def _need_nothas(self, who, thing):
        if self.holder.get(thing) == (who,):
            return f"{who} has {thing}"

    def _need_free(self, thing):
        if isinstance(self.holder.get(thing), tuple) or self.holder.get(thing) == GONE:
            return f"{thing} is with {self.holder[thing]}"

    def _need_lies(self, thing, place):
        if self.holder.setdefault(thing, place) != place:
            return f"{thing} is not at {place} but with {self.holder[thing]}"

    def _need_friend(self, one, other):
        return None

    def _make_friend(self, one, other):
        pass

    def _make_at(self, who, place):
        self.where[who] = place

    def _make_home(self, who, place):
        self.home[who] = place

    def _make_homeward(self, who):
        self.where.pop(who, None)
        if who in self.home:
            self.where[who] = self.home[who]

    def _make_has(self, who, thing):
        self.holder[thing] = (who,)

    def _make_lies(self, thing, place):
        self.holder[thing] = place

    def _make_eaten(self, thing):
        self.holder[thing] = GONE

    def owner(self, thing):
        held = self.holder.get(thing)
        return held[0] if isinstance(held, tuple) else None
