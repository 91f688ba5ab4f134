"""What an erasure sets columns to: rules 11, 12, 15 and 16 of docs/ownership.md, as expressions in SQL.

A row is changed once, by one UPDATE that knows every reason to change it; so each column has a list of changes, each
with the condition under which it applies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from datamap import model
from datamap.catalogue import Column
from datamap.compile import matching
from datamap.compile.json_place import path as path_of
from datamap.compile.json_place import readable
from datamap.compile.person import TABLE, Person, plain_type
from datamap.compile.resolution import Dataset, Kind, Link, unknown_column
from datamap.fault import Fault, Where
from datamap.names import Place, literal, quoted

OLD = "\0"  # in a new value: what the column would hold otherwise
BY_TABLE = "r.gdpr_by_table"
STUB = "r.gdpr_stub"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A column gets a new value where the condition holds."""

    column: str
    value: str
    condition: str
    place: Place | None = None  # where only the link at this place is taken away, and the rest of the column stays

    def breaks(self, place: Place) -> bool:
        """A link at this place does not point there any more."""
        return self.column in place.columns and self.place in (None, place)


def table_action(dataset: Dataset) -> str | model.Setting:
    """What the table says, or would say: a shared one is never deleted."""
    decision = dataset.decision
    if decision.erase is not None:
        return decision.erase
    if decision.keep is not None:
        return "keep"
    return "unlink" if decision.shared else "delete"


IsElement = Callable[[str], str]  # whether an element of a list, given as SQL, is what a link is to lose


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A link whose parent is deleted, or by which the row is theirs."""

    condition: str
    is_element: IsElement


class Changes:
    """The changes of one table for one kind of subject."""

    def __init__(
        self, dataset: Dataset, kind: Kind, person: Person, *, referenced: frozenset[str], bound: frozenset[str]
    ) -> None:
        self._dataset = dataset
        self._kind = kind
        self._person = person
        self._referenced = referenced  # the columns that links to this table point at
        self._bound = bound  # those of them that foreign keys do
        self.faults: list[Fault] = []

    def all(self, losses: Mapping[int, Loss]) -> list[Change]:
        """Every change; `losses` are those of links to parents, by their number."""
        found = [
            *self._of_table(),
            *self._of_links(),
            *self._of_others(),
            *self._of_parents(losses),
            *self._of_stub(),
        ]
        self._check_whole_keys(found)
        return found

    def _check_whole_keys(self, changes: list[Change]) -> None:
        """MATCH FULL: of a foreign key all columns are null, or none."""
        for key in self._dataset.facts.foreign_keys:
            for condition in dict.fromkeys(change.condition for change in changes if key.match_full):
                null = {c.column for c in changes if c.condition == condition and c.value == "null"} & set(key.columns)
                if null and null != set(key.columns):
                    rest = ", ".join(column for column in key.columns if column not in null)
                    message = (
                        f"{self._dataset.name}: the foreign key {key.name} is MATCH FULL, and {rest} would be left"
                    )
                    self._fault("match_full", message, self._dataset.where, f"write {rest}: null as well")

    def _links(self, role: str) -> Iterator[Link]:
        for link in self._dataset.person_links:
            if link.role == role and link.kind == self._kind.name:
                yield link

    def _of_table(self) -> Iterator[Change]:
        action, where = table_action(self._dataset), (*self._dataset.where, "erase")
        if isinstance(action, Mapping):
            yield from self._set(action, BY_TABLE, where, self._own_arrays())
        elif action == "unlink":
            for link in self._links("owner"):
                if link.erase is None:
                    yield from self.unlinked(link, self._names_us(link))
        elif action == "keep" and self._dataset.decision.keep is not None:
            yield from self._kept(self._dataset.decision.keep)

    def _own_arrays(self) -> dict[str, Link]:
        return {link.place.column: link for link in self._links("owner") if not link.place.is_plain}

    def _of_links(self) -> Iterator[Change]:
        for link in self._links("owner"):
            if isinstance(link.erase, Mapping):
                condition = self._names_us(link)
                yield from self._set(link.erase, condition, (*link.where, "erase"), self._own_arrays())
            elif link.erase == "unlink":
                yield from self.unlinked(link, self._names_us(link))

    def _of_others(self) -> Iterator[Change]:
        """By links that do not make the row theirs."""
        for link in self._dataset.person_links:
            if not link.lets_go or link.kind != self._kind.name:
                continue
            if isinstance(link.erase, Mapping):
                yield from self._set(link.erase, self._names_us(link), (*link.where, "erase"), {})
            else:
                yield from self.unlinked(link, self._names_us(link))

    def _of_parents(self, losses: Mapping[int, Loss]) -> Iterator[Change]:
        for number, loss in losses.items():
            link = self._dataset.links[number]
            if isinstance(link.erase, Mapping):
                yield from self._set(link.erase, loss.condition, (*link.where, "erase"), {})
            else:
                yield from self.unlinked(link, loss.condition, loss.is_element)

    def _of_stub(self) -> Iterator[Change]:
        decision = self._dataset.decision
        for column in self._dataset.facts.columns.values():
            if column.name in self.stub_keys() and column.name not in decision.stub:
                self._check_names_nobody(column)
                continue
            if column.is_settable:
                value = decision.stub.get(column.name)
                yield self._one(column, value, STUB, (*self._dataset.where, "stub"))

    def _check_names_nobody(self, column: Column) -> None:
        """A key that stays because links point at it: an address among them would be left of the person."""
        entry = self._dataset.decision.columns.get(column.name)
        identities = self._kind.identities.values() if self._dataset.subject_of == self._kind.name else ()
        is_personal = entry is not None and (entry.category or "").partition(".")[0] == "user"
        is_personal = is_personal or any(identity.column == column.name for identity in identities)
        if not is_personal or column.name in self._fixed_keys():
            return
        is_bound = column.name in self._bound
        self.faults.append(
            Fault(
                code="identity_left",
                message=f"{self._named(column)} stays in a stub, since links point at it, and names the person",
                where=(*self._dataset.where, "stub"),
                severity="warning",
                remedy=f"let what points at it point at {', '.join(self._kind.key)} instead" if is_bound else None,
                about=column,
            )
        )

    def _fixed_keys(self) -> set[str]:
        keys = {*self._dataset.facts.primary_key, *(self._dataset.decision.key or ())}
        return keys | set(self._kind.key if self._dataset.subject_of else ())

    def stub_keys(self) -> set[str]:
        """What of a stub stays: its keys, and what links it to rows that are nobody's."""
        return self._fixed_keys() | self._referenced | self._standing_links()

    def _standing_links(self) -> set[str]:
        """Columns of links that may not be null."""
        columns = self._dataset.facts.columns
        return {
            name
            for link in self._dataset.links
            if link.place.is_plain
            for name in link.place.columns
            if columns[name].not_null
        }

    def kept_columns(self) -> set[str]:
        """What stays of a row that is kept."""
        keep = self._dataset.decision.keep
        if keep is None:
            return set()
        own_key = self._dataset.decision.key or ()
        stays = {*keep.columns, *self._dataset.facts.primary_key, *own_key, *self._standing_links()}
        return stays - set(keep.set)

    def _kept(self, keep: model.Keep) -> Iterator[Change]:
        stays = self.kept_columns()
        for column in self._dataset.facts.columns.values():
            if column.name not in stays and column.is_settable:
                value = keep.set.get(column.name)
                yield self._one(column, value, BY_TABLE, (*self._dataset.where, "keep"))

    def _names_us(self, link: Link) -> str:
        return matching.names_us(link, self._dataset, self._person)

    def _set(
        self, setting: model.Setting, condition: str, where: Where, arrays: Mapping[str, Link]
    ) -> Iterator[Change]:
        for link in self._dataset.person_links:
            if link.kind == self._kind.name and all(setting.get(c) == "nobody" for c in link.place.columns):
                self._check_alone(link)
        for name, value in setting.items():
            column = self._dataset.facts.columns.get(name)
            if column is None:
                self.faults.append(unknown_column(name, self._dataset.facts, (*where, name)))
            elif value is None and name in arrays and arrays[name].place.is_array:
                yield from self.unlinked(arrays[name], condition)
            elif value != "nobody" or not self._is_anybodys(name):
                yield self._one(column, value, condition, (*where, name))

    def _is_anybodys(self, name: str) -> bool:
        """It is a part of the key that nobody has in common with whoever leaves, such as the tenant."""
        if self._kind.nobody is None:
            return False
        links = [link for link in self._dataset.person_links if link.kind == self._kind.name and link.place.is_plain]
        return any(name in link.place.columns and name not in self._moved_to_nobody(link) for link in links)

    def _one(self, column: Column, value: model.SetTo, condition: str, where: Where) -> Change:
        self._check_may_change(column, where)
        if value is None and column.not_null:
            message = f"{self._named(column)} cannot be set to null: it is NOT NULL"
            self._fault("not_null", message, where, about=column)
        return Change(column=column.name, value=self._expression(column, value, where), condition=condition)

    def _named(self, column: Column) -> str:
        return f"{self._dataset.name}, column {column.name},"

    def _fault(
        self, code: str, message: str, where: Where, remedy: str | None = None, *, about: Column | Link | None = None
    ) -> None:
        self.faults.append(Fault(code=code, message=message, where=where, remedy=remedy, about=about))

    def _expression(self, column: Column, value: model.SetTo, where: Where) -> str:
        if value is None:
            return "null"
        if isinstance(value, model.Constant):
            return literal(_text(value.value)).strip()
        if value == "random":
            if column.family not in ("text", "uuid") or column.is_array:
                self._fault("random", f"{self._named(column)} takes no random text: it is {column.type}", where)
            return _random(column)
        if value == "empty":
            if not column.is_array and column.family not in ("json", "text"):
                self._fault("empty", f"{self._named(column)} cannot be empty: it is {column.type}", where)
            return "'{}'" if column.is_array or column.family == "json" else "''"
        if value == "nobody":
            return self._nobody(column, where)
        self._fault(
            "pseudonym",
            f"{self._named(column)} would be a pseudonym, which is not erased: hash, mask and token tell people apart",
            where,
            "write null, random or {value: …}",
        )
        return "null"

    def _nobody(self, column: Column, where: Where) -> str:
        for link in self._dataset.person_links:
            if column.name in link.place.columns and link.kind == self._kind.name and link.place.is_plain:
                if self._kind.nobody is None:
                    break
                target = link.target_columns[link.place.columns.index(column.name)]
                if target in self._kind.nobody:
                    return literal(str(self._kind.nobody[target])).strip()
                if set(self._kind.nobody) != set(self._kind.key):
                    message = f"{self._named(column)} holds {target}, and nobody has one of each {self._left_open()}"
                    self._fault("nobody", message, where, self._one_nobody(column), about=column)
                    return "null"
                key = " and ".join(
                    f"u.{quoted(name)} = {literal(str(value)).strip()}" for name, value in self._kind.nobody.items()
                )
                return f"(select u.{quoted(target)} from {self._kind.sql} as u where {key})"
        if self._kind.nobody is None:
            message = f"{self._named(column)} is to point at nobody, and no nobody is declared"
            self._fault("nobody", message, where, about=column)
        else:
            message = f"{self._named(column)} is no link to a person, so it cannot point at nobody"
            self._fault("nobody", message, where, "write null, or {value: …}", about=column)
        return "null"

    def _one_nobody(self, column: Column) -> str:
        key = ", ".join(f"{name}: {value}" for name, value in self._whole_nobody().items())
        null = "" if column.not_null else ", or null"
        return f"write at the subject nobody: {{{key}}}, one for all; or here {{value: …}}{null}"

    def _whole_nobody(self) -> Mapping[str, str | int]:
        return {name: (self._kind.nobody or {}).get(name, "…") for name in self._kind.key}

    def _left_open(self) -> str:
        return ", ".join(column for column in self._kind.key if column not in (self._kind.nobody or {}))

    # A link that is taken away ------------------------------------------------------------------------------------

    def unlinked(self, link: Link, condition: str, is_element: IsElement | None = None) -> Iterator[Change]:
        """Rule 12: null, or nobody; an array loses the element, JSON the value."""
        place, facts = link.place, self._dataset.facts.columns[link.place.column]
        meant = is_element or (lambda element: self._is_element(link, facts, element))

        def taken(value: str) -> Change:
            return Change(column=place.column, value=value, condition=condition, place=place)

        if place.is_plain:
            yield from self._nulled(link, condition)
            return
        self._check_may_change(facts, link.where)
        if place.is_array and facts.is_array:
            yield taken(_without_element(meant("e.v")))
        elif place.steps.count(None) == 0:
            yield taken(_without_path(link, facts))
        elif place.steps[-1] is None and place.steps.count(None) == 1:
            yield taken(_without_json_element(link, facts, meant("(e.x #>> '{}')")))
        elif place.steps.count(None) == 1:
            yield taken(_without_json_value(link, facts, meant))
        else:
            self._fault(
                "unlink",
                f"{self._dataset.name}, {place}: a value within arrays within arrays cannot be taken out",
                link.where,
                "set the whole column" if self._is_shared else "write erase: delete, or set the whole column",
            )

    @property
    def _is_shared(self) -> bool:
        return self._dataset.decision.shared is True

    def _nulled(self, link: Link, condition: str) -> Iterator[Change]:
        columns = self._dataset.facts.columns
        names = self._apart(link)
        if names:
            for name in names:
                self._check_may_change(columns[name], link.where)
                yield Change(column=name, value="null", condition=condition)
        elif link.kind is not None and self._kind.nobody is not None:
            self._check_alone(link)
            for name in self._moved_to_nobody(link):
                self._check_may_change(columns[name], link.where)
                yield Change(column=name, value=self._nobody(columns[name], link.where), condition=condition)
        else:
            message = f"{self._dataset.name}, {link.place}: the link cannot be set to null, since it is NOT NULL"
            if self._free(link):
                needed = ", ".join(self._free(link))
                message = (
                    f"{self._dataset.name}, {link.place}: of the link only {needed} may be null, which others need"
                )
            self._fault("not_null", message, link.where, about=link)

    def _check_may_change(self, column: Column, where: Where) -> None:
        """What no UPDATE may set, and what more than this row hangs from."""
        if not column.is_settable:
            how = "generated" if column.is_generated else "GENERATED ALWAYS AS IDENTITY"
            self._fault("generated", f"{self._named(column)} is {how} and cannot be set", where)
        if column.name in self._dataset.facts.partition_key:
            message = f"{self._named(column)} cannot be changed: it decides in which partition the row lies"
            self._fault("partition_key", message, where, "leave it as it is, or let it stand among keep.columns")
        if column.name in self._bound:
            message = f"{self._named(column)} cannot be changed: foreign keys point at it, and ON UPDATE would decide"
            self._fault("referenced", message, where, "leave it as it is, or let it stand among keep.columns")

    def _moved_to_nobody(self, link: Link) -> list[str]:
        """The columns that nobody's key is written to: where only a part of it is nobody's, the others stay."""
        nobody = self._kind.nobody or {}
        if not set(link.target_columns) <= set(self._kind.key):
            return list(link.place.columns)
        return [c for c, theirs in zip(link.place.columns, link.target_columns, strict=True) if theirs in nobody]

    def _check_alone(self, link: Link) -> None:
        """Of a key of several columns nobody may need one that says something else as well, such as the tenant."""
        others = {c for other in self._dataset.links if other.place != link.place for c in other.place.columns}
        moved = self._moved_to_nobody(link)
        shared = [c for c in moved if c in others or c in self._dataset.facts.primary_key]
        if len(link.place.columns) == 1 or link.place.columns == tuple(self._dataset.facts.primary_key):
            return
        other = "{…: {value: …}}" if self._is_shared else "delete"  # a shared row never goes
        remedy = (
            f"let each tenant have a nobody of its own, nobody: {{id: …}} without the tenant, or write erase: {other}"
        )
        message = f"{self._dataset.name}, {link.place}: with nobody's key the row would get another"
        if shared:
            message = f"{message} {', '.join(shared)}, which links or the primary key need"
            self._fault("nobody", message, link.where, remedy, about=link)
        elif len(moved) == len(link.place.columns):
            message = f"{message} {link.place.columns[0]}: where that is a tenant, the other one would see it"
            self.faults.append(
                Fault(code="nobody_moves", message=message, where=link.where, severity="warning", remedy=remedy)
            )

    def _apart(self, link: Link) -> list[str]:
        """The columns of a link that may be null: of several, those that no other link and no key needs."""
        free, whole = self._free(link), set(link.place.columns)
        if len(whole) == 1:
            return free
        others = {c for each in self._dataset.links if set(each.place.columns) != whole for c in each.place.columns}
        apart = [c for c in free if c not in others]
        is_whole = link.foreign_key is not None and link.foreign_key.match_full  # all of them, or none
        return apart if not is_whole or len(apart) == len(whole) else []

    def _free(self, link: Link) -> list[str]:
        """The columns of a link that may be null; of several, but for those that name the row."""
        facts = self._dataset.facts
        fixed = {*facts.primary_key, *(self._bound if len(link.place.columns) > 1 else ())}
        return [c for c in link.place.columns if not facts.columns[c].not_null and c not in fixed]

    def _is_element(self, link: Link, facts: Column, element: str) -> str:
        meeting = matching.element_meeting(link, facts, self._person, element)
        return f"exists (select from {TABLE} as p{meeting.from_} where {meeting.condition})"


def _without_element(meant: str) -> str:
    stays = f"e.v is null or not {meant}"
    return f"array(select e.v from unnest({OLD}) with ordinality as e (v, n) where {stays} order by e.n)"


def _without_json_element(link: Link, facts: Column, meant: str) -> str:
    return _in_json(link, facts, f"coalesce(jsonb_agg(e.x order by e.n) filter (where not {meant}), '[]')")


def _without_json_value(link: Link, facts: Column, is_element: IsElement) -> str:
    path = path_of(link.place.steps[link.place.steps.index(None) + 1 :])
    meant = is_element(f"(e.x #>> {path})")
    kept = f"coalesce(jsonb_agg(case when {meant} then e.x #- {path} else e.x end order by e.n), '[]')"
    return _in_json(link, facts, kept)


def _in_json(link: Link, facts: Column, kept: str) -> str:
    """A JSON value in which the array at the place is built again."""
    before = link.place.steps[: link.place.steps.index(None)]
    whole = readable(facts, OLD)
    array = f"({whole} #> {path_of(before)})" if before else whole
    built = f"(select {kept} from jsonb_array_elements({array}) with ordinality as e (x, n))"
    value = f"jsonb_set({whole}, {path_of(before)}, {built})" if before else built
    return f"case when jsonb_typeof({array}) = 'array' then cast({value} as {plain_type(facts)}) else {OLD} end"


def _without_path(link: Link, facts: Column) -> str:
    whole, path = readable(facts, OLD), path_of(link.place.steps)
    value = f"{whole} #- {path}"
    if str(link.place.steps[-1]).isdecimal():  # taken out of an array, the next element would stand in its place
        holder = f"({whole} #> {path_of(link.place.steps[:-1])})"
        gap = f"jsonb_set({whole}, {path}, 'null', false)"
        value = f"case when jsonb_typeof({holder}) = 'array' then {gap} else {value} end"
    is_within = f"jsonb_typeof({whole}) in ('object', 'array')"  # another change may have left a scalar
    return f"case when {is_within} then cast({value} as {plain_type(facts)}) else {OLD} end"


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _random(column: Column) -> str:
    if column.family == "uuid":
        return "gen_random_uuid()"
    if column.length is not None and column.length < 36:
        return f"left(replace(gen_random_uuid()::text, '-', ''), {column.length})"
    return "gen_random_uuid()::text"


def assigned(changes: list[Change]) -> list[str]:
    """The SET list of the one UPDATE: for each column its changes, the later ones upon the earlier."""
    columns: dict[str, list[Change]] = {}
    for change in changes:
        columns.setdefault(change.column, []).append(change)
    return [f"{quoted(name)} = {_in_turn(name, each)}" for name, each in columns.items()]


def _in_turn(column: str, changes: list[Change]) -> str:
    if sum(OLD in change.value for change in changes) > 1:
        return _one_by_one(column, changes)
    before = f"t.{quoted(column)}"
    for change in changes:
        before = _changed(change, before)
    return before


def _one_by_one(column: str, changes: list[Change]) -> str:
    """Each change a row of its own: written into each other they would double with each of them."""
    steps = [f"(select t.{quoted(column)} offset 0) as c0 (v)"]
    for number, change in enumerate(changes):
        step = _changed(change, f"c{number}.v")
        steps.append(f"lateral (select {step} offset 0) as c{number + 1} (v)")
    return f"(select c{len(changes)}.v from {' cross join '.join(steps)})"


def _changed(change: Change, before: str) -> str:
    return f"case when {change.condition} then {change.value.replace(OLD, before)} else {before} end"
