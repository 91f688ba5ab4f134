"""What discovery leaves to a person, however sure the links are; and what it does without having seen rows."""

from __future__ import annotations

from typing import Any

import pytest

from datamap.discover.finding import Link, Proposal
from datamap.discover.text import is_open
from tests.integration.site import USERS, Site, link


def of_one_person(table: str, columns: str = "note text") -> str:
    return f"""
    create table {table} (id bigint primary key, user_id bigint not null references users, {columns});
    insert into {table} (id, user_id) select g, 1 + g % 60 from generate_series(1, 90) as g;
    """


def of_two(table: str, one: str, other: str, more: str = "reward numeric") -> str:
    return f"""
    create table {table} (id bigint primary key, {one} bigint not null references users,
      {other} bigint not null references users, {more});
    insert into {table} (id, {one}, {other}) select g, 1 + g % 60, 1 + (g + 7) % 60 from generate_series(1, 90) as g;
    """


def notes(found: Proposal, table: str) -> str:
    decision = found.of(table)
    return " ".join((*decision.notes, *(note for each in decision.links for note in (each.evidence, *each.notes))))


# Two people in a row ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "one", "other"),
    [
        ("referral", "referrer_id", "referred_id"),
        ("friendship", "a", "b"),
        ("follows", "follower_id", "followee_id"),
        ("blocks", "blocker_id", "blocked_id"),
        ("transfers", "from_user", "to_user"),
        ("invitations", "inviter_id", "invitee_id"),
        ("visits", "viewer_id", "viewed_id"),
        ("appraisals", "reviewer_id", "reviewee_id"),
    ],
)
@pytest.mark.parametrize("with_values", [True, False])
def test_a_row_of_two_people_is_never_one_persons_to_delete(
    site: Site, table: str, one: str, other: str, *, with_values: bool
) -> None:
    found = site.proposed(USERS + of_two(table, one, other), with_values=with_values)
    assert found.of(table).erase != "delete"
    sides = [each for each in found.of(table).links if each.is_person]
    assert [each.role for each in sides] == ["owner", "owner"]
    assert all(each.erase is not None for each in sides)


def test_two_who_did_the_same_thing_to_a_row_are_no_two_sides_of_it(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table cases (id bigint primary key, user_id bigint not null references users,
          approver_id bigint references users, approved_by bigint references users,
          assigned_by bigint references users, assigned_to bigint references users);
        insert into cases select g, g, 1, 2, 3, 4 from generate_series(1, 60) as g;
        """
    )
    acted = ("approver_id", "approved_by", "assigned_by", "assigned_to")
    assert {link(found, "cases", name).role for name in acted} == {"actor"}
    assert found.of("cases").erase == "delete"


# What a person decides by its name ----------------------------------------------------------------------------------

LAW = (
    "invoices", "payments", "payouts", "credit_notes", "receipts", "tax_reports", "ledger_entries", "journal_entries",
    "subscription_invoices", "billing_records",
)  # fmt: skip


@pytest.mark.parametrize("table", LAW)
def test_what_a_law_may_keep_is_asked_and_not_told(site: Site, table: str) -> None:
    found = site.proposed(USERS + of_one_person(table))
    assert found.of(table).erase == "undecided"
    assert "does a law ask you to keep these" in notes(found, table)
    assert "keep: {exception: 17(3)(b)" in notes(found, table)


@pytest.mark.parametrize("table", ["consents", "contracts", "data_processing_agreements"])
def test_what_proves_an_agreement_is_asked_about(site: Site, table: str) -> None:
    found = site.proposed(USERS + of_one_person(table))
    assert found.of(table).erase == "undecided"
    assert "17(3)(e)" in notes(found, table)


@pytest.mark.parametrize("table", ["audit_logs", "activity_log", "django_admin_log", "audit_trail"])
def test_what_somebody_did_is_asked_about(site: Site, table: str) -> None:
    found = site.proposed(USERS + of_one_person(table))
    assert found.of(table).erase == "undecided"
    assert "role: actor" in notes(found, table)


def test_an_order_is_the_persons_own_unless_it_is_booked(site: Site) -> None:
    found = site.proposed(
        USERS
        + of_one_person("orders", "total numeric")
        + of_one_person("purchases", "total numeric, tax_amount numeric")
        + of_one_person("payment_methods", "brand text")
    )
    assert found.of("orders").erase == "delete"
    assert found.of("purchases").erase == "undecided"
    assert found.of("payment_methods").erase == "delete"


def test_what_hangs_from_what_is_asked_about_is_asked_about(site: Site) -> None:
    found = site.proposed(
        USERS
        + of_one_person("invoices")
        + """
        create table lines (id bigint primary key, invoice_id bigint not null references invoices, sku text);
        insert into lines select g, g from generate_series(1, 90) as g;
        """
    )
    assert found.of("lines").erase == "undecided"


PRODUCTS = """
create table products (id bigint primary key, title text);
insert into products select g, 't' from generate_series(1, 60) as g;
"""


def test_a_review_stands_in_a_place_of_others(site: Site) -> None:
    sql = USERS + PRODUCTS + of_one_person("reviews", "product_id bigint references products, body text")
    assert site.proposed(sql).of("reviews").erase == "undecided"


def test_a_comment_on_what_is_ones_own_is_ones_own(site: Site) -> None:
    found = site.proposed(
        USERS
        + of_one_person("drafts")
        + """
        create table draft_comments (id bigint primary key, draft_id bigint not null references drafts, body text);
        insert into draft_comments select g, g from generate_series(1, 90) as g;
        """
    )
    assert found.of("draft_comments").erase == "delete"


def test_an_attachment_is_ones_own_only_where_it_hangs_from_nothing(site: Site) -> None:
    found = site.proposed(
        USERS + of_one_person("attachments", "file text") + of_one_person("task_attachments", "task_id bigint")
    )
    assert found.of("attachments").erase == "delete"
    assert found.of("task_attachments").erase == "undecided"


def test_files_of_a_message_are_no_more_decided_than_the_message(site: Site) -> None:
    found = site.proposed(
        USERS
        + of_two("messages", "sender_id", "recipient_id", "body text")
        + """
        create table files (id bigint primary key, message_id bigint not null references messages, name text);
        insert into files select g, g from generate_series(1, 90) as g;
        """
    )
    assert found.of("files").erase == "undecided"


def test_two_sides_of_what_a_law_may_keep_are_each_asked_about(site: Site) -> None:
    sql = of_two("payments", "payer_id", "payee_id", "amount numeric").replace("not null ", "")
    found = site.proposed(USERS + sql)
    assert {each.erase for each in found.of("payments").links} == {"undecided"}
    assert "does a law ask you to keep these" in notes(found, "payments")


def test_whoever_typed_a_row_in_may_be_nobody_to_it(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table articles (id bigint primary key, created_by bigint not null references users, title text);
        insert into articles select g, 1 + g % 3, 't' from generate_series(1, 60) as g;
        """
    )
    assert found.of("articles").erase == "undecided"


# Links that only those who act have ---------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["assigned_to", "approved_by", "handled_by", "staff_id", "agent_id"])
def test_the_only_link_to_a_person_is_no_actor_by_its_name(site: Site, column: str) -> None:
    found = site.proposed(
        USERS
        + f"""
        create table jobs (id bigint primary key, {column} bigint references users, title text);
        insert into jobs select g, 1 + g % 3, 't' from generate_series(1, 60) as g;
        """
    )
    assert link(found, "jobs", column).role == "undecided"
    assert link(found, "jobs", column).confidence == "low"
    assert found.of("jobs").erase == "undecided"


def test_who_last_changed_a_row_is_no_owner_of_it(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table pages (id bigint primary key, updated_by bigint references users, title text);
        insert into pages select g, 1 + g % 3, 't' from generate_series(1, 60) as g;
        """
    )
    assert link(found, "pages", "updated_by").role == "actor"
    assert found.of("pages").confidence == "medium"


def test_who_packed_what_hangs_from_somebodys_order_merely_acted(site: Site) -> None:
    found = site.proposed(
        USERS
        + of_one_person("orders")
        + """
        create table parcels (id bigint primary key, order_id bigint not null references orders,
          packed_by bigint references users);
        insert into parcels select g, g, 1 + g % 3 from generate_series(1, 90) as g;
        """
    )
    assert link(found, "parcels", "packed_by").role == "actor"
    assert found.of("parcels").erase == "delete"


# No surer than what it rests on -------------------------------------------------------------------------------------


def rests_on(found: Proposal, table: str) -> list[Link]:
    return [each for each in found.of(table).links if each.is_person and each.is_owner]


def test_a_table_is_no_surer_than_its_link(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table carts (id bigint primary key, user_id bigint, total numeric);
        insert into carts select g, g from generate_series(1, 3) as g;
        create table logins (id bigint primary key, user_id bigint, at timestamptz);
        insert into logins select g, 1 + g % 60 from generate_series(1, 90) as g;
        """
    )
    for table in ("carts", "logins"):
        assert found.of(table).erase == "delete"
        assert found.of(table).confidence == rests_on(found, table)[0].confidence
    assert found.of("carts").confidence == "low"
    assert found.of("logins").confidence == "medium"


# Names only ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ("user_id bigint not null references users, payload jsonb", "people could stand in payload"),
        ("user_id bigint not null references users, seen_by bigint[]", "people could stand in seen_by"),
        ("user_id bigint not null references users, visitor uuid", "people could stand in visitor"),
        ("user_id bigint not null references users, target_type text, target_id bigint", "target_"),
        ("user_id bigint not null references users, topic_type text, topic bigint", "people could stand in topic"),
        ("user_id bigint not null references users, contact_email text", "contact_email"),
        ("user_id bigint references users, title text", "user_id may be null"),
        ("user_id bigint not null, title text", "user_id"),
    ],
)
def test_without_rows_whatever_they_could_refute_is_open(site: Site, columns: str, why: str) -> None:
    found = site.proposed(USERS + f"create table carts (id bigint primary key, {columns});", with_values=False)
    assert is_open(found.of("carts"))
    assert why in notes(found, "carts")


def test_without_rows_a_declared_link_of_every_row_is_enough(site: Site) -> None:
    found = site.proposed(USERS + of_one_person("carts", "title text, total numeric"), with_values=False)
    assert found.of("carts").erase == "delete"
    assert not is_open(found.of("carts"))


def test_without_rows_what_hangs_from_what_may_be_shared_is_open(site: Site) -> None:
    sql = """
    create table teams (id bigint primary key, owner_id bigint not null references users, title text);
    create table drafts (id bigint primary key, user_id bigint not null references users,
      team_id bigint not null references teams, title text);
    """
    found = site.proposed(USERS + sql, with_values=False)
    assert found.of("teams").shared == "undecided"
    assert found.of("drafts").erase == "undecided"
    assert "it hangs from public.teams, and no rows say whose these are" in notes(found, "drafts")


def test_without_rows_what_may_hold_people_is_not_called_nobodys(site: Site) -> None:
    sql = USERS + PRODUCTS + "create table things (id bigint primary key, holder_ref text, made_by_whom bigint);"
    found = site.proposed(sql, with_values=False)
    assert not found.of("products").personal
    assert is_open(found.of("things"))


def test_without_rows_a_type_of_ones_own_may_be_that_of_a_key(site: Site) -> None:
    sql = USERS + "create domain number as bigint; create table rounds (id bigint primary key, total number);"
    assert site.proposed(sql, with_values=False).of("rounds").is_undecided


def test_without_rows_and_without_a_key_nobody_is_named(site: Site) -> None:
    sql = """
    create table users (id bigint, email text, full_name text, password text);
    create table carts (id bigint primary key, user_id bigint not null, total numeric);
    """
    found = site.proposed(sql, subject="users", with_values=False)
    assert found.of("users").erase == "undecided"


# Secrets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column",
    ["password_hash", "api_key", "access_token", "client_secret", "mfa_secret", "totp", "recovery_codes", "otp_code"],
)
def test_a_secret_that_logs_in_is_not_exported(site: Site, column: str) -> None:
    found = site.proposed(USERS + of_one_person("devices", f"{column} text"))
    held = found.of("devices").columns[column]
    assert held.category is not None
    assert held.category.startswith("user.authorization")
    assert held.entry == {"export": False, "reason": "a secret that logs in"}


@pytest.mark.parametrize(("column", "type_"), [("password_changed_at", "timestamptz"), ("token_count", "integer")])
def test_what_is_only_about_a_secret_is_none(site: Site, column: str, type_: str) -> None:
    found = site.proposed(USERS + of_one_person("devices", f"{column} {type_}"))
    assert found.of("devices").columns[column].entry == {}


@pytest.mark.parametrize(("table", "column"), [("sessions", "id"), ("authtoken_token", "key"), ("logins", "token")])
def test_a_key_that_logs_in_is_not_exported_either(site: Site, table: str, column: str) -> None:
    found = site.proposed(
        USERS
        + f"""
        create table {table} ({column} text primary key, user_id bigint not null references users);
        insert into {table} select md5(g::text), g from generate_series(1, 60) as g;
        """
    )
    said: Any = found.of(table).columns[column].entry
    assert said["export"] is False
