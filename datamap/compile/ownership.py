"""Which rows are a person's, as SQL: rules 6 to 10 of docs/ownership.md.

A table's rows come in by branches that exclude each other, one for each link, so that each branch uses the index of
its link and nothing is counted twice. A branch over a parent stands on the parent's own rows, of which a temporary
table remembers the keys: so every statement is short, however deep the tables hang, and each set is found once. Tables
that inherit from each other in a circle are walked together by one recursive expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from datamap.compile import matching
from datamap.compile.graph import components
from datamap.compile.person import Person, plain_type
from datamap.compile.resolution import Dataset, Kind, Link, Resolution
from datamap.names import Place, literal, quoted
from datamap.names import Table as Name
from shared.plan import Statement


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One way for rows of a table to be a person's."""

    tests: tuple[str, ...]
    link: Link | None  # None: it is the person's own row
    is_inherited: bool

    @property
    def where(self) -> str:
        return "\n  and ".join(self.tests)


@dataclass(frozen=True)
class Source:
    """Where the owned rows of a parent are to be found, and what its columns are called there."""

    relation: str
    columns: Mapping[str, str]
    test: str = ""  # what holds for those that are meant


class Ownership:
    """All tables seen from one kind of subject."""

    def __init__(self, resolution: Resolution, kind: Kind) -> None:
        self.resolution = resolution
        self.kind = kind
        self.person = Person.of(kind, resolution)

    @cached_property
    def datasets(self) -> dict[Name, Dataset]:
        """Those whose rows may be a person's of this kind, in the order of their names."""
        every = self.resolution.datasets
        reached = {name for name, dataset in every.items() if self._is_direct(dataset)}
        while True:
            more = {name for name, d in every.items() if name not in reached and any(self.parents(d, reached))}
            if not more:
                return {name: every[name] for name in sorted(reached)}
            reached |= more

    def _is_direct(self, dataset: Dataset) -> bool:
        return dataset.name == self.kind.table or any(link.kind == self.kind.name for link in dataset.owner_links)

    def parents(self, dataset: Dataset, within: set[Name] | None = None) -> Iterator[Link]:
        """The links by which its rows inherit their owner; those of a shared place are found by its own alone."""
        if dataset.always_speaks or dataset.decision.shared is True:
            return
        for link in dataset.parent_links:
            parent = self.resolution.datasets.get(link.target)
            is_within = link.target in (self.datasets if within is None else within)
            if link.is_owner and parent is not None and parent.passes_on and is_within:
                yield link

    def own_links(self, dataset: Dataset) -> list[Link]:
        """The links by which its rows name a person of this kind as their owner."""
        return [link for link in dataset.owner_links if link.kind == self.kind.name]

    def actor_links(self, dataset: Dataset) -> list[Link]:
        return [link for link in self.loose_links(dataset) if link.role == "actor"]

    def loose_links(self, dataset: Dataset) -> list[Link]:
        """Those that an erasure takes away from rows that are not theirs."""
        return [link for link in dataset.person_links if link.lets_go and link.kind == self.kind.name]

    @cached_property
    def circles(self) -> list[tuple[Name, ...]]:
        """The tables parents first; those that inherit from each other in a circle together."""
        return components(self.datasets, lambda name: [link.target for link in self.parents(self.datasets[name])])

    def is_circular(self, members: tuple[Name, ...]) -> bool:
        if len(members) > 1:
            return True
        return any(link.target == members[0] for link in self.parents(self.datasets[members[0]]))

    @cached_property
    def needed(self) -> dict[Name, tuple[str, ...]]:
        """For each table the columns that its children inherit by."""
        found: dict[Name, dict[str, None]] = {}
        for dataset in self.datasets.values():
            for link in self.parents(dataset):
                found.setdefault(link.target, {}).update(dict.fromkeys(link.target_columns))
        return {name: tuple(columns) for name, columns in found.items()}

    def key_link(self) -> Link:
        """The subject's own key, as if it were a link to itself."""
        return Link(
            place=Place(self.kind.key),
            target=self.kind.table,
            target_columns=self.kind.key,
            role="owner",
            kind=self.kind.name,
        )

    def direct(self, dataset: Dataset) -> Iterator[Branch]:
        """The branches for rows that name the person themselves."""
        if dataset.name == self.kind.table:
            yield Branch(
                tests=(matching.names_us(self.key_link(), dataset, self.person),), link=None, is_inherited=False
            )
            return
        before: list[str] = []
        for link in self.own_links(dataset):
            ours = matching.names_us(link, dataset, self.person)
            yield Branch(tests=(ours, *before), link=link, is_inherited=False)
            before.append(f"({ours}) is not true")

    def inherited(self, dataset: Dataset, sources: Mapping[Name, Source]) -> Iterator[Branch]:
        """The branches for rows that name nobody, over each parent whose source is given."""
        silent = self.silent(dataset)
        before: list[str] = []
        for link in self.parents(dataset):
            if link.target not in sources:
                continue
            ours = self.child_of(link, dataset, sources[link.target])
            yield Branch(tests=(ours, *silent, *before), link=link, is_inherited=True)
            before.append(f"({ours}) is not true")

    def silent(self, dataset: Dataset, alias: str = "t") -> list[str]:
        """That no link of the row speaks for itself."""
        return [f"({matching.speaks(link, dataset, alias)}) is not true" for link in dataset.owner_links]

    def child_of(self, link: Link, dataset: Dataset, source: Source) -> str:
        """The row points at one of the source's rows."""
        target = self.resolution.catalogue.tables[link.target]
        columns = {column: f"q.{quoted(source.columns[column])}" for column in link.target_columns}
        return matching.points_within(link, dataset, target, source.relation, columns=columns, test=source.test)

    def branches(self, dataset: Dataset, sources: Mapping[Name, Source]) -> list[Branch]:
        return [*self.direct(dataset), *self.inherited(dataset, sources)]

    # The sets that others stand on --------------------------------------------------------------------------------

    def reach(self) -> tuple[list[Statement], dict[Name, Source]]:
        """The statements that remember whose children's owners are theirs, parents first, and where to find them."""
        statements: list[Statement] = []
        sources: dict[Name, Source] = {}
        for number, members in enumerate(self.circles, start=1):
            if self.is_circular(members):
                statement, found = self.circle_keys(members, sources, f"gdpr_owned_circle_{number}")
            elif members[0] in self.needed:
                statement, found = self.keys(members[0], sources, f"gdpr_owned_{number}")
            else:
                continue
            sources |= found
            statements.append(statement)
        return statements, sources

    def keys(self, name: Name, sources: Mapping[Name, Source], relation: str) -> tuple[Statement, dict[Name, Source]]:
        """Remember the keys of a table's rows, for what hangs below."""
        dataset = self.datasets[name]
        columns = self.needed[name]
        listed = ", ".join(f"t.{quoted(column)}" for column in columns)
        rows = "\nunion all\n".join(
            f"select {listed}\nfrom {dataset.sql} as t\nwhere {branch.where}"
            for branch in self.branches(dataset, sources)
        )
        found = {name: Source(f"pg_temp.{relation}", {column: column for column in columns})}
        return _prepared(str(name), remembered(relation, columns, rows)), found

    def circle_keys(
        self, members: tuple[Name, ...], sources: Mapping[Name, Source], relation: str
    ) -> tuple[Statement, dict[Name, Source]]:
        """The same of tables in a circle."""
        sql, found = self.circle(members, sources, relation)
        datasets = ", ".join(map(str, members))
        return _prepared(datasets, remembered(relation, self.circle_columns(members), sql)), found

    def circle(
        self, members: tuple[Name, ...], sources: Mapping[Name, Source], relation: str
    ) -> tuple[str, dict[Name, Source]]:
        """One recursive query for tables that inherit from each other; `gdpr_member` says whose row each is."""
        slots = self._slots(members)
        types = {slot: kind for of_member in slots.values() for _, slot, kind in of_member}
        outside = {name: source for name, source in sources.items() if name not in members}
        first = [
            self._row(name, members, slots, types, branch.where)
            for name in members
            for branch in self.branches(self.datasets[name], outside)
        ]
        steps = [
            self._row(name, members, slots, types, self._step(link, name, members, slots))
            for name in members
            for link in self.parents(self.datasets[name])
            if link.target in members
        ]
        start = "\nunion all\n".join(first or [self._row(members[0], members, slots, types, "false")])
        sql = (
            f"with recursive circle (gdpr_member, {', '.join(types)}) as (\n(\n{start}\n)\nunion\nselect x.*\n"
            "from circle as s\ncross join lateral (\n" + "\nunion all\n".join(steps) + "\n) as x\n)\n"
            "select * from circle"
        )
        found = {
            name: Source(
                f"pg_temp.{relation}",
                {column: slot for column, slot, _ in slots[name]},
                f"q.gdpr_member = {members.index(name)}",
            )
            for name in members
        }
        return sql, found

    def circle_columns(self, members: tuple[Name, ...]) -> list[str]:
        slots = {slot: None for of_member in self._slots(members).values() for _, slot, _ in of_member}
        return ["gdpr_member", *slots]

    def _slots(self, members: tuple[Name, ...]) -> dict[Name, list[tuple[str, str, str]]]:
        """For each member its columns, the column of the circle that carries each, and the type. Types are shared."""
        numbers: dict[tuple[str, int], str] = {}
        slots: dict[Name, list[tuple[str, str, str]]] = {}
        for name in members:
            used: dict[str, int] = {}
            slots[name] = []
            for column in self.needed.get(name, ()):
                facts = self.datasets[name].facts.columns[column]
                kind = plain_type(facts) + (f" collate {facts.collation}" if facts.collation else "")
                used[kind] = used.get(kind, 0) + 1
                slot = numbers.setdefault((kind, used[kind]), f"c{len(numbers) + 1}")
                slots[name].append((column, slot, kind))
        return slots

    def _row(
        self,
        name: Name,
        members: tuple[Name, ...],
        slots: Mapping[Name, list[tuple[str, str, str]]],
        types: Mapping[str, str],
        where: str,
    ) -> str:
        own = {slot: f"t.{quoted(column)}" for column, slot, _ in slots[name]}
        cells = []
        for slot, kind in types.items():
            plain, _, collation = kind.partition(" collate ")
            cells.append(f"cast({own.get(slot, 'null')} as {plain})" + (f" collate {collation}" if collation else ""))
        listed = ", ".join([str(members.index(name)), *cells])
        return f"select {listed}\nfrom {self.datasets[name].sql} as t\nwhere {where}"

    def _step(
        self, link: Link, name: Name, members: tuple[Name, ...], slots: Mapping[Name, list[tuple[str, str, str]]]
    ) -> str:
        dataset = self.datasets[name]
        target = self.resolution.catalogue.tables[link.target]
        columns = {column: f"s.{slot}" for column, slot, _ in slots[link.target]}
        points = matching.points_at_columns(link, dataset, target, columns)
        tests = [f"s.gdpr_member = {members.index(link.target)}", points, *self.silent(dataset)]
        return "\n  and ".join(tests)

    # Somebody else -----------------------------------------------------------------------------------------------

    @cached_property
    def contested(self) -> set[Name]:
        """Tables whose rows may be somebody else's as well; the schema rules it out for the others."""
        found = {
            name
            for name, dataset in self.datasets.items()
            if name != self.kind.table and (self.may_name_others(dataset) or self._may_have_two_parents(dataset))
        }
        while True:
            more = {
                name
                for name, dataset in self.datasets.items()
                if name not in found and any(link.target in found for link in self._every_parent(dataset))
            }
            if not more:
                return found
            found |= more

    def _may_have_two_parents(self, dataset: Dataset) -> bool:
        parents = self._every_parent(dataset)
        return len(parents) > 1 or any(None in link.place.steps for link in parents)

    def may_name_others(self, dataset: Dataset) -> bool:
        """Whether a row that names a person may itself name another one."""
        links = dataset.owner_links
        if len(links) > 1 or any(None in link.place.steps for link in links):
            return True
        return any(link.identity and not self._is_one_persons(link) for link in links)

    def _is_one_persons(self, link: Link) -> bool:
        identity = self.kind.identities.get(link.identity or "")
        return identity is not None and (identity.unique or identity.shared)

    def _every_parent(self, dataset: Dataset) -> list[Link]:
        """The parents that its rows may inherit from, this kind's or another's."""
        return list(self.parents(dataset, set(self.resolution.datasets)))

    def names_others(self, dataset: Dataset, alias: str = "t") -> str:
        """The row itself names somebody who is none of the persons that the statement is about."""
        return "(" + "\n    or ".join(self._others_named(dataset, alias) or ["false"]) + ")"

    def _others_named(self, dataset: Dataset, alias: str) -> list[str]:
        found = []
        for link in dataset.owner_links:
            kind = self.resolution.kinds[link.kind or ""]
            person = self.person if kind == self.kind else None
            found.append(f"({matching.names_other(link, dataset, kind, person, alias)})")
        return found

    @cached_property
    def asked_of_others(self) -> set[Name]:
        """The tables that say whether a row is somebody else's as well: the people's, and what it may hang from."""
        above = self._above(list(self.datasets))
        owners = [link for name in above for link in self.resolution.datasets[name].owner_links]
        return {self.kind.table, *above, *(self.resolution.kinds[link.kind or ""].table for link in owners)}

    def others_above(self, starts: list[tuple[Dataset, str]]) -> str:
        """For rows that name nobody: how many inherit from somebody else, by table.

        One walk from row to parent, as long as no row speaks for itself. A start is a table with the relation that
        holds the places of its rows.
        """
        members = self._above([dataset.name for dataset, _ in starts])
        number = {name: position for position, name in enumerate(members)}
        first, steps, ends = [], [], []
        for dataset, relation in starts:
            here = "t.tableoid = r.gdpr_table and t.ctid = r.gdpr_place"
            tests = " and ".join([here, "r.gdpr_by_table", *self.silent(dataset)])
            place = f"{number[dataset.name]}, r.gdpr_table, r.gdpr_place"
            first.append(f"select {place}, {place}\nfrom {relation} as r\njoin {dataset.sql} as t on {tests}")
        for name in members:
            each = self.resolution.datasets[name]
            here = f"u.gdpr_member = {number[name]} and d.tableoid = u.gdpr_table and d.ctid = u.gdpr_place"
            for link in self._every_parent(each):
                parent = self.resolution.datasets[link.target]
                points = matching.points_at(link, each, parent.facts, "d", "q")
                tests = " and ".join([here, points, *self.silent(each, "d")])
                start = "u.gdpr_start, u.gdpr_start_table, u.gdpr_start_place"
                steps.append(
                    f"select {start}, {number[link.target]}, q.tableoid, q.ctid\n"
                    f"from {each.sql} as d\ncross join {parent.sql} as q\nwhere {tests}"
                )
            if named := self._others_named(each, "d"):
                ends.append(f"select from {each.sql} as d where {here} and ({' or '.join(named)})")
        names = ", ".join(literal(str(name)).strip() for name in members)
        columns = "gdpr_start, gdpr_start_table, gdpr_start_place, gdpr_member, gdpr_table, gdpr_place"
        return (
            f"with recursive up ({columns}) as (\n(\n" + "\nunion all\n".join(first) + "\n)\nunion\nselect x.*\n"
            "from up as u\ncross join lateral (\n" + "\nunion all\n".join(steps) + "\n) as x\n)\n"
            f"select (array[{names}])[u.gdpr_start + 1], count(distinct (u.gdpr_start_table, u.gdpr_start_place))\n"
            "from up as u\nwhere exists (\n" + ("\nunion all\n".join(ends) or "select where false") + "\n)\ngroup by 1"
        )

    def _above(self, names: list[Name]) -> list[Name]:
        """Tables and all that their rows may inherit from, however far up."""
        found = dict.fromkeys(names)
        waiting = list(names)
        while waiting:
            for link in self._every_parent(self.resolution.datasets[waiting.pop()]):
                if link.target not in found:
                    found[link.target] = None
                    waiting.append(link.target)
        return sorted(found)


def _prepared(datasets: str, sql: str) -> Statement:
    why = "the keys of their rows, for what hangs below"
    return Statement(purpose="prepare", dataset=datasets, sql=sql, why=why)


def remembered(relation: str, columns: Iterable[str], sql: str) -> str:
    """A temporary table of what a query finds, whose size the planner learns."""
    return (
        f"create temporary table {relation} on commit drop as\n{sql};\n{quiet(relation, columns)};\n"
        f"analyze pg_temp.{relation}"
    )


def quiet(relation: str, columns: Iterable[str]) -> str:
    """Keeps values of a temporary table out of the statistics, which lie in the catalogue and in backups."""
    altered = ", ".join(f"alter column {quoted(column)} set statistics 0" for column in columns)
    return f"alter table pg_temp.{relation} {altered}"
