"""What is wrong with the map's patterns of cache keys and prefixes of objects (threat model A3).

A pattern may neither take a key of somebody else nor leave a key to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from datamap.check.binding import Binding
from datamap.check.coverage import covered, overlap
from datamap.check.naming import Naming, binds
from datamap.discover.cache import KeyPattern
from datamap.document import nearest
from datamap.fault import Fault
from datamap.model import CacheEntry, Holds, Map, ObjectsEntry
from shared.patterns import NotAPattern, Pattern, Placeholder, Spelling

LONGEST_WAIT = 30 * 86_400  # seconds: what is answered within a month has to be gone by then
_COLLECTIONS = ("set", "zset", "list")


def faults(map_: Map, of: Mapping[str, Naming], found: Sequence[KeyPattern] | None = None) -> list[Fault]:
    """All that is wrong with `cache` and `objects`; with what was found in a store, also whether it expires there."""
    entries = [_Entry(map_, of, ("cache", text), text, entry) for text, entry in map_.cache.patterns.items()]
    prefixes = [_Prefix(map_, of, ("objects", name), each.prefix, each) for name, each in map_.objects.items()]
    said = [fault for each in entries for fault in each.faults(found)]
    said += [fault for each in prefixes for fault in each.faults()]
    return [*said, *_refill(map_), *_overlaps(entries), *_overlaps(prefixes)]


def unclassified(map_: Map, of: Mapping[str, Naming], found: Iterable[KeyPattern]) -> list[Fault]:
    """Kinds of keys in the store that no pattern of the map covers."""
    lines = [_Entry(map_, of, ("cache", text), text, entry).pattern for text, entry in map_.cache.patterns.items()]
    known = [each for each in lines if each is not None]
    told = ((each, _how_covered(each, of.values(), known)) for each in found)
    return [
        _in_doubt(each) if _may_be_covered(each, of.values(), known) else _unclassified(each, is_covered)
        for each, is_covered in told
        if not is_covered
    ]


def _in_doubt(found: KeyPattern) -> Fault:
    return Fault(
        code="cache.unclassified",
        message=f"The cache has keys of the form {found.pattern}, and their numbers are so common that they may be"
        " people's and may be anything's: whether the line of the map names the right ones is not known",
        where=("cache",),
        severity="warning",
        remedy="look at what the application writes there; or check with a cache that holds more of them",
    )


def _may_be_covered(found: KeyPattern, namings: Iterable[Naming], known: Sequence[Pattern]) -> bool:
    """Where discovery could not decide whether a number is a person's, whoever wrote the line has."""
    for naming in namings:
        for column in naming.columns if found.pattern.count("*") == 1 and "{" not in found.pattern else ():
            is_in_doubt = any(f" may be {column}" in doubt for doubt in found.doubts)
            meant = Pattern.parse(found.pattern.replace("*", f"{{{column}}}"), naming.spellings)
            if is_in_doubt and covered(meant, known):
                return True
    return False


def _unclassified(found: KeyPattern, is_covered: bool | None) -> Fault:
    form = f"keys of the form {found.pattern}" if found.pattern else "a key without a name"
    message = f"The cache has {form}, and no pattern of the map covers {'them all' if found.pattern else 'it'}"
    remedy = "add a line for them; `gdpr map discover` proposes one"
    if is_covered is None:
        message += " alone; whether several do together takes too long to tell"
        remedy = "add a line for them alone, or patterns with fewer stars"
    if not found.pattern:
        remedy = "delete it: no line names it"
    return Fault(code="cache.unclassified", message=message, where=("cache",), remedy=remedy)


def _how_covered(found: KeyPattern, namings: Iterable[Naming], known: Sequence[Pattern]) -> bool | None:
    """By whichever kind of subject it is; None where that is not known of one, and of none that it is so."""
    answers = [_are_covered(found, naming, known) for naming in namings]
    return True if True in answers else None if None in answers else False


def _are_covered(found: KeyPattern, naming: Naming, known: Sequence[Pattern]) -> bool | None:
    for each in found.apart:
        answer = covered(_seen(each, naming.spellings), known)
        if not answer:
            return answer
    return True


def _seen(found: KeyPattern, spellings: Mapping[str, Spelling]) -> Pattern:
    """What was seen as a pattern. A key may be the empty text, which no line of a map can be."""
    return Pattern.parse(found.pattern, spellings) if found.pattern else Pattern((), spellings)


def _refill(map_: Map) -> Iterator[Fault]:
    if map_.cache.refill_max is None and any(each.personal for each in map_.cache.patterns.values()):
        yield Fault(
            code="cache.refill",
            message="Nothing says for how long a stale read may be written back into the cache",
            where=("cache",),
            severity="warning",
            remedy="write refill_max: PT30S, with the longest time that your application takes",
        )


@dataclass(frozen=True)
class _Prefix(Binding):
    """Objects in a bucket."""

    entry: ObjectsEntry

    def parsed(self) -> Pattern:
        return Pattern.prefix(self.text, self.naming.spellings if self.naming else {})

    @property
    def group(self) -> str:
        return self.entry.bucket

    @property
    def names_in_key(self) -> bool:
        return self.entry.personal

    def faults(self) -> Iterator[Fault]:
        yield from self.general()
        try:
            pattern = self.parsed()
        except NotAPattern as error:
            yield self.unreadable(error, "prefix")
            return
        if not self.entry.personal or self.naming is None:
            return
        if not pattern.names:
            message = "These objects are personal, and their prefix names nobody"
            yield self.fault("nobody", message, "prefix", remedy="write the placeholder into it: users/{id}/")
        yield from self.weaknesses(pattern, self.naming.columns, "prefix")


@dataclass(frozen=True)
class _Entry(Binding):
    """Keys in the cache."""

    entry: CacheEntry

    @property
    def group(self) -> str:
        return ""

    @property
    def names_in_key(self) -> bool:
        """Whether the key alone says whose it is."""
        return self.entry.personal and self.entry.holds is None and self.entry.member is None

    def faults(self, found: Sequence[KeyPattern] | None) -> Iterator[Fault]:
        try:
            pattern = self.parsed()
        except NotAPattern as error:
            yield self.unreadable(error)
            return
        if self.entry.erase == "undecided":
            message = f"Nobody has decided what {self.text} is, and what an erasure does with it"
            yield self.fault("undecided", message, remedy="say where the person is, or personal: false with a reason")
            return
        yield from self.general()
        if not self.entry.personal:
            if self.entry.holds or self.entry.member:
                message = "It is called not personal, and says where a person stands"
                yield self.fault("contradiction", message, remedy="take out personal: false, or holds and member")
            return
        yield from self._types()
        yield from self._lasting(pattern, found)
        if self.naming is not None:
            yield from self._persons(pattern, self.naming)

    def _persons(self, pattern: Pattern, naming: Naming) -> Iterator[Fault]:
        member = self._member(naming)
        if isinstance(member, Fault):
            yield member
            return
        named = [*pattern.names, *(member.names if member else ())]
        missing = [column for column in naming.columns if column not in named]
        if not named and self.entry.holds is None:
            yield from self._nobody()
            return
        holds_key = self.entry.holds is not None and self.entry.holds.identity is None
        if holds_key and len(missing) > 1:
            yield self._partly(missing)
        inner = self.entry.holds is not None or member is not None
        in_key = [column for column in naming.columns if column in pattern.names]
        yield from self.weaknesses(pattern, in_key if inner else naming.columns)
        if inner and binds(pattern.names, naming):
            yield self._twice()
        elif member is not None:
            yield from self.weaknesses(member, [column for column in naming.columns if column not in in_key], "member")
        if self.entry.holds is not None:
            yield from self._held(self.entry.holds, naming)

    def _member(self, naming: Naming) -> Pattern | Fault | None:
        if self.entry.member is None:
            return None
        try:
            member = Pattern.parse(self.entry.member, naming.spellings)
        except NotAPattern as error:
            return self.unreadable(error, "member")
        if not member.names:
            return self.fault("nobody", "The member names nobody", "member", remedy='write member: "{id}"')
        return member

    def _nobody(self) -> Iterator[Fault]:
        if self.entry.erase == "delete":
            message = f"{self.text} is personal, and nothing says whose: no placeholder, no holds, no member"
            yield self.fault("nobody", message, remedy="say where the person is, or personal: false with a reason")

    def _partly(self, missing: Sequence[str]) -> Fault:
        message = f"One value cannot name a person of whom {' and '.join(missing)} are needed"
        remedy = f"put {{{missing[0]}}} into the pattern, so that the value is {missing[-1]} alone"
        return self.fault("partial", message, "holds", remedy=remedy)

    def _twice(self) -> Fault:
        return self.fault(
            "contradiction",
            "The key says whose it is, and so does what it holds: it would be looked for where both are the same",
            remedy=f'write two lines: "{self.text}" for the person\'s own keys, and one with a star in place of each'
            " placeholder for keys of others that hold the person",
        )

    def _held(self, holds: Holds, naming: Naming) -> Iterator[Fault]:
        if holds.identity is not None and holds.identity not in naming.identities:
            meant = nearest(holds.identity, naming.identities)
            message = f"There is no identity {holds.identity}"
            known = f"one of: {', '.join(naming.identities)}" if naming.identities else "declare it at the subject"
            yield self.fault(
                "identity", message, "holds", "identity", remedy=f"did you mean {meant}?" if meant else known
            )
        elif holds.identity is not None and holds.identity not in naming.alone:
            yield self.of_several(holds.identity, "holds", "identity")
        if holds.subject is not None and self.entry.subject not in (None, holds.subject):
            message = "Two kinds of subject are named for one key"
            yield self.fault("contradiction", message, "holds", "subject", remedy="take one of the two out")

    def _types(self) -> Iterator[Fault]:
        """What is said of the value, against what its type can have."""
        holds, type_ = self.entry.holds, self.entry.type
        if holds is not None and self.entry.member is not None:
            message = "The person is either a member or within a value"
            yield self.fault("contradiction", message, "member", remedy="take out member, or holds")
        if holds is not None and holds.value and (holds.json_ or holds.field):
            message = "The person is either the whole value or a part of it"
            yield self.fault("contradiction", message, "holds", "value", remedy="take out value, or json and field")
        if type_ in ("string", "stream") and self.entry.member is not None:
            message = f"A {type_} has no members"
            yield self.fault(
                "contradiction", message, "member", remedy="write holds in place of member, or another type"
            )
        if holds is not None and holds.field and type_ in ("string", *_COLLECTIONS):
            message = f"A {type_} has no fields"
            yield self.fault("contradiction", message, "holds", "field", remedy="write json: … or value: true")
        if holds is not None and not holds.field and type_ in ("hash", "stream"):
            message = f"A {type_} has fields, and this does not say which"
            yield self.fault("contradiction", message, "holds", remedy="add field: …")

    def _lasting(self, pattern: Pattern, found: Sequence[KeyPattern] | None) -> Iterator[Fault]:
        if self.entry.erase == "external_manual" and not self.entry.reason:
            message = "Somebody erases it by hand, and nothing says how"
            yield self.fault("manual", message, "erase", remedy="add reason: who does it, and by which steps")
        if self.entry.erase != "expire":
            return
        if self.map.cache.refill_max is None:
            message = f"{self.text} is left to expire, and may be written back before"
            yield self.fault("expire", message, "erase", remedy="write refill_max beside the patterns")
        spellings = self.naming.spellings if self.naming else {}
        seen = [part for each in found or () for part in each.apart]
        mine = [each for each in seen if overlap(_seen(each, spellings), pattern)]
        if not mine:
            message = f"{self.text} is left to expire, and nobody has looked whether its keys do"
            unseen = self.fault("expire", message, "erase", remedy="check with the cache at hand: --redis-url")
            yield Fault(code=unseen.code, message=message, where=unseen.where, severity="warning", remedy=unseen.remedy)
        elif any(each.without_ttl for each in mine):
            message = f"{self.text} is left to expire, and some of its keys never do"
            yield self.fault(
                "expire", message, "erase", remedy="write erase: delete, or give each of them a time to live"
            )
        elif any((each.longest_ttl or 0) > LONGEST_WAIT for each in mine):
            message = f"{self.text} is left to expire, and takes longer than the month that an erasure may take"
            yield self.fault("expire", message, "erase", remedy="write erase: delete")


def _overlaps(entries: Sequence[_Entry] | Sequence[_Prefix]) -> Iterator[Fault]:
    """Pairs of patterns that fit one key, and would not do the same with it."""
    read = [(each, each.pattern) for each in entries]
    for (one, first), (other, second) in combinations(read, 2):
        if first is None or second is None or one.group != other.group or not overlap(first, second):
            continue
        both = f"{one.text} and {other.text}"
        if one.names_in_key and other.names_in_key and first.names and second.names:
            if one.entry.subject != other.entry.subject or not _say_the_same(first, second):
                message = f"A key can fit both {both}, and belong to somebody else by each"
                yield other.fault("overlap", message, remedy="tell them apart by a word that only one of them has")
        elif one.entry.personal != other.entry.personal:
            message = f"A key can fit both {both}: it is personal by one and not by the other, and counts as personal"
            told = other.fault("overlap", message)
            remedy = "nothing, if that is meant; else tell them apart by a word that only one of them has"
            yield Fault(code=told.code, message=message, where=told.where, severity="note", remedy=remedy)


def _say_the_same(one: Pattern, other: Pattern) -> bool:
    """Whether a key that fits both names one person: they are alike up to the last placeholder, and read from there."""
    first, second = _up_to_the_last(one), _up_to_the_last(other)
    return first == second and all(each.reads_from_left() for each in (one, other))


def _up_to_the_last(pattern: Pattern) -> tuple[object, ...]:
    last = max(number for number, token in enumerate(pattern.tokens) if isinstance(token, Placeholder))
    return pattern.tokens[: last + 1]
