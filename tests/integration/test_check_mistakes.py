"""Mistakes that people make in a map that was good, and whether what they are told is all that they need."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from datamap.catalogue import Catalogue
from datamap.check.check import checked
from datamap.document import Document, Unreadable
from datamap.fault import Fault
from demo import shop
from demo.premises import rent
from local.stores import open_stores
from shared.catalogue import document as of_database
from shared.database import connect
from tests.run import Run
from tests.unit.test_check_report import is_well_said

MAP = (Path(__file__).resolve().parents[2] / "demo" / "datamap.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cur(run: Run) -> Iterator[cursor]:
    with (
        open_stores({"POSTGRES_VERSION": run.postgres_major}) as stores,
        rent(stores, database="shop_mistaken", bucket="shop-mistaken") as premises,
    ):
        shop.build(premises, users=100)
        with contextlib.closing(connect(premises.database, application="gdpr-tests")) as session:
            yield session.cursor()


@pytest.fixture(scope="module")
def catalogue(cur: cursor) -> Catalogue:
    return Catalogue.from_json(of_database(cur))


@dataclass(frozen=True, kw_only=True)
class Told:
    """A fault as the reader meets it."""

    code: str
    at: str  # how the line begins that it points at, once the mistake is made
    remedy: tuple[str, ...]  # the words of it that matter
    severity: str = "error"


TEAMS = "links: {owner_id: {erase: nobody, reason: the team goes on under its name}}"
NOBODY = "  nobody: {id: 0} # teams and gift cards outlive the people who made them\n"
ADDRESSES = "app.addresses:\n    activity: account\n    erase: delete"
GIFT = "purchaserId: {erase: {purchaserId: nobody, greeting: null}"
SENDER = "sender_id: {erase: {body: null, sender_id: null}"
PRODUCTS = "app.products: {personal: false, reason: what the shop sells}"
KEEP = (
    "    keep: {exception: 17(3)(b), columns: [number, billing_name, billing_address, total, issued_on],"
    " owner: accounting}\n"
)
INSERT = "insert into app.users (id, tenant_id, email, full_name) overriding system value values (0, "

MISTAKES: dict[str, tuple[str, str, Told]] = {
    # Names
    "the subject's table misspelt": (
        "table: app.users",
        "table: app.user",
        Told(code="unknown_table", at="table: app.user", remedy=("did you mean app.users?", "more faults")),
    ),
    "a subject that is not there": (
        "table: app.users",
        "table: app.persons",
        Told(code="unknown_table", at="table:", remedy=("name the table", "app.users", "more faults")),
    ),
    "the subject's key misspelt": (
        "  key: id\n",
        "  key: uid\n",
        Told(code="unknown_column", at="key:", remedy=("did you mean id?", "more faults")),
    ),
    "an identity misspelt": (
        "{column: email, shared",
        "{column: mail, shared",
        Told(code="unknown_column", at="identities:", remedy=("did you mean email?", "more faults")),
    ),
    "one kind under subjects": (
        "subject:\n",
        "subjects:\n",
        Told(code="map.kind", at="subjects:", remedy=("write subject:", "{customer: {table:")),
    ),
    "a table misspelt": (
        "  app.orders:",
        "  app.ordres:",
        Told(code="unknown_table", at="app.ordres", remedy=("did you mean app.orders?", "more faults")),
    ),
    "a table without its schema": (
        "  app.orders:",
        "  orders:",
        Told(code="unknown_table", at="orders:", remedy=("did you mean app.orders?",)),
    ),
    "a column misspelt": (
        "      postcode:",
        "      postcod:",
        Told(code="unknown_column", at="postcod:", remedy=("did you mean postcode?", "1 more fault,")),
    ),
    "a link misspelt": (
        "links: {packed_by: actor}",
        "links: {packedby: actor}",
        Told(code="unknown_column", at="links: {packedby", remedy=("did you mean packed_by?",)),
    ),
    "an activity misspelt": (
        "  purchases:\n    purpose",
        "  purchase:\n    purpose",
        Told(code="unknown_activity", at="purchase:", remedy=("did you mean purchases?", "more faults")),
    ),
    "an identity that nobody has": (
        "login: {identity: email}",
        "login: {identity: username}",
        Told(code="unknown_identity", at="links:", remedy=("declare it under `identities:`",)),
    ),
    "a category misspelt": (
        "      street: user.contact.address.street",
        "      street: user.contact.adress.street",
        Told(code="unknown_category", at="street:", remedy=("did you mean user.contact.address.street?",)),
    ),
    "a role that is not there": (
        "cache:\n",
        "application_roles: [no_such_role]\ncache:\n",
        Told(code="unknown_role", at="application_roles", remedy=("take it out",)),
    ),
    # Words
    "a word in place of a mapping": (
        PRODUCTS,
        "app.products: delete",
        Told(code="map.kind", at="app.products", remedy=("write {activity: …, erase: delete}",)),
    ),
    "a table without a word": (
        PRODUCTS,
        "app.products:",
        Told(
            code="map.empty", at="app.products", remedy=("{activity: …, erase: delete}", "{personal: false, reason: …}")
        ),
    ),
    "a pattern without a word": (
        '"cart:{id}": {activity: purchases}',
        '"cart:{id}":',
        Told(code="map.empty", at='"cart:', remedy=("{activity: …}",)),
    ),
    "a pattern without an activity": (
        '"cart:{id}": {activity: purchases}',
        '"cart:{id}": {}',
        Told(code="activity_missing", at='"cart:', remedy=("write activity: with one of account, purchases",)),
    ),
    "a word misspelt": (
        ADDRESSES,
        ADDRESSES.replace("delete", "delte"),
        Told(code="map.kind", at="erase: delte", remedy=("did you mean delete?",)),
    ),
    "a key misspelt": (
        ADDRESSES,
        ADDRESSES.replace("erase:", "erases:"),
        Told(code="map.unknown", at="erases:", remedy=("did you mean erase?",)),
    ),
    "a list of one": (
        TEAMS,
        "links: {owner_id: {erase: [unlink]}}",
        Told(code="map.kind", at="links:", remedy=("write unlink",)),
    ),
    "== in a condition": (
        "when: author_type = 'User'",
        "when: author_type == 'User'",
        Told(code="map.invalid", at="author_id:", remedy=("write author_type = 'User'",)),
    ),
    "other quotes in a condition": (
        "when: author_type = 'User'",
        "when: 'author_type = \"User\"'",
        Told(code="map.invalid", at="author_id:", remedy=("write author_type = 'User'",)),
    ),
    "or in a condition": (
        "when: author_type = 'User'",
        "when: author_type = 'User' or body is null",
        Told(code="map.invalid", at="author_id:", remedy=("write a link for each",)),
    ),
    "what a CHECK keeps out, in a condition": (
        "when: author_type = 'User'",
        "when: author_type = 'Usr'",
        Told(code="when_value", at="author_id:", remedy=("did you mean 'User'?",)),
    ),
    "another value in a condition": (
        "when: author_type = 'User'",
        "when: author_type = 'Person'",
        Told(code="when_value", at="author_id:", remedy=("one of: 'User', 'Guest', 'System'",)),
    ),
    "a period in words": (
        "expire_after: P7D",
        "expire_after: 7 days",
        Told(code="map.invalid", at="backups:", remedy=("write P10Y, P6M, P35D or PT30S",)),
    ),
    # What is not there, or not decided
    "a table left out": (
        f"  {PRODUCTS}\n",
        "",
        Told(
            code="unclassified_table",
            at="tables:",
            remedy=("app.products: {personal: false, reason: …}", "activity: …"),
        ),
    ),
    "a column left out": (
        "note: user.content.private, added_at",
        "added_at",
        Told(code="unclassified_column", at="columns:", remedy=("write note: with a category",)),
    ),
    "a table that is undecided": (
        ADDRESSES,
        ADDRESSES.replace("delete", "undecided"),
        Told(code="undecided", at="erase: undecided", remedy=("write delete, keep, unlink",)),
    ),
    "a role that is undecided": (
        "packed_by: actor",
        "packed_by: undecided",
        Told(code="undecided", at="links: {packed_by", remedy=("owner (", "actor (", "reference (")),
    ),
    "a link's erase that is undecided": (
        TEAMS,
        "links: {owner_id: {erase: undecided}}",
        Told(code="undecided", at="links: {owner_id", remedy=("nobody (the row stays", "{owner_id: {value: …}}")),
    ),
    "an identity's link taken out": (
        "    links: {login: {identity: email}}\n",
        "",
        Told(code="unreached", at="app.login_attempts", remedy=("under `links:`",)),
    ),
    "a reason taken out": (
        PRODUCTS,
        "app.products: {personal: false}",
        Told(code="reason_missing", at="app.products", remedy=("write reason: …",)),
    ),
    "not personal, with a foreign key to a person": (
        "  app.wishlist_items:\n    activity: purchases\n    erase: delete",
        "  app.wishlist_items:\n    personal: false\n    reason: x",
        Told(
            code="names_a_person",
            at="app.wishlist_items",
            remedy=("make the table personal", 'links: {"tenant_id, user_id": actor}'),
        ),
    ),
    # What an erasure does
    "a nobody that is not there": (
        NOBODY,
        "  nobody: {id: 77}\n",
        Told(code="nobody_missing", at="nobody:", remedy=(INSERT.replace("(0", "(77"),)),
    ),
    "a shared row that is deleted": (
        f"    shared: true\n    {TEAMS}",
        f"    shared: true\n    erase: delete\n    {TEAMS}",
        Told(code="reach", at="erase: delete", remedy=("write unlink",)),
    ),
    "null where it may not be": (
        SENDER,
        SENDER.replace("body: null", "body: null, sent_at: null"),
        Told(code="not_null", at="sender_id:", remedy=("write sent_at: {value: …}",)),
    ),
    "a stub without its columns": (
        "email: random, full_name",
        "full_name",
        Told(code="not_null", at="stub:", remedy=("write stub: {email: random}",)),
    ),
    "a hash": (
        'recipientEmail: {identity: email, erase: {recipientEmail: {value: ""}',
        "recipientEmail: {identity: email, erase: {recipientEmail: hash",
        Told(code="pseudonym", at="recipientEmail:", remedy=("write null, random or {value: …}",)),
    ),
    "a refresh of a table": (
        ADDRESSES,
        ADDRESSES.replace("delete", "refresh"),
        Told(code="refresh", at="erase: refresh", remedy=("erase: delete",)),
    ),
    "what they wrote is left": (
        SENDER,
        "sender_id: {erase: unlink",
        Told(
            code="content_left",
            at="sender_id:",
            severity="warning",
            remedy=(
                "{sender_id: null, body: null}",
                "`reason: …` beside the link",
                "body: {personal: false, reason: …}",
            ),
        ),
    ),
    "a secret that is exported": (
        "phone: user.contact.phone_number",
        "phone: user.authorization.credentials",
        Told(
            code="secret_exported",
            at="phone:",
            severity="warning",
            remedy=("phone: {category: user.authorization.credentials, export: false, reason: ",),
        ),
    ),
    # What is kept
    "nothing of what is kept": (
        KEEP,
        "",
        Told(code="keep", at="erase: keep", remedy=("write keep: {exception: 17(3)(b)",)),
    ),
    "no law": (', law: "§ 147 AO"', "", Told(code="keep_law", at="keep:", remedy=("write law:", "§ 147 AO"))),
    "a start in words": (
        "from: {column: issued_on, round: year_end}",
        "from: the end of the year",
        Told(
            code="keep_start",
            at="keep:",
            severity="warning",
            remedy=("activities: invoices: retention: {period: P10Y, from: {column: issued_on}}",),
        ),
    ),
    "a start that is not there": (
        "from: {column: issued_on",
        "from: {column: issuedon",
        Told(code="keep_start", at="keep:", remedy=("did you mean issued_on?",)),
    ),
    "a start that is no date": (
        "from: {column: issued_on",
        "from: {column: total",
        Told(code="keep_start", at="keep:", remedy=("with a date: issued_on",)),
    ),
    # Why, and whom
    "no interest": (
        "    interest: We want to know whether the site works, and who tries to break in.\n",
        "",
        Told(code="activity_incomplete", at="traces:", remedy=("write interest:",)),
    ),
    "no activity": (
        ADDRESSES,
        ADDRESSES.replace("    activity: account\n", ""),
        Told(code="activity_missing", at="app.addresses", remedy=("write activity: with one of account",)),
    ),
    "a prefix that does not end": (
        'prefix: "users/{id}/"',
        'prefix: "users/{id}"',
        Told(code="objects.ambiguous", at="uploads:", remedy=("put a delimiter",)),
    ),
    "a placeholder of another name": (
        'prefix: "users/{id}/"',
        'prefix: "users/{user_id}/"',
        Told(code="objects.unknown", at="uploads:", remedy=("one of: {id}",)),
    ),
    "a brace that is not closed": (
        '"ratelimit:api:{id}:*"',
        '"ratelimit:api:{id:*"',
        Told(code="cache.pattern", at='"ratelimit:api', remedy=("write {{",)),
    ),
}


def faults(text: str, catalogue: Catalogue, cur: cursor) -> list[Fault]:
    try:
        return checked(Document.parse(text), catalogue, cursor=cur)
    except Unreadable as unreadable:
        return unreadable.faults


@pytest.fixture(scope="module")
def before(catalogue: Catalogue, cur: cursor) -> frozenset[tuple[str, str]]:
    return frozenset((fault.code, fault.message) for fault in faults(MAP, catalogue, cur))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_fault_at_its_line_with_what_to_write(
    name: str, catalogue: Catalogue, cur: cursor, before: frozenset[tuple[str, str]]
) -> None:
    was, now, told = MISTAKES[name]
    assert MAP.count(was) == 1
    text = MAP.replace(was, now)
    found = [fault for fault in faults(text, catalogue, cur) if (fault.code, fault.message) not in before]
    assert {fault.code for fault in found} == {told.code}
    fault = found[0]
    assert fault.severity == told.severity
    assert text.splitlines()[fault.line - 1].strip().startswith(told.at)
    assert [words for words in told.remedy if words not in (fault.remedy or "")] == []
    for each in found:
        assert is_well_said(each)


def test_what_may_not_be_null_is_mended_by_one_remedy_from_the_first_line_to_the_last(
    catalogue: Catalogue, cur: cursor
) -> None:
    text = (
        MAP.replace(NOBODY, "")
        .replace(TEAMS, "links: {owner_id: {erase: unlink}}")
        .replace("purchaserId: nobody", "purchaserId: null")
    )
    first, second = (fault for fault in faults(text, catalogue, cur) if fault.severity == "error")
    assert first.remedy is not None
    statement, at_the_subject, link = first.remedy.splitlines()
    assert statement.startswith(INSERT)
    assert at_the_subject == "write at subject: nobody: {id: 0}"
    assert link == "write links: {owner_id: {erase: nobody}}"
    assert "write purchaserId: nobody" in (second.remedy or "")
    cur.execute("delete from app.users where id = 0")
    cur.execute(statement)
    text = text.replace("  key: id\n", "  key: id\n  nobody: {id: 0}\n").replace(
        "{owner_id: {erase: unlink}}", "{owner_id: {erase: nobody}}"
    )
    text = text.replace("purchaserId: null", "purchaserId: nobody")
    assert [fault for fault in faults(text, catalogue, cur) if fault.severity == "error"] == []
    cur.connection.rollback()


def test_whatever_is_held_back_is_told_once_the_slip_is_mended(catalogue: Catalogue, cur: cursor) -> None:
    wrong = MAP.replace("ordinal: user.content.private", "ordinl: user.content.private").replace(
        "packed_by: actor", "packed_by: undecided"
    )
    at_once = {(fault.code, fault.message) for fault in faults(wrong, catalogue, cur)}
    slipped = faults(wrong.replace("table: app.users", "table: app.user"), catalogue, cur)
    assert ("unknown_table", "There is no table app.user") in {(fault.code, fault.message) for fault in slipped}
    independent = {(fault.code, fault.message) for fault in slipped} - {("unknown_table", "There is no table app.user")}
    assert ("unknown_column", "app.document_chunks has no column ordinl") in independent
    assert independent <= at_once


def test_errors_are_told_before_warnings_and_warnings_before_notes(catalogue: Catalogue, cur: cursor) -> None:
    wrong = MAP.replace("packed_by: actor", "packed_by: undecided").replace(PRODUCTS, "app.products: {personal: false}")
    found = faults(wrong, catalogue, cur)
    assert [fault.severity for fault in found] == sorted(
        (fault.severity for fault in found), key=["error", "warning", "note"].index
    )
    assert {fault.severity for fault in found} == {"error", "warning", "note"}
    for severity in ("error", "warning", "note"):
        lines = [fault.line for fault in found if fault.severity == severity and fault.line]
        assert lines == sorted(lines)
