"""Each table is decided, with a reason where it is not personal. The catalogues of all these tests are made here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from datamap.catalogue import Catalogue
from datamap.check.check import checked
from datamap.document import Document
from datamap.fault import Fault
from tests.unit.test_check_report import is_well_said

_BASES = {
    "bigint": "int8", "int": "int4", "smallint": "int2", "boolean": "bool", "character varying": "varchar",
    "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp",
}  # fmt: skip
_COLUMN = re.compile(r"(?P<name>\"[^\"]+\"|\w+) (?P<type>.+?)(?P<flags>( not null| generated| (?:in) \(.*\))*)")


def column(text: str) -> dict[str, Any]:
    """`email text not null`, `status mood in (sad, glad)`."""
    match = _COLUMN.fullmatch(text.strip())
    assert match is not None, text
    type_, flags = match["type"], match["flags"]
    plain = re.sub(r"\(.*\)|\[\]", "", type_)
    schema = "public" if plain in ("vector", "mood") else "pg_catalog"
    labels = re.search(r"in \((.*)\)", flags)
    return {
        "name": match["name"].strip('"'),
        "type": f"public.{type_}" if schema == "public" else type_,
        "base": f"{schema}.{_BASES.get(plain, plain)}",
        "array": type_.endswith("[]"),
        "domain": False,
        "labels": labels[1].split(", ") if labels else None,
        "equality": None,
        "not_null": "not null" in flags,
        "never_null": "not null" in flags,
        "default": False,
        "generated": "generated" in flags,
        "identity": False,
        "always": False,
        "length": None,
        "deterministic": True,
        "collation": None,
        "comment": None,
    }


def table(name: str, columns: str, *, key: str | None = "id", **more: Any) -> dict[str, Any]:
    """A table as the catalogue's query tells of it; its primary key has an index, and nothing else has."""
    told = [column(each) for each in re.split(r", (?![^(]*\))", columns)]
    constraints = list(more.pop("constraints", []))
    indexes = list(more.pop("indexes", []))
    if key is not None:
        constraints.append(_constraint("p", f"{name}_pkey", key))
        indexes.append(index(f"{name}_pkey", key, unique=True))
    return {
        "schema": "public", "name": name, "kind": "r", "rows": 5000, "owner": "app", "row_security": False,
        "row_security_forced": False, "has_children": False, "inherits": False, "comment": None, "columns": told,
        "constraints": constraints, "indexes": indexes, "triggers": [], "policies": [], "rules": [], "reads": [],
        "partitions": [], "partition_key": [], **more,
    }  # fmt: skip


def _constraint(kind: str, name: str, columns: str) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "columns": columns.split(", "), "target_schema": None, "target_table": None,
        "target_columns": None, "on_delete": None, "on_delete_columns": None, "on_update": "a",
        "match_full": False, "period": False, "deferrable": False, "valid": True,
        "expression": None, "nulls_not_distinct": False, "partition": None,
    }  # fmt: skip


def reference(columns: str, target: str, target_columns: str = "id", on_delete: str = "a") -> dict[str, Any]:
    told = _constraint("f", f"{columns}_fkey".replace(", ", "_"), columns)
    named = {"target_schema": "public", "target_table": target, "target_columns": target_columns.split(", ")}
    return {**told, **named, "on_delete": on_delete}


def check(columns: str, expression: str) -> dict[str, Any]:
    return {**_constraint("c", f"{columns}_check", columns), "expression": expression}


def index(name: str, columns: str, *, unique: bool = False, **more: Any) -> dict[str, Any]:
    """`user_id`, or an expression in parentheses."""
    parts = [{"expression": c} if c.startswith("(") else {"column": c} for c in columns.split(", ")]
    return {
        "name": name,
        "unique": unique,
        "valid": True,
        "method": "btree",
        "columns": parts,
        "predicate": None,
        **more,
    }


def catalogue(*tables: Mapping[str, Any]) -> Catalogue:
    return Catalogue.from_json(json.dumps({"version": 1, "server_version": 180000, "tables": tables}))


USERS = table("users", "id bigint not null, email text, created_at date")

PARTS = {
    "controller": "{name: A, contact: b, authority: c, holidays: DE}",
    "backups": "{expire_after: P7D}",
    "subject": "{table: users, key: id, identities: {email: {column: email, shared: true}}}",
    "activities": "{a: {purpose: ServiceProvision, legal_basis: A6-1-b, recipients: [], retention: {until: then},"
    " origin: ProvidedPersonalData}}",
}
THEIRS = "users: {activity: a, columns: {email: user.contact.email, created_at: user.account}}"


def faults(tables: str, *known: Mapping[str, Any], users: str = THEIRS, more: str = "", **parts: str) -> list[Fault]:
    """Everything that is wrong with a map of these tables over these facts."""
    lines = "\n".join(f"{name}: {text}" for name, text in {**PARTS, **parts}.items() if text)
    entries = "\n".join(f"  {line}" for line in [users, *tables.strip().splitlines()] if line.strip())
    document = Document.parse(f"version: 1\n{lines}\n{more}\ntables:\n{entries}\n")
    facts = catalogue(*known) if known and known[0]["name"] == "users" else catalogue(USERS, *known)
    found = checked(document, facts)
    assert all(is_well_said(fault) for fault in found)
    return found


def codes(found: list[Fault]) -> dict[str, str]:
    return {fault.code: fault.severity for fault in found}


PLAIN = table("t", "id bigint not null, user_id bigint not null, note text",
              constraints=[reference("user_id", "users")], indexes=[index("t_user_id_idx", "user_id")])  # fmt: skip
GOOD = "t: {activity: a, columns: {note: user.content.private}}"


def test_a_map_that_says_everything_has_no_fault() -> None:
    assert faults(GOOD, PLAIN) == []


def test_a_table_that_nobody_has_classified_is_an_error() -> None:
    found = faults("", PLAIN)
    assert codes(found)["unclassified_table"] == "error"
    (fault,) = [fault for fault in found if fault.code == "unclassified_table"]
    assert fault.where == ("tables",)
    assert fault.line > 0
    assert "`t: {personal: false, reason: …}`" in (fault.remedy or "")


@pytest.mark.parametrize(("kind", "is_told"), [("r", True), ("p", True), ("m", True), ("f", True), ("v", False)])
def test_whatever_holds_rows_has_to_be_classified_and_a_view_holds_none(kind: str, is_told: bool) -> None:
    found = faults("", table("x", "n int", key=None, kind=kind))
    assert ("unclassified_table" in codes(found)) is is_told


def test_a_whole_schema_is_classified_by_a_star() -> None:
    other = table("x", "n int", key=None, schema="jobs")
    assert "unclassified_table" in codes(faults("", other))
    assert faults("jobs.*: {personal: false, reason: a queue}", other) == []


def test_what_is_not_personal_needs_a_reason() -> None:
    other = table("x", "n int", key=None)
    (fault,) = faults("x: {personal: false}", other)
    assert (fault.code, fault.severity) == ("reason_missing", "error")
    assert codes(faults("x: {personal: false, reason: ' '}", other)) == {"reason_missing": "error"}
    assert faults("x: {personal: false, reason: what the shop sells}", other) == []


def test_what_is_erased_by_hand_needs_the_way() -> None:
    by_hand = "t: {activity: a, erase: external_manual, %s columns: {note: user.content.private}}"
    assert "reason_missing" in codes(faults(by_hand % "", PLAIN))
    assert "reason_missing" not in codes(faults(by_hand % "reason: ask the archive,", PLAIN))


@pytest.mark.parametrize(
    "name",
    ["email", "e_mail", "customerEmail", "phone_number", "first_name", "lastName", "full_name", "date_of_birth",
     "birthday", "ip", "ip_address", "remoteAddr", "user_agent", "iban", "street", "password_hash"],
)  # fmt: skip
def test_a_table_that_is_not_personal_and_looks_as_if_it_were_is_a_warning(name: str) -> None:
    other = table("x", f'id int, "{name}" text')
    (fault,) = faults("x: {personal: false, reason: y}", other)
    assert (fault.code, fault.severity) == ("looks_personal", "warning")
    decided = f"x: {{personal: false, reason: y, columns: {{{name}: {{personal: false, reason: of the shop itself}}}}}}"
    assert faults(decided, other) == []


@pytest.mark.parametrize("name", ["name", "title", "zip", "shipping", "page", "description", "equipment", "ages"])
def test_what_things_are_called_looks_like_nobody(name: str) -> None:
    assert faults("x: {personal: false, reason: y}", table("x", f"id int, {name} text")) == []


@pytest.mark.parametrize(
    ("name", "type_"),
    [("user_id", "bigint"), ("customerId", "int"), ("author", "bigint"), ("created_by", "bigint"),
     ("assigned_to", "int"), ("owner", "smallint"), ("last_editor", "bigint")],
)  # fmt: skip
def test_a_table_that_is_not_personal_and_has_a_persons_key_is_a_warning(name: str, type_: str) -> None:
    other = table("x", f'id int, "{name}" {type_}')
    (fault,) = faults("x: {personal: false, reason: y}", other)
    assert (fault.code, fault.severity) == ("looks_personal", "warning")
    assert f"{name} is called as if it held the key of a person" in fault.message
    for said in (f"columns: {{{name}: {{personal: false, reason: z}}}}", f"links: {{{name}: actor}}"):
        more = [index("i", f"{name}")]
        known = table("x", f'id int, "{name}" {type_}', indexes=more)
        assert faults(f"x: {{personal: false, reason: y, {said}}}", known) == []
    assert f"links: {{{name}: actor}}" in (fault.remedy or "")
    assert f"columns: {{{name}: {{personal: false, reason: …}}}}" in (fault.remedy or "")


@pytest.mark.parametrize(
    ("name", "type_"),
    [("author", "text"), ("user_id", "uuid"), ("product_id", "bigint"), ("user_count", "int"), ("views", "int"),
     ("created_by", "boolean"), ("id", "bigint")],
)  # fmt: skip
def test_a_name_without_the_type_of_a_persons_key_is_none(name: str, type_: str) -> None:
    columns = f"id int, {name} {type_}" if name != "id" else "id bigint"
    assert faults("x: {personal: false, reason: y}", table("x", columns)) == []


def test_a_key_of_another_table_is_not_a_persons() -> None:
    tenants = table("tenants", "id bigint not null")
    decided = "tenants: {personal: false, reason: x}\nx: {personal: false, reason: y}"
    assert faults(decided, tenants, table("x", "id int, tenant_id bigint")) == []
    declared = table("x", "id int, author bigint", constraints=[reference("author", "tenants")])
    assert faults(decided, tenants, declared) == []


def test_a_table_of_a_whole_schema_needs_a_line_of_its_own_to_say_more() -> None:
    (fault,) = faults(
        "jobs.*: {personal: false, reason: z}", table("x", "n int, user_id bigint", key=None, schema="jobs")
    )
    assert (fault.remedy or "").startswith("give the table a line of its own, `jobs.x: {personal: false, reason: …}`")


def test_vectors_in_a_table_that_is_not_personal_are_a_warning() -> None:
    found = faults("x: {personal: false, reason: y}", table("x", "id int, v vector(3)"))
    assert codes(found) == {"looks_personal": "warning"}


def test_the_same_fault_is_told_once_and_faults_stand_in_the_order_of_the_file() -> None:
    found = faults("t: {activity: b, columns: {nope: x}}\nx: {personal: false}", PLAIN, table("x", "id int"))
    assert len({(fault.code, fault.where, fault.message) for fault in found}) == len(found)
    errors = [fault.line for fault in found if fault.line and fault.severity == "error"]
    assert errors == sorted(errors)
    assert len(errors) == len(found)


@pytest.mark.parametrize(
    "broken",
    [
        {"subject": "{table: nope, key: id}"},
        {"subject": "{table: users, key: nope}"},
        {"subject": "{table: users, key: id, identities: {email: nope}}"},
        {"subject": "{table: users, key: id, nobody: {other: 1}}"},
    ],
)
def test_a_map_that_cannot_be_compiled_is_still_looked_at_whole(broken: dict[str, str]) -> None:
    found = faults("t: {activity: b, links: {nope: {}, user_id: {to: nope.id}}}\nx: {personal: false}", PLAIN,
                   table("x", "id int"), **broken)  # fmt: skip
    assert {"unknown_activity", "unknown_column", "reason_missing"} <= set(codes(found))
