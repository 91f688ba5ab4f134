"""The proposal as datamap.yaml: what the map says, and beside it, as comments, why and how sure that is."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datamap.discover import words
from datamap.discover.finding import Decision, Holding, Kind, Link, Proposal
from datamap.names import Target

if TYPE_CHECKING:
    from datamap.discover.cache_lines import Line

ACTIVITY = "to_be_described"
_PLAIN = re.compile(r"[A-Za-z_][\w.()>-]*(?: [\w.()>-]+)*")
_WORDS = words.listed("true false null yes no on off y n ~")
_WIDTH = 46  # where comments begin
_WIDEST = 100
_LEGEND = "A comment beside or above a line says why it is proposed, and how sure that is: high, medium or low."
_NEXT = (
    "#",
    "# What to do now, from top to bottom:",
    "#   1. controller: who answers to the people.",
    "#   2. activities: no database says why data is kept. Make as many of the one as there are reasons.",
    "#   3. each `undecided`: the comment there names the choices; `gdpr map check` lists what is left.",
    "#   4. the rest: read it. What is proposed may be wrong, and an erasure goes by it.",
)
_SHORT = 6  # a comment that may stand behind a line that is long already


def written(proposal: Proposal, cache: Iterable[object] = ()) -> str:
    """The whole file."""
    return "\n".join([*_lines(proposal), *_cache(cache)]) + "\n"


def _lines(proposal: Proposal) -> Iterator[str]:
    yield "# yaml-language-server: $schema=./datamap.schema.json"
    yield from _head(proposal)
    yield "version: 1"
    yield "controller: {name: undecided, contact: undecided, authority: undecided}"
    yield from _subjects(proposal.kinds)
    yield "activities:"
    yield from activity("  ")
    yield "tables:" if proposal.decisions else "tables: {}"
    for decision in proposal.decisions:
        yield from table(decision, several=len(proposal.kinds) > 1)


def _head(proposal: Proposal) -> Iterator[str]:
    """What this is, what to do with it, and what could not be seen."""
    tables = len(proposal.decisions)
    left = sum(is_open(each) for each in proposal.decisions)
    amount = f"{tables} {'table' if tables == 1 else 'tables'}, {left} of them with something left `undecided`"
    yield from _remark(f"Proposed by `gdpr map discover`: {amount}. {_LEGEND}")
    yield from _NEXT
    if proposal.notes:
        yield "#"
    for note in proposal.notes:
        yield from _remark(note)


def activity(indent: str) -> Iterator[str]:
    """The one to which all that is proposed belongs, until a person has told them apart."""
    yield f"{indent}{ACTIVITY}:  # purpose, legal_basis, recipients and retention cannot be read from a database"
    yield f"{indent}  description: undecided"


def is_open(decision: Decision) -> bool:
    """Whether a person has to decide something here."""
    parts = [decision.erase, decision.shared, *(part for link in decision.links for part in (link.erase, link.role))]
    return decision.is_undecided or "undecided" in parts


def _subjects(kinds: tuple[Kind, ...]) -> Iterator[str]:
    if len(kinds) == 1:
        yield from _with("subject:", f"{kinds[0].evidence}; {kinds[0].confidence}")
        yield from _subject(kinds[0], "  ")
        return
    yield "subjects:"
    for kind in kinds:
        yield from _with(f"  {_key(kind.name)}:", f"{kind.evidence}; {kind.confidence}")
        yield from _subject(kind, "    ")


def _subject(kind: Kind, indent: str) -> Iterator[str]:
    yield f"{indent}table: {_value(str(kind.table))}"
    yield f"{indent}key: {_value(kind.key[0] if len(kind.key) == 1 else list(kind.key))}"
    if kind.identities:
        entries = {name: _identity(kind, name) for name in kind.identities}
        yield f"{indent}identities: {_value(entries)}"
    if kind.birth:
        yield f"{indent}birth: {_value(kind.birth)}"


def _identity(kind: Kind, name: str) -> Any:
    column = kind.identities[name]
    if name in kind.homes:
        return {"column": column, "match": {"phone": kind.homes[name]}}
    return {"column": column, "match": "folded"} if name in kind.folded else column


def table(decision: Decision, *, several: bool, activity: str = ACTIVITY) -> Iterator[str]:
    """The lines of one table."""
    name, notes = f"  {_key(str(decision.table))}:", [*decision.notes]
    if not is_open(decision):
        notes = [f"{notes[0]}; {decision.confidence}" if notes else decision.confidence, *notes[1:]]
    if decision.is_undecided:
        name += " undecided"
    elif not decision.personal and not decision.links:
        name += f" {{personal: false, reason: {_value(decision.reason)}}}"
    is_beside = bool(notes) and (_fits(name, notes[0]) or len(notes[0]) <= _SHORT)
    yield _beside(name, notes.pop(0)) if is_beside else name
    for note in notes:
        yield from _remark(note, "    # ")
    if (decision.personal or decision.links) and not decision.is_undecided:
        yield from _entry(decision, several=several, activity=activity)


def _entry(decision: Decision, *, several: bool, activity: str) -> Iterator[str]:
    if not decision.personal:
        yield "    personal: false"
    elif not decision.is_unread:
        yield f"    activity: {activity}"
    if decision.shared:
        yield f"    shared: {_value(decision.shared)}"
    if decision.reason:
        yield f"    reason: {_value(decision.reason)}"
    if decision.erase:
        yield f"    erase: {decision.erase}"
    if decision.key:
        yield f"    key: {_value(list(decision.key))}"
    yield from _links(decision, several=several)
    if decision.columns:
        yield "    columns:"
        for name, holding in decision.columns.items():
            yield from column(name, holding, "      ")


def column(name: str, holding: Holding, indent: str) -> Iterator[str]:
    """What one column holds."""
    yield from _with(f"{indent}{_key(name)}: {_held(holding)}", f"{holding.evidence}; {holding.confidence}")


def _links(decision: Decision, *, several: bool) -> Iterator[str]:
    named: dict[str, list[Link]] = {}
    silent: list[Link] = []
    for link in decision.links:
        if _said_of(link, several=several) or link.foreign_key is None or _is_one_of_several(link, decision.links):
            named.setdefault(str(link.place), []).append(link)
        else:
            silent.append(link)
    for link in silent:
        yield from _remark(f"{link.place}: {_evidence(link)}", "    # ", "    #   ")
    if named:
        yield "    links:"
    for place, group in named.items():
        yield from links(place, group, "      ", several=several)


def _is_one_of_several(link: Link, others: Sequence[Link]) -> bool:
    """Whether a row may be somebody's in another way as well: then the map has to say that it is theirs."""
    return link.is_person and link.is_owner and any(each.is_owner and each.place != link.place for each in others)


def links(place: str, group: Sequence[Link], indent: str, *, several: bool) -> Iterator[str]:
    """The links of one place: one, or one for each condition."""
    if len(group) == 1:
        said = _value(_said_of(group[0], several=several))
        yield from _with(f"{indent}{_key(place)}: {said}", _evidence(group[0]))
        return
    yield f"{indent}{_key(place)}:"
    for link in group:
        yield from _with(f"{indent}  - {_value(_said_of(link, several=several))}", _evidence(link))


def _evidence(link: Link) -> str:
    notes = "".join(f"; {note}" for note in link.notes)
    return f"{link.evidence}; {link.confidence}{notes}"


def _said_of(link: Link, *, several: bool) -> Any:
    """What the map has to say of a link; of a foreign key that is an owner, nothing."""
    said: dict[str, Any] = {}
    if link.foreign_key is None and link.identity is None:
        said["to"] = str(Target(link.target, link.target_columns))
    if link.identity is not None:
        said |= {"subject": link.kind} if several else {}
        said["identity"] = link.identity
    if link.when:
        said["when"] = link.when
    if link.role != "owner":
        said["role"] = link.role
    if link.erase is not None:
        said["erase"] = link.erase
    if link.redact:
        said["export"] = {"redact": list(link.redact)}
    return link.role if set(said) == {"role"} else said


def _held(holding: Holding) -> str:
    if holding.category is None:
        return _value({"personal": False, "reason": holding.reason} if holding.reason else False)
    if not holding.entry:
        return _value(holding.category)
    return _value({"category": holding.category, **holding.entry})


def _cache(patterns: Iterable[object]) -> Iterator[str]:
    lines = [line for pattern in patterns for line in str(pattern).splitlines()]
    if lines:
        yield "cache:"
        yield from (f"  {line}" for line in lines)


def _with(line: str, comment: str) -> Iterator[str]:
    """A line with its comment; where there is no room behind it, above it."""
    indent = line[: len(line) - len(line.lstrip())]
    if not _fits(line, comment):
        yield from _remark(comment, f"{indent}# ")
        yield line
    else:
        yield _beside(line, comment)


def _beside(line: str, comment: str) -> str:
    return f"{line:<{_WIDTH}}  # {_said(comment)}"


def _fits(line: str, comment: str) -> bool:
    return len(_beside(line, comment)) <= _WIDEST


def _remark(comment: str, indent: str = "# ", further: str | None = None) -> Iterator[str]:
    """Lines of a comment that is read without scrolling."""
    yield from textwrap.wrap(
        _said(comment),
        _WIDEST,
        initial_indent=indent,
        subsequent_indent=indent if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _said(comment: str) -> str:
    """On one line, whatever a name holds."""
    return "".join(each if each.isprintable() else "?" for each in comment)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][\w.]*", name, re.ASCII) and name.lower() not in _WORDS else _quoted(name)


def _value(value: Any) -> str:
    """Flow style: a reader sees a link on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(key))}: {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.isascii() and text.lower() not in _WORDS else _quoted(text)


def _quoted(text: str) -> str:
    """Double quotes, as JSON writes them, which YAML reads the same; characters that YAML will not have, escaped."""
    return "".join(
        each if each.isprintable() or ord(each) < 0x20 else _escaped(each)
        for each in json.dumps(text, ensure_ascii=False)
    )


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cache_line(line: Line, activity: str = ACTIVITY) -> str:
    """What the map says of one kind of keys, with what speaks for it."""
    entry = {**line.entry, "activity": activity} if line.entry.get("personal", True) else line.entry
    told = line.evidence if line.confidence == "none" else f"{line.evidence}; {line.confidence}"
    return "\n".join(_with(f"{_key(line.pattern)}: {_value(entry)}", told))


def flow(value: Any) -> str:
    """A value on one line."""
    return _value(value)
