"""Nobody's name leaves the rows: keys of documents and words of discriminators may be names, and are not repeated."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import connection

from datamap.check.check import checked
from datamap.discover.text import written
from datamap.document import Document
from tests.integration.site import USERS, Site, link

TABLES = """
create table notes (id bigint primary key, about jsonb, said text);
create table remarks (id bigint primary key, subject_type text, subject_id bigint, note text);
"""
NAMES = st.text(st.sampled_from("qxzjkv"), min_size=4, max_size=8)


def fill(site: Site, names: list[str]) -> None:
    """Documents with a person's name for a key, and types that are names with a word for a person beside them."""
    for number, name in enumerate(names, 1):
        about = {name: {"user_id": number}, "seen": {"by": {name: {"email": f"p{number}@example.org"}}}}
        row = (number, json.dumps(about), json.dumps({name: number, "owner": {name: number}}))
        site.cursor.execute("insert into public.notes values (%s, %s, %s)", row)
        kind = f"{name} user" if number % 2 else f"written by {name}"
        site.cursor.execute("insert into public.remarks values (%s, %s, %s, 'n')", (number, kind, number))


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(names=st.lists(NAMES, min_size=1, max_size=8, unique=True))
def test_no_name_in_a_document_or_a_discriminator_is_repeated(session: connection, names: list[str]) -> None:
    site = Site(session)
    try:
        site.cursor.execute(f"set local search_path = public, pg_catalog; {USERS}{TABLES}")
        fill(site, names)
        found = site.proposed("")
        text = written(found)
        faults = checked(Document.parse(text), site.catalogue())
        told = text + repr(found) + repr([(each.message, each.remedy) for each in faults])
    finally:
        session.rollback()
    assert not [name for name in names if name in told]


def test_what_may_not_be_said_is_asked_about_all_the_same(site: Site) -> None:
    site.cursor.execute(f"set local search_path = public, pg_catalog; {USERS}{TABLES}")
    fill(site, ["smith", "doe", "miller"])
    found = site.proposed("")
    assert found.of("notes").erase == found.of("remarks").erase == "undecided"
    assert "somebody's name" in " ".join(found.of("notes").notes)


def test_what_a_program_was_written_with_is_said(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table events (id bigint primary key, payload jsonb);
        insert into events select g, jsonb_build_object('actor', jsonb_build_object('userId', g), 'zorb',
          jsonb_build_object('user_id', g)) from generate_series(1, 40) as g;
        """
    )
    assert {str(each.place) for each in found.of("events").links} == {
        "payload->'actor'->>'userId'",
        "payload->'zorb'->>'user_id'",
    }


def test_a_key_that_the_database_uses_itself_is_said(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table zorbs (id bigint primary key, title text);
        create table events (id bigint primary key, payload jsonb);
        insert into events select g, jsonb_build_object('zorb', jsonb_build_object('user_id', g))
          from generate_series(1, 8) as g;
        """
    )
    assert link(found, "events", "payload->'zorb'->>'user_id'").kind == "person"
