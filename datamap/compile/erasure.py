"""An erasure as a list of statements: capture from the top down, guard, change, delete from the bottom up.

Each table that an erasure touches has a temporary table of the rows it touches there, by their place on the page; they
are locked as they are captured, so that nothing that was decided about them can change before they do. Rows are
changed once and deleted once. What could go wrong is counted before anything is changed: rules 13 and 14 of
docs/ownership.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from datamap import model
from datamap.catalogue import ForeignKey
from datamap.compile import matching
from datamap.compile.changes import BY_TABLE, STUB, Change, Changes, Loss, assigned, table_action
from datamap.compile.graph import components
from datamap.compile.ownership import Branch, Ownership, Source, quiet
from datamap.compile.person import equality, plain_type
from datamap.compile.resolution import Dataset, Link
from datamap.compile.term import has_ended
from datamap.fault import Fault
from datamap.names import Place, literal, quoted
from datamap.names import Table as Name
from shared.plan import Statement

_FLAGS = ("gdpr_owned", "gdpr_by_table", "gdpr_dies", "gdpr_stub")
_AT_PLACE = "t.tableoid = r.gdpr_table and t.ctid = r.gdpr_place"


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """A link that points at rows which may be deleted, seen from the table that it is in."""

    dataset: Dataset  # of a table that is not in the map, one made of its facts alone
    number: int  # among the links of the dataset
    link: Link

    @property
    def is_held(self) -> bool:
        """Whether the database sees to it that no row points at what is gone; NOT ENFORCED it does not."""
        return self.link.foreign_key is not None and self.link.foreign_key.valid


class Erasure:
    """The statements that erase persons of one kind."""

    def __init__(self, ownership: Ownership, data_map: model.Map) -> None:
        self._ownership = ownership
        self._map = data_map
        self._kind = ownership.kind
        self._person = ownership.person
        self._resolution = ownership.resolution
        self.faults: list[Fault] = []

    # What is touched ---------------------------------------------------------------------------------------------

    @cached_property
    def pointers(self) -> Mapping[Name, tuple[Pointer, ...]]:
        """For each table that may lose rows, the links that point at it."""
        found: dict[Name, list[Pointer]] = {name: [] for name in self.deletable}
        for dataset in self._every_dataset():
            for number, link in enumerate(dataset.links):
                is_by_hand = table_action(dataset) == "external_manual" and link.foreign_key is None
                if link.target in found and _is_pointing(link) and not is_by_hand:
                    found[link.target].append(Pointer(dataset=dataset, number=number, link=link))
        return {name: tuple(pointers) for name, pointers in found.items()}

    def _every_dataset(self) -> Iterator[Dataset]:
        yield from self._resolution.datasets.values()
        for facts in self._resolution.catalogue:
            if facts.name not in self._resolution.datasets and facts.holds_rows:
                links = tuple(_bare_link(key) for key in facts.foreign_keys if key.target)
                if links:
                    decision = model.Table(personal=False)
                    yield Dataset(name=facts.name, facts=facts, decision=decision, links=links)

    @cached_property
    def deletable(self) -> tuple[Name, ...]:
        """The tables that may lose rows."""
        return tuple(name for name, dataset in self._ownership.datasets.items() if self._may_delete(dataset))

    def _may_delete(self, dataset: Dataset) -> bool:
        if dataset.decision.shared is True or dataset.facts.kind not in ("table", "partitioned"):
            return False
        ways = [*self._ownership.own_links(dataset), *self._ownership.parents(dataset)]
        if any(link.erase == "delete" for link in ways):
            return True
        action = table_action(dataset)
        ends = action == "keep" and has_ended(dataset, self._map) is not None
        return (action == "delete" or ends) and self._has_rows_by_table(dataset)

    def _has_rows_by_table(self, dataset: Dataset) -> bool:
        """Whether the table's own `erase` decides about any row, and not the links alone."""
        ways = [*self._ownership.own_links(dataset), *self._ownership.parents(dataset)]
        return dataset.name == self._kind.table or any(link.erase is None for link in ways)

    @cached_property
    def touched(self) -> dict[Name, Dataset]:
        """Every table that an erasure reads with a lock, and may change."""
        found = {name: each for name, each in self._ownership.datasets.items() if self._is_lockable(name)}
        found |= {
            name: dataset
            for name, dataset in self._resolution.datasets.items()
            if dataset.facts.kind in ("table", "partitioned")
            and (self._ownership.loose_links(dataset) or self._unlinks(dataset))
        }
        return dict(sorted(found.items()))

    def _is_lockable(self, name: Name) -> bool:
        """Whether rows of theirs are captured there: not where somebody erases them by hand."""
        dataset = self._ownership.datasets.get(name)
        if dataset is None or dataset.facts.kind not in ("table", "partitioned"):
            return False
        return table_action(dataset) != "external_manual" or name in self.deletable

    @cached_property
    def read(self) -> tuple[Name, ...]:
        """Every table that a statement names."""
        pointing = {pointer.dataset.name for pointers in self.pointers.values() for pointer in pointers}
        asked = self._ownership.asked_of_others
        return tuple(sorted({*self._ownership.datasets, *self.touched, *pointing, *asked, *self.refreshed}))

    def _unlinks(self, dataset: Dataset) -> list[int]:
        """The numbers of the links that are set to null: because the parent goes, or since the row is theirs by it."""
        ways = list(self._ownership.parents(dataset))
        of_table = table_action(dataset) == "unlink"
        return [
            number
            for number, link in enumerate(dataset.links)
            if link.kind is None
            and link.erase != "delete"
            and (
                (link in ways and (link.erase or of_table) and self._is_lockable(link.target))
                or (link.erase and link.target in self.deletable)
            )
        ]

    @cached_property
    def _number(self) -> dict[Name, int]:
        return {name: number for number, name in enumerate(self.touched, start=1)}

    def rows(self, name: Name) -> str:
        """The temporary table with the rows of a table that are touched."""
        return f"pg_temp.gdpr_rows_{self._number[name]}"

    @cached_property
    def _pointed_at(self) -> dict[Name, dict[str, None]]:
        """For each table that is touched the columns that links point at."""
        found: dict[Name, dict[str, None]] = {name: {} for name in self.touched}
        for dataset in self._every_dataset():
            for link in dataset.links:
                if link.target in found and _is_pointing(link):
                    found[link.target].update(dict.fromkeys(link.target_columns))
        return found

    @cached_property
    def stored(self) -> dict[Name, dict[str, str]]:
        """What is remembered of each captured row besides its place: what names it, and what links point at."""
        return {
            name: {
                column: column if not column.startswith("gdpr_") else f"gdpr_c{number}"
                for number, column in enumerate(dict.fromkeys([*self.touched[name].facts.row_key, *pointed_at]), 1)
            }
            for name, pointed_at in self._pointed_at.items()
        }

    def _source(self, name: Name, test: str) -> Source:
        return Source(self.rows(name), self.stored[name], test)

    # The statements ----------------------------------------------------------------------------------------------

    def statements(self) -> list[Statement]:
        """All of them, in the order in which they run."""
        return [
            *self._captures(),
            *self._stubs(),
            *self._hanging(),
            self._counted(),
            *self._guards(),
            *self._updates(),
            *self._rechecks(),
            *self._deletes(),
            *self._refreshes(),
        ]

    def _captures(self) -> Iterator[Statement]:
        for name, dataset in self.touched.items():
            yield self._table_of_rows(name, dataset)
        sources: dict[Name, Source] = {}
        for number, members in enumerate(self._ownership.circles, start=1):
            inside = sources
            if self._ownership.is_circular(members):
                statement, found = self._ownership.circle_keys(members, sources, f"gdpr_rows_circle_{number}")
                yield statement
                inside = sources | found
            for name in members:
                if name in self.touched:
                    yield from self._capture_owned(self.touched[name], inside)
                elif name in self._ownership.needed:
                    statement, found = self._ownership.keys(name, inside, f"gdpr_rows_owned_{number}")
                    yield statement
                    sources |= found
            sources |= {name: self._source(name, "q.gdpr_owned") for name in members if name in self.touched}
        for dataset in self.touched.values():
            yield from self._capture_acted(dataset)

    def _table_of_rows(self, name: Name, dataset: Dataset) -> Statement:
        short = self.rows(name).removeprefix("pg_temp.")
        flags = ", ".join(f"false as {flag}" for flag in _FLAGS)
        kept = "".join(f", t.{quoted(c)} as {quoted(stored)}" for c, stored in self.stored[name].items())
        columns = ("gdpr_table", "gdpr_place", *_FLAGS, *self.stored[name].values())
        sql = (
            f"create temporary table {short} on commit drop as\n"
            f"select t.tableoid as gdpr_table, t.ctid as gdpr_place, {flags}{kept}\n"
            f"from {dataset.sql} as t\nwhere false;\n{quiet(short, columns)}"
        )
        return Statement(purpose="prepare", dataset=str(name), sql=sql, why="the rows that are touched, by their place")

    def _capture_owned(self, dataset: Dataset, sources: Mapping[Name, Source]) -> Iterator[Statement]:
        for branch in self._ownership.branches(dataset, sources):
            by_table = self.by_table(dataset, branch, sources)
            dies = self.dies(dataset, branch, sources)
            via = f"by {branch.link.place}" if branch.link else "the person's own row"
            through = f" of {branch.link.target}" if branch.link and branch.is_inherited else ""
            yield self._capture(
                dataset,
                ("true", by_table, dies),
                branch.where,
                f"theirs, {via}{through}",
                link=branch.link,
            )

    def _capture(
        self, dataset: Dataset, flags: tuple[str, str, str], where: str, why: str, *, link: Link | None
    ) -> Statement:
        name = dataset.name
        kept = "".join(f", t.{quoted(column)}" for column in self.stored[name])
        owned, by_table, dies = flags
        sql = (
            f"insert into {self.rows(name)}\nselect t.tableoid, t.ctid, {owned}, {by_table}, {dies}, false{kept}\n"
            f"from {dataset.sql} as t\nwhere {where}\nfor update of t"
        )
        place = str(link.place) if link else None
        return Statement(purpose="capture", dataset=str(name), link=place, sql=sql, why=why)

    def _capture_acted(self, dataset: Dataset) -> Iterator[Statement]:
        for link in self._ownership.loose_links(dataset):
            ours = matching.names_us(link, dataset, self._person)
            yield self._capture(
                dataset,
                ("false", "false", "false"),
                f"{ours}\n  and {self._uncaptured(dataset.name)}",
                f"they acted on it, {link.place}" if link.role == "actor" else f"it refers to them, {link.place}",
                link=link,
            )

    def _uncaptured(self, name: Name, test: str = "") -> str:
        return f"not exists (select from {self.rows(name)} as r where {_AT_PLACE}{test})"

    def by_table(self, dataset: Dataset, branch: Branch, sources: Mapping[Name, Source]) -> str:
        """Whether the table's own `erase` is meant, and not a link's alone."""
        if branch.link is None or branch.link.erase is None:
            return "true"
        return _any(self._ways(dataset, branch, sources, lambda link: link.erase is None))

    def dies(self, dataset: Dataset, branch: Branch, sources: Mapping[Name, Source]) -> str:
        """Whether the row is to be deleted."""
        if dataset.decision.shared is True:
            return "false"
        ways = list(self._dies_by_table(dataset, branch, sources))
        if branch.link is not None:
            is_last_word = branch.link.erase == "delete"
            deleting = self._ways(dataset, branch, sources, lambda link: link.erase == "delete")
            ways += ["true"] if is_last_word else deleting
        return "true" if "true" in ways else _any(ways)

    def _dies_by_table(self, dataset: Dataset, branch: Branch, sources: Mapping[Name, Source]) -> Iterator[str]:
        action, by_table = table_action(dataset), self.by_table(dataset, branch, sources)
        if action == "delete":
            yield by_table
        elif action == "keep" and (ended := has_ended(dataset, self._map)):
            yield ended if by_table == "true" else f"({by_table} and {ended})"

    def _ways(
        self, dataset: Dataset, branch: Branch, sources: Mapping[Name, Source], meant: Callable[[Link], bool]
    ) -> list[str]:
        """The conditions under which a row of the branch came in by another link as well that is meant."""
        if not branch.is_inherited:
            return [self._names_us(link, dataset) for link in self._ownership.own_links(dataset) if meant(link)]
        parents = [link for link in self._ownership.parents(dataset) if meant(link) and link.target in sources]
        return [f"({self._ownership.child_of(link, dataset, sources[link.target])}) is true" for link in parents]

    def _names_us(self, link: Link, dataset: Dataset) -> str:
        return f"({matching.names_us(link, dataset, self._person)}) is true"

    # Rule 15: rows that kept rows point at ------------------------------------------------------------------------

    def _stubs(self) -> Iterator[Statement]:
        stays, children = self._stays, self._stays_for
        for members in reversed(components(self.touched, lambda name: children[name])):
            ways = [
                (n, link) for n in members if n in self._may_stay for link in stays[n] if link.target in self.deletable
            ]
            inside = [(name, link) for name, link in ways if link.target in members]
            for name in dict.fromkeys(link.target for _, link in inside):
                yield self._stub_of_circle(name, inside)
            for name, link in ways:
                if link.target not in members:
                    yield self._stub(self.touched[name], link)

    @cached_property
    def _stays(self) -> dict[Name, list[Link]]:
        return {name: self._staying_links(dataset) for name, dataset in self.touched.items()}

    @cached_property
    def _stays_for(self) -> dict[Name, list[Name]]:
        return {name: [link.target for link in links] for name, links in self._stays.items()}

    @cached_property
    def _may_stay(self) -> set[Name]:
        """Tables with kept rows, and those that may have stubs for their sake."""
        found = {name for name, dataset in self.touched.items() if table_action(dataset) == "keep"}
        waiting = list(found)
        while waiting:
            for target in self._stays_for[waiting.pop()]:
                if target in self.deletable and target not in found:
                    found.add(target)
                    waiting.append(target)
        return found

    def _staying_links(self, dataset: Dataset) -> list[Link]:
        """The links that a kept row, or a stub, of this table still has."""
        changes = self.changes_in(dataset)
        is_kept = table_action(dataset) == "keep"
        stays = changes.kept_columns() if is_kept else changes.stub_keys() - set(dataset.decision.stub)
        return [
            link
            for link in dataset.links
            if link.target in self.touched
            and link.role != "actor"
            and _is_pointing(link)
            and link.erase is None
            and (set(link.place.columns) <= stays or (not link.place.is_plain and link.place.column in stays))
        ]

    def _stub(self, dataset: Dataset, link: Link) -> Statement:
        sql = (
            f"update {self.rows(link.target)} as q\nset gdpr_dies = false, gdpr_stub = true\n"
            "where q.gdpr_dies and exists (\n"
            f"  select from {self.rows(dataset.name)} as r\n  join {dataset.sql} as t on {_AT_PLACE}\n"
            f"  where {self._is_staying(dataset)} and {self._points_up(dataset, link)}\n)"
        )
        return _stub_statement(link.target, [dataset.name], sql, str(link.place))

    def _is_staying(self, dataset: Dataset) -> str:
        stays = "(r.gdpr_by_table or r.gdpr_stub)" if table_action(dataset) == "keep" else "r.gdpr_stub"
        return f"{stays} and not r.gdpr_dies"

    def _points_up(self, dataset: Dataset, link: Link) -> str:
        """The row points at the captured row `q` of the link's table."""
        parent = self._resolution.datasets[link.target]
        columns = {c: f"q.{quoted(self.stored[link.target][c])}" for c in link.target_columns}
        return matching.points_at_columns(link, dataset, parent.facts, columns)

    def _stub_of_circle(self, name: Name, inside: list[tuple[Name, Link]]) -> Statement:
        """Tables that point at each other, or one at itself: what a stub points at stays in turn."""
        every = {each: self.touched[each] for each, _ in inside}
        starts = [
            f"select r.gdpr_table, r.gdpr_place from {self.rows(each)} as r where {self._is_staying(dataset)}"
            for each, dataset in every.items()
        ]
        steps = [
            f"select q.gdpr_table, q.gdpr_place from {every[each].sql} as t"
            f"\njoin {self.rows(link.target)} as q on {self._points_up(every[each], link)}"
            f"\nwhere q.gdpr_dies and {_AT_PLACE}"
            for each, link in inside
        ]
        sql = (
            "with recursive stays (gdpr_table, gdpr_place) as (\n(\n" + "\nunion all\n".join(starts) + "\n)"
            "\nunion\nselect x.*\nfrom stays as r\ncross join lateral (\n" + "\nunion all\n".join(steps) + "\n) as x\n)"
            f"\nupdate {self.rows(name)} as q\nset gdpr_dies = false, gdpr_stub = true\nfrom stays as s\n"
            "where q.gdpr_dies and q.gdpr_table = s.gdpr_table and q.gdpr_place = s.gdpr_place"
        )
        return _stub_statement(name, [each for each, link in inside if link.target == name], sql, None)

    # Links that are set to null because what they point at goes ---------------------------------------------------

    def _hanging(self) -> Iterator[Statement]:
        for dataset in self.touched.values():
            for number in self._unlinks(dataset):
                link = dataset.links[number]
                if link.target not in self.deletable or link.erase is None:
                    continue
                where = f"{self._dying_parent(dataset, link)}\n  and {self._uncaptured(dataset.name)}"
                why = f"the row of {link.target} that {link.place} points at is deleted: the link is taken away"
                yield self._capture(dataset, ("false", "false", "false"), where, why, link=link)

    def _dying_parent(self, dataset: Dataset, link: Link) -> str:
        return self._ownership.child_of(link, dataset, self._source(link.target, "q.gdpr_dies"))

    def undecided(self) -> Iterator[Fault]:
        """What the database would do by itself when rows go: each has to be decided in the map (rule 14)."""
        for name in self.deletable:
            for pointer in self.pointers[name]:
                key = pointer.link.foreign_key
                if key is None or self._is_decided(pointer):
                    continue
                if key.on_delete in ("no action", "restrict") and pointer.dataset.name not in self._resolution.datasets:
                    continue  # nobody has classified that table; the check says so, and the guard counts
                yield self._nobody_decided(name, pointer, key)

    def unheld(self) -> Iterator[tuple[Name, Pointer]]:
        """The links without a foreign key of which a row stops each erasure that deletes what it points at."""
        for name in self.deletable:
            for pointer in self.pointers[name]:
                is_bare = pointer.link.foreign_key is None and not pointer.dataset.is_refreshed
                if is_bare and not self._is_decided(pointer):
                    yield name, pointer

    def _is_decided(self, pointer: Pointer) -> bool:
        dataset = pointer.dataset
        if dataset.name not in self.touched:
            return False
        if dataset.name in self.deletable or pointer.link.erase is not None or pointer.link.role == "actor":
            return True
        if pointer.link.foreign_key is not None and pointer.link.foreign_key.on_delete in ("no action", "restrict"):
            return True
        stays = dataset.name in self._may_stay and pointer.link in self._stays[dataset.name]
        return stays or any(change.breaks(pointer.link.place) for change in self._changes[dataset.name])

    def _nobody_decided(self, name: Name, pointer: Pointer, key: ForeignKey) -> Fault:
        dataset, columns = pointer.dataset, ", ".join(key.columns)
        would = {
            "cascade": "the database would delete them as well",
            "set null": f"the database would set {columns} to null",
            "set default": f"the database would set {columns} to its default",
        }.get(key.on_delete, "the database would refuse")
        return Fault(
            code="cascade_undecided" if key.on_delete != "no action" else "reference_undecided",
            message=f"Rows of {dataset.name} point at rows of {name} that an erasure deletes, by {columns}: {would},"
            " and the map does not decide it",
            where=dataset.where or ("tables",),
            about=pointer.link,
        )

    def _counted(self) -> Statement:
        rows = ", ".join(self.rows(name) for name in self.touched)
        return Statement(
            purpose="prepare", dataset="", sql=f"analyze {rows}", why="the planner learns how many there are"
        )

    def _loss(self, dataset: Dataset, link: Link) -> Loss:
        facts, key = dataset.facts.columns[link.place.column], self.stored[link.target][link.target_columns[0]]
        is_lost = "(q.gdpr_dies or (r.gdpr_owned and q.gdpr_owned))"
        if link not in list(self._ownership.parents(dataset)):
            is_lost = "q.gdpr_dies"

        def is_element(left: str) -> str:
            target = self._resolution.catalogue.tables[link.target]
            rows, column = self.rows(link.target), f"q.{quoted(key)}"
            return matching.element_points_within(link, facts, target, rows, left, key=column, test=is_lost)

        return Loss(condition=self._lost_parent(dataset, link), is_element=is_element)

    def _lost_parent(self, dataset: Dataset, link: Link) -> str:
        """The parent is deleted; or the row is theirs by this link, which says what is done with it (rule 11)."""
        ways = []
        if link.target in self.deletable and link.erase is not None:
            ways.append(self._dying_parent(dataset, link))
        if link in list(self._ownership.parents(dataset)):
            ours = self._ownership.child_of(link, dataset, self._source(link.target, "q.gdpr_owned"))
            ways.append(" and ".join(["r.gdpr_owned", ours, *self._ownership.silent(dataset)]))
        return _any(f"({way})" for way in ways)

    # Rules 13 and 14: what stops an erasure -----------------------------------------------------------------------

    def _guards(self) -> Iterator[Statement]:
        changed = [d for n, d in self.touched.items() if n in self._ownership.datasets and self._changes_whole_rows(d)]
        for dataset in changed:
            if dataset.owner_links and self._ownership.may_name_others(dataset):
                yield self._names_two(dataset)
        contested = [d for d in changed if d.name in self._ownership.contested and any(self._ownership.parents(d))]
        if contested:
            sql = self._ownership.others_above([(dataset, self.rows(dataset.name)) for dataset in contested])
            names = ", ".join(str(dataset.name) for dataset in contested)
            why = "rows that hang from somebody else's as well"
            yield Statement(purpose="guard", dataset=names, sql=sql, why=why)
        for name in self.deletable:
            for pointer in self.pointers[name]:
                if not pointer.dataset.is_refreshed and not self._is_always_deleted_with(pointer):
                    yield self._left_hanging(name, pointer)

    def _changes_whole_rows(self, dataset: Dataset) -> bool:
        acts = table_action(dataset) not in ("unlink", "external_manual", "refresh")
        return acts and self._has_rows_by_table(dataset)

    def _names_two(self, dataset: Dataset) -> Statement:
        sql = (
            f"select {literal(str(dataset.name))}, count(*)\nfrom {self.rows(dataset.name)} as r\n"
            f"join {dataset.sql} as t on {_AT_PLACE}\n"
            f"where r.gdpr_by_table\n  and {self._ownership.names_others(dataset)}"
        )
        return Statement(
            purpose="guard", dataset=str(dataset.name), sql=sql, why="rows that name somebody else as well"
        )

    def _is_always_deleted_with(self, pointer: Pointer) -> bool:
        """The schema proves that no row is left: all that point there are captured, and all captured are deleted."""
        dataset, link = pointer.dataset, pointer.link
        if dataset.name not in self.deletable or not link.is_owner or link.condition is not None:
            return False
        branch = Branch(tests=(), link=link, is_inherited=link.kind is None)
        if link.kind is None and dataset.owner_links:
            return False
        if link.kind is not None and (link.kind != self._kind.name or self._may_be_empty(link)):
            return False
        return self.dies(dataset, branch, {}) == "true" and not self._may_be_stub(dataset.name)

    def _may_be_empty(self, link: Link) -> bool:
        """An empty text names nobody, and a foreign key holds it all the same."""
        return any(self._person.columns[column].family == "text" for column in link.target_columns)

    def _may_be_stub(self, name: Name) -> bool:
        return name in self.deletable and name in {target for n in self._may_stay for target in self._stays_for[n]}

    def _left_hanging(self, name: Name, pointer: Pointer) -> Statement:
        dataset = pointer.dataset
        tests = [self._points_at_dying(name, pointer)]
        if dataset.name in self.touched:
            tests.append(self._uncaptured(dataset.name, f" and ({self._lets_go(dataset, pointer)})"))
        why = f"rows that would be left pointing at deleted rows of {name}"
        return self._counting("guard", pointer, tests, why)

    @staticmethod
    def _counting(purpose: Literal["guard", "recheck"], pointer: Pointer, tests: list[str], why: str) -> Statement:
        place = literal(str(pointer.dataset.name))
        sql = f"select {place}, count(*)\nfrom {pointer.dataset.sql} as t\nwhere " + "\n  and ".join(tests)
        link = str(pointer.link.place)
        return Statement(purpose=purpose, dataset=str(pointer.dataset.name), link=link, sql=sql, why=why)

    def _points_at_dying(self, name: Name, pointer: Pointer) -> str:
        link = pointer.link
        return matching.points_within(
            link,
            pointer.dataset,
            self._resolution.catalogue.tables[name],
            self.rows(name),
            columns={c: f"q.{quoted(self.stored[name][c])}" for c in link.target_columns},
            test="q.gdpr_dies",
            with_conditions=link.foreign_key is None,  # which binds a row whatever `when` says
        )

    def _lets_go(self, dataset: Dataset, pointer: Pointer) -> str:
        """A captured row that is deleted, or changed so that this link no longer points there."""
        changes = [change for change in self._changes[dataset.name] if change.breaks(pointer.link.place)]
        return " or ".join(dict.fromkeys(["r.gdpr_dies", *(f"({change.condition})" for change in changes)]))

    def _rechecks(self) -> Iterator[Statement]:
        """Rule 14 once more: a trigger or a rule may have kept a row as it was, and a value that a link is set to may
        be the key of a row that goes. Where a foreign key refuses that by itself nothing is asked."""
        for name in self.deletable:
            for pointer in self.pointers[name]:
                key, dataset = pointer.link.foreign_key, pointer.dataset
                changes = self._changes.get(dataset.name, ())
                refuses = key is not None and pointer.is_held and key.on_delete in ("no action", "restrict")
                if not refuses and any(change.breaks(pointer.link.place) for change in changes):
                    here = self._found_again(dataset)
                    stays = f"not exists (select from {self.rows(dataset.name)} as r where {here} and r.gdpr_dies)"
                    why = f"rows that still point at rows of {name} that are about to go"
                    yield self._counting("recheck", pointer, [self._points_at_dying(name, pointer), stays], why)

    # What happens -------------------------------------------------------------------------------------------------

    def changes_in(self, dataset: Dataset) -> Changes:
        """What may be changed in a table."""
        bound = {
            column
            for _, key in self._resolution.catalogue.references.get(dataset.name, ())
            for column in key.target_columns
        }
        referenced = frozenset(self._pointed_at[dataset.name])
        return Changes(dataset, self._kind, self._person, referenced=referenced, bound=frozenset(bound))

    @cached_property
    def _changes(self) -> dict[Name, list[Change]]:
        found = {}
        for name, dataset in self.touched.items():
            changes = self.changes_in(dataset)
            losses = {number: self._loss(dataset, dataset.links[number]) for number in self._unlinks(dataset)}
            every, has_stubs = changes.all(losses), self._may_be_stub(name)
            found[name] = [change for change in every if has_stubs or change.condition != STUB]
            stub = (*dataset.where, "stub")
            self.faults += [f for f in changes.faults if has_stubs or f.where[: len(stub)] != stub]
        return found

    def action(self, dataset: Dataset) -> str:
        """What happens to rows of a table, in one word."""
        action = table_action(dataset)
        return action if isinstance(action, str) else "change"

    def standing(self, dataset: Dataset) -> str | None:
        """For rows that may stay: the condition that something stayed which should not. None: no row may stay."""
        reason = {True: BY_TABLE, False: STUB}[table_action(dataset) == "keep"]
        if dataset.name not in self.touched or (reason == STUB and not self._may_be_stub(dataset.name)):
            return None
        left = []
        for change in self._changes[dataset.name]:
            facts = dataset.facts.columns[change.column]
            if change.condition == reason and change.value == "null":
                left.append(f"t.{quoted(change.column)} is not null")
            elif change.condition == reason and change.value.startswith("'"):
                held, given = f"t.{quoted(change.column)}", change.value
                if facts.family in ("json", "vector", "other"):  # types that may know no equality
                    held, given = f"{held}::text", f"cast({given} as {plain_type(facts)})::text"
                left.append(f"{held} is distinct from {given}")
        return " or ".join(left) if left else "false"

    def _updates(self) -> Iterator[Statement]:
        for name, dataset in self.touched.items():
            if changes := self._changes[name]:
                sql = (
                    f"update {dataset.sql} as t\nset\n  "
                    + ",\n  ".join(assigned(changes))
                    + f"\nfrom {self.rows(name)} as r\nwhere {self._found_again(dataset)} and not r.gdpr_dies"
                )
                yield Statement(purpose="change", dataset=str(name), sql=sql, why="what stays is cut down and unlinked")

    def _deletes(self) -> Iterator[Statement]:
        arrows = {name: self._points_at(name) for name in self.deletable}
        for members in reversed(components(self.deletable, lambda name: arrows[name])):
            if len(members) == 1:
                sql = self._delete(members[0])
                why = "what has to go"
            else:
                parts = [f"gone_{n} as (\n{self._delete(name)}\nreturning 1\n)" for n, name in enumerate(members, 1)]
                total = " + ".join(f"(select count(*) from gone_{n})" for n in range(1, len(members) + 1))
                sql = "with " + ",\n".join(parts) + f"\nselect {total}"
                why = "they point at each other, so they go in one statement"
            yield Statement(purpose="delete", dataset=", ".join(map(str, members)), sql=sql, why=why)

    def _points_at(self, name: Name) -> list[Name]:
        links = self.touched[name].links
        return [link.target for link in links if link.foreign_key is not None and link.target != name]

    def _delete(self, name: Name) -> str:
        dataset, rows = self.touched[name], self.rows(name)
        return f"delete from {dataset.sql} as t\nusing {rows} as r\nwhere {self._found_again(dataset)} and r.gdpr_dies"

    def _found_again(self, dataset: Dataset) -> str:
        """The captured row. By its place, which is fastest; by its key where a trigger may have moved it meanwhile."""
        key = dataset.facts.row_key
        if not key or not self._rows_may_move:
            return _AT_PLACE
        stored, columns = self.stored[dataset.name], dataset.facts.columns
        return " and ".join(f"t.{quoted(c)} {equality(columns[c])} r.{quoted(stored[c])}" for c in key)

    @cached_property
    def _rows_may_move(self) -> bool:
        """Whether a trigger or a rule may change rows while others are changed or deleted. (No ON UPDATE does: a key
        that foreign keys point at is never changed.)"""
        tables = [dataset.facts for dataset in self.touched.values()]
        triggers = [trigger for facts in tables for trigger in facts.triggers]
        rules = [rule for facts in tables for rule in facts.rules]
        return any(trigger.enabled and (trigger.update or trigger.delete) for trigger in triggers) or any(
            rule.event in ("update", "delete") for rule in rules
        )

    def unheard(self) -> Iterator[Fault]:
        """Links that decide about rows whose parents are erased by hand, and so are not looked for."""
        for dataset in self._ownership.datasets.values():
            for link in self._ownership.parents(dataset):
                if link.erase in (None, "delete") or self._is_lockable(link.target):
                    continue
                yield Fault(
                    code="by_hand",
                    message=f"{dataset.name}, {link.place}: {link.target} is erased by hand, so what this link decides"
                    " never happens",
                    where=link.where,
                    remedy=f"decide at {dataset.name} itself, erase: …, or for this link erase: delete",
                )

    def unfindable(self) -> Iterator[Fault]:
        """Rows that a trigger may move while nothing but their place names them."""
        if not self._rows_may_move:
            return
        for name, dataset in self.touched.items():
            if not dataset.facts.row_key:
                yield Fault(
                    code="no_row_key",
                    message=f"{name} has no key, and a trigger may change its rows during an erasure:"
                    " a row that is changed twice would not be found again",
                    where=dataset.where,
                    severity="warning",
                    remedy=f"alter table {name.sql} add primary key (…), or a unique constraint on what is NOT NULL;",
                )

    @cached_property
    def refreshed(self) -> tuple[Name, ...]:
        """The materialised views, each after those that it shows."""
        every = dict(sorted(self._resolution.datasets.items()))
        by_text = {f"{each.schema}.{each.name}": each for each in self._resolution.catalogue.tables}
        reads = {name: [each for each in self._shown_by(name, by_text) if each in every] for name in every}
        ordered = [name for name, *_ in components(every, lambda name: reads[name])]
        return tuple(name for name in ordered if every[name].is_refreshed)

    def _shown_by(self, name: Name, by_text: Mapping[str, Name]) -> list[Name]:
        """What a view shows, also through views."""
        tables = self._resolution.catalogue.tables
        found, waiting = dict[Name, None](), [name]
        while waiting:
            shown = [by_text[text] for text in tables[waiting.pop()].reads if text in by_text]
            waiting += [each for each in shown if each not in found and tables[each].kind == "view"]
            found |= dict.fromkeys(shown)
        return list(found)

    def _refreshes(self) -> Iterator[Statement]:
        for name in self.refreshed:
            sql, why = f"refresh materialized view {name.sql}", "it shows rows that are gone"
            yield Statement(purpose="refresh", dataset=str(name), sql=sql, why=why)


def _stub_statement(name: Name, keeping: list[Name], sql: str, place: str | None) -> Statement:
    why = f"{', '.join(map(str, dict.fromkeys(keeping)))} keeps rows that point at these: they stay as stubs"
    return Statement(purpose="stub", dataset=str(name), link=place, sql=sql, why=why)


def _any(tests: Iterable[str]) -> str:
    listed = [test for test in tests if test != "false"]
    return f"({' or '.join(listed)})" if listed else "false"


def _is_pointing(link: Link) -> bool:
    """Whether the link holds the key of a row, and is left hanging without it. An identity is none by itself."""
    return link.identity is None or link.foreign_key is not None


def _bare_link(key: ForeignKey) -> Link:
    """A foreign key of a table that the map does not speak of."""
    return Link(
        place=Place(key.columns),
        target=key.target or Name("", ""),
        target_columns=key.target_columns,
        role="reference",
        foreign_key=key,
    )
