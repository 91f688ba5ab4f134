"""How the map names what is in a database: tables, columns, and places within a column.

A name is taken as it is, capitals and all. Quotes are needed only around one that holds a dot, a comma, a quote, an
operator or a space at its edge: `app."odd.name"`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTED = r'"(?:[^"]|"")+"'
_PART = re.compile(rf'\s*(?:(?P<quoted>{_QUOTED})|(?P<plain>[^".,\s](?:[^".,]*[^".,\s])?))\s*')
_COLUMN = re.compile(rf"""\s*(?:(?P<quoted>{_QUOTED})|(?P<plain>(?:(?!->|\#>|::|[\[,"'=<>();]).)+))\s*""")
_STEP = re.compile(
    r"""\s*(?:
      (?P<arrow>->>?)\s*(?:'(?P<key>(?:[^']|'')*)'|(?P<index>\d+))
      | (?P<hash>\#>>?)\s*'\{(?P<keys>(?:[^']|'')*)\}'
      | (?P<each>\[\s*\*?\s*\])
      | (?P<cast>::\s*jsonb?)
    )\s*""",
    re.VERBOSE,
)
_PATH_KEY = re.compile(
    r"""\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^",{}\\\s](?:[^",{}\\]*[^",{}\\\s])?))\s*""", re.DOTALL
)
_PLAIN_PATH_KEY = re.compile(r"[\w-]+")
_SHOWN_PLAIN = re.compile(r"\w(?:[\w$ -]*[\w$])?")
_WORDS_OF_CONDITIONS = re.compile(r"(?<![\w$-])(?:and|is|in|not)(?![\w$-])", re.IGNORECASE)
_SQL_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_LONGEST = 63  # bytes: Postgres cuts a longer name, which then names something else
# Postgres' keywords that are a name only in quotes, of all versions up to 18; the tests ask the server.
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
    cast char character check coalesce collate collation column concurrently constraint create cross current_catalog
    current_date current_role current_schema current_time current_timestamp current_user dec decimal default
    deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant
    greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join
    json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value lateral leading least left like limit localtime localtimestamp merge_action national
    natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
    placing position precision primary real references returning right row select session_user setof similar
    smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true
    union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
    xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """,
    )
)


class NotAName(ValueError):
    """A text that names nothing."""


@dataclass(frozen=True, order=True)
class Table:
    """A table, by schema and name."""

    schema: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Table:
        """`app.users`, or `users` for one in public."""
        parts = _parts(text)
        if len(parts) == 1:
            return cls("public", parts[0])
        if len(parts) == 2:
            return cls(*parts)
        raise NotAName(f"{text!r} is no table: write schema.table, with quotes around a name that holds a dot")

    def __str__(self) -> str:
        return f"{shown(self.schema)}.{shown(self.name)}"

    @property
    def sql(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"


EACH = None  # among the steps of a place: every element of an array
Step = str | None


@dataclass(frozen=True)
class Place:
    """Where in a row a person is named: a column, several together, an element of an array, or a value in JSON."""

    columns: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    is_cast: bool = False  # JSON that is kept as text
    as_path: bool = False  # written with #>> and not with ->>: an index on the expression fits one of them only

    @classmethod
    def parse(cls, text: str) -> Place:
        """`user_id` · `tenant_id, user_id` · `watcher_ids[]` · `payload->'actor'->>'id'` · `notes::jsonb->>'by'`."""
        columns, position = _columns(text)
        steps: list[Step] = []
        is_cast = as_path = False
        while position < len(text):
            match = _STEP.match(text, position)
            if match is None or (match["cast"] and (steps or is_cast)):
                raise NotAName(f"{text!r} is no column and no place within one, from {text[position:].strip()!r} on")
            is_cast = is_cast or bool(match["cast"])
            as_path = as_path or bool(match["hash"])
            steps.extend(_steps(match, text))
            position = match.end()
        if len(columns) > 1 and (steps or is_cast):
            raise NotAName(f"{text!r} mixes several columns with a place within one")
        return cls(columns, tuple(steps), is_cast, as_path and EACH not in steps)

    @property
    def column(self) -> str:
        """The one column, or the first."""
        return self.columns[0]

    @property
    def is_plain(self) -> bool:
        """Whether it is nothing but a column, or several."""
        return not self.steps and not self.is_cast

    @property
    def is_array(self) -> bool:
        """Whether it is each element of an array of Postgres."""
        return self.steps == (EACH,) and not self.is_cast

    @property
    def is_json(self) -> bool:
        return not self.is_plain and not self.is_array

    def __str__(self) -> str:
        text = ", ".join(map(shown, self.columns)) + ("::jsonb" if self.is_cast else "")
        if self.as_path:
            return f"{text}#>>{_constant('{' + ','.join(map(_path_key, self.steps)) + '}')}"
        for position, step in enumerate(self.steps):
            if step is EACH:
                text += "[]"
            else:
                text += ("->>" if position == len(self.steps) - 1 else "->") + _constant(step)
        return text


def _steps(match: re.Match[str], text: str) -> list[Step]:
    """The steps that one operator takes; a cast takes none."""
    if match["each"]:
        return [EACH]
    if match["hash"]:
        return list(_path(match["keys"].replace("''", "'"), text))
    if match["arrow"]:
        return [match["key"].replace("''", "'") if match["key"] is not None else match["index"]]
    return []


def _path(keys: str, text: str) -> Iterator[str]:
    """The keys within `'{a,b}'`, which is an array of Postgres."""
    position = 0
    while True:
        match = _PATH_KEY.match(keys, position)
        if match is None or match["plain"] == "NULL":
            raise NotAName(f"{text!r} has no path between its braces: write #>>'{{key,key}}'")
        yield match["plain"] if match["quoted"] is None else re.sub(r"\\(.)", r"\1", match["quoted"], flags=re.DOTALL)
        position = match.end() + 1
        if match.end() == len(keys):
            return
        if keys[match.end()] != ",":
            raise NotAName(f"{text!r} has no path between its braces: write #>>'{{key,key}}'")


def _path_key(step: Step) -> str:
    key = str(step)
    if _PLAIN_PATH_KEY.fullmatch(key) and key.upper() != "NULL":
        return key
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _constant(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _columns(text: str) -> tuple[tuple[str, ...], int]:
    names: list[str] = []
    position = 0
    while True:
        match = _COLUMN.match(text, position)
        if match is None or not (name := _unquoted(match)):
            raise NotAName(f"{text!r} names no column")
        names.append(name)
        position = match.end()
        if position >= len(text) or text[position] != ",":
            return tuple(names), position
        position += 1


def columns(text: str) -> tuple[str, ...]:
    """`id`, or several with commas between them."""
    names, end = _columns(text)
    if end < len(text):
        raise NotAName(f"{text!r} is no list of columns, from {text[end:].strip()!r} on")
    return names


@dataclass(frozen=True)
class Target:
    """What a link points at: a table, and which of its columns if it says so."""

    table: Table
    columns: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Target:
        """`app.orders.id`, `app.users.tenant_id, id`, or `app.orders` for its primary key."""
        parts, separators = _split(text)
        dots = separators.count(".")
        if len(parts) == 2 and separators == ["."]:
            return cls(Table(*parts))
        if len(parts) > 2 and dots == 2 and separators[:2] == [".", "."]:
            return cls(Table(parts[0], parts[1]), tuple(parts[2:]))
        raise NotAName(f"{text!r} is no target: write schema.table.column")

    def __str__(self) -> str:
        listed = ", ".join(map(shown, self.columns))
        return f"{self.table}.{listed}" if listed else str(self.table)


def _parts(text: str) -> list[str]:
    parts, separators = _split(text)
    if "," in separators:
        raise NotAName(f"{text!r} is no name: put quotes around a part that holds a comma")
    return parts


def _split(text: str) -> tuple[list[str], list[str]]:
    """The names in a text, and the dots and commas between them."""
    parts: list[str] = []
    separators: list[str] = []
    position = 0
    while True:
        match = _PART.match(text, position)
        if match is None:
            raise NotAName(f"{text!r} is no name" if text.strip() else "a name is empty")
        parts.append(_unquoted(match))
        position = match.end()
        if position == len(text):
            return parts, separators
        if text[position] not in ".,":
            raise NotAName(f"{text!r} is no name: put quotes around a part that holds {text[position]!r}")
        separators.append(text[position])
        position += 1


def _unquoted(match: re.Match[str]) -> str:
    return match["plain"].strip() if match["quoted"] is None else match["quoted"][1:-1].replace('""', '"')


def shown(name: str) -> str:
    """A name as the map writes it."""
    if _SHOWN_PLAIN.fullmatch(name) and not _WORDS_OF_CONDITIONS.search(name):
        return name
    return '"' + name.replace('"', '""') + '"'


@functools.lru_cache(maxsize=20_000)
def quoted(name: str) -> str:
    """A name as SQL takes it, with quotes where they are needed: what Postgres' own quote_ident answers."""
    if "\0" in name or not name:
        raise NotAName("a name is empty or holds a zero byte")
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST:
        raise NotAName(f"{name!r} is longer than the {_LONGEST} bytes that Postgres keeps of a name")
    if _SQL_PLAIN.fullmatch(name) and name not in _KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text as SQL takes it. Only what stands in the map is ever written so, never a person's value."""
    if "\0" in value:
        raise NotAName("a text holds a zero byte, which no text of Postgres can")
    text = "'" + value.replace("'", "''") + "'"
    return " E" + text.replace("\\", "\\\\") if "\\" in text else text
