"""A decision as the map writes it: what a table or a link does, with more columns set, ready to be copied."""

from __future__ import annotations

from collections.abc import Iterable

from datamap import model
from datamap.catalogue import Column
from datamap.check import entry as entries
from datamap.check.entry import flow, scalar
from datamap.check.nobody import value as example
from datamap.check.survey import entry_of
from datamap.check.tables import key as as_key
from datamap.compile.resolution import Dataset, Link

_QUOTE = "'"  # of a literal of SQL


def with_set(dataset: Dataset, link: Link | None, setting: model.Setting, columns: Iterable[str]) -> str:
    """`at app.orders links: {user_id: {erase: {user_id: null, note: null}}}`: what is set there, and these columns."""
    links = [link] if link else [each for each in dataset.owner_links if each.erase is None]
    cut = {
        name: _cut_off(dataset.facts.columns[name], each)
        for each in links
        for name in each.place.columns
        if each.kind or not dataset.facts.columns[name].not_null
    }
    gone = {name: emptied(dataset.facts.columns[name]) for name in columns}
    said = {**cut, **{name: written(value) for name, value in setting.items()}, **gone}
    erase = f"erase: {{{', '.join(f'{as_key(name)}: {value}' for name, value in said.items())}}}"
    if link is None:
        return f"at {dataset.name} {erase}"
    below = link.where[len(dataset.where) :]
    text = str(below[1]) if below[:1] == ("links",) else str(link.place)
    whole = _listed(dataset, link, f"{{{_others(entry_of(dataset, link), link)}{erase}}}")
    return f"at {dataset.name} links: {{{as_key(text)}: {whole}}}"


def with_said(dataset: Dataset, link: Link, **said: str | None) -> str:
    """`author_id: {to: …, erase: unlink}`: the link with all that the map says of it, and this, as YAML; None takes a
    word out."""
    place, known, number = said_of(dataset, link)
    return entries.link(place, known, number, said)


def said_of(dataset: Dataset, link: Link) -> tuple[str, list[entries.Entry], int]:
    """The place as the map spells it, all that it says there, and which of these is meant; nothing of a foreign key
    that it does not mention."""
    below = link.where[len(dataset.where) :]
    if below[:1] != ("links",):
        return str(link.place), [], 0
    text = str(below[1])
    number = below[2] if len(below) > 2 and isinstance(below[2], int) else 0
    return text, [each.model_dump(mode="json", exclude_defaults=True) for each in dataset.decision.links[text]], number


def _listed(dataset: Dataset, link: Link, entry: str) -> str:
    """Beside the others of the same place, where there are any."""
    below = link.where[len(dataset.where) :]
    if len(below) < 3:
        return entry
    others = [
        flow(each.model_dump(mode="json", exclude_defaults=True)) for each in dataset.decision.links[str(below[1])]
    ]
    return f"[{', '.join(entry if number == below[2] else other for number, other in enumerate(others))}]"


def _cut_off(column: Column, link: Link) -> str:
    if not column.not_null:
        return "null"
    return "nobody" if link.kind and link.identity is None and not column.is_array else emptied(column)


def _others(entry: model.Link, link: Link) -> str:
    """What else the link says, and has to go on saying. In an array or JSON, whose value alone is to go, only an
    owner's link may set other columns as well."""
    told = entry.model_dump(mode="json", exclude_defaults=True, exclude={"erase", "role"})
    if link.role == "actor" and link.place.is_plain:
        told["role"] = "actor"
    return "".join(f"{name}: {flow(value)}, " for name, value in told.items())


def emptied(column: Column) -> str:
    """What a column is set to so that nothing is left in it."""
    if not column.not_null:
        return "null"
    if column.is_array or column.family in ("text", "json"):
        return "empty"
    such = example(column)
    return f"{{value: {scalar(such[1:-1]) if such[:1] == _QUOTE else such}}}"


def written(value: model.SetTo) -> str:
    """A value as the map spells it."""
    if isinstance(value, model.Constant):
        return f"{{value: {scalar(value.value)}}}"
    return "null" if value is None else str(value)
