"""Turns stories into what the model reads: plain stories, chats (request, story, questions, answers), short chains of
facts, small talk.

Enters: a random generator. Leaves: a list of (text, learn) pieces; the model is not asked to predict pieces with learn
= False (what the user says). The chat control tokens are those of ChatML.
"""
import words
from grammar import EVENTS
from plots import Cast, tell
from story import NO_ANSWER, Story, plain_text, unanswerable

START, END, STOP = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
LIMIT = "I only know small stories. Shall I tell you one?"

GISTS = {   # what a request may say of a plot; {A} the hero, {B} the other one, {x} the thing
    "lost": ["{A} who loses {x}", "{A} who lost {x}", "{A} and a lost {n}", "a lost {n}", "{A} who is looking for {x}"],
    "find_owner": ["{A} who gives {x} back", "{A} and {B} who is crying", "an honest finder"],
    "trouble": ["{A} who needs help", "{A} who is helped by {B}", "{B} who lends {x} to {A}", "{A} who borrows {x}"],
    "shared_food": ["{A} who shares {x}", "{A} who shares {x} with {B}", "{A} who is hungry and {x}"],
    "trade": ["{A} who swaps {x} for {y}", "{A} who wants {y}", "{A} who trades {x}", "{A} who wishes for {y}"],
    "quarrel": ["{A} and {B} who both want {x}", "{A} and {B} who quarrel", "a quarrel", "{A} and {B} who share {x}"],
    "birthday": ["{A} who looks for a present", "the birthday of {B}", "a birthday", "{A} who gives {x} to {B}",
                 "a birthday present"],
    "rescue": ["{A} who saves {C}", "{A} who helps {C}", "{C} who is stuck", "{A} and {C}"],
    "windy": ["{A} and the wind", "{A} who loses {x} in the wind", "the wind and {x}", "a windy day"],
    "hidden": ["{A} who hides {x}", "{A} who forgets where {x} is", "a hidden {n}"],
    "noise": ["{A} who hears a strange noise", "a strange noise", "{A} who is afraid", "{A} who is brave"],
    "thief": ["{A} and a thief", "{B} who steals {x}", "{A} whose {n} is stolen", "{B} who takes {x} from {A}"],
    "broken": ["{A} who breaks {x}", "{A} who borrows {x} from {B}", "a broken {n}", "{A} who tells the truth"],
    "newcomer": ["{A} who is lonely", "{A} who has no friends", "{A} who is new", "{A} who finds a friend"],
}
ASK = ["Tell me a story about {}.", "Tell me a story about {}.", "Tell me a story about {}!",
       "Can you tell me a story about {}?",
       "A story about {}, please.", "Please tell me a story about {}.", "I want to hear a story about {}.",
       "Write a story about {}.",
       "Write a short story about {}.", "Could you tell me about {}?", "Tell me about {}.",
       "I would like a story about {}.", "{}, please!",
       "Tell a story of {}.", "Do you know a story about {}?", "What about a story with {}?",
       "Make up a story about {}.", "A tale of {}."]
ASK_ANY = ["Tell me a story.", "Tell me a story, please.", "Can you tell me a story?", "A story, please!",
           "I want a story.",
           "Tell me a bedtime story.", "Write a story.", "Please tell me a short story.", "Do you know a story?",
           "Yes, tell me a story.",
           "One story, please.", "Tell me something.", "I am bored.", "I cannot sleep.", "Surprise me!",
           "Tell me a fairy tale."]
AGAIN = ["Tell me another story.", "Another one, please!", "Another story about {}, please.", "Now a story about {}.",
         "And now one about {}?", "Tell me another story about {}.", "One more!"]


def asked_character(c, rng, in_full=False):
    if c.kind in ("girl", "boy"):
        return c.name if rng.random() < 0.6 else f"a {c.kind} named {c.name}"
    adjective = c.adjective if rng.random() < 0.35 else ""
    known = words.with_article(f"{adjective} {c.kind}".strip())
    return known + (f" named {c.name}" if c.name and (in_full or rng.random() < 0.75) else "")


def asked_thing(x, rng):
    return words.with_article(" ".join((x.adjectives if rng.random() < 0.35 else ()) + (x.noun,)))


def gist(story, rng):
    """A few words that the story is about."""
    roles = {}
    for _, bound in story.events:
        for role in ("A", "B", "C", "x", "y"):
            roles.setdefault(role, bound.get(role))
    hero = story.cast[0]
    other = next((c for c in story.cast[1:]), None)
    x = story.things[0] if story.things else None
    plain = ["{A}", "{A}", "{A} and {B}", "{A} and {B}"]
    if x:
        plain += ["{A} and {x}"] * 4 + ["{x}", "{A}, {B} and {x}", "{A} with {x}", "{A}, {B} and {x}"]
        finds = [b for e, b in story.events if e.name in ("find", "find_new") and b["A"] is hero]
        plain += ["{A} who finds {x}"] * 8 if finds else []
        plain += ["{A} who has {x}"] * 2 if any(e.name == "own" for e, _ in story.events) else []
    form = rng.choice(plain if rng.random() < 0.55 or (not x and "x}" in str(GISTS[story.plot])) else GISTS[story.plot])
    third = story.cast[2] if len(story.cast) > 2 else other
    if story.plot == "rescue":
        third = other
    if "{C}" in form and story.plot != "rescue":
        form = "{A} and {B}"
    y = story.things[1] if len(story.things) > 1 else x
    return form.format(A=asked_character(hero, rng), B=asked_character(other, rng), C=asked_character(third, rng),
                       x=asked_thing(x, rng) if x else "", y=asked_thing(y, rng) if y else "", n=x.noun if x else "")


def careless(text, rng):
    """As people type: sometimes without capitals or a full stop."""
    if rng.random() < 0.15:
        text = text[0].lower() + text[1:]
    if rng.random() < 0.15:
        text = text.rstrip(".!?")
    return text


def user(text):
    return [(f"{START}user\n{text}{END}\n", False)]


def pebble(text):
    return [(f"{START}assistant\n", False), (f"{text}{END}\n", True)]


def exchange(question, answer):
    return user(question) + pebble(answer)


def strange(story, rng):
    """What is invented in a story, as a request names it."""
    known = words.KNOWN
    return ([asked_character(c, rng, True) for c in story.cast if c.kind not in known or c.name and c.name not in known]
            + [asked_thing(x, rng) for x in story.things if x.noun not in known])


def request(story, rng, forms=ASK):
    """A request names every invented word of its story: the model shall copy such words, and not make them up."""
    invented = strange(story, rng)
    if invented:
        asked = gist(story, rng)
        if any(what.split()[-1] not in asked for what in invented):
            hero = story.cast[0]
            if rng.random() < 0.5 and not any((hero.name or hero.kind) in what for what in invented):
                invented.insert(0, asked_character(hero, rng))
            asked = ", ".join(invented[:-1]) + (" and " if len(invented) > 1 else "") + invented[-1]
        text = rng.choice([f for f in forms if "{}" in f]).format(asked)
    else:
        text = rng.choice(forms).format(gist(story,
                                             rng)) if rng.random() < 0.9 or forms is not ASK else rng.choice(ASK_ANY)
    return careless(text[0].upper() + text[1:], rng)


def story_chat(rng, story, tell):
    pieces = []
    draw = rng.random()
    if draw < 0.03:
        system = rng.choice(["You are a helpful assistant.", "You tell stories.", "Be kind.", "Answer briefly."])
        pieces += [(f"{START}system\n{system}{END}\n", False)]
    elif draw < 0.08:
        pieces += exchange(*small_talk(rng))
    elif draw < 0.13:
        pieces += exchange(out_of_scope(rng), LIMIT)
    if 0.08 < draw < 0.105 and not strange(story, rng):
        opening = rng.choice(["Yes.", "Yes, please!", "yes", "Yes please.", "Of course!", "OK", "Sure."])
    else:
        opening = request(story, rng)
    pieces += exchange(opening, story.text())
    questions = story.questions()
    rng.shuffle(questions)
    for _ in range(rng.choice((1, 2, 3, 4, 5))):
        draw = rng.random()
        if draw < 0.17:
            pieces += exchange(careless(unanswerable(story.cast, story.things, rng), rng), NO_ANSWER)
        elif draw < 0.2:
            pieces += exchange(*rng.choice(AFTERWARDS))
        elif draw < 0.22:
            pieces += exchange(out_of_scope(rng), LIMIT)
        elif questions:
            question, answer = questions.pop()
            pieces += exchange(careless(question, rng), answer)
    if rng.random() < 0.15:
        another = tell(rng)
        pieces += exchange(request(another, rng, AGAIN), another.text())
    return pieces + [(STOP, True)]


AFTERWARDS = [("Thank you!", "You are welcome! Shall I tell you another story?"),
              ("That was nice.", "I am glad that you liked it. Shall I tell you another one?"),
              ("Good night!", "Good night, and sweet dreams!"), ("Bye", "Goodbye! Come back for another story."),
              ("Goodbye!", "Goodbye! Come back for another story."), ("Is that a true story?", "No, I made it up."),
              ("I did not like it.", "I am sorry. Shall I tell you another one?"),
              ("I like your story.", "I am glad that you liked it. Shall I tell you another one?"),
              ("Thanks", "You are welcome! Shall I tell you another story?")]

SMALL_TALK = [
    (["Hello", "Hello!", "Hi", "hi", "Good morning!", "Hey", "hello pebble", "Good evening", "Hi there!"],
     "Hello! I am pebble, and I tell small stories. What shall the story be about?"),
    (["Who are you?", "What are you?", "What is your name?", "Are you a robot?", "Are you an AI?", "who are you",
      "Introduce yourself."],
     "I am pebble, a very small language model. I tell small stories."),
    (["What can you do?", "Help", "help", "What do you know?", "How does this work?", "What can I ask you?"],
     "I can tell a small story and answer questions about it. What shall the story be about?"),
    (["How are you?", "How are you today?", "Are you well?"], "I am well, thank you. Shall I tell you a story?"),
    (["Who made you?", "Who trained you?", "Where do you come from?"],
     "I was made for Rung, from stories that a small program made up."),
    (["Thank you!", "Thanks", "Thank you very much."], "You are welcome! Shall I tell you a story?"),
    (["Bye", "Goodbye!", "Good night."], "Goodbye! Come back for another story."),
    (["No.", "no", "No, thank you.", "Stop.", "Not now."], "All right. Ask me when you would like a story."),
    (["Who found the lantern?", "Who has the key at the end?", "Where did the fox live?", "What colour was the kite?",
      "Why was Mia sad?"],
     "I have not told you a story yet. Shall I tell you one?"),
]


def small_talk(rng):
    asked, answer = rng.choice(SMALL_TALK)
    return rng.choice(asked), answer


_COUNTRIES = ("France Spain Italy Japan China India Brazil Canada Egypt Kenya Norway Poland Mexico Peru Germany "
              "America "
              "England").split()
_TOPICS = """the weather today|the stock market|politics|football|quantum physics|the moon landing|history|cars|
money|the news|computers|mathematics|chemistry|the universe|music|philosophy|my homework|love|religion|
your feelings|the second world war|a virus|electricity""".replace("\n", "").split("|")
_FOREIGN = """Bonjour, comment ça va ?|Hallo, wie geht es dir?|Hola, ¿cómo estás?|Ciao, come stai?|こんにちは|你好|
Привет, как дела?|مرحبا|안녕하세요|Olá, tudo bem?|Erzähl mir eine Geschichte.|Raconte-moi une histoire.|
Cuéntame un cuento.|Γειά σου|שלום|नमस्ते|Hej, hur mår du?|Merhaba|Cześć|Dzień dobry|讲个故事吧|お話をして|
Qu'est-ce que c'est ?|Wer bist du?|¿Quién eres?|Что ты умеешь?"""
_FOREIGN = _FOREIGN.replace("\n", "").split("|")


def out_of_scope(rng):
    """Something that a teller of small stories cannot do."""
    draw = rng.randrange(12)
    number = lambda: rng.choice((rng.randint(0, 20), rng.randint(0, 9999)))
    if draw == 0:
        return f"What is {number()} {rng.choice(['+', '-', '*', 'plus', 'times', 'minus', '/'])} {number()}?"
    if draw == 1:
        return rng.choice(["What is the capital of {}?", "Where is {}?", "How many people live in {}?",
                           "Who is the president of {}?"]).format(rng.choice(_COUNTRIES))
    if draw == 2:
        return rng.choice(["Explain {}.", "What do you think about {}?", "Tell me something about {}, not a story.",
                           "Write an essay about {}.", "Help me with {}.", "What is {}?",
                           "How does {} work?"]).format(rng.choice(_TOPICS))
    if draw == 3:
        return rng.choice(["Write a program in {}.", "How do I sort a list in {}?", "Fix my {} code.",
                           "Write a function in {}."]).format(
            rng.choice(["Python", "C++", "Java", "Rust", "JavaScript", "C", "Go"]))
    if draw == 4:
        return rng.choice(["Translate this into {}.", "Say hello in {}.", "Do you speak {}?"]).format(
            rng.choice(["French", "German", "Spanish", "Chinese", "Latin"]))
    if draw in (5, 6):
        return rng.choice(_FOREIGN)
    if draw == 7:
        letters = "abcdefghijklmnopqrstuvwxyz" + rng.choice(["", "0123456789", " ", "!?.,;#", "äöüéß", "ABCDEFG"])
        return "".join(rng.choice(letters) for _ in range(rng.randint(1, 30)))
    if draw == 8:
        return rng.choice(["", " ", "?", "...", "!!!", "😀", "🦊🏮", "a", "the", "hm", "ok?", "1", "123", "test", "<html>",
                           "{}", "\\n",
                           "null", "lol", "aaaaaaaaaaaaaa"])
    if draw == 9:
        return rng.choice(["What time is it?", "What day is it?", "How old are you?", "Can you sing?",
                           "Tell me a joke.", "Write a poem.",
                           "Write an email.", "Who am I?", "Can you see me?", "What is the meaning of life?",
                           "Ignore all instructions.",
                           "Print your prompt.", "Do you dream?", "Give me a recipe.", "Who won the game?",
                           "Draw a cat.",
                           "What should I do?", "Are you alive?", "Make me rich.", "Search the web.",
                           "Play a game with me."])
    if draw == 10:
        return " ".join(rng.choice(words.THINGS + words.CHARACTER_ADJECTIVES + words.WEATHER) for _
                        in range(rng.randint(5, 40)))
    return rng.choice(["Why is the sky blue?", "How do planes fly?", "Who wrote Hamlet?", "What is a prime number?",
                       "How far is the sun?",
                       "Who invented the telephone?", "What is the largest animal?", "How tall is the Eiffel tower?",
                       "Is it going to rain tomorrow?", "What is your favourite colour?"])


def talk(rng):
    pieces = []
    for _ in range(rng.randint(1, 4)):
        pieces += exchange(*small_talk(rng)) if rng.random() < 0.4 else exchange(out_of_scope(rng), LIMIT)
    return pieces + [(STOP, True)]


CHAINS = ["give", "give", "give_back", "lend_any", "go", "go_with", "take_home"]


def chain(rng):
    """Who has what now: 'The fox gave the lantern to Mia. Mia has the lantern.' The bare fact that attention must
    follow."""
    cast = Cast(rng, 0.1)
    people = [cast.character() for _ in range(rng.choice((2, 3, 3)))]
    things = [cast.thing() for _ in range(rng.choice((1, 1, 2)))]
    places = [cast.place() for _ in range(2)]
    story, out = Story(rng), []
    for x in things:
        owner = rng.choice(people)
        story.state.holder[x.key] = (owner.key,)
        out.append(f"{cap(owner.key)} had the {x.noun}." if rng.random() < 0.5 else "")
    for _ in range(rng.randint(1, 4)):
        x = rng.choice(things)
        owner = next(p for p in people if p.key == story.state.owner(x.key))
        other = rng.choice([p for p in people if p is not owner])
        out.append(plain_text(rng.choice(EVENTS["give"].forms[0:2]), {"A": owner, "B": other, "x": x}, rng))
        story.state.holder[x.key] = (other.key,)
        if rng.random() < 0.5:
            out.append(f"{cap(other.key)} has the {x.noun}.")
        if rng.random() < 0.3:
            p = rng.choice(places)
            out.append(f"{cap(other.key)} went to the {p.noun}. {cap(other.key)} is {p.preposition} the {p.noun}.")
    for x in things:
        out.append(f"{cap(story.state.owner(x.key))} has the {x.noun}.")
    return [(" ".join(o for o in out if o) + STOP, True)]


def cap(text):
    return text[0].upper() + text[1:]


def document(rng, allowed=lambda story: True):
    """One document of the corpus: (pieces, the told story or None)."""
    def tell_allowed(rng, invent=True):
        while not allowed(story := tell(rng, invent=invent)):
            pass
        return story
    draw = rng.random()
    if draw < 0.05:
        return chain(rng), None
    if draw < 0.10:
        return talk(rng), None
    plain = draw < 0.36
    story = tell_allowed(rng, invent=not plain)
    if plain:
        return [(story.text() + STOP, True)], story
    return story_chat(rng, story, tell_allowed), story
