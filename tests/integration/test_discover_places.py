"""Places where people meet, and those that only look like one: an owner and an address, a ticket that is answered."""

from __future__ import annotations

import pytest

from datamap.check.check import checked
from datamap.discover.finding import Proposal
from datamap.discover.text import written
from datamap.document import Document
from tests.integration.site import USERS, Site, link


def organisations(count: int, billing: str = "owner") -> str:
    address = {"owner": "'p' || g || '@example.org'", "other": "'p' || (g + 20) || '@example.org'"}[billing]
    return f"""
    create table organisations (id bigint primary key, owner_id bigint not null references users, name text,
      billing_email text);
    insert into organisations select g, g, 'o', {address} from generate_series(1, {count}) as g;
    create table memberships (organisation_id bigint not null references organisations,
      user_id bigint not null references users, role text, primary key (organisation_id, user_id));
    insert into memberships select g % {count} + 1, g from generate_series(1, 16) as g;
    create table subscriptions (id bigint primary key, organisation_id bigint not null references organisations,
      plan text);
    insert into subscriptions select g, g, 'pro' from generate_series(1, {count}) as g;
    create table audit_logs (id bigint primary key, organisation_id bigint not null references organisations,
      actor_id bigint references users, action text);
    insert into audit_logs select g, g % {count} + 1, g % 16 + 1, 'login' from generate_series(1, 40) as g;
    """


def said(found: Proposal) -> str:
    return written(found)


@pytest.mark.parametrize("billing", ["owner", "other"])
@pytest.mark.parametrize("count", [1, 2, 4, 15])
def test_members_say_more_of_a_place_than_an_owner_and_an_address(site: Site, count: int, billing: str) -> None:
    found = site.proposed(USERS + organisations(count, billing))
    place = found.of("organisations")
    assert place.shared is True
    assert place.erase is None
    assert "people meet in a row" not in said(found)
    assert link(found, "organisations", "owner_id").erase == "undecided"


def test_what_hangs_from_a_place_that_stays_is_not_deleted(site: Site) -> None:
    found = site.proposed(USERS + organisations(4))
    for table in ("subscriptions", "audit_logs"):
        assert found.of(table).erase != "delete"
        assert found.of(table).shared is True or found.of(table).erase == "undecided"


def test_what_no_request_reads_needs_neither_activity_nor_columns(site: Site) -> None:
    entry = Document.parse(said(site.proposed(USERS + organisations(4)))).map.tables["public.subscriptions"]
    assert (entry.shared, entry.activity, entry.columns) == (True, None, {})


def test_that_people_meet_is_said_in_a_comment_and_not_in_the_name_of_whoever_decides(site: Site) -> None:
    text = said(site.proposed(USERS + organisations(4)))
    (table,) = (entry for name, entry in Document.parse(text).map.tables.items() if name == "public.organisations")
    assert table.shared is True
    assert table.reason is None
    assert "people meet here" in text


def tickets(answering: int, asking: int = 40) -> str:
    """Everybody from 1 asks, and each ticket is answered by whoever asked and by one of those from 50."""
    return f"""
    create table tickets (id bigint primary key, requester_id bigint references users, subject text, body text);
    insert into tickets select g, 1 + g % {asking}, 's', 'b' from generate_series(1, 80) as g;
    create table ticket_messages (id bigint primary key, ticket_id bigint not null references tickets,
      author_id bigint references users, body text);
    insert into ticket_messages select g, g, 1 + g % {asking}, 'b' from generate_series(1, 80) as g;
    insert into ticket_messages select 80 + g, g, 50 + g % {answering}, 'b' from generate_series(1, 80) as g;
    """


def test_a_ticket_that_agents_answer_is_whose_it_was(site: Site) -> None:
    found = site.proposed(USERS + tickets(answering=3))
    assert (found.of("tickets").shared, found.of("tickets").erase) == (False, "delete")
    assert found.of("ticket_messages").erase == "undecided"
    assert "role: actor" in " ".join(found.of("ticket_messages").notes)


@pytest.mark.parametrize("others", [{"answering": 10, "asking": 20}, {"answering": 3, "asking": 51}])
def test_many_who_answer_or_who_ask_as_well_are_no_agents(site: Site, others: dict[str, int]) -> None:
    found = site.proposed(USERS + tickets(**others))
    assert found.of("tickets").erase != "delete"


def test_a_few_members_of_groups_are_no_agents(site: Site) -> None:
    """Founders of many, and a few who are members everywhere: the name says that it is no ticket."""
    found = site.proposed(
        USERS
        + """
        create table workspaces (id bigint primary key, owner_id bigint references users, description text);
        insert into workspaces select g, g, 'd' from generate_series(1, 40) as g;
        create table members (workspace_id bigint references workspaces, user_id bigint references users,
          primary key (workspace_id, user_id));
        insert into members select g, 50 + g % 3 from generate_series(1, 40) as g;
        """
    )
    assert found.of("workspaces").shared is True


def test_a_flag_without_two_people_is_not_said_to_have_them(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table feature_flags (id bigint primary key, made_by bigint references users,
          owner_id bigint references users, enabled boolean);
        insert into feature_flags values (1, null, 1, true), (2, null, 2, true), (3, 3, 3, true);
        """
    )
    assert "name two people" not in " ".join(found.of("feature_flags").notes)
    assert "people meet" not in said(found)


# Who merely acted ---------------------------------------------------------------------------------------------------


def test_a_notification_is_for_whom_it_goes_with(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table notifications (id bigint primary key, user_id bigint not null references users on delete cascade,
          actor_id bigint references users on delete set null, body text);
        insert into notifications select g, 1 + g % 60, 1 + g * 7 % 60, 'b' from generate_series(1, 120) as g;
        """
    )
    assert link(found, "notifications", "actor_id").role == "actor"
    assert found.of("notifications").erase == "delete"


def test_who_is_mentioned_or_brought_somebody_along_owns_nothing_of_theirs(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        alter table users add column referred_by bigint references users;
        update users set referred_by = id - 10 where id > 10;
        create table notes (id bigint primary key, author_id bigint not null references users, body text,
          mentions bigint[]);
        insert into notes select g, 1 + g % 60, 'b', array[1 + g % 60, 1 + g * 3 % 60]
          from generate_series(1, 90) as g;
        """
    )
    assert link(found, "users", "referred_by").role == "actor"
    assert found.of("notes").erase == "delete"
    assert all(each.role == "actor" for each in found.of("notes").links if each.place.column == "mentions")


def test_the_name_that_another_company_gave_to_a_row_is_no_person_without_an_account(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table subscriptions (id bigint primary key, user_id bigint not null references users,
          stripe_customer_id text);
        insert into subscriptions select g, g, 'cus_' || md5(g::text) from generate_series(1, 50) as g;
        create table trips (id bigint primary key, user_id bigint not null references users, customer_id bigint);
        insert into trips select g, g, 100000 + g from generate_series(1, 50) as g;
        create table receipts_of (id bigint primary key, stripe_customer_id text);
        insert into receipts_of select g, 'cus_' || md5(g::text) from generate_series(1, 50) as g;
        """
    )
    assert found.of("subscriptions").erase == "delete"
    assert found.of("trips").erase == "undecided"
    assert found.of("receipts_of").erase == "undecided" or found.of("receipts_of").is_undecided


# What the map has to say --------------------------------------------------------------------------------------------


def test_a_link_that_is_one_of_several_ways_is_mentioned_so_that_the_check_asks_for_none(site: Site) -> None:
    tables = """
        create table orders (id bigint primary key, user_id bigint not null references users, note text);
        insert into orders select g, g from generate_series(1, 60) as g;
        create table order_items (id bigint primary key, order_id bigint not null references orders,
          gift_wrapped_by bigint references users, recipient_id bigint references users, sku text);
        insert into order_items select g, g, g, g, 's' from generate_series(1, 60) as g;
        """
    document = Document.parse(said(site.proposed(USERS + tables)))
    assert "recipient_id" in document.map.tables["public.order_items"].links
    assert not document.map.tables["public.orders"].links
    assert "unmentioned_link" not in {each.code for each in checked(document, site.catalogue())}


@pytest.mark.parametrize(
    ("table", "column", "category"),
    [
        ("receipts", "pdf_url", "user.behavior.purchase_history"),
        ("visits", "url", "user.behavior.browsing_history"),
        ("api_keys", "key_hash", "user.authorization.credentials"),
        ("events", "name", "user.behavior"),
        ("devices", "name", "user"),
        ("companies", "name", "user.contact.organization"),
        ("companies", "vat_number", "user.government_id.national_identification_number"),
        ("documents", "name", "user.content"),
    ],
)
def test_a_column_is_what_its_table_and_its_words_say(site: Site, table: str, column: str, category: str) -> None:
    found = site.proposed(
        USERS + f"create table {table} (id bigint primary key, user_id bigint not null references users, {column} text)"
    )
    assert found.of(table).columns[column].category == category


def test_an_address_that_names_people_is_told_of_wherever_it_stands(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table newsletter_subscribers (email text primary key, confirmed_at timestamptz);
        insert into newsletter_subscribers select 'p' || g || '@example.org' from generate_series(1, 30) as g;
        """
    )
    assert found.of("newsletter_subscribers").columns["email"].category == "user.contact.email"
