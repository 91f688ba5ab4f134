"""What stays in a row that is cut off from its person: what names them, and what they wrote (R58)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from datamap import model
from datamap.catalogue import Column
from datamap.check import decision
from datamap.check.codes import listed
from datamap.check.survey import Survey, entry_of
from datamap.check.suspicions import is_called_a_name
from datamap.check.tables import key as as_key
from datamap.compile.changes import table_action
from datamap.compile.resolution import Dataset, Link
from datamap.discover import words
from datamap.fault import Fault, Where
from datamap.model import UNDECIDED

_IDENTIFIERS = (
    "user.contact.email", "user.contact.phone_number", "user.contact.fax_number", "user.contact.address.street",
    "user.name", "user.unique_id", "user.government_id", "user.account.username", "user.device.ip_address",
    "user.device.device_id", "user.device.cookie_id", "user.financial.bank_account", "user.financial.credit_card",
    "user.biometric", "user.authorization.biometric",
)  # fmt: skip
_CONTENT = ("user.content",)
_CODES = words.listed("type kind class status state code mode format currency language locale slug")


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """A decision by which rows stay without their person."""

    setting: model.Setting  # what of them is set
    where: Where
    link: Link | None = None  # None: the table's own decision
    reason: str | None = None  # why what they wrote stays


def faults(survey: Survey) -> Iterator[Fault]:
    """Of the tables whose rows an erasure changes and leaves, apart from those that a law keeps; and of the links by
    which it changes nothing, though what names the person stands there."""
    for dataset in survey.resolution.datasets.values():
        yield from (_referred(dataset, link) for link in dataset.person_links if _is_left_alone(link))
    for dataset in survey.personal:
        if dataset.name in survey.touched:
            for cut in _cuts(dataset, survey):
                yield from _identities(dataset, cut)
                yield from _contents(dataset, cut)
            for cut in _of_actors(dataset, survey):
                yield from _identities(dataset, cut)
                yield from _contents(dataset, cut)


def _is_left_alone(link: Link) -> bool:
    return link.identity is not None and link.role == "reference" and not link.lets_go


def _referred(dataset: Dataset, link: Link) -> Fault:
    """Whosesoever the row is, an address in it is the person's: verification asks for it in each row."""
    columns = {name: dataset.facts.columns[name] for name in link.place.columns}
    gone = "unlink"
    if link.place.is_plain and all(column.not_null for column in columns.values()):
        gone = f"{{{', '.join(f'{as_key(name)}: {decision.emptied(column)}' for name, column in columns.items())}}}"
    return Fault(
        code="identity_left",
        message=f"{dataset.name}, {link.place}: a reference leaves their {link.identity} in the row, where verification"
        " finds it",
        where=link.where,
        severity="warning",
        remedy=f"write at {dataset.name} links: {{{decision.with_said(dataset, link, erase=gone)}}}",
        about=link,
    )


def _cuts(dataset: Dataset, survey: Survey) -> Iterator[_Cut]:
    action, where = table_action(dataset), (*dataset.where, "erase")
    left = [link for link in dataset.owner_links if _is_left(dataset, link)]
    if isinstance(action, Mapping):
        yield _Cut(setting=action, where=where, reason=_reason(dataset, left))
    elif action == "unlink" and left:
        yield _Cut(setting={}, where=where, reason=_reason(dataset, left))
    for link in (*dataset.owner_links, *_inherited(dataset, survey)):
        entry = entry_of(dataset, link)
        if UNDECIDED in (entry.role, entry.erase):
            continue  # whoever decides is told then
        if isinstance(link.erase, Mapping) or link.erase == "unlink":
            setting = {} if link.erase == "unlink" else link.erase
            yield _Cut(setting=setting, where=(*link.where, "erase"), link=link, reason=_reason(dataset, [link]))


def _reason(dataset: Dataset, links: Iterable[Link]) -> str | None:
    """Why what they wrote stays. What a place where people meet has to say for itself is why it is shared; why
    somebody's words stay there stands beside the link to them."""
    reasons = [(entry_of(dataset, link).reason or "").strip() for link in links]
    if reasons and all(reasons):
        return reasons[0]
    return None if dataset.decision.shared is True else (dataset.decision.reason or "").strip() or None


def _of_actors(dataset: Dataset, survey: Survey) -> Iterator[_Cut]:
    """Where nobody owns the row, what names somebody in it names whoever acted; not in a person's own row, which others
    acted on, nor in one that such a row points at."""
    if dataset.owner_links or any(list(ownership.parents(dataset)) for ownership in survey.ownerships):
        return
    if dataset.subject_of or survey.above(dataset):
        return
    for link in dataset.person_links:
        if link.role == "actor" and link.erase != "delete":
            setting = link.erase if isinstance(link.erase, Mapping) else {}
            where = (*link.where, "erase") if entry_of(dataset, link).erase is not None else link.where
            yield _Cut(setting=setting, where=where, link=link, reason=_reason(dataset, [link]))


def _is_left(dataset: Dataset, link: Link) -> bool:
    """Whether the table decides for this link."""
    entry = entry_of(dataset, link)
    return link.erase is None and UNDECIDED not in (entry.role, entry.erase)


def _inherited(dataset: Dataset, survey: Survey) -> Iterator[Link]:
    """Links to rows of the person's that are deleted, where nothing else says whose the row is."""
    if not dataset.always_speaks:
        yield from (link for link in dataset.parent_links if link.is_owner and link.target in survey.deletable)


def _left(dataset: Dataset, cut: _Cut) -> Iterator[tuple[str, model.Column]]:
    """The columns that hold something of the person, and still do then."""
    speaks = {column for link in dataset.links for column in link.place.columns}
    speaks |= {*dataset.facts.primary_key, *(dataset.decision.key or ())} - set(dataset.decision.columns)
    for name, column in dataset.facts.columns.items():
        entry = dataset.decision.columns.get(name) or dataset.decision.columns.get("*")
        if entry is None or name in speaks or name in cut.setting or column.is_generated:
            continue
        if entry.personal and not entry.third_party:
            yield name, entry


def _is_of(category: str | None, kinds: tuple[str, ...]) -> bool:
    return category is not None and any(category == each or category.startswith(f"{each}.") for each in kinds)


# What names them ----------------------------------------------------------------------------------------------------


def _identities(dataset: Dataset, cut: _Cut) -> Iterator[Fault]:
    named = {name: entry for name, entry in _left(dataset, cut) if _is_naming(name, entry, dataset)}
    if named:
        whole = decision.with_set(dataset, cut.link, cut.setting, named)
        others = ", ".join(f"{as_key(n)}: {{category: {e.category}, third_party: true}}" for n, e in named.items())
        verb = "names" if len(named) == 1 else "name"
        yield Fault(
            code="identity_left",
            message=f"{dataset.name}: a row that is cut off from its person keeps {_joined(list(named))},"
            f" which {verb} them",
            where=cut.where,
            severity="warning",
            remedy=f"write {whole}\nor, where it names somebody else, at columns: {others}",
        )


def _is_naming(name: str, entry: model.Column, dataset: Dataset) -> bool:
    """By its category, or by what it is called: `"*"` says the same of an address and of a size."""
    if name in dataset.decision.columns and _is_of(entry.category, _IDENTIFIERS):
        return True
    return is_called_a_name(name) and not (entry.reason or "").strip()


# What they wrote ----------------------------------------------------------------------------------------------------


def _contents(dataset: Dataset, cut: _Cut) -> Iterator[Fault]:
    if cut.reason:
        return  # somebody has decided, and says why
    kept = [name for name, entry in _left(dataset, cut) if _is_written(name, entry, dataset)]
    kept = [name for name in kept if not _is_another_ones(name, dataset, cut)]
    if kept:
        yield Fault(
            code="content_left",
            message=f"{dataset.name}: a row that is cut off from its person keeps what they wrote: {_joined(kept)}",
            where=cut.where,
            severity="warning",
            remedy=_remedy(dataset, cut, kept),
        )


def _is_written(name: str, entry: model.Column, dataset: Dataset) -> bool:
    column = dataset.facts.columns[name]
    if _is_naming(name, entry, dataset) or _is_code(column, dataset):
        return False  # told as such; or nobody's words
    is_made_of_it = column.family == "vector" or column.base == "pg_catalog.tsvector"
    is_free = column.family in ("text", "json") and _is_free(name)
    return _is_of(entry.category, _CONTENT) or is_made_of_it or is_free


def _is_free(name: str) -> bool:
    return words.is_free_text(words.meant(name))


def _is_code(column: Column, dataset: Dataset) -> bool:
    """One of a few words that the application chose: a status, or what tells whose key another column holds."""
    compared = [each.place.column for link in dataset.links if link.condition for each in link.condition.comparisons]
    if column.labels or listed(dataset.facts, column.name) or column.name in compared:
        return True
    said = words.words(column.name)
    return bool(said) and not _is_free(column.name) and said[-1] in _CODES


def _is_another_ones(name: str, dataset: Dataset, cut: _Cut) -> bool:
    """Of two people in a row one wrote it: the one by whose link it goes. Not where a row has either the one or the
    other, which a condition or an identity says."""
    if cut.link is None or cut.link.condition is not None or cut.link.identity is not None:
        return False
    people = dataset.person_links if cut.link.role == "actor" else dataset.owner_links
    others = [link for link in people if link != cut.link and link.condition is None]
    return any(isinstance(link.erase, Mapping) and name in link.erase for link in others)


def _remedy(dataset: Dataset, cut: _Cut, kept: list[str]) -> str:
    """What others know the row by is not blanked: there the reason is the whole of it."""
    gone = [name for name in kept if not _is_a_name(name, dataset)]
    stays = [name for name in kept if name not in gone]
    at = "beside the link" if cut.link or dataset.decision.shared is True else f"at {dataset.name}"
    each = ", ".join(f"{as_key(name)}: {{personal: false, reason: …}}" for name in stays or kept)
    why = f"say why, `reason: …` {at}; or where it says nothing of a person, at columns: {each}"
    if not gone:
        return f"where it may stay, {why}"
    return f"write {decision.with_set(dataset, cut.link, cut.setting, gone)}\nor where it may stay, {why}"


def _is_a_name(name: str, dataset: Dataset) -> bool:
    """What the others who meet there call it."""
    return dataset.decision.shared is True and not _is_free(name)


def _joined(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
