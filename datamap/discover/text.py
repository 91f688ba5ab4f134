"""The proposal as datamap.yaml: what the map says, and beside it, as comments, why and how sure that is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from datamap.discover import words
from datamap.discover.finding import Decision, Holding, Kind, Link, Proposal
from datamap.names import Target

ACTIVITY = "to_be_described"
_PLAIN = re.compile(r"[A-Za-z_][\w.()>-]*(?: [\w.()>-]+)*")
_WORDS = words.listed("true false null yes no on off y n ~")
_WIDTH = 46


def written(proposal: Proposal, cache: Iterable[object] = ()) -> str:
    """The whole file."""
    return "\n".join([*_lines(proposal), *_cache(cache)]) + "\n"


def _lines(proposal: Proposal) -> Iterator[str]:
    yield "# yaml-language-server: $schema=./datamap.schema.json"
    yield "# Proposed by `gdpr map discover`. Behind each # stands the evidence, and how sure it is: high, medium, low."
    yield "# What is `undecided` waits for a person; `gdpr map check` lists it."
    for note in proposal.notes:
        yield f"# {_said(note)}"
    yield "version: 1"
    yield "controller: {name: undecided, contact: undecided, authority: undecided}"
    yield from _subjects(proposal.kinds)
    yield "activities:"
    yield f"  {ACTIVITY}:  # purpose, legal_basis, recipients and retention cannot be read from a database"
    yield "    description: undecided"
    yield "tables:" if proposal.decisions else "tables: {}"
    for decision in proposal.decisions:
        yield from _table(decision, several=len(proposal.kinds) > 1)


def _subjects(kinds: tuple[Kind, ...]) -> Iterator[str]:
    if len(kinds) == 1:
        yield _with("subject:", f"{kinds[0].evidence}; {kinds[0].confidence}")
        yield from _subject(kinds[0], "  ")
        return
    yield "subjects:"
    for kind in kinds:
        yield _with(f"  {_key(kind.name)}:", f"{kind.evidence}; {kind.confidence}")
        yield from _subject(kind, "    ")


def _subject(kind: Kind, indent: str) -> Iterator[str]:
    yield f"{indent}table: {_value(str(kind.table))}"
    yield f"{indent}key: {_value(kind.key[0] if len(kind.key) == 1 else list(kind.key))}"
    if kind.identities:
        entries = {
            name: {"column": column, "match": "folded"} if name in kind.folded else column
            for name, column in kind.identities.items()
        }
        yield f"{indent}identities: {_value(entries)}"
    if kind.birth:
        yield f"{indent}birth: {_value(kind.birth)}"


def _table(decision: Decision, *, several: bool) -> Iterator[str]:
    name = f"  {_key(str(decision.table))}:"
    notes = [*decision.notes[:1], decision.confidence] if decision.notes else [decision.confidence]
    if decision.is_undecided:
        yield _with(f"{name} undecided", "; ".join(notes))
    elif not decision.personal:
        yield _with(f"{name} {{personal: false, reason: {_value(decision.reason)}}}", "; ".join(notes))
    else:
        yield _with(name, "; ".join(notes))
    for note in decision.notes[1:]:
        yield f"    # {_said(note)}"
    if decision.personal and not decision.is_undecided:
        yield from _entry(decision, several=several)


def _entry(decision: Decision, *, several: bool) -> Iterator[str]:
    yield f"    activity: {ACTIVITY}"
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
            yield _with(f"      {_key(name)}: {_held(holding)}", f"{holding.evidence}; {holding.confidence}")


def _links(decision: Decision, *, several: bool) -> Iterator[str]:
    named: dict[str, list[Link]] = {}
    silent: list[Link] = []
    for link in decision.links:
        if _said_of(link, several=several) or link.foreign_key is None:
            named.setdefault(str(link.place), []).append(link)
        else:
            silent.append(link)
    for link in silent:
        yield f"    # {_said(f'{link.place}: {_evidence(link)}')}"
    if named:
        yield "    links:"
    for place, group in named.items():
        if len(group) == 1:
            yield _with(f"      {_key(place)}: {_value(_said_of(group[0], several=several))}", _evidence(group[0]))
            continue
        yield f"      {_key(place)}:"
        for link in group:
            yield _with(f"        - {_value(_said_of(link, several=several))}", _evidence(link))


def _evidence(link: Link) -> str:
    whose = f" (a person: {link.kind})" if link.kind and link.foreign_key is not None else ""
    notes = "".join(f"; {note}" for note in link.notes)
    return f"{link.evidence}{whose}; {link.confidence}{notes}"


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


def _with(line: str, comment: str) -> str:
    return f"{line:<{_WIDTH}}  # {_said(comment)}"


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


def line(key: str, entry: Any, comment: str) -> str:
    """One entry of a part of the map that somebody else has found, with what speaks for it."""
    return _with(f"{_key(key)}: {_value(entry)}", comment)
