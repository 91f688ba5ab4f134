"""Who is a person here: the tables that have a row for each, which of their columns name them, and why.

A subject that is chosen wrongly is worse than a question: a near rival is named at the top of the map.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datamap.catalogue import Catalogue, Column, ForeignKey, Table
from datamap.discover import copies, words
from datamap.discover.candidates import LOGIN, MAIL, PHONE, STRONG, Candidate, candidates, head
from datamap.discover.finding import Confidence, Kind
from datamap.names import Table as Name
from shared.errors import Misuse, Refused

_ENOUGH = 7


def chosen(
    catalogue: Catalogue, subject: Name | Sequence[Name] | None = None
) -> tuple[tuple[Kind, ...], tuple[str, ...]]:
    """The kinds of subject, the first the likeliest, and what to say about the choice."""
    tables = [table for table in catalogue if table.kind in ("table", "partitioned") and table.columns]
    if subject is not None:
        return _named(catalogue, [subject] if isinstance(subject, Name) else subject), ()
    ranked = sorted(candidates(catalogue, tables), key=_order)
    ranked = [each for each in ranked if each.score >= _ENOUGH] or _only_one(ranked)
    if not ranked:
        raise Refused(
            "No table here seems to have a row for each person" if tables else "There are no tables in this database",
            where="discover",
            remedy="name it with --subject schema.table" if tables else "connect to the application's own database",
        )
    return _settled(catalogue, ranked)


def _order(each: Candidate) -> tuple[int, int, Name]:
    """The likeliest first; of two that are alike, `users` before `deleted_users`."""
    return (-each.score, len(words.words(each.table.name.name)), each.table.name)


def _only_one(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Where no table is likely, the one that is called after people and has an address, if there is no other."""
    called = [each for each in ranked if each.word in STRONG and "has e-mail" in each.reasons]
    return called if len(called) == 1 else []


def _named(catalogue: Catalogue, subjects: Sequence[Name]) -> tuple[Kind, ...]:
    kinds: list[Kind] = []
    for subject in subjects:
        table = catalogue.get(subject)
        if table is None or not table.columns or table.kind not in ("table", "partitioned"):
            raise Misuse(f"There is no table {subject}", where="--subject", remedy="name one of the database's tables")
        name = "person" if len(subjects) == 1 else _free(head(table), {kind.name for kind in kinds})
        kinds.append(_kind(table, name, "chosen by --subject", "high", catalogue.references.get(subject, ())))
    return tuple(kinds)


def _settled(catalogue: Catalogue, ranked: list[Candidate]) -> tuple[tuple[Kind, ...], tuple[str, ...]]:
    taken: list[Candidate] = []
    rivals: list[Candidate] = []
    for each in ranked:
        if not taken or _is_another_kind(each, taken):
            taken.append(each)
        elif not _leans_on(each.table, [other.table for other in taken]):
            rivals.append(each)
    kinds: list[Kind] = []
    for each in taken:
        name = "person" if len(taken) == 1 else _free(each.word, {kind.name for kind in kinds})
        confidence: Confidence = "high" if each.score >= 12 else "medium" if each.score >= _ENOUGH else "low"
        kinds.append(
            _kind(each.table, name, ", ".join(each.reasons), confidence, catalogue.references.get(each.table.name, ()))
        )
    notes = [f"{each.table.name} might be a kind of person as well ({', '.join(each.reasons)})" for each in rivals[:4]]
    if len(ranked) > 1 and ranked[0].score - ranked[1].score <= 1 and len(taken) == 1:
        notes.insert(0, f"a near choice: {ranked[1].table.name} came close; --subject decides")
    return tuple(kinds), tuple(notes)


def _free(word: str, taken: set[str]) -> str:
    names = [word or "person", *(f"{word}_{number}" for number in range(2, 99))]
    return next(name for name in names if name not in taken)


def _is_another_kind(each: Candidate, taken: list[Candidate]) -> bool:
    """Somebody else than the kinds that we have: with an address or a name, and no part of their rows."""
    if each.word not in words.PERSON or each.score < _ENOUGH + 1:
        return False
    if _leans_on(each.table, [other.table for other in taken]):
        return False
    if any(copies.repeats(each.table, _key(other.table, ()), other.table) for other in taken):
        return False
    return not any(_leans_on(other.table, [each.table], only_unique=True) for other in taken)


def _leans_on(table: Table, others: Iterable[Table], *, only_unique: bool = False) -> bool:
    """Whether its rows are somebody's part: a foreign key, or a column named so, to one of the others."""
    by_name = {other.name: other for other in others}
    for key in table.foreign_keys:
        if key.target in by_name and key.target != table.name:
            is_one_to_one = table.is_unique(key.columns)
            says = words.meant(key.columns[-1])
            if is_one_to_one or (not only_unique and says and says[-1] == head(by_name[key.target])):
                return True
    for name in table.columns:
        says = words.meant(name)
        if says != words.words(name) and says and any(says[-1] == head(other) for other in by_name.values()):
            if table.is_unique((name,)) and name not in table.primary_key:
                return True
            if not only_unique and name not in table.primary_key and words.words(name)[-1:] == ("id",):
                return True
    return False


def _kind(
    table: Table, name: str, reason: str, confidence: Confidence, references: Iterable[tuple[Table, ForeignKey]]
) -> Kind:
    key = _key(table, references)
    identities = _identities(table)
    return Kind(
        name=name,
        table=table.name,
        key=key,
        identities={mark: column.name for mark, column in identities.items()},
        folded=frozenset(mark for mark, column in identities.items() if column.base.endswith(".citext")),
        birth=_birth(table),
        evidence=reason,
        confidence=confidence,
    )


def _key(table: Table, references: Iterable[tuple[Table, ForeignKey]]) -> tuple[str, ...]:
    """What names a person elsewhere: what most foreign keys point at, the primary key, or what looks like one."""
    counted: dict[tuple[str, ...], int] = {}
    for reference in references:
        columns = reference[1].target_columns
        counted[columns] = counted.get(columns, 0) + 1
    single = {columns: count for columns, count in counted.items() if table.is_unique(columns)}
    if single:
        preferred = max(single, key=lambda columns: (single[columns], columns == table.primary_key, columns))
        if single[preferred] > single.get(table.primary_key, 0) or not table.primary_key:
            return preferred
    if table.primary_key:
        return table.primary_key
    if table.unique:
        return min(table.unique, key=lambda columns: (len(columns), not words.is_key_word(columns[0]), columns))
    names = [name for name in table.columns if words.words(name)[-1:] and words.is_key_word(words.words(name)[-1])]
    mine = [name for name in names if words.meant(name) in ((head(table),), ("id",), ("uuid",))]
    return ((mine or names or list(table.columns))[0],)


def _identities(table: Table) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for column in table.columns.values():
        said = words.words(column.name)
        if column.family != "text" or column.is_array or column.is_generated:
            continue
        wanted = "email" if set(said) & MAIL else "phone" if set(said) & PHONE else None
        if wanted is None and "".join(said) in LOGIN:
            wanted = "username"
        if wanted and not set(said) & {
            "verified",
            "token",
            "hash",
            "code",
            "confirmed",
            "unconfirmed",
            "type",
            "count",
        }:
            found.setdefault(wanted, column)
    return found


def _birth(table: Table) -> str | None:
    for column in table.columns.values():
        said = words.words(column.name)
        if (column.family == "time" and said[:1] in (("created",), ("joined",), ("registered",))) or "".join(said) in (
            "datejoined",
            "createdat",
            "createdon",
            "createdate",
        ):
            return column.name
    return None
