"""What stays in a row that is cut off from its person: what names them, and what they wrote (R58)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from datamap import model
from datamap.check.survey import Survey
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


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """A decision by which rows stay without their person."""

    setting: model.Setting  # what of them is set
    where: Where
    link: Link | None = None  # None: the table's own decision
    reason: str | None = None


def faults(survey: Survey) -> Iterator[Fault]:
    """Of the tables whose rows an erasure changes and leaves, apart from those that a law keeps."""
    for dataset in survey.personal:
        if dataset.name in survey.touched:
            for cut in _cuts(dataset, survey):
                yield from _identities(dataset, cut)
                yield from _contents(dataset, cut)


def _cuts(dataset: Dataset, survey: Survey) -> Iterator[_Cut]:
    action, where = table_action(dataset), (*dataset.where, "erase")
    if isinstance(action, Mapping):
        yield _Cut(setting=action, where=where)
    elif action == "unlink" and any(_is_left(dataset, link) for link in dataset.owner_links):
        yield _Cut(setting={}, where=where)
    for link in (*dataset.owner_links, *_inherited(dataset, survey)):
        entry = _entry(dataset, link)
        if UNDECIDED in (entry.role, entry.erase):
            continue  # whoever decides is told then
        reason = entry.reason
        if isinstance(link.erase, Mapping):
            yield _Cut(setting=link.erase, where=(*link.where, "erase"), link=link, reason=reason)
        elif link.erase == "unlink":
            yield _Cut(setting={}, where=(*link.where, "erase"), link=link, reason=reason)


def _is_left(dataset: Dataset, link: Link) -> bool:
    """Whether the table decides for this link."""
    entry = _entry(dataset, link)
    return link.erase is None and UNDECIDED not in (entry.role, entry.erase)


def _inherited(dataset: Dataset, survey: Survey) -> Iterator[Link]:
    """Links to rows of the person's that are deleted, where nothing else says whose the row is."""
    if not dataset.always_speaks:
        yield from (link for link in dataset.parent_links if link.is_owner and link.target in survey.deletable)


def _entry(dataset: Dataset, link: Link) -> model.Link:
    """The link as the map has it; one that no map mentions says nothing."""
    below = link.where[len(dataset.where) :]
    if below[:1] != ("links",):
        return model.Link()
    entries = dataset.decision.links[str(below[1])]
    return entries[below[2]] if len(below) > 2 and isinstance(below[2], int) else entries[0]


def _left(dataset: Dataset, cut: _Cut) -> Iterator[tuple[str, model.Column]]:
    """The columns that hold something of the person, and still do then."""
    linked = {column for link in dataset.links for column in link.place.columns}
    for name, column in dataset.facts.columns.items():
        entry = dataset.decision.columns.get(name) or dataset.decision.columns.get("*")
        if entry is None or name in linked or name in cut.setting or column.is_generated:
            continue
        if entry.personal and not entry.third_party:
            yield name, entry


def _is_of(category: str | None, kinds: tuple[str, ...]) -> bool:
    return category is not None and any(category == each or category.startswith(f"{each}.") for each in kinds)


# What names them ----------------------------------------------------------------------------------------------------


def _identities(dataset: Dataset, cut: _Cut) -> Iterator[Fault]:
    for name, entry in _left(dataset, cut):
        if _is_of(entry.category, _IDENTIFIERS) and name in dataset.decision.columns:
            yield Fault(
                code="identity_left",
                message=f"{dataset.name}: a row that is cut off from its person keeps {name}, which names them",
                where=cut.where,
                severity="warning",
                remedy=f"write {name}: null beside the link, or erase: delete",
            )


# What they wrote ----------------------------------------------------------------------------------------------------


def _contents(dataset: Dataset, cut: _Cut) -> Iterator[Fault]:
    if (cut.reason or dataset.decision.reason or "").strip():
        return  # somebody has decided, and says why
    kept = [name for name, entry in _left(dataset, cut) if _is_written(name, entry, dataset)]
    kept = [name for name in kept if not _is_another_ones(name, dataset, cut)]
    if kept:
        listed = " and ".join(kept)
        yield Fault(
            code="content_left",
            message=f"{dataset.name}: a row that is cut off from its person keeps what they wrote: {listed}",
            where=cut.where,
            severity="warning",
            remedy=_remedy(dataset, cut, kept),
        )


def _is_written(name: str, entry: model.Column, dataset: Dataset) -> bool:
    if _is_of(entry.category, _IDENTIFIERS):
        return False  # told as such
    is_text = dataset.facts.columns[name].family in ("text", "json")
    return _is_of(entry.category, _CONTENT) or (is_text and words.is_free_text(words.meant(name)))


def _is_another_ones(name: str, dataset: Dataset, cut: _Cut) -> bool:
    """Of two people in a row one wrote it: the one by whose link it goes. Not where a row has either the one or the
    other, which a condition or an identity says."""
    if cut.link is None or cut.link.condition is not None or cut.link.identity is not None:
        return False
    others = [link for link in dataset.owner_links if link != cut.link and link.condition is None]
    return any(isinstance(link.erase, Mapping) and name in link.erase for link in others)


def _remedy(dataset: Dataset, cut: _Cut, kept: list[str]) -> str:
    set_too = ", ".join(f"{name}: {_instead(dataset, name)}" for name in kept)
    links = [cut.link] if cut.link else [link for link in dataset.owner_links if link.erase is None]
    named = {column: None for link in links if link.place.is_plain for column in link.place.columns}
    said = ", ".join(f"{name}: {_shown(value)}" for name, value in {**named, **cut.setting}.items())
    both = f"{said}, {set_too}" if said else set_too
    at = "beside this link" if cut.link else "at the table"
    return (
        f"write erase: {{{both}}}; where it may stay, say why: `reason: …` {at}, or {kept[0]}:"
        " {personal: false, reason: …} under columns"
    )


def _instead(dataset: Dataset, name: str) -> str:
    column = dataset.facts.columns[name]
    return "empty" if column.not_null else "null"


def _shown(value: model.SetTo) -> str:
    if isinstance(value, model.Constant):
        return f"{{value: {value.value}}}"
    return "null" if value is None else str(value)
