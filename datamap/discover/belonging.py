"""What each table ends up as: mine, mine and yours, mine inside a shared place, a place, theirs, or acted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from datamap.catalogue import Table
from datamap.discover import words
from datamap.discover.candidates import describes_people
from datamap.discover.finding import Confidence, Link
from datamap.discover.links import Stranger
from datamap.discover.meetings import Ground, Meeting, verdict
from datamap.discover.purity import is_pure_link, speaks_for_itself
from datamap.discover.questions import Together, Values, Way
from datamap.discover.restraint import NO_ROWS, Restraint
from datamap.names import Table as Name

Class = Literal["person", "mine", "both", "inside", "place", "maybe", "theirs", "acted", "undecided", "nobody"]
_ATTRIBUTES = words.listed(
    """
    last latest main cover featured default primary current first image photo avatar thumbnail logo icon
    banner best top selected active favorite accepted pinned
    """
)

_ASKED = "others only answer here: few, who have no such row of their own (agents, maybe)"
_PROFILE = (
    "there is one row for each person, and rows of others hang below: either it is the person's own (erase: delete, and"
    " the links of those others are actor), or a place where people meet (shared: true)"
)
_NO_SUBJECTS = (
    "it describes people who are no subjects: should they be (--subject), or does it belong to all (shared: true)?"
)
_ANSWERED = (
    "few people answer to many here, agents maybe: does what they write go with the row of {}, and the link to them is"
    " an actor (role: actor), or is it theirs (erase: delete)?"
)


@dataclass(frozen=True, kw_only=True)
class Belonging:
    """The class of one table, and why."""

    what: Class
    because: tuple[str, ...] = ()
    confidence: Confidence = "high"
    is_mild: bool = False  # nothing but links: who belongs to what
    reserved: str | None = None  # what a person has to decide, however sure the links are
    loose: frozenset[tuple[str, str, str]] = field(default_factory=frozenset)  # links to be cut instead of followed


class Belongings:
    """Decided table by table, those above first."""

    def __init__(
        self,
        ground: Ground,
        meetings: Sequence[Meeting],
        together: Mapping[Name, Together],
        strangers: Sequence[Stranger],
        values: Values | None,
    ) -> None:
        self._ground = ground
        self._meetings: dict[Name, list[Meeting]] = {}
        for meeting in meetings:
            self._meetings.setdefault(meeting.place, []).append(meeting)
        self._answered = {each.below: each.place for each in meetings if each.verdict == "agents"}
        self._together = together
        self._samples = ground.samples
        self._strangers = {each.table: each for each in reversed(strangers)}
        self._values = values
        self._restraint = Restraint(ground, lambda name: self.of(name).what, is_blind=values is None)
        self._settled: dict[Name, Belonging] = {}
        self._passing: dict[Name, Belonging] = {}  # found while something above was not known yet
        self._open: list[Name] = []
        self._in_circle: set[Name] = set()

    @property
    def is_blind(self) -> bool:
        """Whether nobody has seen any rows."""
        return self._values is None

    def of(self, table: Name) -> Belonging:
        """What a table is. Rows may point in a circle: what was found on the way round it is found again later."""
        if table in self._settled:
            return self._settled[table]
        if table in self._open:
            self._in_circle.add(table)
            return Belonging(what="nobody")
        if table in self._passing:
            return self._passing[table]
        self._open.append(table)
        found = self._decided(table)
        self._open.pop()
        self._in_circle.discard(table)
        if self._in_circle:
            self._passing[table] = found
        else:
            self._settled[table] = found
        if not self._open:
            self._passing.clear()
        return found

    def _decided(self, table: Name) -> Belonging:
        found = self._by_links(table)
        why = self._values.unread(self._facts(table)) if self._values is not None else None
        if why is not None and found.what != "nobody":
            return Belonging(what="undecided", because=(f"its rows were not read: {why}",), confidence="low")
        if found.what in ("place", "theirs") and describes_people(self._facts(table), self._samples.get(table)):
            return Belonging(what="undecided", because=(_NO_SUBJECTS, *found.because), confidence="low")
        return self._reserved(table, found)

    def _facts(self, table: Name) -> Table:
        return self._ground.people.catalogue.tables[table]

    def _reserved(self, table: Name, found: Belonging) -> Belonging:
        """What is left to a person after all: by its name, or since nobody has seen the rows."""
        told = self._restraint.on(table, found.what)
        if told is None:
            return found
        if found.what in ("both", "inside"):
            return replace(found, reserved=told)
        return replace(found, what="undecided", because=(told, *found.because), confidence="low")

    def _by_links(self, table: Name) -> Belonging:
        ground = self._ground
        if table in ground.people.tables:
            return Belonging(what="person")
        links = ground.links.get(table, ())
        if torn := sorted({str(link.place) for link in links if link.is_person and link.role == "undecided"}):
            told = f"{', '.join(torn)}: decide the role of the {'links' if len(torn) > 1 else 'link'} first"
            return Belonging(what="undecided", because=(told,), confidence="low")
        if ground.owners(table):
            return self._owned(table)
        return self._without_an_owner(table, links)

    def _without_an_owner(self, table: Name, links: Sequence[Link]) -> Belonging:
        if table in self._strangers:
            return self._of_a_stranger(table)
        if any(link.role == "undecided" for link in links):
            return Belonging(what="undecided", because=("what it hangs from is undecided",), confidence="low")
        parents = self._hung_from(table)
        if parents.what == "nobody" and any(link.is_person for link in links):
            return Belonging(what="acted")
        return parents

    def _owned(self, table: Name) -> Belonging:
        facts = self._ground.people.catalogue.tables[table]
        is_mild = is_pure_link(facts, self._ground.links.get(table, ()), self._samples.get(table))
        if table in self._strangers:
            return self._of_a_stranger(table)
        if told := self._of_several(table):
            return Belonging(what="undecided", because=told, confidence="medium")
        if table in self._answered:
            asked = self._answered[table]
            return Belonging(what="undecided", because=(_ANSWERED.format(asked),), confidence="medium")
        if self._is_between_people(table) and not self._is_rather_a_place(table):
            told = self._how_between(table)
            return Belonging(what="both", because=told, is_mild=is_mild, confidence="medium")
        return self._alone(table, is_mild=is_mild)

    def _is_rather_a_place(self, table: Name) -> bool:
        """Whether the rows below name others, which says more than two names in its own: an owner, and an address."""
        is_met = any(each.verdict == "meets" for each in self._meetings.get(table, ()))
        if not is_met:
            return False
        are_others = any(self._pair(table, i, j) == "other" for i, j in self._owner_pairs(table))
        return not are_others or not words.is_spoken(words.words(table.name))

    def _of_a_stranger(self, table: Name) -> Belonging:
        stranger = self._strangers[table]
        return Belonging(what="undecided", because=(f"{stranger.column} {stranger.why}",), confidence="low")

    def _alone(self, table: Name, *, is_mild: bool) -> Belonging:
        """One owner in each row: what hangs below, and what is above."""
        meetings = self._meetings.get(table, [])
        others = [meeting for meeting in meetings if meeting.verdict == "meets"]
        if others:
            return self._met(table, others)
        unsure = [meeting for meeting in meetings if meeting.verdict == "open"]
        if unsure:
            return Belonging(what="maybe", because=tuple(m.told for m in unsure[:3]), confidence="low")
        if inside := self._inside(table):
            return Belonging(what="inside", because=inside, is_mild=is_mild, confidence="medium")
        if of_others := self._of_other_people(table):
            return Belonging(what="undecided", because=of_others, confidence="low")
        if doubtful := [str(link.target) for link in self._above(table) if self.of(link.target).what == "maybe"]:
            why = f"should people meet in {', '.join(sorted(doubtful))}, decide here again"
            return Belonging(what="mine", because=(why,), confidence="low")
        repeated = tuple(_ASKED if each.verdict == "agents" else each.told for each in meetings[:3])
        return Belonging(what="mine", because=repeated, confidence="medium" if repeated else "high")

    def _of_other_people(self, table: Name) -> tuple[str, ...]:
        """The rows above that describe people who are no subjects: then this one may be about them as well."""
        return tuple(
            f"{link.place} leads to {link.target}, which describes people who are no subjects: is the row theirs"
            " (name them with --subject), or the one's whom it names (erase: delete)?"
            for link in self._above(table)
            if self.of(link.target).what in ("nobody", "undecided", "acted")
            and describes_people(self._facts(link.target), self._samples.get(link.target))
        )

    def _is_one_for_each(self, table: Name) -> bool:
        """A row for each person at most: more likely what is known of them than a place."""
        facts = self._facts(table)
        return any(facts.is_unique(link.place.columns) for link in self._ground.owners(table) if link.place.is_plain)

    def _met(self, table: Name, others: list[Meeting]) -> Belonging:
        facts = self._ground.people.catalogue.tables[table]
        if self._is_one_for_each(table):
            return Belonging(what="undecided", because=(_PROFILE, *(m.told for m in others[:3])), confidence="low")
        answers = [m for m in others if m.below == table and m.through.target == table]
        is_said = words.is_spoken(words.words(table.name)) and speaks_for_itself(facts)
        if len(answers) == len(others) and is_said and all(self._ground.is_nullable(m.through) for m in answers):
            told = tuple(m.told for m in answers)
            if inside := self._inside(table):
                return Belonging(what="inside", because=(*inside, *told), confidence="medium")
            return Belonging(
                what="mine", because=told, confidence="medium", loose=frozenset(m.through.says for m in answers)
            )
        mild = all(
            is_pure_link(
                self._ground.people.catalogue.tables[m.below],
                self._ground.links.get(m.below, ()),
                self._samples.get(m.below),
            )
            for m in others
        )
        first = {m.below: m.told for m in reversed(others)}  # of each table once, however many ways lead up
        because = tuple(first[below] for below in dict.fromkeys(m.below for m in others))
        return Belonging(what="place", because=because[:4], is_mild=mild, confidence="high")

    def _above(self, table: Name) -> list[Link]:
        return [link for link in self._ground.parents(table) if link.target != table]

    def _inside(self, table: Name) -> tuple[str, ...]:
        """The shared places that it hangs from, if it does."""
        return tuple(
            f"{link.place} leads to {link.target}, a shared place"
            for link in self._above(table)
            if self.of(link.target).what in ("place", "inside", "theirs")
        )

    def _is_between_people(self, table: Name) -> bool:
        """Whether two owners of one row may be two people."""
        if any(self._pair(table, i, j) != "same" for i, j in self._owner_pairs(table)):
            return True
        together = self._together.get(table)
        links = [link for link in self._ground.links.get(table, ()) if link.is_person]
        return any(
            link.is_owner and None in link.place.steps and (together is None or together.several[number])
            for number, link in enumerate(links)
        )

    def _of_several(self, table: Name) -> tuple[str, ...]:
        """Rows of an identity that two subjects have: they are both's."""
        together = self._together.get(table)
        links = [link for link in self._ground.links.get(table, ()) if link.is_person]
        told = [
            f"rows whose {link.identity} several people have:"
            f" {together.several[number] if together.is_complete else 'some'};"
            " decide whether that identity is `shared` (what it names may be erased for each of them)"
            for number, link in enumerate(links)
            if together is not None and link.is_owner and link.identity and together.several[number]
        ]
        return tuple(told)

    def _owner_pairs(self, table: Name) -> list[tuple[int, int]]:
        links = [link for link in self._ground.links.get(table, ()) if link.is_person]
        owners = [number for number, link in enumerate(links) if link.is_owner]
        return [
            (i, j)
            for i in owners
            for j in owners
            if i < j and not (links[i].place == links[j].place and links[i].when and links[j].when)
        ]

    def _pair(self, table: Name, i: int, j: int) -> Literal["same", "other", "open"]:
        told = self._together.get(table)
        if told is None:
            return "open"
        if told.other[i, j]:
            return "other"
        if told.both[i, j] == 0:
            is_seen = told.speaks[i] and told.speaks[j] and told.is_complete
            return "same" if is_seen else "open"
        enough = told.both[i, j] >= 10 and min(told.people[i], told.people[j]) >= 3
        return "same" if enough else "open"

    def _how_between(self, table: Name) -> tuple[str, ...]:
        told = self._together.get(table)
        if told is None or not told.rows:
            return (NO_ROWS,)
        others = max((told.other[pair] for pair in self._owner_pairs(table)), default=0)
        if not told.is_complete:
            return (
                ("sampled rows name two people",) if others else ("too few rows say whether two people stand in one",)
            )
        if not others:
            return (f"no row names two people, and {told.rows} rows are too few to rule it out",)
        return (f"{others} of {told.rows} rows {'name' if others > 1 else 'names'} two people",)

    def _hung_from(self, table: Name) -> Belonging:
        """Without a link of its own: what is above decides."""
        classes = [(link, self.of(link.target)) for link in self._above(table)]
        passing = [(link, b) for link, b in classes if b.what in ("mine", "both", "inside", "maybe", "undecided")]
        if not passing:
            places = sorted({str(link.target) for link, b in classes if b.what in ("place", "theirs")})
            if places:
                return Belonging(
                    what="theirs", because=(f"it hangs from {', '.join(places)} without a person of its own",)
                )
            return Belonging(what="nobody")
        loose = frozenset(link.says for link, _ in passing if self._is_attribute(link, [p for p, _ in passing]))
        bound = [(link, b) for link, b in passing if link.says not in loose]
        if not bound:
            return Belonging(what="nobody", loose=loose)
        if because := self._unsure_of(table, bound):
            return Belonging(what="undecided", because=because, confidence="low", loose=loose)
        weakest: Confidence = "medium" if any(b.confidence != "high" for _, b in bound) else "high"
        through = ", ".join(sorted({str(link.target) for link, _ in bound}))
        return Belonging(what="mine", because=(f"through {through}",), confidence=weakest, loose=loose)

    def _unsure_of(self, table: Name, bound: Sequence[tuple[Link, Belonging]]) -> tuple[str, ...]:
        """Why the rows above do not say whose it is."""
        unsure = sorted({f"{link.target}" for link, b in bound if b.what != "mine"})
        if unsure:
            return (f"it follows {', '.join(unsure)}",)
        if len({link.says for link, _ in bound}) > 1 and (
            told := self._of_two_sides(table, [link for link, _ in bound])
        ):
            return told
        return self._of_other_people(table)

    def _is_attribute(self, link: Link, passing: list[Link]) -> bool:
        """`cover_image_id`: the row points at somebody's row, and is no part of it."""
        key, said = link.foreign_key, words.meant(link.place.columns[-1])
        if self.is_blind or not self._ground.is_nullable(link) or (key is not None and key.on_delete == "cascade"):
            return False
        if set(said) & _ATTRIBUTES:
            return True
        if words.is_owning(said) and words.ends_in_a_person(said):
            return False  # `owner_id`, `customer_id`: a row without one is a guest's
        sample = self._samples.get(link.table)
        if sample is None or not sample.rows:
            return key is not None and key.on_delete == "set null"
        columns = [column for each in passing for column in each.place.columns if column in sample.columns]
        places = [sample.columns.index(column) for column in columns]
        return any(all(row[place] is None for place in places) for row in sample.rows)

    def _of_two_sides(self, table: Name, links: list[Link]) -> tuple[str, ...]:
        """Whether its parents belong to different people."""
        ways = [way for link in links for way in [self._way(link)] if way is not None]
        facts = self._ground.people.catalogue.tables[table]
        for position, first in enumerate(ways[:-1]):
            others = ways[position + 1 :]
            told = self._values.met(facts, first, others, self._ground.people) if self._values else [None] * len(others)
            for second, met in zip(others, told, strict=True):
                if (found := verdict(met)) != "repeats":
                    ends = f"{first.links[0].table} and {second.links[0].table}"
                    why = "belong to different people" if found == "meets" else "may belong to different people"
                    return (f"it hangs from {ends}, whose rows {why}",)
        return () if len(ways) == len(links) else ("it hangs from several rows, and not all ways could be followed",)

    def _way(self, link: Link) -> Way | None:
        """From a link up to the nearest owner."""
        path, seen = [link], {link.table}
        while not (owners := self._ground.owners(path[-1].target)):
            seen.add(path[-1].target)
            onward = [each for each in self._ground.parents(path[-1].target) if each.target not in seen]
            onward = [each for each in onward if self.of(each.target).what in ("mine", "both", "inside", "maybe")]
            if not onward:
                return None
            path.append(onward[0])
        return Way(rungs=tuple(self._ground.rung(each) for each in path), links=owners)
