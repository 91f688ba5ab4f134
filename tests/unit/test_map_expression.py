"""Expressions of indexes as Postgres writes them, and the conditions that a partial index implies."""

from __future__ import annotations

import pytest

from datamap.expression import conjuncts, evaluates, normalised, of_place
from datamap.form import FOLDED
from datamap.names import Place
from tests.unit.test_check_tables import catalogue, table

FACTS = next(iter(catalogue(table("t", 'id int, payload jsonb, notes text, email character varying(9), "Odd" text'))))


@pytest.mark.parametrize(
    ("place", "written"),
    [
        ("payload->>'user_id'", "((payload ->> 'user_id'::text))"),
        ("payload->'actor'->>'id'", "(((payload -> 'actor'::text) ->> 'id'::text))"),
        ("payload#>>'{actor,id}'", "((payload #>> '{actor,id}'::text[]))"),
        ("payload#>>'{actor,id}'", "((payload #>> ARRAY['actor'::text, 'id'::text]))"),
        ("payload->0->>'id'", "((payload #>> '{0,id}'::text[]))"),
        ("payload->>'it''s'", "((payload ->> 'it''s'::text))"),
        (
            "notes::jsonb->>'by'",
            "((CASE WHEN (notes IS JSON) THEN (notes)::jsonb ELSE NULL::jsonb END ->> 'by'::text))",
        ),
    ],
)
def test_a_place_is_recognised_as_postgres_writes_it(place: str, written: str) -> None:
    parsed = Place.parse(place)
    assert normalised(written) in of_place(parsed, FACTS.columns[parsed.column])


@pytest.mark.parametrize(
    ("place", "written"),
    [
        ("payload->>'user_id'", "((payload ->> 'userid'::text))"),
        ("payload->>'user_id'", "((payload -> 'user_id'::text))"),
        ("payload->'actor'->>'id'", "((payload #>> '{actor,id}'::text[]))"),
        ("payload->>'user_id'", "(lower((payload ->> 'user_id'::text)))"),
        ("payload->>'User_id'", "((payload ->> 'user_id'::text))"),
    ],
)
def test_another_expression_is_another(place: str, written: str) -> None:
    parsed = Place.parse(place)
    assert normalised(written) not in of_place(parsed, FACTS.columns[parsed.column])


@pytest.mark.parametrize("written", ["lower((email)::text)", "lower(email)"])
def test_lower_is_the_same_with_and_without_its_cast(written: str) -> None:
    assert normalised(written) in of_place(Place(("email",)), FACTS.columns["email"], FOLDED)
    assert normalised(written) not in of_place(Place(("Odd",)), FACTS.columns["Odd"], FOLDED)


@pytest.mark.parametrize(
    ("predicate", "parts"),
    [
        ("(user_id IS NOT NULL)", ["user_id is not null"]),
        ("((kind = 'User'::text) AND (gone IS NULL))", ["kind = 'User'", "gone is null"]),
        ("((kind)::text = 'a and b'::text)", ["kind = 'a and b'"]),
        ("(status = 'x'::app.\"My status\")", ["status = 'x'"]),
        ("((a = 1) OR (b = 2))", ["a = 1 or b = 2"]),
        ("((kind = 'or'::text) AND (b = 2))", ["kind = 'or'", "b = 2"]),
    ],
)
def test_a_predicate_is_taken_apart_only_where_all_of_it_holds(predicate: str, parts: list[str]) -> None:
    assert conjuncts(predicate) == parts


@pytest.mark.parametrize(
    ("told", "is_evaluated"),
    [
        ("a ->> 'b'", True),
        ("lower a ->> 'b'", True),
        ("regexp_substr a ->> 'b' , 'x'", True),
        ("case when c then a ->> 'b' end", False),
        ("coalesce c , a ->> 'b'", False),
        ("aa ->> 'b'", False),
    ],
)
def test_what_functions_are_given_is_evaluated_and_what_a_case_may_skip_is_not(told: str, is_evaluated: bool) -> None:
    assert evaluates(told, "a ->> 'b'") is is_evaluated
