"""Patterns of keys: a key of one person never fits another one, whatever their keys look like."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shared.errors import UnfitValue
from shared.patterns import NotAPattern, Pattern, Spelling, escaped, glob_escaped
from tests.keyspace import HOSTILE, TEXTS, Case, cases, fillers, people, sound_cases

NUMBER, UUID, TEXT = Spelling(family="integer"), Spelling(family="uuid"), Spelling(family="text")
A_UUID = "6f1c2a9e-0000-4000-8000-00000000002a"

patiently = settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


def parsed(text: str, **spellings: Spelling) -> Pattern:
    return Pattern.parse(text, spellings)


def codes(pattern: Pattern, *key: str, identities: tuple[str, ...] = ()) -> list[str]:
    return [fault.code for fault in pattern.faults(key or ("id",), identities)]


class TestGrammar:
    def test_a_pattern_is_text_placeholders_and_stars(self) -> None:
        pattern = parsed("t:{tenant_id}:cart:{id}:*")
        assert pattern.names == ("tenant_id", "id")
        assert str(pattern) == "t:{tenant_id}:cart:{id}:*"

    def test_braces_of_a_cluster_hash_tag_are_written_twice(self) -> None:
        pattern = parsed("{{user:{id}}}:cart", id=NUMBER)
        assert pattern.exact({"id": 42}) == b"{user:42}:cart"
        assert codes(pattern) == []

    def test_a_star_and_a_backslash_stand_for_themselves_behind_a_backslash(self) -> None:
        assert parsed(r"App\\User\*{id}", id=NUMBER).exact({"id": 7}) == rb"App\User*7"

    @pytest.mark.parametrize("text", ["", "{", "cart:{}", "cart:{id", "cart:id}", "a\\b", "\\", "{a{b}}", "\udcff"])
    def test_anything_else_is_no_pattern(self, text: str) -> None:
        with pytest.raises(NotAPattern):
            Pattern.parse(text)

    @given(st.text(st.sampled_from(HOSTILE), min_size=1))
    def test_an_escaped_text_is_itself_alone(self, text: str) -> None:
        pattern = Pattern.parse(escaped(text))
        assert pattern.exact({}) == text.encode()
        assert str(pattern) == escaped(text)

    @given(cases())
    def test_a_pattern_is_read_again_as_it_was_written(self, case: Case) -> None:
        assert Pattern.parse(str(case.pattern), case.pattern.spellings) == case.pattern

    def test_it_is_at_hand_where_neither_pydantic_nor_sqlalchemy_is(self) -> None:
        asked = "import sys, shared.patterns; print({'pydantic', 'sqlalchemy', 'yaml', 'datamap'} & set(sys.modules))"
        told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
        assert told.strip() == "set()"


class TestFaults:
    """What could take a key of somebody else is refused when it is written."""

    @pytest.mark.parametrize(
        "text",
        [
            "cart:{id}",
            "{id}",
            "user{id}",
            "cart:{id}:*",
            "*:{id}",
            "cart-{id}-*",
            "ratelimit:api:{id}:*",
            "{{user:{id}}}:*",
            "a:{id}:*:b",
            "x:{id}0:*",
            "*:0{id}",
            "*:x:{id}:y",
            "{id}:{id}*",
        ],
    )
    def test_a_number_between_delimiters_is_sound(self, text: str) -> None:
        assert codes(parsed(text, id=NUMBER)) == []

    @pytest.mark.parametrize("text", ["*{id}", "{id}*", "cart:{id}*", "*-{id}", "*7{id}", "*:{id}:*", "x:{id}0*"])
    def test_a_number_that_may_end_elsewhere_is_not(self, text: str) -> None:
        assert codes(parsed(text, id=NUMBER)) == ["ambiguous"]

    def test_a_uuid_ends_where_it_ends(self) -> None:
        assert codes(parsed("*{id}", id=UUID)) == []
        assert codes(parsed("a{id}b*", id=UUID)) == []
        assert codes(parsed("*{id}*", id=UUID)) == ["ambiguous"]

    @pytest.mark.parametrize("text", ["profile:{id}", "{id}:profile", "a:{id}:b"])
    def test_a_text_alone_fills_what_is_left(self, text: str) -> None:
        assert codes(parsed(text, id=TEXT)) == []

    @pytest.mark.parametrize("text", ["profile:{id}:*", "*:{id}", "{id}:*"])
    def test_a_text_may_hold_any_delimiter(self, text: str) -> None:
        assert codes(parsed(text, id=TEXT)) == ["ambiguous"]

    def test_a_text_that_a_check_keeps_a_delimiter_out_of_ends_there(self) -> None:
        assert codes(parsed("profile:{id}:*", id=Spelling(lacking=":"))) == []
        assert codes(parsed("profile:{id}/*", id=Spelling(lacking=":"))) == ["ambiguous"]

    def test_all_columns_of_the_key_are_bound(self) -> None:
        assert codes(parsed("cart:{id}", id=NUMBER), "tenant_id", "id") == ["partial"]
        assert codes(parsed("{tenant_id}:cart:{id}", id=NUMBER, tenant_id=NUMBER), "tenant_id", "id") == []

    def test_two_placeholders_are_kept_apart(self) -> None:
        both = {"tenant_id": NUMBER, "id": NUMBER}
        assert codes(parsed("cart:{tenant_id}{id}", **both), "tenant_id", "id") == ["ambiguous", "ambiguous"]
        assert codes(parsed("{a}:{b}", a=TEXT, b=TEXT), "a", "b") == ["ambiguous", "ambiguous"]
        assert codes(parsed("{a}:{b}", a=TEXT, b=NUMBER), "a", "b") == []

    def test_an_identity_of_one_person_alone_is_enough(self) -> None:
        pattern = parsed("ratelimit:login:{email}")
        assert codes(pattern, "tenant_id", "id", identities=("email",)) == []
        assert codes(pattern, "tenant_id", "id") == ["unknown"]

    def test_a_placeholder_that_names_nothing_is_said_with_what_there_is(self) -> None:
        (fault,) = parsed("cart:{user_id}").faults(("id",), ("email",))
        assert fault.name == "user_id"
        assert fault.remedy == "one of: {id}, {email}"

    def test_a_pattern_that_names_nobody_has_no_such_fault(self) -> None:
        assert codes(parsed("session:*")) == []

    def test_a_prefix_of_objects_goes_on_behind_its_end(self) -> None:
        assert codes(Pattern.prefix("users/{id}", {"id": NUMBER})) == ["ambiguous"]
        assert codes(Pattern.prefix("users/{id}/", {"id": NUMBER})) == []
        assert codes(Pattern.prefix("users/{email}/", {}), identities=("email",)) == ["ambiguous"]


class TestNobodyElse:
    """For every pattern without a fault, and everybody who may be named by it."""

    @patiently
    @given(st.data())
    def test_a_key_of_one_person_never_matches_another(self, data: st.DataObject) -> None:
        case = data.draw(sound_cases())
        one, other = data.draw(people(case)), data.draw(people(case))
        assume(one != other)
        plain = case.key(one, [b""] * 6)
        key = case.key(other, data.draw(fillers(plain, *(str(value).encode() for value in one.values()))))
        assert not case.pattern.match(key, one)

    @patiently
    @given(st.data())
    def test_a_key_says_whose_it_is(self, data: st.DataObject) -> None:
        case = data.draw(sound_cases())
        person = data.draw(people(case))
        key = case.key(person, data.draw(fillers(*(str(value).encode() for value in person.values()))))
        assert case.pattern.holder(key) == {name: str(person[name]) for name in case.pattern.names}

    @pytest.mark.parametrize("family", ["integer", "text"])
    def test_no_pattern_without_a_fault_has_a_key_of_two_people(self, family: str) -> None:
        """All short ones, with all keys that these people and texts can make."""
        values: dict[str, list[int | str]] = {"integer": [1, 11, -1], "text": ["1", ":", "1:", ":1"]}
        texts = [b"", b"1", b":", b":1", b"1:", b"1:1"]
        parts = [("text", ":"), ("text", "-"), ("text", "1"), ("name", "id"), ("star", "")]
        sound = 0
        for chosen in itertools.chain.from_iterable(itertools.product(parts, repeat=length) for length in (1, 2, 3, 4)):
            case = Case(parts=chosen, families={"id": family})
            if ("name", "id") not in chosen or not case.is_sound:
                continue
            sound += 1
            stars = chosen.count(("star", ""))
            keys = [
                {case.key({"id": value}, filled) for filled in itertools.product(texts, repeat=stars)}
                for value in values[family]
            ]
            assert not any(one & other for one, other in itertools.combinations(keys, 2)), case.text
        assert sound > 100

    def test_two_tenants_have_a_person_of_the_same_id(self) -> None:
        pattern = parsed("t:{tenant_id}:cart:{id}", tenant_id=NUMBER, id=NUMBER)
        assert pattern.match(b"t:1:cart:42", {"tenant_id": 1, "id": 42})
        assert not pattern.match(b"t:2:cart:42", {"tenant_id": 1, "id": 42})

    def test_42_is_not_in_142_or_421(self) -> None:
        objects = Pattern.prefix("users/{id}/", {"id": NUMBER})
        assert objects.start({"id": 4}) == b"users/4/"
        assert not objects.match(b"users/42/avatar.svg", {"id": 4})
        assert not parsed("cart:{id}", id=NUMBER).match(b"cart:142", {"id": 42})
        assert not parsed("cart:{id}", id=NUMBER).match(b"cart:42\n", {"id": 42})


class TestNothingForgotten:
    @patiently
    @given(st.data())
    def test_a_key_of_a_person_matches_them(self, data: st.DataObject) -> None:
        case = data.draw(cases())
        person = data.draw(people(case))
        key = case.key(person, data.draw(fillers()))
        assert case.pattern.match(key, person)
        assert key.startswith(case.pattern.start(person))
        assert case.pattern.exact(person) == (key if case.pattern.is_exact else None)

    def test_a_key_need_not_be_text(self) -> None:
        pattern = parsed("s:{id}:*", id=NUMBER)
        assert pattern.match(b"s:7:\xff\xfe\n", {"id": 7})
        assert pattern.holder(b"s:7:\xff\xfe\n") == {"id": "7"}
        assert parsed("s:{id}", id=TEXT).holder(b"s:\xff") is None

    @given(TEXTS)
    def test_a_glob_has_a_backslash_before_what_would_mean_something(self, value: str) -> None:
        glob = parsed("a:{id}:*").glob({"id": value})
        assert glob == b"a:" + glob_escaped(value.encode()) + b":*"
        assert not re.search(rb"(?<!\\)(?:\\\\)*[*?\[\]^]", glob_escaped(value.encode()))


class TestValues:
    """A value that is not written as its column writes it is refused: it could be somebody else's."""

    @pytest.mark.parametrize("value", ["", "4_2", "042", "4:2", "-0", "\uff14\uff12", "42\n", " 42"])
    def test_what_is_no_number(self, value: str) -> None:
        with pytest.raises(UnfitValue):
            parsed("cart:{id}", id=NUMBER).glob({"id": value})

    @pytest.mark.parametrize("value", ["", A_UUID.upper(), A_UUID.replace("-", ""), A_UUID + "0", A_UUID[:-1]])
    def test_what_is_no_uuid(self, value: str) -> None:
        with pytest.raises(UnfitValue):
            parsed("cart:{id}", id=UUID).exact({"id": value})

    @pytest.mark.parametrize("value", ["", "\udcff", "a:b"])
    def test_what_is_no_text_of_its_column(self, value: str) -> None:
        with pytest.raises(UnfitValue) as refused:
            parsed("cart:{id}:*", id=Spelling(lacking=":")).regex({"id": value})
        assert "a:b" not in refused.value.sentence

    def test_a_value_that_was_not_given(self) -> None:
        with pytest.raises(UnfitValue, match=r"No value was given for \{tenant\}"):
            parsed("{tenant}:{id}").match(b"1:2", {"id": 2})
