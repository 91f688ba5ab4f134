"""Schemas without one foreign key: numbers and words that lead to somebody, and those that only seem to."""

from __future__ import annotations

import pytest

from datamap.discover.finding import Decision
from datamap.discover.text import written
from tests.integration.site import Site, link

MEMBERS = """
create table members (region_id int not null, id uuid not null, number bigint not null unique, email text unique,
  full_name text, password_hash text, primary key (region_id, id));
insert into members
  select 1 + g % 3, md5(g::text)::uuid, 4000 + 3 * g, 'p' || g || '@mail.example', 'Person ' || g, 'x'
  from generate_series(1, 60) as g;
"""
POSTS = """
create table posts (id bigint primary key, member_number bigint not null, body text);
insert into posts select g, 4000 + 3 * (1 + g % 60), 'what somebody wrote here' from generate_series(1, 60) as g;
"""


def is_open(decision: Decision) -> bool:
    links = any("undecided" in (each.erase, each.role) for each in decision.links)
    return decision.is_undecided or decision.erase == "undecided" or links


EVENTS = """
create table events (tenant int not null, id bigint not null, kind text, member_number bigint, at date not null,
  primary key ({key})){partitions};
{create}
insert into events select 1, g, (array['post', 'login'])[1 + g % 2], 4000 + 3 * (1 + g % 60), '2026-01-01'
  from generate_series(1, 100) as g;
"""


@pytest.mark.parametrize(
    ("key", "partitions", "create"),
    [
        ("id, at", " partition by range (at)", "create table e1 partition of events default;"),
        ("tenant, id", "", ""),
    ],
)
def test_the_number_of_a_row_is_no_key_of_what_its_kind_is_called_after(
    site: Site, key: str, partitions: str, create: str
) -> None:
    found = site.proposed(MEMBERS + POSTS + EVENTS.format(key=key, partitions=partitions, create=create))
    assert {str(each.place) for each in found.of("events").links} == {"member_number"}
    assert found.of("posts").erase == "delete"


def test_beside_its_kind_the_key_of_something_may_be_a_part_of_the_rows_own(site: Site) -> None:
    sql = """
        create table tags (kind text, id bigint, tag text, primary key (kind, id, tag));
        insert into tags select 'post', g, 'nice' from generate_series(1, 60) as g;
        """
    assert link(site.proposed(MEMBERS + POSTS + sql), "tags", "id").when == "kind = 'post'"


@pytest.mark.parametrize(("gone", "is_asked"), [(0, False), (12, False), (28, True)])
def test_a_word_and_numbers_of_which_many_are_nobodys_are_asked_about(site: Site, gone: int, is_asked: bool) -> None:
    sql = f"""
        create table notes (id bigint generated always as identity primary key, about_type text, about_id bigint);
        insert into notes (about_type, about_id) select 'post', {gone} + g from generate_series(1, 60) as g;
        """
    assert (link(site.proposed(MEMBERS + POSTS + sql), "notes", "about_id").role == "undecided") is is_asked


def disputes(value: str) -> str:
    return f"""
        create table disputes (id bigint primary key, opened_for bigint, against bigint, post text);
        insert into disputes select g, null, {value}, 'x' from generate_series(1, 30) as g;
        """


def test_many_numbers_that_are_all_keys_among_few_are_asked_about_whatever_they_are_called(site: Site) -> None:
    found = site.proposed(MEMBERS + disputes("4000 + 3 * (1 + g % 20)"))
    assert link(found, "disputes", "against").role == "undecided"
    assert is_open(found.of("disputes"))


@pytest.mark.parametrize(
    "value", ["4000 + g", "3 * g", "4000 + 3 * (1 + g % 9)", "case g when 30 then 7 else 4000 + 3 * g end"]
)
def test_numbers_of_which_one_is_no_key_or_that_are_few_say_nothing(site: Site, value: str) -> None:
    assert "against" not in {str(each.place) for each in site.proposed(MEMBERS + disputes(value)).of("disputes").links}


def test_where_every_number_is_a_key_that_they_are_keys_says_nothing(site: Site) -> None:
    dense = MEMBERS.replace("4000 + 3 * g", "g")
    assert not site.proposed(dense + disputes("1 + g % 20")).of("disputes").links


PLACES = """
create table albums (id bigint primary key, member_number bigint not null, title text);
insert into albums select g, 4000 + 3 * (1 + g % 20), 'an album' from generate_series(1, 40) as g;
create table remarks (id bigint primary key, album_id bigint, member_number bigint not null, body text);
insert into remarks select g, g, 4000 + 3 * (21 + g % 20), 'a remark by somebody else' from generate_series(1, 40) as g;
create table pictures (id bigint primary key, album_id bigint not null, path text);
insert into pictures select g, g, {path} from generate_series(1, 40) as g;
"""


@pytest.mark.parametrize(
    ("path", "is_asked"),
    [
        ("'members/' || md5(g::text)::uuid || '/' || g || '.jpg'", True),
        ("'members/' || 4000 + 3 * g || '/x.jpg'", True),
        ("'albums/' || g || '.jpg'", False),
    ],
)
def test_others_rows_in_which_people_are_mentioned_are_not_passed_over(site: Site, path: str, is_asked: bool) -> None:
    found = site.proposed(MEMBERS + PLACES.format(path=path))
    assert found.of("albums").shared is True
    assert found.of("pictures").is_undecided is is_asked
    assert bool(found.of("pictures").shared) is not is_asked


# Telephone numbers


CALLERS = """
create table users (id bigint primary key, email text unique, phone text, full_name text, encrypted_password text);
insert into users select g, 'p' || g || '@mail.example', {mine}, 'Person', 'x' from generate_series(1, 60) as g;
create table codes (id bigint primary key, phone text not null, code_hash text, sent_at timestamptz);
insert into codes select g, {theirs}, 'x', now() from generate_series(1, 60) as g;
"""
ABROAD, HOME, OTHER = "'+49 170 ' || 1234000 + g", "'0170/' || 1234000 + g", "'0049 (0)170-' || 1234000 + g"
DIFFERENT = "'0171/' || 5550000 + g"


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [(ABROAD, HOME), (HOME, ABROAD), (OTHER, HOME), (f"case when g % 2 = 0 then {ABROAD} else {HOME} end", OTHER)],
)
def test_numbers_that_are_written_in_two_ways_say_where_they_are_at_home(site: Site, mine: str, theirs: str) -> None:
    found = site.proposed(CALLERS.format(mine=mine, theirs=theirs))
    assert 'phone: {column: phone, match: {phone: "+49"}}' in written(found)
    assert link(found, "codes", "phone").evidence == "60 of 60 values are a subject's phone"
    assert found.of("codes").erase == "delete"


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (ABROAD, ABROAD),
        (HOME, HOME),
        (ABROAD, DIFFERENT),
        (f"case when g = 1 then {ABROAD} else {DIFFERENT} end", HOME),
        ("null", HOME),
    ],
)
def test_numbers_that_are_written_in_one_way_or_are_others_stay_as_they_are(site: Site, mine: str, theirs: str) -> None:
    assert "phone: phone}" in written(site.proposed(CALLERS.format(mine=mine, theirs=theirs)))


def test_a_number_that_two_people_have_in_two_spellings_is_asked_about(site: Site) -> None:
    twice = CALLERS.format(mine=f"case when g = 7 then '0170 1234008' else {ABROAD} end", theirs=HOME)
    found = site.proposed(twice)
    assert found.of("codes").erase == "undecided"
    assert "rows whose phone several people have: 1" in found.of("codes").notes[0]
    told = "phone: 2 people have the same as somebody else; a request that names one of them by it alone is `ambiguous`"
    assert told in found.notes


# What is said


DOCUMENTS = """
create table histories (id bigint primary key, old jsonb);
insert into histories select g, jsonb_build_object('email', 'p' || g || '@mail.example', 'text', 'something else',
  'number', 4000 + 3 * (1 + g % 60), 'member_number', 4000 + 3 * (1 + (g + 7) % 60)) from generate_series(1, 60) as g;
"""


def test_what_is_said_of_several_links_is_said_once_of_the_table(site: Site) -> None:
    found = site.proposed(MEMBERS + DOCUMENTS)
    assert len([each for each in found.of("histories").links if each.erase == "undecided"]) > 1
    assert written(found).replace("\n    #", "").count("the document says more than who it is") == 1


def test_that_people_meet_below_is_said_once_of_each_table_however_many_ways_lead_up(site: Site) -> None:
    sql = """
        create table albums (id bigint primary key, member_number bigint not null, title text);
        insert into albums select g, 4000 + 3 * (1 + g % 20), 'an album' from generate_series(1, 40) as g;
        create table remarks (id bigint primary key, album_id bigint, other_album_id bigint,
          member_number bigint not null);
        insert into remarks select g, g, 41 - g, 4000 + 3 * (21 + g % 20) from generate_series(1, 40) as g;
        """
    found = site.proposed(MEMBERS + sql)
    assert found.of("albums").shared is True
    assert sum("rows of public.remarks" in note for note in found.of("albums").notes) == 1


def test_the_name_of_a_person_is_one_in_whatever_table_it_stands(site: Site) -> None:
    sql = POSTS.replace("body text", "guest_name text, name text").replace("'what", "'Somebody', 'what")
    columns = site.proposed(MEMBERS + sql).of("posts").columns
    assert columns["guest_name"].category == "user.name"
    assert columns["name"].category != "user.name"
