"""What is read for one person: counts, exports, and the checks after an erasure, which go another way than it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from datamap import model
from datamap.compile import matching
from datamap.compile.erasure import Erasure
from datamap.compile.ownership import Branch, Ownership, Source
from datamap.compile.resolution import Dataset, Link
from datamap.names import Table as Name
from datamap.names import quoted
from shared.plan import Column, Statement


class Reading:
    """The statements that read one table."""

    def __init__(
        self,
        ownership: Ownership,
        erasure: Erasure,
        dataset: Dataset,
        sources: Mapping[Name, Source],
        data_map: model.Map,
    ) -> None:
        self._ownership = ownership
        self._erasure = erasure
        self._dataset = dataset
        self._activity = data_map.activities.get(dataset.decision.activity or "")
        self._sources = sources
        self._branches = ownership.branches(dataset, sources) if dataset.name in ownership.datasets else []

    def statements(self) -> Iterator[Statement]:
        if self._branches:
            yield self._statement("count", self._count(), "their rows, and how many of them an erasure deletes")
            if self.exported and any(map(self._is_shown, self._branches)):
                yield self._statement("export", self._export(), "their rows")
        for link in self._ownership.actor_links(self._dataset):
            if link.is_exported:
                yield self._acted(link)
        yield from self._verify()

    def _statement(self, purpose: str, sql: str, why: str, link: Link | None = None) -> Statement:
        return Statement(
            purpose=purpose,  # type: ignore[arg-type]
            dataset=str(self._dataset.name),
            link=str(link.place) if link else None,
            sql=sql,
            why=why,
        )

    def _count(self) -> str:
        parts = []
        for branch in self._branches:
            dies = self._erasure.dies(self._dataset, branch, self._sources)
            deleted = {"true": "count(*)", "false": "0"}.get(dies, f"count(*) filter (where {dies})")
            parts.append(f"  select count(*) as found, {deleted} as deleted\n  {self._from(branch)}")
        rows = "\n  union all\n".join(parts)
        return f"select coalesce(sum(w.found), 0)::bigint, coalesce(sum(w.deleted), 0)::bigint\nfrom (\n{rows}\n) as w"

    def _from(self, branch: Branch) -> str:
        return f"from {self._dataset.sql} as t\n  where {branch.where}"

    # The export ---------------------------------------------------------------------------------------------------

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column, with what an export says of it."""
        return tuple(self._column(name) for name in self._dataset.facts.columns)

    @property
    def exported(self) -> list[str]:
        return [column.name for column in self.columns if column.export == "value"]

    def _column(self, name: str) -> Column:
        facts = self._dataset.facts.columns[name]
        entries = self._dataset.decision.columns
        entry = entries.get(name) or entries.get("*") or model.Column()
        activity_origin = self._activity.origin if self._activity else None
        return Column(
            name=name,
            type=facts.type,
            category=entry.category,
            origin=entry.origin or activity_origin,
            export=_mode(entry),
            reason=entry.reason or ("it is about somebody else" if entry.third_party else None),
            label=entry.label,
            unit=entry.unit,
            values=entry.values,
        )

    def _export(self) -> str:
        visible = [branch for branch in self._branches if self._is_shown(branch)]
        return "\nunion all\n".join(
            f"select {self._listed(branch)}\n{self._from(branch)}{self._hidden(branch)}" for branch in visible
        )

    def _is_shown(self, branch: Branch) -> bool:
        return branch.link is None or bool(self._showing(branch))

    def _showing(self, branch: Branch) -> list[Link]:
        """The ways into the branch that an export shows rows of."""
        ways = self._ownership.parents(self._dataset) if branch.is_inherited else self._own_links()
        return [link for link in ways if link.is_exported]

    def _own_links(self) -> list[Link]:
        return self._ownership.own_links(self._dataset)

    def _hidden(self, branch: Branch) -> str:
        """Rows that came in by links alone which are not exported."""
        if branch.link is None or branch.link.is_exported:
            return ""
        return f"\n  and ({' or '.join(self._came_by(link) for link in self._showing(branch))})"

    def _came_by(self, link: Link) -> str:
        if link.kind is not None:
            return f"({matching.names_us(link, self._dataset, self._ownership.person)}) is true"
        return f"({self._ownership.child_of(link, self._dataset, self._sources[link.target])}) is true"

    def _listed(self, branch: Branch) -> str:
        return ", ".join(self._shown(name, branch) for name in self.exported)

    def _shown(self, name: str, branch: Branch) -> str:
        """A column, or null where every link by which the row came in redacts it."""
        source = f"t.{quoted(name)}"
        showing = [] if branch.link is None else self._showing(branch)
        if not any(name in link.redact for link in showing):
            return source
        plain = [link for link in showing if name not in link.redact]
        if branch.link in plain:
            return source
        tests = " or ".join(self._came_by(link) for link in plain)
        return f"case when {tests} then {source} end as {quoted(name)}" if tests else f"null as {quoted(name)}"

    def _acted(self, link: Link) -> Statement:
        """Of a row that they merely acted on an export shows its key, and nothing of whose it is."""
        own = (
            link.place.columns if link.place.is_plain else ()
        )  # of an array or a document nothing but that it is there
        hidden = {column.name for column in self.columns if column.export != "value"}
        hidden |= self._tells_whose(link) - set(own)
        columns = [c for c in dict.fromkeys([*self._dataset.facts.primary_key, *own]) if c not in hidden]
        listed = ", ".join(f"t.{quoted(column)}" for column in columns)
        ours = matching.names_us(link, self._dataset, self._ownership.person)
        sql = f"select {listed}\nfrom {self._dataset.sql} as t\nwhere {ours}"
        return self._statement("acted", sql, "rows of others that they acted on", link)

    def _tells_whose(self, link: Link) -> set[str]:
        """The columns that say who somebody else is, a key that the map calls personal among them."""
        dataset, kinds = self._dataset, self._ownership.resolution.kinds.values()
        people = {c for each in dataset.person_links if each != link for c in each.place.columns}
        people |= {c for kind in kinds if kind.table == dataset.name for c in kind.key}
        return people | {name for name, entry in dataset.decision.columns.items() if _is_theirs(entry)}

    # The verification ---------------------------------------------------------------------------------------------

    def _verify(self) -> Iterator[Statement]:
        """By the bare links, whatever role they have and whatever is inherited from whom."""
        for link in self._dataset.person_links:
            if link.kind != self._ownership.kind.name:
                continue
            ours = matching.names_us(link, self._dataset, self._ownership.person)
            left, why = self._left(), "nothing names them any more"
            if left:
                why = "what is kept holds nothing but what the law needs"
            elif link.role == "reference" and link.identity is None:
                left, why = f"\n  and not {self._points_at_somebody(link)}", "nothing points at where they were"
            yield self._statement(
                "verify", f"select count(*)\nfrom {self._dataset.sql} as t\nwhere {ours}{left}", why, link
            )
        if self._dataset.subject_of == self._ownership.kind.name:
            ours = matching.names_us(self._ownership.key_link(), self._dataset, self._ownership.person)
            sql = f"select count(*)\nfrom {self._dataset.sql} as t\nwhere {ours}{self._left()}"
            yield self._statement("verify", sql, "they are gone, or a stub without content")

    def _points_at_somebody(self, link: Link) -> str:
        """What says nothing of whose a row is may go on pointing at what stays of the person for a law: a stub."""
        kind = self._ownership.kind
        points = matching.points_at(link, self._dataset, kind.facts, "t", "u", with_conditions=False)
        return f"exists (select from {kind.sql} as u where {points})"

    def _left(self) -> str:
        """For rows that may stay: that something of them stayed which should not."""
        standing = self._erasure.standing(self._dataset)
        if standing is None:
            return ""
        return f"\n  and ({standing})"


def _is_theirs(entry: model.Column) -> bool:
    return (entry.category or "").partition(".")[0] == "user"


def _mode(entry: model.Column) -> Literal["value", "explained", "withheld"]:
    if entry.export is False or entry.third_party:
        return "withheld"
    return "explained" if entry.export == "explain" else "value"
