"""What to write where the compiler says what is wrong, and leaves what to do to whoever has the map at hand.

A remedy is the whole of what is to be done. One that only leads to the next fault is none. Each stands in one place:
with the compiler, where the rule says it already, or else here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from datamap.catalogue import Column
from datamap.check.codes import listed
from datamap.check.decision import emptied, with_said
from datamap.check.entry import scalar
from datamap.check.nobody import declaration
from datamap.check.survey import Survey
from datamap.check.tables import key as as_key
from datamap.compile.resolution import Dataset, Kind, Link
from datamap.fault import Fault, Where

_SHORT = 16  # columns that a remedy lists
_ROLES = (
    "write owner (the row is about them, or by them), actor (they merely acted on it: the link is taken away, the row"
    " stays) or reference (it says nothing of whose the row is)"
)
_PLAIN: Mapping[str, str] = {
    "generated": "take it out, and set the columns that it is made of",
    "random": "write null, or {value: …}",
    "empty": "write null, or {value: …}",
    "refresh": "write erase: delete",
    "schema_wildcard": "write {personal: false, reason: …}, or a line for each of its tables",
    "subject_table": "name the table that has a row for each person",
    "key_twice": "name each column once",
    "unknown_table": "take it out of the map",
    "no_key": "write to: schema.table.column",
    "partial_key": "name the columns of one whole key, with commas between them",
    "types": "name another column, or with `to: schema.table.column` what this one points at",
    "place": "name a column that is one value",
    "reach": "point at a unique key",
    "unreached": "name the column that does under `links:`, or write {personal: false, reason: …}, or, if the rows are"
    " others' in a place where people meet, {shared: true, reason: …}: no request reads them",
}


def advised(faults: Iterable[Fault], survey: Survey) -> Iterator[Fault]:
    """The compiler's faults, each with what to write."""
    advice = _Advice(survey)
    for fault in faults:
        remedy = fault.remedy or advice.remedy(fault) or _PLAIN.get(fault.code)
        message = f"`nobody`{fault.message.removeprefix('nobody')}" if fault.message[:7] == "nobody " else fault.message
        yield replace(fault, remedy=remedy, message=message)


@dataclass(frozen=True)
class _Advice:
    survey: Survey

    def remedy(self, fault: Fault) -> str | None:
        """None where it does not depend on the map."""
        known: Mapping[str, Callable[[Fault], str | None]] = {
            "not_null": self._not_null,
            "identity_left": self._not_null,
            "nobody": self._nobody,
            "undecided": self._undecided,
            "unreached": self._unreached,
            "unknown_table": self._unknown_table,
            "two_people": self._two_people,
            "names_a_person": self._names_a_person,
            "cascade_undecided": self._cascade,
            "reference_undecided": self._cascade,
        }
        return known[fault.code](fault) if fault.code in known else None

    # What a fault is about ----------------------------------------------------------------------------------------

    def _dataset(self, fault: Fault) -> Dataset | None:
        return next((d for d in self.survey.resolution.datasets.values() if d.where == fault.where[:2]), None)

    def _link(self, fault: Fault) -> Link | None:
        if isinstance(fault.about, Link):
            return fault.about
        dataset = self._dataset(fault)
        links = [link for link in dataset.links if link.where == fault.where[: len(link.where)]] if dataset else []
        return max(links, key=lambda link: len(link.where), default=None)

    def _kind(self, link: Link | None) -> Kind | None:
        return self.survey.resolution.kinds.get(link.kind or "") if link else None

    # What may not be null -----------------------------------------------------------------------------------------

    def _not_null(self, fault: Fault) -> str | None:
        dataset = self._dataset(fault)
        if dataset is None:
            return None
        if isinstance(fault.about, Column):
            return self._of_a_column(fault.about, dataset, fault.where[2:3])
        link = self._link(fault)
        kind = self._kind(link)
        if link is None or kind is None:
            gone = "write erase: delete for this link, or " if dataset.decision.shared is not True else ""
            return f"{gone}keep the row that it points at"
        return _to_nobody(link, kind, dataset, self.survey, is_set=False)

    def _of_a_column(self, column: Column, dataset: Dataset, part: Where) -> str:
        """`stub` and `keep` say it under a key of their own."""
        link = _naming(column, dataset)
        kind, setting = self._kind(link), f"{as_key(column.name)}: {_instead(column, dataset)}"
        if part == ("stub",):
            return f"write stub: {{{setting.partition(', or')[0]}}}"
        if part == ("keep",):
            return f"add {column.name} to keep.columns, or write set: {{{setting.partition(', or')[0]}}}"
        if link is not None and kind is not None:
            return _to_nobody(link, kind, dataset, self.survey, is_set=True)
        return f"write {setting}"

    def _nobody(self, fault: Fault) -> str | None:
        if fault.where[-1:] == ("nobody",) or fault.where[-2:-1] == ("nobody",):
            name = str(fault.where[1]) if fault.where[0] == "subjects" else "person"
            subject = self.survey.map.kinds[name]
            return f"write nobody: {{{', '.join(f'{column}: …' for column in subject.key)}}}, with the key of a row"
        dataset = self._dataset(fault)
        link = _naming(fault.about, dataset) if isinstance(fault.about, Column) and dataset else None
        kind = self._kind(link)
        return declaration(kind, self.survey.catalogue) if kind else "write null, or {value: …}"

    # Links --------------------------------------------------------------------------------------------------------

    def _undecided(self, fault: Fault) -> str | None:
        if "links" not in fault.where:
            return None
        link = self._link(fault)
        if fault.where[-1] == "role":
            return _ROLES
        dataset = self._dataset(fault)
        return f"write {_choices(dataset, link)}" if dataset and link else None

    def _unreached(self, fault: Fault) -> str:
        """Above a person there is no column that could be named: a partner to whom a user's row points."""
        dataset = self._dataset(fault)
        above = self.survey.above(dataset) if dataset else ()
        return _PLAIN["unreached"] + (f"\n{of_whom_points(dataset, above[0])}" if dataset and above else "")

    def _two_people(self, fault: Fault) -> str | None:
        dataset = self._dataset(fault)
        owners = dataset.owner_links if dataset else ()
        links = [link for link in owners if link.erase is None and link.place.is_plain]
        if dataset is None or len(links) < 2:
            return None
        gone = ", ".join(with_said(dataset, link, erase="delete") for link in links)
        stays = ", ".join(with_said(dataset, link, erase=_staying(link, dataset)) for link in links)
        acted = f"{with_said(dataset, links[0])}, {with_said(dataset, links[1], role='actor')}"
        return (
            f"decide for each of them. If the row goes with either: links: {{{gone}}}\nif it stays for the other:"
            f" links: {{{stays}}}\nif one of them merely acted: links: {{{acted}}}"
        )

    def _names_a_person(self, fault: Fault) -> str | None:
        link = self._link(fault)
        if link is None:
            return None
        return (
            "make the table personal: {activity: …, erase: …}; or, if they merely acted on its rows, write"
            f" links: {{{as_key(str(link.place))}: actor}}"
        )

    def _cascade(self, fault: Fault) -> str | None:
        """A row whose link may not be null can only go with the row that it points at, or point at another."""
        dataset = self._dataset(fault)
        if dataset is None:
            return "put that table into the map first: {activity: …, erase: delete}, or {personal: false, reason: …}"
        link = self._link(fault)
        columns = [dataset.facts.columns[name] for name in link.place.columns] if link else []
        if link is None:
            return None
        if all(column.not_null for column in columns):
            if dataset.decision.shared is True:
                return self._not_null(fault)
            gone = with_said(dataset, link, erase="delete")
            return f"write erase: delete at {dataset.name}, or there for this link: links: {{{gone}}}"
        unlinked = with_said(dataset, link, erase="unlink")
        return f"write at {dataset.name} links: {{{unlinked}}}, or erase: keep at {link.target}"

    # Names --------------------------------------------------------------------------------------------------------

    def _unknown_table(self, fault: Fault) -> str | None:
        if fault.where[0] == "tables":
            return None
        tables = [table for table in self.survey.catalogue if table.kind in ("table", "partitioned")]
        most = max(tables, key=lambda table: len(self.survey.keys_to(table.name)), default=None)
        such = f", such as {most.name}, which most others point at" if most and self.survey.keys_to(most.name) else ""
        return f"name the table that has a row for each person{such}"


def of_whom_points(dataset: Dataset, kind: Kind) -> str:
    """What to write where the data of people lies in a row that their own points at."""
    key = ", ".join(dataset.facts.primary_key) or "…"
    where = "subject:" if kind.name == "person" else f"subjects: {kind.name}:"
    return (
        f"or, if that is where the people are, since rows of {kind.table} point at it, write {where}"
        f" {{table: {as_key(str(dataset.name))}, key: {key}}}, and rows of {kind.table} are theirs"
    )


def _naming(column: Column, dataset: Dataset) -> Link | None:
    """The link to a person that a column belongs to."""
    return next((link for link in dataset.person_links if column.name in link.place.columns), None)


def _instead(column: Column, dataset: Dataset) -> str:
    """What fits where null does not."""
    if not column.not_null:
        return "null"
    if _naming(column, dataset) is not None:
        return "nobody"
    if known := column.labels or listed(dataset.facts, column.name):
        return f"{{value: {scalar(known[0])}}}"
    if column.is_array or column.family == "json":
        return "empty"
    return "random, or {value: …}" if column.family in ("text", "uuid") else "{value: …}"


def _staying(link: Link, dataset: Dataset) -> str:
    """What a link that may not be null is set to, so that the row stays."""
    if link.identity is None:
        return "nobody"
    return f"{{{', '.join(f'{as_key(name)}: {emptied(dataset.facts.columns[name])}' for name in link.place.columns)}}}"


def _choices(dataset: Dataset, link: Link) -> str:
    """What may be decided for a link, as far as its column and its table let it."""
    is_plain, columns = link.place.is_plain, [dataset.facts.columns[name] for name in link.place.columns]
    choices = []
    if dataset.decision.shared is not True:
        choices.append("delete (the row goes)")
    if not is_plain or not all(column.not_null for column in columns):
        choices.append("unlink (the link is set to null, and the row stays)")
    if is_plain and link.kind and link.identity is None:
        choices.append("nobody (the row stays, and points at nobody)")
        handed = ", ".join(f"{as_key(name)}: {{value: …}}" for name in link.place.columns)
        choices.append(f"{{{handed}}} (the row is somebody else's from then on)")
    elif link.kind and all(column.not_null for column in columns):
        choices.append(f"{_staying(link, dataset)} (the row stays)")
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


def _to_nobody(link: Link, kind: Kind, dataset: Dataset, survey: Survey, *, is_set: bool) -> str:
    """All of it: the row, the subject's `nobody`, and the link."""
    names = ", ".join(f"{as_key(name)}: nobody" for name in link.place.columns)
    write = f"write {names}" if is_set else f"write links: {{{with_said(dataset, link, erase='nobody')}}}"
    if kind.nobody is not None:
        return write
    or_delete = "" if dataset.decision.shared else "\nor let the row go: erase: delete"
    return f"{declaration(kind, survey.catalogue)}\n{write}{or_delete}"
