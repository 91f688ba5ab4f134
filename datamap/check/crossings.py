"""Rows of one person that point at another's: where these are deleted, the guard stops the erasure (rule 14)."""

from __future__ import annotations

from collections.abc import Iterator

from datamap.check.decision import said_of, with_said
from datamap.check.hanging import Hanging
from datamap.check.server import Server
from datamap.check.survey import Survey, entry_of
from datamap.check.tables import is_undecided
from datamap.check.tables import key as as_key
from datamap.compile.resolution import Dataset, Link
from datamap.fault import Fault
from datamap.model import UNDECIDED
from datamap.names import quoted

_WHAT = "whether rows point at those of other people"
SAMPLED = 100_000  # rows that are looked at


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """Rows that no foreign key holds; and replies, say: of tables whose rows both name their own people, and between
    which nothing is decided."""
    yield from _unheld(survey)
    for name in sorted(survey.deletable) if server is not None else ():
        dataset = survey.touched.get(name)
        for link in dataset.parent_links if dataset is not None else ():
            above = survey.touched.get(link.target)
            is_open = link.erase is None and link.place.is_plain and link.condition is None
            if dataset is not None and above is not None and link.target in survey.deletable and is_open:
                yield from _between(dataset, above, link, server)


def _unheld(survey: Survey) -> Iterator[Fault]:
    """By map and schema alone: each row that points there stops the erasure, and nothing that could be decided is."""
    for erasure in survey.erasures:
        for target, pointer in erasure.unheld():
            dataset, link = pointer.dataset, pointer.link
            said = entry_of(dataset, link)
            if not is_undecided(dataset) and UNDECIDED not in (said.role, said.erase):
                yield Fault(
                    code="reference_undecided",
                    message=f"Rows of {dataset.name} point at rows of {target} that an erasure deletes, by"
                    f" {link.place}: each of them stops the erasure, and the map does not decide it",
                    where=link.where,
                    severity="warning",
                    remedy=_hanging(dataset, link).choices,
                    about=link,
                )


def _hanging(dataset: Dataset, link: Link) -> Hanging:
    place, entries, number = said_of(dataset, link)
    return Hanging(
        table=str(dataset.name),
        target=str(link.target),
        place=place,
        entries=entries,
        number=number,
        is_nullable=not link.place.is_plain
        or not all(dataset.facts.columns[name].not_null for name in link.place.columns),
        is_held=False,
        is_shared=dataset.decision.shared is True,
        is_parent=link.kind is None,
    )


def _between(dataset: Dataset, above: Dataset, link: Link, server: Server | None) -> Iterator[Fault]:
    mine, theirs = _own(dataset), _own(above)
    if mine is None or theirs is None or mine.kind != theirs.kind or mine.target_columns != theirs.target_columns:
        return
    points = _equal(link.place.columns, link.target_columns)
    same = _equal(mine.place.columns, theirs.place.columns)
    rows = f"(select * from {dataset.sql} limit {SAMPLED}) as t join {above.sql} as p on {points}"
    asked = f"exists (select from {rows} where not ({same}))"
    if server is not None and server.holds(asked, what=_WHAT, tables=(dataset.name, above.name)):
        yield Fault(
            code="reference_undecided",
            message=f"Rows of {dataset.name} point at rows of {above.name} that are other people's, by {link.place}:"
            " whenever one of those is to be deleted, the erasure stops, and the map does not decide it",
            where=link.where,
            severity="warning",
            remedy=_decided(dataset, above, link, theirs),
            about=link,
        )


def _decided(dataset: Dataset, above: Dataset, link: Link, theirs: Link) -> str:
    """A link that may not be null needs the row that it points at, emptied."""
    emptied = ", ".join(f"{as_key(name)}: null" for name in theirs.place.columns)
    stays = f"let the row that is pointed at stay, emptied: at {above.name} erase: {{{emptied}, …}}"
    if all(dataset.facts.columns[name].not_null for name in link.place.columns):
        return stays
    role = {} if link.is_owner else {"role": "reference"}
    return f"write at {dataset.name} links: {{{with_said(dataset, link, **role, erase='unlink')}}}\nor {stays}"


def _own(dataset: Dataset) -> Link | None:
    """By which its rows name their person, if there is only one such way."""
    links = dataset.owner_links
    is_one = len(links) == 1 and links[0].place.is_plain and links[0].condition is None and links[0].identity is None
    return links[0] if is_one else None


def _equal(mine: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    return " and ".join(f"t.{quoted(one)} = p.{quoted(other)}" for one, other in zip(mine, theirs, strict=True))
