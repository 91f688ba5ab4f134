"""What each role may do, and what it may not: the whole matrix, read from the server and tried on it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extensions import connection, cursor

from shared.addresses import PostgresAddress
from shared.database import Database, connect
from shared.errors import AccessDenied
from shared.ledger.entry import SHAPES, Entry
from shared.roles import LOGINS, grant_on
from tests.run import administrator, as_role

TABLE_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")

# What is granted on whole tables, and on columns of them. Whatever is not here, nobody may.
ON_TABLES = {
    "migration": {role: {"SELECT"} for role in LOGINS},
    "entry": {"gdpr_audit": {"SELECT"}, "gdpr_verify": {"SELECT"}},
    "entry_kind": {"gdpr_audit": {"SELECT"}, "gdpr_verify": {"SELECT"}},
    "entry_field": {"gdpr_audit": {"SELECT"}, "gdpr_verify": {"SELECT"}},
    "leaf": {"gdpr_audit": {"SELECT"}, "gdpr_verify": {"SELECT"}},
    "tile": {"gdpr_audit": {"SELECT"}, "gdpr_verify": {"SELECT"}},
    "tree_head": {"gdpr_audit": {"SELECT"}, "gdpr_verify": {"SELECT"}},
    "anchor": {"gdpr_audit": {"SELECT"}, "gdpr_verify": {"SELECT"}},
    "request": {role: {"SELECT"} for role in LOGINS},
    "request_step": {role: {"SELECT"} for role in LOGINS},
    "plan": {role: {"SELECT"} for role in LOGINS},
    "subject_key": {role: {"SELECT"} for role in LOGINS},
    "request_person": {role: {"SELECT"} for role in LOGINS},
    **{
        table: {role: {"SELECT", "INSERT"} if role == "gdpr_audit" else {"SELECT"} for role in LOGINS}
        for table in ("request_question", "request_extension", "request_refusal", "notice")
    },
    "hold": {role: {"SELECT"} for role in LOGINS},
    **{
        table: {"gdpr_audit": {"SELECT"}, "gdpr_verify": {"SELECT"}}
        for table in ("comparison", "restoration", "imported", "epoch")
    },
}
ON_COLUMNS: dict[tuple[str, str], dict[str, set[str]]] = {
    **{("anchor", column): {"gdpr_audit": {"INSERT"}} for column in ("origin", "size", "note", "version")},
    **{
        ("epoch", column): {"gdpr_audit": {"INSERT"}}
        for column in ("event", "number", "before", "note", "size", "root", "kept", "by_role", "decided_at")
    },
    **{("request", column): {"gdpr_audit": {"UPDATE"}} for column in ("deadline", "due_at", "target_date")},
    ("request_question", "answered_at"): {"gdpr_audit": {"UPDATE"}},
    ("request_extension", "notified_at"): {"gdpr_audit": {"UPDATE"}},
    ("notice", "given_at"): {"gdpr_audit": {"UPDATE"}},
    **{
        ("hold", column): {"gdpr_erase": {"INSERT"}}
        for column in ("person", "datasets", "law", "reason_ref", "by_role", "ends_on")
    },
    **{("hold", column): {"gdpr_erase": {"UPDATE"}} for column in ("released_at", "released_by")},
}
ON_FUNCTIONS = {
    "activate_plan": {"gdpr_audit"},
    "append": set(LOGINS),
    "move_request": set(LOGINS),
    "refuse_change": set[str](),
    "keep_request": set[str](),
    "register_request": {"gdpr_export", "gdpr_erase", "gdpr_audit"},
    "claim_request": {"gdpr_export", "gdpr_erase"},
    "renew_lease": {"gdpr_export", "gdpr_erase"},
    "forget_person": {"gdpr_erase"},
    "forget_request": {"gdpr_export", "gdpr_verify", "gdpr_audit"},
    "know_person": {"gdpr_export", "gdpr_erase", "gdpr_audit"},
    "sequence": set(LOGINS),
    "grow": set[str](),
    "is_entry": set[str](),
    "refuse_registration": set[str](),
    "restoring": {"gdpr_audit", "gdpr_verify"},
    "standing": set(LOGINS),
    "record_comparison": {"gdpr_audit"},
    "begin_restoration": {"gdpr_audit"},
    "import_leaves": {"gdpr_audit"},
}

Session = Callable[[str], cursor]
EVENT = "5d3c1c5e-0000-4000-8000-000000000001"


@pytest.fixture
def session(postgres: PostgresAddress) -> Iterator[Session]:
    """Sessions of each role, each statement its own transaction."""
    with ExitStack() as stack:

        def open_as(role: str) -> cursor:
            opened: connection = connect(as_role(postgres, role), application="gdpr-tests")
            opened.autocommit = True
            stack.callback(opened.close)
            return stack.enter_context(opened.cursor())

        yield open_as


@pytest.fixture
def admin(postgres: PostgresAddress) -> Iterator[cursor]:
    with administrator(postgres) as cur:
        yield cur


def entry(kind: str, writer: str = "gdpr_audit", event: str = EVENT, **fields: Any) -> bytes:
    told = {"at": "2026-11-20T09:00:00.000Z", "kind": kind, "writer": writer, "event": event, **fields}
    return b"\x01" + json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def append(cur: cursor, body: bytes, event: str = EVENT) -> None:
    cur.execute("select gdpr.append(%s, %s::pg_catalog.bytea)", (event, body))


REGISTER = """
select id, is_new from gdpr.register_request(
  %(subject_request_id)s, %(action)s, %(request_type)s, 'person', %(received_at)s, %(person)s, sha256('key'),
  sha256('terms'), %(status)s, null, '{}', '{}', '{}', now() + interval '30 days', current_date, %(sealed)s,
  sha256('mark'), sha256('mark key')
)
"""


def registered(cur: cursor, action: str = "erase", **given: Any) -> tuple[uuid.UUID, bool]:
    asked = {
        "subject_request_id": str(uuid.uuid4()),
        "action": action,
        "request_type": "erasure" if action == "erase" else "access",
        "received_at": datetime.now(UTC) - timedelta(minutes=1),
        "person": sha256(b"somebody").digest(),
        "status": "in_progress",
        "sealed": bytes(64),
    }
    cur.execute(REGISTER, asked | given)
    found, is_new = cur.fetchone() or (None, False)
    return uuid.UUID(str(found)), is_new


def register(cur: cursor, action: str = "erase") -> str:
    return str(registered(cur, action)[0])


def claim(cur: cursor, action: str, request: str, seconds: int = 60) -> int | None:
    cur.execute("select fence from gdpr.claim_request(%s, %s, %s)", (action, seconds, request))
    fence: int | None = (cur.fetchone() or (None,))[0]
    return fence


def move(cur: cursor, request: str, status: str, fence: int | None = None) -> str:
    cur.execute("select gdpr.move_request(%s, %s, %s)", (request, status, fence))
    (found,) = cur.fetchone() or ("",)
    return str(found)


def privileges(cur: cursor, relation: str, role: str) -> set[str]:
    cur.execute(
        "select p from unnest(%s) as p where has_table_privilege(%s, %s::regclass, p)",
        (list(TABLE_PRIVILEGES), role, f"gdpr.{relation}"),
    )
    return {privilege for (privilege,) in cur.fetchall()}


def test_each_role_has_exactly_the_privileges_of_the_matrix_on_tables(admin: cursor) -> None:
    admin.execute(
        "select relname from pg_class where relnamespace = 'gdpr'::regnamespace and relkind in ('r', 'p', 'v')"
    )
    tables = {name for (name,) in admin.fetchall()}
    assert tables == set(ON_TABLES)

    found = {table: {role: privileges(admin, table, role) for role in LOGINS} for table in tables}
    # pg_read_all_data lets verification read what it was not granted by name.
    expected = {
        table: {role: granted.get(role, set()) | ({"SELECT"} if role == "gdpr_verify" else set()) for role in LOGINS}
        for table, granted in ON_TABLES.items()
    }
    assert found == expected


def test_each_role_has_exactly_the_privileges_of_the_matrix_on_columns(admin: cursor) -> None:
    admin.execute(
        "select c.relname, a.attname, acl.grantee::regrole::text, acl.privilege_type"
        " from pg_attribute as a join pg_class as c on c.oid = a.attrelid, aclexplode(a.attacl) as acl"
        " where c.relnamespace = 'gdpr'::regnamespace"
    )
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    for table, column, role, privilege in admin.fetchall():
        found.setdefault((table, column), {}).setdefault(role, set()).add(privilege)

    assert found == ON_COLUMNS


def test_each_role_may_call_exactly_the_functions_of_the_matrix(admin: cursor) -> None:
    admin.execute("select proname, oid from pg_proc where pronamespace = 'gdpr'::regnamespace")
    found: dict[str, set[str]] = {}
    for name, oid in admin.fetchall():
        admin.execute(
            "select r from unnest(%s) as r where has_function_privilege(r, %s, 'execute')", (list(LOGINS), oid)
        )
        found[name] = {role for (role,) in admin.fetchall()}

    assert found == ON_FUNCTIONS


def test_nobody_else_may_do_anything(admin: cursor) -> None:
    admin.execute("create role passer_by_" + uuid.uuid4().hex)
    admin.execute("select rolname from pg_roles where rolname like 'passer_by_%' order by oid desc limit 1")
    (role,) = admin.fetchone() or ("",)
    try:
        admin.execute("select has_schema_privilege(%s, 'gdpr', 'usage')", (role,))
        assert admin.fetchone() == (False,)
        admin.execute(
            "select relname from pg_class where relnamespace = 'gdpr'::regnamespace and relkind = 'r'"
            " and has_table_privilege(%s, oid, 'select, insert, update, delete, truncate, references, trigger')",
            (role,),
        )
        assert admin.fetchall() == []
        admin.execute(
            "select proname from pg_proc where pronamespace = 'gdpr'::regnamespace"
            " and has_function_privilege(%s, oid, 'execute')",
            (role,),
        )
        assert admin.fetchall() == []
    finally:
        admin.execute(f"drop role {role}")


def test_no_login_role_owns_anything_or_could_walk_around_the_rules(admin: cursor) -> None:
    admin.execute(
        "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin"
        " from pg_roles where rolname like 'gdpr\\_%' order by rolname"
    )
    roles = {name: tuple(rest) for name, *rest in admin.fetchall()}
    powerless = (False,) * 5
    assert roles == {
        "gdpr_owner": (*powerless, False),
        "gdpr_export": (*powerless, True),
        "gdpr_erase": (*powerless, True),
        "gdpr_verify": (*powerless, True),
        "gdpr_audit": (*powerless, True),
    }
    admin.execute("select distinct relowner::regrole::text from pg_class where relnamespace = 'gdpr'::regnamespace")
    assert admin.fetchall() == [("gdpr_owner",)]
    admin.execute(
        "select roleid::regrole::text, member::regrole::text from pg_auth_members where member = any(%s::regrole[])",
        ([*LOGINS, "gdpr_owner"],),
    )
    assert admin.fetchall() == [("pg_read_all_data", "gdpr_verify")]


@pytest.mark.parametrize("role", LOGINS)
def test_every_session_refuses_to_have_rows_hidden(session: Session, role: str) -> None:
    cur = session(role)
    cur.execute("show row_security")
    assert cur.fetchone() == ("off",)


MANNERS = {
    "row_security": "off",
    "search_path": "pg_catalog, pg_temp",
    "lock_timeout": "800ms",
    "idle_in_transaction_session_timeout": "30s",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_min_duration_statement": "-1",
    "log_statement": "none",
}


@pytest.mark.parametrize("role", LOGINS)
def test_a_session_through_another_client_has_the_same_manners(postgres: PostgresAddress, role: str) -> None:
    """An operator's psql does not pass shared/database.py."""
    address = as_role(postgres, role)
    with closing(
        psycopg2.connect(
            host=address.host, port=address.port, dbname=address.database, user=role, password=address.password
        )
    ) as plain:
        held = {}
        for name in MANNERS:
            with plain.cursor() as cur:
                cur.execute(f"show {name}")
                (held[name],) = cur.fetchone() or ("",)
    assert held == MANNERS


@pytest.mark.parametrize("role", ["gdpr_export", "gdpr_erase", "gdpr_verify"])
def test_a_policy_that_hides_rows_is_an_error_and_never_a_silence(  # threat model A5
    admin: cursor, postgres: PostgresAddress, role: str
) -> None:
    admin.execute(
        "create schema app; create table app.notes (id int primary key, owner_id int);"
        "insert into app.notes values (1, 1), (2, 2);"
        "alter table app.notes enable row level security;"
        "create policy mine on app.notes using (owner_id = 1)"
    )
    grant_on(admin, ["app.notes"])
    database = Database(as_role(postgres, role), application="gdpr-tests")
    with pytest.raises(AccessDenied, match=r"row-level security policy would hide rows"), database.transaction() as cur:
        cur.execute("select count(*) from app.notes")
    database.close()


A_KIND_OF_ITS_OWN = {
    "gdpr_export": "export.completed",
    "gdpr_erase": "erasure.executed",
    "gdpr_verify": "erasure.completed",
    "gdpr_audit": "request.extended",
}


class TestLedger:
    """What the ledger's one door lets through."""

    @pytest.mark.parametrize("role", LOGINS)
    @pytest.mark.parametrize("whose", LOGINS)
    def test_a_role_writes_its_own_kinds_only(self, session: Session, role: str, whose: str) -> None:
        cur, body = session(role), entry(A_KIND_OF_ITS_OWN[whose], role)
        if role == whose:
            append(cur, body)
            assert bytes((cur.fetchone() or (b"",))[0]) == sha256(b"\x00" + body).digest()
        else:
            with pytest.raises(
                psycopg2.errors.InsufficientPrivilege, match="may not write ledger entries of this kind"
            ):
                append(cur, body)

    def test_an_administrator_has_no_kind_of_his_own(self, admin: cursor) -> None:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            append(admin, entry("erasure.completed", "postgres"))

    def test_the_same_event_twice_is_one_entry(self, session: Session) -> None:
        cur, event = session("gdpr_audit"), str(uuid.uuid4())
        for _ in range(2):
            append(cur, entry("record.made", event=event), event)
        cur.execute("select count(*) from gdpr.entry where event_id = %s", (event,))
        assert cur.fetchone() == (1,)

    def test_another_content_under_the_same_event_is_refused(self, session: Session) -> None:
        cur, event = session("gdpr_audit"), str(uuid.uuid4())
        append(cur, entry("record.made", event=event, size=1), event)
        with pytest.raises(psycopg2.errors.UniqueViolation, match="another ledger entry"):
            append(cur, entry("record.made", event=event, size=2), event)

    def test_a_role_cannot_take_the_event_of_another(self, session: Session) -> None:  # threat model A11
        event = str(uuid.uuid4())
        append(session("gdpr_erase"), entry("erasure.started", "gdpr_erase", event), event)
        append(session("gdpr_verify"), entry("erasure.completed", "gdpr_verify", event), event)
        cur = session("gdpr_audit")
        cur.execute("select writer from gdpr.entry where event_id = %s order by writer", (event,))
        assert cur.fetchall() == [("gdpr_erase",), ("gdpr_verify",)]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\x01",
            b"\x02{}",
            b"\x01no json",
            b"\x01\xff\xfe",
            b'\x01{"kind": 7}',
            b"\x01[]",
            b"\x01" + b"x" * 65535,
        ],
        ids=["empty", "no body", "other version", "no JSON", "no UTF-8", "kind a number", "no object", "too long"],
    )
    def test_a_body_that_is_none_is_refused_without_being_quoted(self, session: Session, body: bytes) -> None:
        with pytest.raises((psycopg2.errors.CheckViolation, psycopg2.errors.InsufficientPrivilege, psycopg2.DataError)):
            append(session("gdpr_audit"), body)

    @pytest.mark.parametrize("role", LOGINS)
    @pytest.mark.parametrize(
        "statement",
        [
            "update gdpr.entry set kind = 'x'",
            "delete from gdpr.entry",
            "truncate gdpr.entry",
            "insert into gdpr.entry (writer, kind, event_id, body) values ('x', 'x', gen_random_uuid(), '')",
            "alter table gdpr.entry disable trigger all",
            "drop table gdpr.entry",
            "do $$ begin lock table gdpr.entry in access exclusive mode; end $$",
            "insert into gdpr.entry_kind values ('erasure.completed', 'gdpr_erase')",
            "insert into gdpr.request_step values ('erase', 'in_progress', 'completed', 'gdpr_erase')",
            "create table gdpr.mine (id int)",
            "set role gdpr_owner",
        ],
    )
    def test_no_role_has_another_way_in(self, session: Session, role: str, statement: str) -> None:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            session(role).execute(statement)

    @pytest.mark.parametrize(
        "statement", ["update gdpr.entry set kind = 'x'", "delete from gdpr.entry", "truncate gdpr.entry"]
    )
    @pytest.mark.parametrize("mode", ["origin", "replica"])
    def test_even_its_owner_and_a_superuser_are_stopped_by_the_triggers(
        self, admin: cursor, session: Session, statement: str, mode: str
    ) -> None:
        append(session("gdpr_audit"), entry("record.made"))
        admin.execute(f"set session_replication_role = {mode}")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="append-only"):
            admin.execute(statement)
        admin.execute("set session_replication_role = origin; set role gdpr_owner")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="append-only"):
            admin.execute(statement)

    @pytest.mark.parametrize(
        "body", [b'\x01{"kind":"record.made","Kind":"erasure.completed"}', b'\x01{"kind":"record.made","a-b":1}']
    )
    def test_a_key_that_not_every_reader_tells_apart_is_refused(self, session: Session, body: bytes) -> None:
        with pytest.raises(psycopg2.errors.CheckViolation, match="no such field"):
            append(session("gdpr_audit"), body)

    @pytest.mark.parametrize(
        "said",
        ["Lena Ortiz", "Lena\tOrtiz", "Jos\u00e9", "\u674e", 'a"b', "lena@example.org", "x+lena@mail.example.co"],
    )
    @pytest.mark.parametrize("field", ["code", "rows"])
    def test_what_people_write_does_not_get_in(self, session: Session, said: str, field: str) -> None:  # R71, R72
        value: Any = {said: {"deleted": 1}} if field == "rows" else said
        with pytest.raises(psycopg2.errors.CheckViolation, match="codes, counts and references") as refused:
            append(session("gdpr_audit"), entry("record.made", **{field: value}))
        assert said not in str(refused.value)

    def test_a_field_that_is_not_on_the_list_does_not_get_in(self, session: Session) -> None:  # R71
        with pytest.raises(psycopg2.errors.CheckViolation, match="no such field"):
            append(session("gdpr_audit"), entry("record.made", comment="approved"))

    @pytest.mark.parametrize(
        "body",
        [
            entry("record.made", writer="gdpr_verify"),
            entry("record.made", event=str(uuid.UUID(int=7))),
            b'\x01{"kind":"record.made"}',
        ],
    )
    def test_an_entry_says_by_itself_whose_it_is(self, session: Session, body: bytes) -> None:
        with pytest.raises(psycopg2.errors.CheckViolation, match="another writer or event"):
            append(session("gdpr_audit"), body)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("at", 1), ("at", "2026-11-20"), ("at", "2026-13-20T09:00:00.000Z"), ("at", None), ("at", ...),
            ("subject", "AB" * 32), ("subject", "ab"), ("subject", 12), ("subject", ""),
            ("request", "lena.meier"), ("request", EVENT.upper()), ("request", "{" + EVENT + "}"), ("request", None),
            ("size", -1), ("size", 1.5), ("size", True), ("rows", {"a": {"b": 1e300}}), ("reasons", [1]),
            ("reasons", [["A17"]]), ("reasons", [{"b": 1, "a": 1}]),
            ("rows", {"a": {"b": {"d": {}, "c": {}}}}), ("rows", {"a": {"b": {"c": {}}}}),
            ("rows", {"b": {}, "a": {}}), ("rows", {"a": {"z": 1, "b": 1}}), ("deadlines", {"b": "x", "a": "y"}),
        ],
    )  # fmt: skip
    def test_what_is_not_written_in_its_one_way_does_not_get_in(  # nobody could read it, and nobody delete it
        self, session: Session, field: str, value: Any
    ) -> None:
        told = {"at": "2026-11-20T09:00:00.000Z", "event": EVENT, "kind": "record.made", "writer": "gdpr_audit"}
        told = {name: each for name, each in sorted({**told, field: value}.items()) if each is not ...}
        with pytest.raises(psycopg2.errors.CheckViolation, match="in its one way") as refused:
            append(session("gdpr_audit"), b"\x01" + json.dumps(told, separators=(",", ":")).encode())
        assert "meier" not in str(refused.value).lower()

    def test_an_entry_whose_fields_are_not_in_their_order_does_not_get_in(self, session: Session) -> None:
        told = json.loads(entry("record.made", size=1)[1:])
        body = json.dumps(dict(reversed(told.items())), separators=(",", ":")).encode()
        with pytest.raises(psycopg2.errors.CheckViolation, match="in its one way"):
            append(session("gdpr_audit"), b"\x01" + body)

    def test_names_are_in_their_order_on_each_level_or_it_does_not_get_in(self, session: Session) -> None:
        cur = session("gdpr_audit")
        names = st.lists(st.sampled_from(["a", "aa", "b", "a.b", "a-b", "B", "_"]), unique=True, max_size=4)

        @given(rows=st.lists(st.tuples(names, names), max_size=3), versions=names)
        def either_way(rows: list[tuple[list[str], list[str]]], versions: list[str]) -> None:
            event = str(uuid.uuid4())
            said = {name: dict.fromkeys(within, 1) for outer, within in rows for name in outer}
            told = {"at": "2026-11-20T09:00:00.000Z", "event": event, "kind": "record.made", "rows": said}
            told |= {"versions": dict.fromkeys(versions, "x"), "writer": "gdpr_audit"}
            body = json.dumps(told, separators=(",", ":"))
            if body == json.dumps(told, separators=(",", ":"), sort_keys=True):
                append(cur, b"\x01" + body.encode(), event)
            else:
                with pytest.raises(psycopg2.errors.CheckViolation, match="in its one way"):
                    append(cur, b"\x01" + body.encode(), event)

        either_way()

    def test_whatever_the_program_writes_gets_in(self, session: Session) -> None:
        said: dict[str, Any] = {
            "request": EVENT, "subject": "ab" * 32, "right": "access", "status": "in_progress", "code": "a.b-c_d",
            "role": "privacy-officer", "method": "session", "reasons": ["A17-1-b", "JustificationA12Complexity"],
            "rows": {"app.a": {}, "app.b": {"deleted": 0, "kept": 2**53 - 1}, "cache%3Acart": {"deleted": 7}},
            "deadlines": {"calendar": "DE-BY@holidays-0.108", "received_on": "2026-11-20", "zone": "Europe/Berlin"},
            "version": "1.2.3", "versions": {"map": "ab" * 32, "plan": "cd" * 32}, "digest": "ef" * 32,
            "detail": "01" * 32, "origin": "shop-ledger/1", "size": 0, "root": "23" * 32, "note": "45" * 32,
            "key": "67" * 32, "before": "shop-ledger/1", "kept": 0,
        }  # fmt: skip
        at = datetime(2026, 11, 20, tzinfo=UTC)
        written = Entry(event=uuid.UUID(EVENT), kind="record.made", writer="gdpr_audit", at=at, said=said)
        assert set(said) | {"at", "event", "kind", "writer"} == set(SHAPES)
        append(session("gdpr_audit"), written.body)

    @pytest.mark.parametrize("body", ["", "01", "027b7d", "01" + "78" * 65535])
    def test_a_body_that_is_none_does_not_get_in_even_past_the_door(self, admin: cursor, body: str) -> None:
        with pytest.raises(psycopg2.errors.CheckViolation, match="entry_body"):
            admin.execute(
                "insert into gdpr.entry (writer, kind, event_id, body, leaf_hash)"
                " select 'x', 'x', gen_random_uuid(), b, sha256('\\x00'::bytea || b) from decode(%s, 'hex') as b",
                (body,),
            )

    def test_a_wrong_hash_does_not_get_in_even_past_the_door(self, admin: cursor) -> None:
        with pytest.raises(psycopg2.errors.CheckViolation, match="entry_leaf"):
            admin.execute(
                "insert into gdpr.entry (writer, kind, event_id, body, leaf_hash)"
                " values ('x', 'x', gen_random_uuid(), '\\x017b7d', sha256('forged'))"
            )

    def test_a_temporary_table_of_the_same_name_deceives_nobody(self, session: Session) -> None:
        cur = session("gdpr_audit")
        cur.execute(
            "create temporary table entry (like gdpr.entry); create temporary table entry_kind (kind text, writer name)"
        )
        cur.execute("insert into pg_temp.entry_kind values ('erasure.completed', 'gdpr_audit')")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            append(cur, entry("erasure.completed"))

    def test_a_temporary_type_of_the_same_name_deceives_nobody(self, session: Session) -> None:
        cur, body = session("gdpr_audit"), entry("record.made")
        cur.execute("create domain pg_temp.bytea as pg_catalog.bytea check (false)")
        cur.execute("create domain pg_temp.jsonb as pg_catalog.jsonb check (false)")
        append(cur, body)
        assert bytes((cur.fetchone() or (b"",))[0]) == sha256(b"\x00" + body).digest()

    @pytest.mark.parametrize(
        "body",
        [
            b'\x01{"kind": "erasure.completed", "kind": "record.made"}',
            b'\x01{"kind": "record.made", "\\u006bind": "erasure.completed"}',
            b'\x01{"kind": "record.made", "detail": {"a": 1, "a": 2}}',
        ],
    )
    def test_a_body_that_two_readers_could_read_in_two_ways_is_refused(self, session: Session, body: bytes) -> None:
        with pytest.raises(psycopg2.errors.CheckViolation, match="each key once"):
            append(session("gdpr_audit"), body)


STATUSES = (
    "in_progress",
    "completed",
    "incomplete",
    "refused",
    "not_identified",
    "blocked",
    "rejected",
    "failed",
    "withdrawn",
    "suspended_by_restore",
)

STEPS = {
    ("export", "gdpr_export"): {
        "in_progress > completed",
        "in_progress > incomplete",
        "in_progress > failed",
        "in_progress > blocked",
        "incomplete > in_progress",
        "failed > in_progress",
        "in_progress > withdrawn",
        "incomplete > withdrawn",
        "failed > withdrawn",
    },
    ("export", "gdpr_audit"): {
        "in_progress > not_identified",
        "in_progress > refused",
        "incomplete > refused",
        "failed > refused",
        "blocked > refused",
        "blocked > in_progress",
        "in_progress > blocked",
        "incomplete > blocked",
        "failed > blocked",
    },
    ("erase", "gdpr_erase"): {
        "in_progress > failed",
        "in_progress > blocked",
        "incomplete > in_progress",
        "failed > in_progress",
    },
    ("erase", "gdpr_verify"): {"in_progress > completed", "in_progress > incomplete"},
    ("erase", "gdpr_audit"): {
        "in_progress > not_identified",
        "in_progress > refused",
        "incomplete > refused",
        "failed > refused",
        "blocked > refused",
        "blocked > in_progress",
        "in_progress > blocked",
        "incomplete > blocked",
        "failed > blocked",
    },
}


class TestRegister:
    """Who may register, take and move a request, and where to."""

    def test_only_verification_says_that_an_erasure_is_completed(self, session: Session) -> None:
        request = register(session("gdpr_audit"))
        fence = claim(session("gdpr_erase"), "erase", request)
        for role in ("gdpr_export", "gdpr_erase", "gdpr_audit"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="may not move this request"):
                move(session(role), request, "completed", fence)
        cur = session("gdpr_verify")
        assert move(cur, request, "completed", fence) == "completed"
        cur.execute("select status from gdpr.request where id = %s", (request,))
        assert cur.fetchone() == ("completed",)

    @pytest.mark.parametrize("role", LOGINS)
    @pytest.mark.parametrize("column", ["status", "fence", "received_at", "person", "leased_until"])
    def test_no_role_writes_past_the_functions(self, session: Session, role: str, column: str) -> None:
        request = register(session("gdpr_audit"))
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            session(role).execute(f"update gdpr.request set {column} = default where id = %s", (request,))

    @pytest.mark.parametrize("role", LOGINS)
    @pytest.mark.parametrize("action", ["export", "erase"])
    def test_each_role_takes_its_own_steps_and_no_other(
        self, admin: cursor, session: Session, role: str, action: str
    ) -> None:
        cur, auditor, taken = session(role), session("gdpr_audit"), set()
        for start in STATUSES:
            for end in STATUSES:
                request = register(auditor, action)
                admin.execute("update gdpr.request set status = %s where id = %s", (start, request))
                try:
                    move(cur, request, end, 0)
                except psycopg2.errors.InsufficientPrivilege:
                    continue
                if start != end:
                    taken.add(f"{start} > {end}")
        assert taken == STEPS.get((action, role), set())

    def test_who_may_not_move_a_request_cannot_keep_it_from_those_who_may(self, session: Session) -> None:
        request, stranger = register(session("gdpr_audit")), session("gdpr_export")
        stranger.execute("set idle_in_transaction_session_timeout = 0; begin")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            move(stranger, request, "in_progress", 0)
        assert move(session("gdpr_verify"), request, "completed", 0) == "completed"

    def test_of_two_that_move_a_request_at_once_the_later_sees_where_it_stands(
        self, session: Session, admin: cursor
    ) -> None:
        """Or it would complete an erasure that verification has just found incomplete."""
        request, first, second = register(session("gdpr_audit")), session("gdpr_verify"), session("gdpr_verify")
        first.execute("begin")
        move(first, request, "incomplete", 0)
        second.execute("set lock_timeout = '10s'")
        with ThreadPoolExecutor(1) as thread:
            moving = thread.submit(move, second, request, "completed", 0)
            waiting = (0,)
            while waiting == (0,):
                admin.execute(
                    "select count(*) from pg_stat_activity"
                    " where datname = current_database() and wait_event_type = 'Lock'"
                )
                waiting = admin.fetchone() or (0,)
            first.execute("commit")
            with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="from incomplete to completed"):
                moving.result()

    def test_an_end_is_an_end(self, admin: cursor) -> None:
        admin.execute("select distinct from_status from gdpr.request_step")
        assert not {status for (status,) in admin.fetchall()} & {
            "completed",
            "refused",
            "not_identified",
            "rejected",
            "withdrawn",
        }

    def test_a_step_taken_twice_is_taken_once(self, session: Session) -> None:
        request, cur = register(session("gdpr_audit")), session("gdpr_verify")
        for _ in range(2):
            assert move(cur, request, "completed", 0) == "completed"

    def test_a_request_that_nobody_registered_cannot_be_moved(self, session: Session) -> None:
        with pytest.raises(psycopg2.errors.NoDataFound, match="no such request"):
            move(session("gdpr_erase"), str(uuid.uuid4()), "failed", 0)

    def test_the_same_request_is_registered_once(self, session: Session) -> None:
        cur, subject_request = session("gdpr_audit"), str(uuid.uuid4())
        first, is_new = registered(cur, subject_request_id=subject_request)
        assert is_new
        assert registered(cur, subject_request_id=subject_request) == (first, False)
        cur.execute("select count(*) from gdpr.request_person")
        assert cur.fetchone() == (1,)

    @pytest.mark.parametrize("received_at", ["2126-11-20", "infinity", "-infinity", "2018-05-24"])
    def test_a_request_is_received_at_some_instant_before_it_is_registered(
        self, session: Session, received_at: str
    ) -> None:
        with pytest.raises(psycopg2.errors.CheckViolation, match="request_received"):
            registered(session("gdpr_audit"), received_at=received_at)

    @pytest.mark.parametrize("role", LOGINS)
    def test_a_role_registers_what_it_works_on_and_the_auditors_everything(self, session: Session, role: str) -> None:
        may = {"gdpr_export": {"export"}, "gdpr_erase": {"erase"}, "gdpr_audit": {"export", "erase"}}
        for action in ("export", "erase"):
            if action in may.get(role, ()):
                assert registered(session(role), action)[1]
            else:
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    registered(session(role), action)

    @pytest.mark.parametrize(
        "given",
        [
            {"request_type": "access"},
            {"person": None},
            {"sealed": None},
            {"person": None, "sealed": None},
            {"status": "completed"},
            {"status": "not_identified"},
        ],
    )
    def test_a_request_is_about_one_person_or_not_identified(self, session: Session, given: dict[str, Any]) -> None:
        with pytest.raises(psycopg2.errors.CheckViolation):
            registered(session("gdpr_audit"), **given)

    def test_what_was_asked_for_does_not_change_even_for_its_owner(self, session: Session, admin: cursor) -> None:
        register(session("gdpr_audit"))
        for column in ("received_at = received_at - interval '1 day'", "terms = sha256('x')", "kind = 'other'"):
            with pytest.raises(psycopg2.errors.CheckViolation, match="does not change"):
                admin.execute(f"update gdpr.request set {column}")


class TestLease:  # threat model A15
    """Who works on a request, for how long."""

    def test_the_most_urgent_request_is_taken_first_and_by_one(self, session: Session, admin: cursor) -> None:
        auditor, one, two = session("gdpr_audit"), session("gdpr_erase"), session("gdpr_erase")
        later, sooner = register(auditor), register(auditor)
        admin.execute("update gdpr.request set due_at = due_at - interval '9 days' where id = %s", (sooner,))
        found = []
        for cur in (one, two, one):
            cur.execute("select id from gdpr.claim_request('erase', 60)")
            found.append(cur.fetchone())
        assert found == [(sooner,), (later,), None]

    def test_of_many_workers_at_once_each_gets_another_request(self, session: Session) -> None:
        auditor = session("gdpr_audit")
        wanted = sorted(register(auditor, "export") for _ in range(12))
        workers = [session("gdpr_export") for _ in range(4)]

        def take(cur: cursor) -> list[str]:
            taken: list[str] = []
            while True:
                cur.execute("select id from gdpr.claim_request('export', 60)")
                found = cur.fetchone()
                if found is None:
                    return taken
                taken.append(found[0])

        with ThreadPoolExecutor(4) as threads:
            assert sorted(each for taken in threads.map(take, workers) for each in taken) == wanted

    def test_a_lease_that_ran_out_is_taken_over_and_its_worker_writes_nothing_more(self, session: Session) -> None:
        request, zombie, heir = register(session("gdpr_audit")), session("gdpr_erase"), session("gdpr_erase")
        old = claim(zombie, "erase", request)
        zombie.execute("select gdpr.renew_lease(%s, %s, 0)", (request, old))
        new = claim(heir, "erase", request)
        assert (old, new) == (1, 2)
        with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="another worker has this request"):
            move(zombie, request, "failed", old)
        with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState):
            move(session("gdpr_verify"), request, "completed", old)
        zombie.execute("select gdpr.renew_lease(%s, %s, 60)", (request, old))
        assert zombie.fetchone() == (False,)
        assert move(heir, request, "failed", new) == "failed"

    @pytest.mark.parametrize("seconds", ["null", "-1", "0", "3601", "1000000000"])
    def test_no_lease_is_for_ever_or_over_before_it_begins(self, session: Session, seconds: str) -> None:
        request, cur = register(session("gdpr_audit")), session("gdpr_erase")
        with pytest.raises(psycopg2.errors.CheckViolation, match="a lease lasts"):
            cur.execute(f"select gdpr.claim_request('erase', {seconds}, %s)", (request,))
        fence = claim(cur, "erase", request)
        assert fence == 1
        if seconds != "0":
            with pytest.raises(psycopg2.errors.CheckViolation, match="a lease lasts"):
                cur.execute(f"select gdpr.renew_lease(%s, %s, {seconds})", (request, fence))

    def test_a_worker_without_a_lease_writes_nothing(self, session: Session) -> None:
        request = register(session("gdpr_audit"))
        with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState):
            move(session("gdpr_erase"), request, "failed")

    def test_a_lease_is_renewed_and_given_back(self, session: Session) -> None:
        request, cur = register(session("gdpr_audit")), session("gdpr_erase")
        fence = claim(cur, "erase", request, seconds=1)
        cur.execute("select gdpr.renew_lease(%s, %s, 600)", (request, fence))
        assert cur.fetchone() == (True,)
        assert claim(cur, "erase", request) is None
        cur.execute("select gdpr.renew_lease(%s, %s, 0)", (request, fence))
        assert claim(cur, "erase", request) == 2

    def test_what_the_officer_refuses_is_taken_from_its_worker(self, session: Session) -> None:
        request = register(session("gdpr_audit"))
        fence = claim(session("gdpr_erase"), "erase", request)
        assert move(session("gdpr_audit"), request, "refused") == "refused"
        with pytest.raises(psycopg2.Error):
            move(session("gdpr_verify"), request, "completed", fence)
        assert claim(session("gdpr_erase"), "erase", request) is None

    @pytest.mark.parametrize("role", LOGINS)
    def test_a_role_takes_what_it_works_on_and_nothing_else(self, session: Session, role: str) -> None:
        auditor = session("gdpr_audit")
        for action, worker in (("export", "gdpr_export"), ("erase", "gdpr_erase")):
            request = register(auditor, action)
            if role == worker:
                assert claim(session(role), action, request) == 1
            else:
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    claim(session(role), action, request)

    def test_who_waits_for_an_answer_is_not_worked_on(self, session: Session) -> None:
        auditor, cur = session("gdpr_audit"), session("gdpr_erase")
        request = register(auditor)
        auditor.execute("insert into gdpr.request_question values (%s, now())", (request,))
        assert claim(cur, "erase", request) is None
        auditor.execute("update gdpr.request_question set answered_at = now() + interval '1 second'")
        assert claim(cur, "erase", request) == 1


class TestPeople:
    """What the register knows of a person, and how it forgets."""

    @pytest.mark.parametrize("role", LOGINS)
    def test_whom_an_open_request_is_about_is_forgotten_by_nobody(  # threat model A7
        self, session: Session, admin: cursor, role: str
    ) -> None:
        request, cur = register(session("gdpr_audit")), session(role)
        for statement in (
            "delete from gdpr.request_person",
            "do $$ begin lock table gdpr.request_person in access exclusive mode; end $$",
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cur.execute(statement)
        if role != "gdpr_erase":
            cur.execute("select gdpr.forget_request(%s)", (request,))
            assert cur.fetchone() == (False,)
        admin.execute("select count(*) from gdpr.request_person")
        assert admin.fetchone() == (1,)

    @pytest.mark.parametrize(("role", "forgets"), [("gdpr_export", False), ("gdpr_verify", True), ("gdpr_audit", True)])
    def test_once_an_erasure_is_completed_whoever_says_so_forgets_whom_it_was_about(
        self, session: Session, admin: cursor, role: str, forgets: bool
    ) -> None:
        request = register(session("gdpr_audit"))
        assert move(session("gdpr_verify"), request, "completed", claim(session("gdpr_erase"), "erase", request))
        cur = session(role)
        cur.execute("select gdpr.forget_request(%s)", (request,))
        assert cur.fetchone() == (forgets,)
        admin.execute("select count(*) from gdpr.request_person")
        assert admin.fetchone() == (0 if forgets else 1,)

    @pytest.mark.parametrize(
        ("action", "role", "status"),
        [
            ("erase", "gdpr_audit", "refused"),
            ("export", "gdpr_export", "withdrawn"),
            ("erase", "gdpr_audit", "not_identified"),
        ],
    )
    def test_once_nobody_works_on_a_request_any_more_nobody_knows_whom_it_was_about(
        self, session: Session, admin: cursor, action: str, role: str, status: str
    ) -> None:
        request = register(session("gdpr_audit"), action)
        fence = claim(session(role), action, request) if role == "gdpr_export" else None
        move(session(role), request, status, fence)
        admin.execute("select count(*) from gdpr.request_person")
        assert admin.fetchone() == (0,)

    def test_a_person_who_is_forgotten_leaves_that_somebody_asked(self, session: Session, admin: cursor) -> None:
        request, person = register(session("gdpr_audit")), sha256(b"somebody").digest()
        session("gdpr_erase").execute("select gdpr.forget_person(%s)", (person,))
        admin.execute("select person, status from gdpr.request where id = %s", (request,))
        assert admin.fetchone() == (None, "in_progress")
        admin.execute("select count(*) from gdpr.subject_key")
        assert admin.fetchone() == (0,)

    HOLD = (
        "insert into gdpr.hold (person, law, reason_ref, by_role, ends_on)"
        " values (%s, 'Sec. 142 AktG', 'H-1', 'counsel', %s)"
    )

    def test_who_is_under_a_hold_is_not_forgotten(self, session: Session) -> None:
        register(session("gdpr_audit"))
        person, cur = sha256(b"somebody").digest(), session("gdpr_erase")
        cur.execute(self.HOLD, (person, datetime.now(UTC).date() + timedelta(days=30)))
        with pytest.raises(psycopg2.errors.ObjectInUse, match="legal hold"):
            cur.execute("select gdpr.forget_person(%s)", (person,))
        cur.execute("update gdpr.hold set released_at = clock_timestamp(), released_by = 'counsel'")
        cur.execute("select gdpr.forget_person(%s)", (person,))
        assert cur.fetchone() == (True,)

    @pytest.mark.parametrize("days", [-1, 0, 4000])
    def test_no_hold_is_for_ever_or_over(self, session: Session, days: int) -> None:
        register(session("gdpr_audit"))
        with pytest.raises(psycopg2.errors.CheckViolation, match="hold_ends"):
            session("gdpr_erase").execute(
                self.HOLD, (sha256(b"somebody").digest(), datetime.now(UTC).date() + timedelta(days=days))
            )


class TestGrantsOnTheApplication:
    """What `grant_on` gives our roles on a data unit's tables."""

    @pytest.fixture
    def shop(self, admin: cursor) -> str:
        admin.execute(
            'create schema "The Shop; --"; set search_path = "The Shop; --";'
            'create table "Bestellung ""%s""" (id int primary key, at date) partition by range (id);'
            'create table one partition of "Bestellung ""%s""" for values from (0) to (9);'
            'create table secret (id int); insert into "Bestellung ""%s""" values (1), (2); reset search_path'
        )
        return '"The Shop; --"."Bestellung ""%s"""'

    def test_each_role_does_its_part_and_no_other(self, admin: cursor, session: Session, shop: str) -> None:
        grant_on(admin, [shop])
        tried = {
            "select": f"select count(*) from {shop}",
            "update": f"update {shop} set at = now()",
            "delete": f"delete from {shop} where id = 1",
            "insert": f"insert into {shop} values (3)",
            "truncate": f"truncate {shop}",
        }
        may: dict[str, set[str]] = {}
        for role in LOGINS:
            cur, may[role] = session(role), set()
            for name, statement in tried.items():
                try:
                    cur.execute(statement)
                    may[role].add(name)
                except psycopg2.errors.InsufficientPrivilege:
                    pass
        assert may == {
            "gdpr_export": {"select"},
            "gdpr_erase": {"select", "update", "delete"},
            "gdpr_verify": {"select"},
            "gdpr_audit": set(),
        }

    def test_only_verification_reads_what_no_map_names(self, admin: cursor, session: Session, shop: str) -> None:
        grant_on(admin, [shop])
        secret = 'select count(*) from "The Shop; --".secret'
        session("gdpr_verify").execute(secret)
        for role in ("gdpr_export", "gdpr_erase", "gdpr_audit"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                session(role).execute(secret)

    def test_the_eraser_may_vacuum_what_it_erases_with_all_partitions(  # threat model A8
        self, admin: cursor, session: Session, shop: str
    ) -> None:
        admin.execute("show server_version_num")
        if int((admin.fetchone() or ("0",))[0]) < 170000:
            pytest.skip("MAINTAIN came with Postgres 17; before it only a table's owner may vacuum it")
        grant_on(admin, [shop])
        cur = session("gdpr_erase")
        cur.execute(f"vacuum (index_cleanup on) {shop}")
        assert not [notice for notice in cur.connection.notices if "skipping" in notice or "permission" in notice]
        cur.execute('vacuum "The Shop; --".secret')
        assert any("permission denied to vacuum" in notice for notice in cur.connection.notices)

    def test_granting_twice_changes_nothing(self, admin: cursor, shop: str) -> None:
        grant_on(admin, [shop])
        admin.execute("select relacl from pg_class where oid = %s::regclass", (shop,))
        before = admin.fetchone()
        grant_on(admin, [shop])
        admin.execute("select relacl from pg_class where oid = %s::regclass", (shop,))
        assert admin.fetchone() == before
