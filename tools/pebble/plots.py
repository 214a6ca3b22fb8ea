"""Fourteen plots: a beginning, a problem, a turn, an end. A plot decides what happens; story.py does it and says it.

Enters: a Story and its Cast (drawn here, or given by a request). Leaves: a told Story.
"""
import words
from story import Story
from world import Character, Place, Thing


class Cast:
    """Draws the characters, things and places of one story; none twice. `rare` is the share of words that are seldom
    seen; of these some are invented, where that is wanted."""

    def __init__(self, rng, rare=0.18, invent=True):
        self.rng, self.rare, self.invent, self.used = rng, rare, invent, set()

    def fresh(self, make):
        while True:
            word = make()
            if word not in self.used:
                self.used.add(word)
                return word

    def character(self):
        rng = self.rng
        adjective = rng.choice(words.CHARACTER_ADJECTIVES) if rng.random() < 0.5 else ""
        he, draw = rng.choice(("he", "she")), rng.random()
        if draw < self.rare:
            kind = self.fresh(lambda: rng.choice(words.RARE_KINDS) if rng.random() < 0.65 or not self.invent
                              else words.invented(rng))
            he = "she" if kind == "mermaid" else he
        elif draw < 0.5:
            kind = self.fresh(lambda: rng.choice(words.ANIMALS))
        elif draw < 0.68:
            kind = self.fresh(lambda: rng.choice(list(words.ROLES)))
            he = words.ROLES[kind] if words.ROLES[kind] != "?" else he
        else:
            kind = "girl" if he == "she" else "boy"
            names = words.GIRLS if he == "she" else words.BOYS
            return Character(kind, self.fresh(lambda: self.name(names)), he, adjective if adjective != "old" else "")
        named = rng.random() < 0.22
        return Character(kind, self.fresh(lambda: self.name(words.PET_NAMES[he])) if named else "", he, adjective)

    def name(self, names):
        return words.invented(self.rng).capitalize() if self.invent and self.rng.random(
            ) < self.rare else self.rng.choice(names)

    def thing(self, use=None):
        rng = self.rng
        if rng.random() < self.rare:
            noun = self.fresh(lambda: rng.choice(words.RARE_THINGS) if rng.random() < 0.6 or not self.invent
                              else words.invented(rng))
        else:
            noun = self.fresh(lambda: rng.choice(words.THINGS_BY_USE[use] if use else words.THINGS))
        draw = rng.random()
        adjectives = (rng.choice(words.COLOURS),) if draw < 0.4 else (rng.choice(words.QUALITIES),
                                                                      ) if draw < 0.7 else ()
        return Thing(noun, adjectives, words.THING_USE.get(noun, "any"))

    def place(self, home=False, outdoors=False):
        scenes = ("green", "water") if outdoors else None
        noun = self.fresh(lambda: self.rng.choice([p for p, (_, h) in words.PLACES.items()
                                                   if (h or not home) and (not scenes or words.SCENE_OF.get(
                                                       p) in scenes)]))
        return Place(noun, words.PLACES[noun][0])


def beginning(s, A, p):
    s.say("intro", A=A, p=p)
    s.say("trait", 0.35, A=A)


def outing(s, A, q):
    """Out of the house, and what there is to see there."""
    s.say("errand_go" if s.rng.random() < 0.45 else "day_go", A=A, q=q)
    draw = s.rng.random()
    if draw < 0.3:
        s.say("w_" + s.fixed["w"])
    elif draw < 0.6 and q.noun in words.SCENE_OF:
        s.say("at_" + words.SCENE_OF[q.noun])


def ending(s, A, B, lesson=None):
    if lesson:
        s.say(lesson, 0.35, A=A)
    s.say_one(("friends_end", "friends_end", "sleep", "play_two") if s.state.where.get(A.key)
              == s.state.where.get(B.key)
              else ("friends_end", "sleep"), A=A, B=B)


def lost(s, c):
    A, B, x, p, q = c.character(), c.character(), c.thing(), c.place(True), c.place()
    beginning(s, A, p)
    s.say("own", A=A, x=x)
    s.say("gift_from", 0.4, A=A, x=x)
    s.say("love", 0.4, A=A, x=x)
    outing(s, A, q)
    s.say("fun", 0.7, A=A)
    s.say("lose", A=A, x=x, q=q)
    away = s.say("go_home", 0.4, A=A)
    s.say("miss", A=A, x=x)
    s.say("sad_lost", 0.8, A=A, x=x)
    here = p if away else q
    s.say("meet", A=A, B=B, q=here)
    s.say("worried", 0.7, A=A, B=B)
    s.say("tell_lost", A=A, B=B, x=x)
    s.say("offer_help", A=A, B=B)
    if away:
        s.say("go_two", A=A, B=B, q=q)
    s.say("search", 0.8, A=A, B=B)
    finder, other = (A, B) if s.rng.random() < 0.35 else (B, A)
    s.say("find", A=finder, x=x, q=q)
    if finder is B:
        s.say_one(("give_back", "give_back", "give"), A=B, B=A, x=x)
    s.say("happy", 0.7, A=A, B=B)
    s.say("thanks", 0.8, A=A, B=B)
    s.say("welcome", 0.4, A=A, B=B)
    if s.rng.random() < 0.5:
        s.say("go_home_with", 0.4, A=A, x=x)
        s.say("keep_end", A=A, x=x)
    else:
        ending(s, A, B, "learn_ask")


def find_owner(s, c):
    A, B, x, p, q = c.character(), c.character(), c.thing(), c.place(True), c.place()
    beginning(s, A, p)
    outing(s, A, q)
    s.say("fun", 0.4, A=A)
    s.say("find_new", A=A, x=x, q=q)
    s.say("admire", 0.8, A=A, x=x)
    s.say("want_keep", 0.5, A=A, x=x)
    s.say("hear_cry", A=A)
    s.say("see_crying", A=A, B=B, q=q)
    s.say("worried", 0.6, A=B, B=A)
    s.say("tell_lost", A=B, B=A, x=x)
    s.say("its_mine", 0.5, A=A, B=B, x=x)
    s.say("struggle", 0.7, A=A, x=x)
    s.say_one(("give_back", "give"), A=A, B=B, x=x)
    s.say("happy", 0.6, A=B, B=A)
    s.say("thanks", 0.8, A=B, B=A)
    if s.rng.random() < 0.45:
        s.say("reward", A=A, B=B, x=x, y=c.thing())
    s.say("play_two", 0.4, A=A, B=B)
    ending(s, A, B, "learn_kind")


TROUBLES = {"light": "t_light", "warm": "t_warm", "dry": "t_dry", "food": "t_food", "cross": "t_cross",
            "open": "t_open", "way": "t_way",
            "reach": "t_reach"}


def trouble(s, c):
    A, B, p, q = c.character(), c.character(), c.place(True), c.place()
    use = s.rng.choice(list(TROUBLES))
    x = c.thing(use)
    beginning(s, A, p)
    outing(s, A, q)
    s.say("fun", 0.5, A=A)
    s.say(TROUBLES[use], A=A, q=q)
    s.say("help_wish", 0.7, A=A)
    s.say("meet", A=A, B=B, q=q)
    s.say("hello", 0.4, A=B, B=A)
    s.say("worried", 0.5, A=A, B=B)
    s.say("has_for", B=B, x=x)
    if s.rng.random() < 0.6:
        s.say("ask_for", A=A, B=B, x=x)
        s.say("of_course", 0.8, A=A, B=B, x=x)
    s.say("lend", A=A, B=B, x=x)
    s.say("s_" + use if x.use == use else "s_any", A=A, x=x)
    s.say("happy", 0.4, A=A, B=B)
    s.say("thanks", 0.8, A=A, B=B)
    s.say("welcome", 0.5, A=A, B=B)
    if use != "food" and s.rng.random() < 0.5:
        s.say("give_back", A=A, B=B, x=x)
    ending(s, A, B, "learn_ask")


def shared_food(s, c):
    A, B, x, p, q, r = c.character(), c.character(), c.thing("food"), c.place(True), c.place(), c.place(outdoors=True)
    beginning(s, A, p)
    s.say("own", A=A, x=x) if s.rng.random() < 0.4 else s.say("has_for", B=A, x=x)
    s.say("carry_food", 0.5, A=A, x=x)
    s.say_one(("day_go", "go_with"), A=A, x=x, q=q)
    s.say("meet", A=A, B=B, q=q)
    s.say("hello", 0.4, A=A, B=B)
    s.say("hungry_other", A=A, B=B)
    s.say("struggle", 0.3, A=A, x=x)
    s.say("share_food", A=A, B=B, x=x)
    s.say("thanks", 0.8, A=B, B=A)
    s.say("go_home", 0.6, A=A)
    s.say("later_trouble", A=A, q=r)
    s.say("call_help", A=A)
    s.say("come_remember", A=A, B=B, q=r)
    s.say("remember", A=A, B=B, x=x)
    s.say("thanks", 0.6, A=A, B=B)
    s.say("happy", 0.3, A=A, B=B)
    ending(s, A, B, "learn_kind")


def trade(s, c):
    A, B, x, y, p, q = c.character(), c.character(), c.thing(), c.thing(), c.place(True), c.place()
    beginning(s, A, p)
    s.say("own", A=A, x=x)
    s.say("want", A=A, y=y)
    s.say("go_with", A=A, x=x, q=q)
    s.say("meet", A=A, B=B, q=q)
    s.say("hello", 0.5, A=A, B=B)
    s.say("has_wants", A=A, B=B, x=x, y=y)
    s.say("offer_swap", A=A, B=B, x=x, y=y)
    s.say("of_course", 0.8, A=A, B=B, x=y)
    s.say("swap", A=A, B=B, x=x, y=y)
    s.say("happy", 0.7, A=A, B=B)
    s.say("thanks", 0.5, A=A, B=B)
    if s.rng.random() < 0.5:
        s.say("go_home_with", A=A, x=y)
        s.say("keep_end", 0.6, A=A, x=y)
    else:
        s.say("play_with", 0.5, A=B, x=x)
        ending(s, A, B)


def quarrel(s, c):
    A, B, C, x, p, q = c.character(), c.character(), c.character(), c.thing(), c.place(True), c.place()
    beginning(s, A, p)
    s.say("friend", A=A, B=B)
    outing(s, A, q)
    s.say("meet_friend", A=A, B=B, q=q)
    s.say("play_two", 0.4, A=A, B=B)
    s.say("find_both", A=A, B=B, x=x, q=q)
    for first, second in ((A, B), (B, A)):
        s.say("quarrel", A=first, B=second, x=x)
    s.say("wise", A=A, B=B, C=C, q=q)
    s.say("advice", A=A, C=C)
    s.say("take_turns", A=A, B=B, x=x)
    s.say("turn_over", 0.6, A=A, B=B, x=x)
    s.say("thanks", 0.5, A=A, B=C)
    s.say("learn_share", 0.5, A=A)
    holder = B if s.state.owner(x.key) == B.key else A
    if s.rng.random() < 0.4:
        s.say("share_end", A=holder, B=A if holder is B else B, x=x)
    else:
        ending(s, A, B)


def birthday(s, c):
    A, B, x, p, q, r = c.character(), c.character(), c.thing(), c.place(True), c.place(), c.place()
    beginning(s, A, p)
    s.say("friend", A=A, B=B)
    s.say("birthday", A=A, B=B)
    s.say("idea", 0.7, A=A, B=B)
    s.say("go", A=A, q=q)
    s.say_one(("buy", "find_new"), A=A, x=x, q=q)
    s.say("admire", 0.5, A=A, x=x)
    s.say("go_home_with", 0.6, A=A, x=x)
    s.say("party", A=A, B=B, q=r)
    s.say("happy_birthday", 0.8, A=A, B=B)
    s.say("give", A=A, B=B, x=x)
    s.say("best_gift", A=B, x=x)
    s.say("thanks", 0.6, A=B, B=A)
    s.say("happy", 0.5, A=B, B=A)
    s.say("play_two", 0.5, A=A, B=B)
    if s.rng.random() < 0.4:
        s.say("keep_end", A=B, x=x)
    else:
        ending(s, A, B)


def rescue(s, c):
    A, C, x, p, q = c.character(), c.character(), c.thing("pull"), c.place(True), c.place(outdoors=True)
    beginning(s, A, p)
    outing(s, A, q)
    s.say("fun", 0.4, A=A)
    s.say("hear_cry", 0.6, A=A)
    s.say("t_stuck", A=A, C=C, q=q)
    s.say("call_help", 0.5, A=C)
    s.say("comfort", 0.5, A=C, B=A)
    s.say("help_wish", 0.3, A=A)
    s.say("get_from_home", A=A, x=x, q=q)
    s.say("s_stuck", A=A, C=C, x=x)
    s.say("thanks", A=C, B=A)
    s.say("welcome", 0.5, A=C, B=A)
    s.say("happy", 0.4, A=C, B=A)
    if s.rng.random() < 0.4:
        s.say("go_home_with", A=A, x=x)
    ending(s, A, C, "learn_kind")


def windy(s, c):
    A, B, x, p, q = c.character(), c.character(), c.thing("wear"), c.place(True), c.place()
    s.fixed["w"] = s.rng.choice(("windy", "stormy", "windy", "cloudy"))
    beginning(s, A, p)
    s.say("own", A=A, x=x)
    s.say("gift_from", 0.4, A=A, x=x)
    outing(s, A, q)
    s.say("play_with", 0.4, A=A, x=x)
    s.say("wind", A=A, x=x, q=q)
    s.say("cannot_reach", 0.8, A=A, x=x)
    s.say("sad_lost", 0.4, A=A, x=x)
    s.say("meet", A=A, B=B, q=q)
    s.say("worried", 0.6, A=A, B=B)
    s.say("offer_help", 0.7, A=A, B=B)
    s.say("get_down", A=A, B=B, x=x)
    s.say_one(("give_back", "give"), A=B, B=A, x=x)
    s.say("happy", 0.5, A=A, B=B)
    s.say("thanks", 0.8, A=A, B=B)
    s.say("welcome", 0.4, A=A, B=B)
    if s.rng.random() < 0.5:
        s.say("keep_end", A=A, x=x)
    else:
        ending(s, A, B, "learn_ask")


def hidden(s, c):
    A, B, x, p, q = c.character(), c.character(), c.thing(), c.place(True), c.place()
    beginning(s, A, p)
    s.say("own", A=A, x=x)
    s.say("love", 0.4, A=A, x=x)
    s.say("go_with", A=A, x=x, q=q)
    s.say("hide", A=A, x=x, q=q)
    s.say("saw_hide", A=A, B=B, x=x, q=q)
    s.say("forgot", A=A, x=x)
    s.say("sad_lost", 0.6, A=A, x=x)
    s.say("meet_friend", A=A, B=B, q=q)
    s.say("worried", 0.6, A=A, B=B)
    s.say("tell_lost", 0.6, A=A, B=B, x=x)
    s.say("i_know", A=A, B=B, x=x)
    s.say("show_place", A=A, B=B, x=x, q=q)
    s.say("happy", 0.6, A=A, B=B)
    s.say("thanks", 0.7, A=A, B=B)
    if s.rng.random() < 0.35:
        s.say("give", A=A, B=B, x=x)
    elif s.rng.random() < 0.5:
        s.say("share_end", A=A, B=B, x=x)
        return
    ending(s, A, B, "learn_share")


def noise(s, c):
    A, B, C, p, r, x = c.character(), c.character(), c.character(), c.place(True), c.place(), c.thing(s.rng.choice((
        "warm", "food", "toy")))
    beginning(s, A, p)
    s.say("friend", A=A, B=B)
    s.say("noise_hear", A=A, r=r)
    s.say("afraid", A=A)
    s.say("meet_friend", A=A, B=B, q=p)
    s.say("ask_along", A=A, B=B)
    s.say("of_course_plain", A=A, B=B)
    s.say("go_two", A=A, B=B, q=r)
    s.say("only_you", A=A, B=B, C=C, q=r)
    s.say("why_noise", A=A, C=C)
    s.say("not_afraid", 0.6, A=A, B=B)
    if s.rng.random() < 0.7:
        s.say("has_for", B=A, x=x)
        s.say("give", A=A, B=C, x=x)
        s.say("thanks", A=C, B=A)
    else:
        s.say("comfort", A=C, B=A)
        s.say("play_two", A=A, B=C)
    ending(s, A, C, "learn_brave")


def thief(s, c):
    A, B, x, p, q, r = c.character(), c.character(), c.thing(), c.place(True), c.place(), c.place()
    beginning(s, A, p)
    s.say("own", A=A, x=x)
    s.say("love", 0.4, A=A, x=x)
    outing(s, A, q)
    s.say("asleep", A=A, q=q)
    s.say("steal", A=A, B=B, x=x, q=q)
    s.say("miss", A=A, x=x)
    s.say("follow", A=A, B=B, r=r)
    s.say("why_took", A=A, B=B, x=x)
    s.say("sorry_took", A=A, B=B, x=x)
    if s.rng.random() < 0.5:
        s.say("give_back", A=B, B=A, x=x)
        s.say("forgive_plain", 0.7, A=B, B=A)
        if s.rng.random() < 0.4:
            s.say("share_end", A=A, B=B, x=x)
            return
    else:
        s.say("struggle_kind", 0.7, A=A, B=B)
        s.say("may_keep", A=A, B=B, x=x)
        s.say("thanks", A=B, B=A)
    s.say("play_two", 0.5, A=A, B=B)
    ending(s, A, B, "learn_share")


def broken(s, c):
    A, B, x = c.character(), c.character(), c.thing(s.rng.choice(("toy", "music", "other", "other", "clean")))
    p, q = c.place(True), c.place()
    beginning(s, A, p)
    outing(s, A, q)
    s.say("meet", A=A, B=B, q=q)
    s.say("has_for", B=B, x=x)
    if s.say("ask_for", 0.6, A=A, B=B, x=x):
        s.say("of_course", 0.7, A=A, B=B, x=x)
    s.say("borrow", A=A, B=B, x=x)
    s.say("play_with", A=A, x=x)
    s.say("broke", A=A, x=x)
    s.say("fear_tell", 0.8, A=A, B=B, x=x)
    s.say("tell_truth", A=A, B=B, x=x)
    s.say("forgive", A=A, B=B)
    s.say("mend_two", A=A, B=B, x=x)
    s.say("give_back", 0.8, A=A, B=B, x=x)
    s.say("thanks", 0.5, A=A, B=B)
    s.say("learn_careful" if s.rng.random() < 0.5 else "learn_truth", 0.5, A=A)
    ending(s, A, B)


def newcomer(s, c):
    A, B, x, p = c.character(), c.character(), c.thing(s.rng.choice(("toy", "music", "other"))), c.place(True)
    beginning(s, A, p)
    s.say("newcomer", A=A, q=p)
    s.say("lonely", 0.8, A=A)
    s.say("come_with", A=A, B=B, x=x, q=p)
    s.say("hello", 0.6, A=B, B=A)
    s.say("worried", 0.5, A=A, B=B)
    s.say("play_together", A=A, B=B, x=x)
    s.say("try_it", A=A, B=B, x=x)
    s.say("admire", 0.4, A=A, x=x)
    s.say("play_with", 0.5, A=A, x=x)
    s.say("play_two", 0.7, A=A, B=B)
    if s.rng.random() < 0.7:
        s.say("give_back", A=A, B=B, x=x)
    s.say("thanks", 0.7, A=A, B=B)
    s.say("happy", 0.5, A=A, B=B)
    s.say("not_lonely", 0.5, A=A)
    ending(s, A, B)


PLOTS = [lost, find_owner, trouble, shared_food, trade, quarrel, birthday, rescue, windy, hidden, noise, thief, broken,
         newcomer]
WEIGHTS = [3, 3, 4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]


def tell(rng, rare=0.18, invent=True):
    """A whole story of 60 to 250 words."""
    while True:
        story = Story(rng)
        story.fixed["w"] = rng.choice(words.WEATHER)
        plot = rng.choices(PLOTS, WEIGHTS)[0]
        story.plot = plot.__name__
        plot(story, Cast(rng, rare, invent))
        if 60 <= story.text().count(" ") + 1 <= 250:
            return story
