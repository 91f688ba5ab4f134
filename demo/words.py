"""The words that the shop's people, products and texts are made of: short lists, and nobody real in them."""

from __future__ import annotations

from itertools import product

# Each culture apart: given names, family names, both with the spelling that an e-mail address can carry.
_GERMAN = (
    {"Jürgen": "juergen", "Käthe": "kaethe", "Lotte": "lotte", "Götz": "goetz", "Frieda": "frieda", "Björn": "bjoern"},
    {"Müßig": "muessig", "Öhler": "oehler", "Kranich": "kranich", "Weißdorn": "weissdorn", "Amsel": "amsel"},
)
_FRENCH = (
    {"Zoë": "zoe", "Aurélie": "aurelie", "Benoît": "benoit", "François": "francois", "Maëlle": "maelle"},
    {"D'Aubépine": "daubepine", "Crécerelle": "crecerelle", "Lœuvre": "loeuvre", "Peuplier": "peuplier"},
)
_NORDIC = (
    {"Søren": "soeren", "Åsa": "aasa", "Ragnhildur": "ragnhildur", "Þór": "thor", "Linnéa": "linnea"},
    {"Ångström": "aangstroem", "Bjørnsund": "bjoernsund", "Sjöblad": "sjoeblad", "Lilleæng": "lilleaeng"},
)
_IGBO_AND_ENGLISH = (
    {"Chiọma": "chioma", "Obi": "obi", "Maeve": "maeve", "Tom": "tom", "Ngọzi": "ngozi", "Elsie": "elsie"},
    {"O'Thistle": "othistle", "Okwudili": "okwudili", "Fernsby": "fernsby", "Larkspur": "larkspur"},
)
_SLAVIC_AND_GREEK = (
    {"Дарина": "daryna", "Остап": "ostap", "Łucja": "lucja", "Ελένη": "eleni", "Čeněk": "cenek"},
    {"Ясенко": "yasenko", "Żurawik": "zurawik", "Δρυάς": "dryas", "Říčka": "ricka"},
)
_JAPANESE_AND_KOREAN = (
    {"さくら": "sakura", "蓮": "ren", "葵": "aoi", "하늘": "haneul", "잔디": "jandi"},
    {"山桜": "yamazakura", "川端野": "kawabatano", "소나무": "sonamu"},
)
_NAME_FIRST = (_GERMAN, _FRENCH, _NORDIC, _IGBO_AND_ENGLISH, _SLAVIC_AND_GREEK)

# A name, and how its e-mail address begins.
NAMES = [
    (f"{given} {family}", f"{mail_given}.{mail_family}")
    for givens, families in _NAME_FIRST
    for (given, mail_given), (family, mail_family) in product(givens.items(), families.items())
] + [
    (f"{family} {given}", f"{mail_given}.{mail_family}")
    for (given, mail_given), (family, mail_family) in product(*(words.items() for words in _JAPANESE_AND_KOREAN))
]

STREETS = [
    *("Lindenallee", "Am Alten Hafen", "Rue des Écluses", "Straße der Kraniche", "Calle del Álamo", "Kirkegårdsvej"),
    *("Mill Lane", "St. Brendan's Row", "Via delle Querce", "桜通り", "Ulica Żurawia", "Hovedgade"),
]
# Postcode, city, country.
CITIES = [
    *(("10999", "Berlin", "DE"), ("50667", "Köln", "DE"), ("69002", "Lyon", "FR"), ("8000", "Aarhus", "DK")),
    *(("211 20", "Malmö", "SE"), ("1100-148", "Lisboa", "PT"), ("31-001", "Kraków", "PL"), ("8001", "Zürich", "CH")),
    *(("101", "Reykjavík", "IS"), ("604-8001", "京都市", "JP"), ("D02 X285", "Dublin", "IE"), ("1010", "Wien", "AT")),
]

INTERESTS = ["gardening", "tea", "chess", "sailing", "bread", "astronomy", "crochet", "fountain pens", "bees", "maps"]

PRODUCTS = [
    f"{adjective} {noun}"
    for adjective, noun in product(
        ("Blue", "Oak", "Linen", "Enamel", "Copper", "Felt", "Small", "Folding", "Striped", "Old-fashioned"),
        ("teapot", "lamp", "notebook", "apron", "chair", "kite", "basket", "clock", "lantern", "map", "bell", "jug"),
    )
]

SUBJECTS = [
    "Where is my parcel?",
    "The lid doesn't close",
    "Wrong colour",
    "Invoice with another address",
    "A question",
]

GIFT_MESSAGES = [
    "Happy birthday, and don't drop it!",
    'For "the best neighbour in the world"',
    "お誕生日おめでとう",
    "Alles Gute\nvon uns allen",
]

_OPENINGS = ["Hello,\n", "Hi! ", "", "Good morning. ", "Grüß dich, "]
_SENTENCES = [
    "the parcel came on Tuesday and the box was wet.",
    "could you send me the bill once more?",
    "I'd swap mine for the blue one, if you still have it.",
    'my mother says "never buy a clock on credit".',
    "the path was C:\\photos\\spring, but the file is gone.",
    "we meet at half past six behind the bakery.",
    "ça marche, à bientôt.",
    "das passt mir gut.",
    "来週また連絡します。",
    "it costs 40 % less than last year 🙂",
    "a spare part would do; the rest is fine.",
    "thank you for the recipe, it worked at once.",
]
_CLOSINGS = ["", "\nSee you", " Best wishes", "\n\n-- \nsent from the garden"]

MESSAGES = ["".join(parts) for parts in product(_OPENINGS, _SENTENCES, _CLOSINGS)]
COMMENTS = ["".join(parts) for parts in product(_SENTENCES, _CLOSINGS[:3])]

TITLES = ["Packing list", "Recipe", "Minutes", "Garden diary", "Reading list", "Ideas"]
# A note takes one of each, twice.
NOTE_PARTS = [
    ["Hang", "Repair", "Paint", "Look for", "Measure", "Lend out", "Bring back", "Wrap", "Count", "Ask about", "Clean"],
    [
        "the spare",
        "the old",
        "the third",
        "a heavy",
        "the blue",
        "my",
        "a borrowed",
        "the smallest",
        "every",
        "the wet",
    ],
    [
        *(
            "key",
            "teapot",
            "kite",
            "map",
            "lamp",
            "clock",
            "basket",
            "beehive",
            "bell",
            "chair",
            "ladder",
            "photograph",
        ),
        *("letter", "lantern", "rope", "oar", "recipe", "apron", "notebook", "gate", "blanket", "chess set", "bicycle"),
    ],
    ["behind", "beside", "under", "on the way to", "across from", "inside", "above", "before opening", "near", "for"],
    [
        *("the boathouse", "the greenhouse", "the harbour", "the slate roof", "the fish market", "the night school"),
        *("the orchard", "the post office", "the last house", "the light well", "the stone bridge", "the shed"),
        *("the library", "the warehouse", "the tea house", "the railway arch", "the playground", "the bakery"),
    ],
    [
        "in spring.",
        "as grandmother did.",
        "when it rains.",
        "before six.",
        "with Anna's hammer.",
        "at low tide.",
        "twice.",
    ],
]
