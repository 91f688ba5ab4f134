"""Names and words that somebody did not think of: reserved, quoted, with the signs that SQL, YAML and drivers read."""

from __future__ import annotations

LONGEST = "x" * 63
LONGEST_IN_BYTES = "é" * 31 + "x"

# Of a schema, a table, a column, a constraint, a type.
NAMES = (
    "select",
    "Order",
    "user",
    'we"ird',
    "it's",
    "semi;colon",
    "100%",
    "%s",
    "%(a)s",
    ":x",
    "$1",
    "two words",
    " edge ",
    "dot.ted",
    "comma,name",
    "arrow->>key",
    "a->b",
    "a#>>b",
    "a::jsonb",
    "a[]",
    "{brace}",
    "(round)",
    "back\\slash",
    "-- comment",
    "/* comment */",
    "ünï¢ode",
    "名前",
    LONGEST,
    LONGEST_IN_BYTES,
    "gdpr_person",
    "gdpr_position",
    "gdpr",
    "t",
    "p",
    "q",
    "id",
    "key",
    "subject",
    "person",
    "row",
    "rows",
    "new",
    "excluded",
    "1st",
    "08",
    "no",
    "null",
    "true",
    "=",
    "and",
    "a = 'b' and c",
    "'",
    '"',
)

# A key of JSON, a label of an enumeration, a constant in a condition.
WORDS = (
    "User",
    "user's",
    'user "u"',
    "back\\slash",
    "%s",
    "100%",
    ":x",
    "a and b",
    "'and'",
    "x' or '1'='1",
    "ünï¢ode",
    "{a,b}",
    "a.b",
    "->>",
    "null",
    "1",
)


def fitted(name: str, suffix: str) -> str:
    """The name with something behind it, still no longer than Postgres lets a name be."""
    head = name.encode()[: 63 - len(suffix.encode())].decode(errors="ignore")
    return head + suffix
