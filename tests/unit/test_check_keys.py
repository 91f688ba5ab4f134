"""What the check says of patterns of cache keys and of prefixes of objects."""

from __future__ import annotations

import itertools
from dataclasses import fields
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datamap.catalogue import Catalogue, Column, Index, Table
from datamap.check.coverage import covered, overlap
from datamap.check.keys import faults, unclassified
from datamap.check.naming import Naming, namings
from datamap.discover.cache import KeyPattern
from datamap.document import Document
from datamap.fault import Fault
from datamap.model import Map
from datamap.names import Table as TableName
from shared.patterns import Pattern, Spelling
from tests.keyspace import cases, fillers, people

NUMBER, TEXT = Spelling(family="integer"), Spelling()
PERSON = {"person": Naming(key={"id": NUMBER}, identities={"email": TEXT, "phone": TEXT}, alone=frozenset({"email"}))}
TENANTS = {"person": Naming(key={"tenant_id": NUMBER, "id": NUMBER}, identities={"email": TEXT}, alone=frozenset())}
TWO_KINDS = {
    "customer": Naming(key={"id": NUMBER}, identities={}, alone=frozenset()),
    "driver": Naming(key={"id": NUMBER}, identities={}, alone=frozenset()),
}


def a_map(cache: str = "{}", objects: str = "{}", kinds: str = "subject: {table: app.users, key: id}") -> Map:
    return Document.parse(
        f"version: 1\ncontroller: {{name: A, contact: B, authority: C}}\n{kinds}\n"
        f"activities: {{account: {{}}}}\ncache: {cache}\nobjects: {objects}\n"
    ).map


def said(cache: str, of: dict[str, Naming] = PERSON, found: list[KeyPattern] | None = None, **more: str) -> list[Fault]:
    return faults(a_map("{refill_max: PT30S, " + cache + "}", **more), of, found)


def codes(cache: str, of: dict[str, Naming] = PERSON, **more: Any) -> list[str]:
    return [fault.code for fault in said(cache, of, **more)]


def stored(pattern: str, without_ttl: float = 0, longest_ttl: int | None = 60) -> KeyPattern:
    return KeyPattern(
        pattern=pattern,
        types={"string": 10},
        keys=10,
        in_store=10,
        is_sampled=False,
        without_ttl=without_ttl,
        longest_ttl=longest_ttl,
    )


DEMO = """
  "session:*": {activity: account, holds: {json: user_id}}, "cart:{id}": {}, leaderboard: {member: "{id}"},
  activity: {holds: {field: user_id}}, online: {member: "{id}"}, "ratelimit:login:{email}": {},
  "ratelimit:api:{id}:*": {}"""


class TestPatterns:
    def test_the_patterns_of_the_demo_are_without_a_fault(self) -> None:
        assert codes(DEMO, objects='{uploads: {bucket: b, prefix: "users/{id}/"}}') == []

    @pytest.mark.parametrize(
        ("cache", "code"),
        [
            ('"*{id}": {}', "cache.ambiguous"),
            ('"cart:{id}*": {}', "cache.ambiguous"),
            ('"seen:{email}:*": {}', "cache.ambiguous"),
            ('"cart:{phone}": {}', "cache.identity"),
            ('"cart:{user_id}": {}', "cache.unknown"),
            ('"cart:{id": {}', "cache.pattern"),
            ('"online": {member: "{id"}', "cache.pattern"),
            ('"online": {member: "*{id}"}', "cache.ambiguous"),
            ('"online": {member: "id"}', "cache.nobody"),
            ('"session:*": {}', "cache.nobody"),
            ('"session:*": undecided', "cache.undecided"),
            ('"session:*": {holds: {value: true}, activity: acount}', "cache.activity"),
            ('"session:*": {holds: {value: true}, subject: persson}', "cache.subject"),
            ('"session:*": {holds: {json: a, identity: emial}}', "cache.identity"),
            ('"session:*": {holds: {json: a, identity: phone}}', "cache.identity"),
            ('"session:*": {personal: false}', "cache.reason"),
            ('"session:*": {erase: external_manual, holds: {value: true}}', "cache.manual"),
        ],
    )
    def test_one_fault_is_said_once(self, cache: str, code: str) -> None:
        assert codes(cache) == [code]

    def test_a_fault_stands_at_its_line_with_what_to_write(self) -> None:
        (fault,) = said('"cart:{ids}": {}')
        assert fault.where == ("cache", "cart:{ids}")
        assert fault.remedy == "did you mean {id}?"
        (fault,) = said('"session:*": {holds: {json: a, identity: emial}}')
        assert fault.where == ("cache", "session:*", "holds", "identity")
        assert fault.remedy == "did you mean email?"

    def test_all_columns_of_the_key_are_bound(self) -> None:
        assert codes('"cart:{id}": {}', TENANTS) == ["cache.partial"]
        assert codes('"t:{tenant_id}:cart:{id}": {}', TENANTS) == []
        assert codes('"ratelimit:{email}": {}', TENANTS) == ["cache.identity"]

    def test_the_key_and_what_it_holds_may_name_a_person_together(self) -> None:
        assert codes('"t:{tenant_id}:session:*": {holds: {json: user_id}}', TENANTS) == []
        assert codes('"t:{tenant_id}:online": {member: "{id}"}', TENANTS) == []
        assert codes('online: {member: "{tenant_id}:{id}"}', TENANTS) == []
        assert codes('online: {member: "{id}"}', TENANTS) == ["cache.partial"]
        assert codes('"t{tenant_id}*": {holds: {json: user_id}}', TENANTS) == ["cache.ambiguous"]

    def test_one_value_is_no_key_of_two_columns(self) -> None:
        (fault,) = said('"session:*": {holds: {json: user_id}}', TENANTS)
        assert fault.code == "cache.partial"
        assert fault.remedy == "put {tenant_id} into the pattern, so that the value is id alone"

    def test_of_several_kinds_one_is_named(self) -> None:
        kinds = "subjects: {customer: {table: a.c, key: id}, driver: {table: a.d, key: id}}"
        assert codes('"cart:{id}": {}', TWO_KINDS, kinds=kinds) == ["cache.subject"]
        assert codes('"cart:{id}": {subject: driver}', TWO_KINDS, kinds=kinds) == []


class TestContradictions:
    @pytest.mark.parametrize(
        "cache",
        [
            '"cart:{id}": {personal: false, reason: x}',
            '"cart:*": {personal: false, reason: x, member: "{id}"}',
            '"cart:{id}": {holds: {json: user_id}}',
            '"followers:{id}": {member: "{id}"}',
            '"a:*": {holds: {value: true, json: user_id}}',
            '"a:*": {holds: {field: user_id}, type: string}',
            '"a:*": {holds: {json: user_id}, type: hash}',
            '"a:*": {member: "{id}", type: string}',
            '"a:*": {subject: person, holds: {json: user_id, subject: driver}}',
        ],
    )
    def test_what_cannot_both_be_so(self, cache: str) -> None:
        assert codes(cache) == ["cache.contradiction"]

    def test_a_hash_may_have_persons_as_names_and_a_field_json(self) -> None:
        assert codes('a: {member: "{id}", type: hash}, "b:*": {holds: {field: data, json: userId}, type: hash}') == []

    def test_ones_own_followers_and_those_of_others_are_two_lines(self) -> None:
        assert codes('"followers:{id}": {}, "followers:*": {member: "{id}"}') == []

    def test_everything_cannot_be_impersonal(self) -> None:
        assert "cache.everything" in codes('"*": {personal: false, reason: x}')


class TestExpiry:
    CACHE = '"page:*": {erase: expire}'

    def test_what_expires_is_to_be_looked_at(self) -> None:
        (fault,) = said(self.CACHE)
        assert (fault.code, fault.severity) == ("cache.expire", "warning")

    def test_keys_that_do_expire_are_no_fault(self) -> None:
        assert codes(self.CACHE, found=[stored("page:*", 0, 86_400), stored("other:*", 1)]) == []

    def test_keys_that_never_expire_are(self) -> None:
        (fault,) = said(self.CACHE, found=[stored("page:*", 0.1)])
        assert (fault.severity, "never do" in fault.message) == ("error", True)

    def test_keys_that_outlive_the_answer_are(self) -> None:
        (fault,) = said(self.CACHE, found=[stored("page:*", 0, 40 * 86_400)])
        assert "longer than the month" in fault.message

    def test_a_cache_says_how_long_a_stale_read_may_come_back(self) -> None:
        (fault,) = faults(a_map('{"cart:{id}": {}}'), PERSON)
        assert (fault.code, fault.severity) == ("cache.refill", "warning")
        assert {f.code for f in faults(a_map("{" + self.CACHE + "}"), PERSON)} == {"cache.refill", "cache.expire"}
        assert faults(a_map('{"a:*": {personal: false, reason: x}}'), PERSON) == []


class TestOverlaps:
    def test_a_text_key_may_hold_the_delimiter_of_another_pattern(self) -> None:
        by_name = {"person": Naming(key={"id": TEXT}, identities={}, alone=frozenset())}
        cache = '"cart:{id}": {}, "cart:{id}:items": {}'
        assert codes(cache, by_name) == ["cache.overlap"]
        assert codes(cache) == []

    def test_a_number_in_two_places_may_be_two_people(self) -> None:
        assert codes('"chat:{id}:*": {}, "chat:*:{id}": {}') == ["cache.overlap"]
        assert codes('"chat:{id}:*": {}, "chat:{id}:seen": {}') == []
        assert codes('"{id}:*": {}, "1{id}:*": {}') == ["cache.overlap"]

    def test_a_uuid_begins_with_any_of_its_digits(self) -> None:
        key = Pattern.parse("{id}", {"id": Spelling(family="uuid")})
        assert overlap(key, Pattern.parse("f*a"))
        assert not overlap(key, Pattern.parse("g*"))
        assert not overlap(key, Pattern.parse("f"))

    def test_a_key_of_two_kinds_of_people(self) -> None:
        kinds = "subjects: {customer: {table: a.c, key: id}, driver: {table: a.d, key: id}}"
        cache = '"seen:{id}:*": {subject: customer}, "seen:{id}:now": {subject: driver}'
        assert codes(cache, TWO_KINDS, kinds=kinds) == ["cache.overlap"]

    def test_personal_and_not_is_worth_a_note(self) -> None:
        (fault,) = said('"a:*": {personal: false, reason: x}, "a:{id}": {}')
        assert (fault.code, fault.severity, fault.where) == ("cache.overlap", "note", ("cache", "a:{id}"))

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_patterns_that_have_a_key_in_common_overlap(self, data: st.DataObject) -> None:
        one, other = data.draw(cases()), data.draw(cases())
        key = one.key(data.draw(people(one)), data.draw(fillers()))
        assume(_is_text(key))
        fits = other.pattern.holder(key) is not None
        assert overlap(one.pattern, other.pattern) or not fits
        assert not covered(one.pattern, [other.pattern]) or fits

    @pytest.mark.parametrize("family", ["integer", "text"])
    def test_an_answer_is_that_of_all_short_keys(self, family: str) -> None:
        texts = ["*", ":*", "*:", "1*", "{id}", ":{id}", "{id}:", "{id}:1", "1:{id}", "*{id}", "{id}:*", ":", "1", ":1"]
        patterns = [Pattern.parse(text, {"id": Spelling(family=family)}) for text in texts]
        keys = ["".join(each).encode() for n in range(6) for each in itertools.product(":1a-", repeat=n)]
        fits = [{key for key in keys if pattern.holder(key) is not None} for pattern in patterns]
        for (one, mine), (other, others) in itertools.product(zip(patterns, fits, strict=True), repeat=2):
            assert overlap(one, other) == bool(mine & others), f"{one} and {other}"
            assert covered(one, [other]) == (mine <= others), f"{one} by {other}"

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.text("*:1a", min_size=1, max_size=5), min_size=2, max_size=5))
    def test_many_patterns_cover_one_if_every_short_key_fits_one_of_them(self, texts: list[str]) -> None:
        one, *others = map(Pattern.parse, texts)
        keys = ["".join(each).encode() for n in range(7) for each in itertools.product(":1a-", repeat=n)]
        mine = {key for key in keys if one.holder(key) is not None}
        theirs = {key for key in keys for other in others if other.holder(key) is not None}
        assert covered(one, others) == (mine <= theirs)

    def test_what_only_many_together_cover_is_covered(self) -> None:
        digits = [Pattern.parse(f"cart:{digit}*") for digit in "-0123456789"]
        number = Pattern.parse("cart:{id}", {"id": NUMBER})
        assert covered(number, digits) is True
        assert covered(number, digits[:-1]) is False

    def test_patterns_with_many_stars_are_answered(self) -> None:
        many = [Pattern.parse(f"pat*:{letter}x*:z*") for letter in "abcdefghijklmnop"]
        assert covered(many[3], many) is True
        assert covered(Pattern.parse("pat1:cx*:z2"), many) is True
        assert covered(Pattern.parse("pat*:*:z*"), many) is False
        assert overlap(Pattern.parse("*:a*b*:a*b*:a*b*:a*b*"), Pattern.parse("*:b*a*:b*a*:b*a*:b*a*"))

    def test_where_it_would_take_too_long_nothing_is_promised(self) -> None:
        many = [Pattern.parse(f"pat*:{letter}x*:z*") for letter in "abcdefghijklmnop"]
        assert covered(Pattern.parse("pat*:ax*:bx*:cx*:dx*:ex*:fx*"), many) is None


class TestObjects:
    @pytest.mark.parametrize(
        ("prefix", "code"),
        [
            ("users/{id}", "objects.ambiguous"),
            ("users/{email}/", "objects.ambiguous"),
            ("users/{phone}/", "objects.identity"),
            ("users/{user}/", "objects.unknown"),
            ("users/", "objects.nobody"),
            ("", "objects.nobody"),
            ("users/{id", "objects.pattern"),
        ],
    )
    def test_a_prefix_ends_behind_a_delimiter(self, prefix: str, code: str) -> None:
        (fault,) = said("", objects=f'{{uploads: {{bucket: b, prefix: "{prefix}"}}}}')
        assert fault.code == code
        assert fault.where == ("objects", "uploads", "prefix")

    def test_a_bucket_of_nobody_has_a_reason(self) -> None:
        assert codes("", objects='{assets: {bucket: b, prefix: "static/", personal: false}}') == ["objects.reason"]
        assert codes("", objects='{assets: {bucket: b, prefix: "static/", personal: false, reason: x}}') == []

    def test_prefixes_of_one_bucket_may_not_name_two_people_for_one_object(self) -> None:
        kinds = "subjects: {customer: {table: a.c, key: id}, driver: {table: a.d, key: id}}"
        two = """{{a: {{bucket: b, prefix: "x/{{id}}/", subject: customer}},
                  c: {{bucket: {}, prefix: "x/{{id}}/", subject: driver}}}}"""
        assert codes("", TWO_KINDS, objects=two.format("b"), kinds=kinds) == ["objects.overlap"]
        assert codes("", TWO_KINDS, objects=two.format("d"), kinds=kinds) == []


class TestUnclassified:
    def said(self, cache: str, *found: str, of: dict[str, Naming] = PERSON) -> list[str]:
        return [fault.message for fault in unclassified(a_map("{" + cache + "}"), of, map(stored, found))]

    def test_keys_that_a_pattern_covers_are_classified(self) -> None:
        demo = ("session:*", "cart:{id}", "leaderboard", "activity", "online", "ratelimit:login:{email}")
        assert self.said(DEMO, *demo, "ratelimit:api:{id}:*") == []

    def test_keys_that_none_covers_are_named_by_their_form(self) -> None:
        (message,) = self.said(DEMO, "session:*", "basket:{id}")
        assert message.startswith("The cache has keys of the form basket:{id}, ")

    def test_a_part_is_not_enough(self) -> None:
        assert len(self.said('"cart:{id}": {}', "cart:*")) == 1
        assert len(self.said('"cart:{id}": {}', "cart:{id}:items")) == 1
        assert len(self.said('"cart:a*": {personal: false, reason: x}', "cart:*")) == 1
        assert self.said('"cart:*": {personal: false, reason: x}', "cart:{id}", "cart:{id}:items") == []

    def test_what_nobody_can_tell_in_time_is_not_taken_for_covered(self) -> None:
        lines = ", ".join(f'"pat*:{letter}x*:z*": {{personal: false, reason: x}}' for letter in "abcdefghijklmnop")
        (message,) = self.said(lines, "pat*:ax*:bx*:cx*:dx*:ex*:fx*")
        assert message.endswith("covers them all alone; whether several do together takes too long to tell")
        assert self.said(lines, "pat*:ax*:bx*:z1") == []

    def test_a_key_may_be_the_empty_text(self) -> None:
        (message,) = self.said('"cart:*": {personal: false, reason: x}', "")
        assert message.startswith("The cache has a key without a name, ")
        assert self.said('"*": {}', "") == []
        assert codes('"cart:*": {erase: expire, holds: {json: id}}', found=[stored("")]) == ["cache.expire"]

    def test_an_undecided_line_is_one(self) -> None:
        assert self.said('"session:*": undecided', "session:*") == []


class TestNamings:
    """From the map and the catalogue."""

    def catalogue(self, *unique: tuple[str, ...], indexes: tuple[Index, ...] = (), email: str = "text") -> Catalogue:
        name = TableName("app", "users")
        types = {"id": "int8", "tenant_id": "int4", "email": email}
        columns = {key: made(Column, name=key, base=f"pg_catalog.{base}", labels=()) for key, base in types.items()}
        table = made(Table, name=name, columns=columns, unique=(("id",), *unique), indexes=indexes)
        return Catalogue({name: table})

    def naming(self, catalogue: Catalogue, identity: str = "email") -> Naming:
        kinds = f"subject: {{table: app.users, key: id, identities: {{email: {identity}}}}}"
        return namings(a_map(kinds=kinds), catalogue)["person"]

    def test_types_are_the_catalogues(self) -> None:
        naming = self.naming(self.catalogue(("email",)))
        assert naming.key == {"id": NUMBER}
        assert naming.identities == {"email": TEXT}
        assert naming.alone == {"email"}

    def test_an_address_that_is_unique_within_a_tenant_is_not_one_persons(self) -> None:
        catalogue = self.catalogue(("tenant_id", "email"))
        assert self.naming(catalogue).alone == frozenset()
        assert self.naming(catalogue, "{column: email, shared: true}").alone == {"email"}

    @pytest.mark.parametrize("expression", ["lower(email)", "lower((email)::text)"])
    def test_unique_without_regard_to_capitals_is_unique(self, expression: str) -> None:
        index = an_index(expression)
        assert self.naming(self.catalogue(indexes=(index,))).alone == {"email"}
        assert self.naming(self.catalogue(indexes=(index,)), "{column: email, match: folded}").alone == {"email"}

    def test_a_part_of_the_rows_alone_is_not(self) -> None:
        assert (
            self.naming(self.catalogue(indexes=(an_index("lower(email)", "deleted_at IS NULL"),))).alone == frozenset()
        )

    def test_where_capitals_make_no_difference_two_rows_may_have_one_address(self) -> None:
        folded = "{column: email, match: folded}"
        assert self.naming(self.catalogue(("email",)), folded).alone == frozenset()
        assert self.naming(self.catalogue(("email",), email="citext"), folded).alone == {"email"}

    def test_a_table_that_is_not_there_says_nothing(self) -> None:
        naming = self.naming(Catalogue({}))
        assert (naming.key, naming.alone) == ({"id": TEXT}, frozenset())


Part = TypeVar("Part")


def made(kind: type[Part], **given: object) -> Part:
    """A part of a catalogue of which nothing else matters."""
    return kind(**{each.name: None for each in fields(kind)} | given)  # type: ignore[arg-type]


def an_index(expression: str, predicate: str | None = None) -> Index:
    return made(Index, unique=True, valid=True, columns=("",), expressions=(expression,), predicate=predicate)


def _is_text(key: bytes) -> bool:
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True
