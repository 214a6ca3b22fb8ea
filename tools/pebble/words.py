"""The words of pebble's small world: who lives there, what lies about, where one can go.

Enters: nothing. Leaves: the lists below, and a maker of invented words (so that the model learns to copy
what it is asked for, also words that it never saw).
"""

# kind → pronoun; "?" means that each story chooses.
ANIMALS = """fox bear rabbit mouse owl hedgehog squirrel badger otter frog duck goose hen cat dog kitten
puppy pony donkey goat lamb pig cow turtle snail crow sparrow robin swan beaver mole deer wolf lion elephant
monkey""".split()
ROLES = {"king": "he", "queen": "she", "prince": "he", "princess": "she", "witch": "she", "wizard": "he", "baker": "?",
         "farmer": "?", "miller": "?", "sailor": "?", "shepherd": "?", "tailor": "?", "gardener": "?", "giant": "?",
         "knight": "?", "robot": "?", "dragon": "?", "fairy": "she", "dwarf": "he", "elf": "?"}
GIRLS = "Mia Lily Anna Ella Rosa Nina Clara Ruth Ivy Zoe May Lucy".split()
BOYS = "Tom Ben Sam Max Leo Finn Jack Paul Otto Hugo Noah Emil".split()
PET_NAMES = {"he": "Pip Bruno Oscar Rusty Toby Milo Jasper Barney".split(),
             "she": "Dot Poppy Hazel Bella Daisy Tilly Pearl Luna".split()}
# Seen seldom: the model must copy them rather than know them.
RARE_KINDS = """ant bee beetle butterfly camel crab dolphin eagle falcon ferret gecko giraffe heron hippo
horse kangaroo koala lizard llama lobster magpie moth newt octopus ostrich panda parrot peacock penguin
pigeon raccoon raven seal shark sheep sloth spider stork toad walrus weasel whale worm zebra astronaut
doctor teacher pirate painter clown postman fisherman ghost mermaid captain cook nurse""".split()

# What a thing is good for: the trouble plots ask for it.
THINGS_BY_USE = {
    "light": "lantern candle lamp torch".split(),
    "warm": "blanket scarf coat shawl sweater quilt".split(),
    "dry": "umbrella cloak tent".split(),
    "pull": "rope net pole chain".split(),
    "reach": "ladder stool basket bucket".split(),
    "cross": "boat raft plank canoe".split(),
    "open": "key".split(),
    "mend": "hammer needle brush saw".split(),
    "dig": "shovel spade spoon rake".split(),
    "way": "map compass bell whistle".split(),
    "clean": "broom mop sponge".split(),
    "food": """apple pear plum peach cherry carrot turnip pumpkin melon bun cake pie cookie pancake muffin
               sandwich pretzel egg potato tart biscuit waffle tomato banana""".split(),
    "music": "flute drum fiddle harp trumpet horn guitar".split(),
    "wear": "hat cap crown ring necklace mitten glove sock boot ribbon button belt bracelet mask cape".split(),
    "toy": """ball kite doll puppet marble puzzle top sled swing hoop balloon teddy wagon scooter bicycle
               yoyo windmill""".split(),
    "other": """book clock mirror feather shell stone coin box jar cup bowl plate pan pot kettle pillow
               chair table picture letter pencil flag vase watch bottle bag sack purse chest wheel star
               flower rose leaf acorn nut seed pinecone branch stick teapot comb crystal pebble diamond
               statue globe telescope cart cushion nest medal locket jug mug tray card badge lens magnet
               spring rattle painting bench""".split(),
}
THING_USE = {noun: use for use, nouns in THINGS_BY_USE.items() for noun in nouns if "-" not in noun}
THINGS = sorted(THING_USE)
RARE_THINGS = """abacus accordion anchor anvil axe bagpipe barrel bagel banjo barometer bookmark broth
candlestick carpet cello chessboard clarinet corkscrew cradle crayon dice easel envelope eraser fan fork
funnel gong goggles hammock harmonica helmet hourglass inkpot jacket jigsaw kazoo ladle lute mandolin mango
mitt napkin oboe olive onion oven paddle parasol pepper piano pickle pinwheel pipe pitcher radio radish
ruler saddle sandal saucer scroll shield sieve skateboard slipper snowglobe spanner tambourine tile trombone
trophy trowel tuba ukulele violin wallet walnut wand whisk wreath xylophone zipper microscope camera rocket
train""".split()
RARE_THINGS = [t for t in RARE_THINGS if t not in ("goggles", "dice", "broth")]

# place → (preposition, may be a home)
PLACES = {
    "forest": ("in", 1), "village": ("in", 1), "town": ("in", 1), "valley": ("in", 1), "meadow": ("in", 1),
    "garden": ("in", 0),
    "park": ("in", 0), "orchard": ("in", 0), "field": ("in", 0), "barn": ("in", 1), "cave": ("in", 1),
    "castle": ("in", 1),
    "palace": ("in", 1), "tower": ("in", 1), "mill": ("in", 1), "cottage": ("in", 1), "kitchen": ("in", 0),
    "library": ("in", 0),
    "attic": ("in", 0), "cellar": ("in", 0), "stable": ("in", 1), "shed": ("in", 0), "market": ("at", 0),
    "school": ("at", 0),
    "harbour": ("at", 0), "station": ("at", 0), "bakery": ("at", 0), "fair": ("at", 0), "playground": ("at", 0),
    "well": ("at", 0),
    "river": ("by", 1), "lake": ("by", 1), "pond": ("by", 1), "sea": ("by", 1), "stream": ("by", 1),
    "waterfall": ("by", 1),
    "bridge": ("by", 1), "gate": ("by", 0), "fountain": ("by", 0), "lighthouse": ("by", 1), "hill": ("on", 1),
    "mountain": ("on", 1),
    "beach": ("on", 0), "island": ("on", 1), "farm": ("on", 1), "road": ("on", 0), "cliff": ("on", 0),
    "swamp": ("in", 1),
    "jungle": ("in", 1), "desert": ("in", 1), "churchyard": ("in", 0), "hut": ("in", 1), "greenhouse": ("in", 0),
    "courtyard": ("in", 0),
    "dunes": ("in", 0), "glade": ("in", 1), "heath": ("on", 0), "vineyard": ("in", 0), "quarry": ("in", 0),
    "moor": ("on", 1),
}

COLOURS = "red blue green yellow white golden silver brown purple orange black pink".split()
QUALITIES = "old new small big shiny little pretty fine lovely round".split()
CHARACTER_ADJECTIVES = """old little small young kind brave clever shy cheerful lazy busy gentle curious
quiet merry friendly""".split()

# Plain slots: the words that may stand in [w], [d] and so on.
WEATHER = "sunny rainy windy snowy foggy cloudy warm cold bright stormy".split()
DETAILS = """under a bush|behind a big stone|in the tall grass|under an old tree|between two roots|
behind a fence|in a hollow log|under a pile of leaves|next to a puddle|on a low branch|
beside the path|under a wooden bench|in a muddy ditch|behind an empty barrel""".replace("\n", "").split("|")
GIVERS = "grandmother grandfather mother father aunt uncle sister brother".split()
ERRANDS = """to pick berries|to look for mushrooms|to fetch water|to play|to gather flowers|
to visit a friend|to look for shells|to take a walk|to collect firewood|to read in peace|
to count the stars|to look at the birds|to buy bread|to draw a picture|to find a quiet place"""
ERRANDS = ERRANDS.replace("\n", "").split("|")
PLAIN = {"w": WEATHER, "d": DETAILS, "g": GIVERS, "e": ERRANDS}

# What there is to see or hear in a place.
SCENES = {"water": "river lake pond sea stream waterfall harbour beach island well fountain bridge swamp".split(),
          "green": """forest meadow garden park orchard field valley jungle glade heath vineyard moor
                      churchyard dunes""".split(),
          "house": "barn cave cottage kitchen library attic cellar stable shed hut greenhouse mill".split(),
          "high": "hill mountain tower cliff castle lighthouse".split(),
          "busy": "market school station fair playground town village bakery courtyard".split()}
SCENE_OF = {place: scene for scene, places in SCENES.items() for place in places}

KNOWN = {*ANIMALS, *ROLES, *GIRLS, *BOYS, *PET_NAMES["he"], *PET_NAMES["she"], *RARE_KINDS, *RARE_THINGS, *THINGS,
         "girl", "boy"}

_ONSETS = "b d f g h k l m n p r s t v w z bl br cl dr fl gl gr kr pl pr sk sl sn sp st tr tw".split()
_VOWELS = "a e i o u oo ee".split()
_ENDS = ["", "", "", "n", "m", "l", "p", "t", "x", "k", "b", "bble", "ck", "lly"]


def invented(rng):
    """A word that nobody knows: 'flimbo', 'drenk'."""
    middle = "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((1, 1, 2))))
    return middle + rng.choice(_ONSETS[:16]) + rng.choice("aeiou") + rng.choice(_ENDS)


def with_article(words):
    """'apple' → 'an apple'."""
    return ("an " if words[0].lower() in "aeiou" and not words.startswith(("uni", "uku", "use", "ewe", "one"))
            else "a ") + words
