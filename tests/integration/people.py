"""People of two tenants and a guest, with a map of them; and a request that one of them makes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

SCHEMA = """
create schema app;
create table app.users (
  tenant_id integer, id bigint, email text, phone text, badge uuid unique, primary key (tenant_id, id)
);
create index on app.users (lower(email));
create index on app.users (phone);
create table app.guests (mail text);
create table app.staff (login text primary key);
insert into app.users values
(0, 0, null, null, null),
(1, 1, 'Lena@Example.org', '0170', '5d3c1c5e-0000-4000-8000-00000000000a'), (1, 2, 'otto@example.org', '0171', null),
(2, 1, 'mira@example.org', '0172', null), (2, 2, 'lena@example.org', '0173', null), (2, 3, '', '', null);
insert into app.guests values ('guest@example.org');
insert into app.staff values ('root');
"""
MAP = """
version: 1
controller: {name: x, contact: x, authority: x, timezone: Europe/Berlin, holidays: DE}
subjects:
  user:
    table: app.users
    key: [tenant_id, id]
    identities: {email: {column: email, match: folded}, phone: phone, badge: badge}
    nobody: {tenant_id: 0, id: 0}
  staff: {table: app.staff, key: login}
tables:
  app.users: {}
  app.staff: {}
  app.guests: {links: {mail: {identity: email, subject: user}}}
"""
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(number: int = 1, kind: str = "user", /, **identities: str) -> dict[str, Any]:
    return {
        "action": "erase",
        "subject_request_id": str(uuid.UUID(int=number)),
        "subject_request_type": "erasure",
        "subject_kind": kind,
        "submitted_time": "2026-11-19T23:30:00Z",
        "subject_identities": [{"identity_type": name, "identity_value": value} for name, value in identities.items()],
        "decision": {
            "id": "D-17",
            "by_role": "privacy-officer",
            "identity_check": {"method": "session", "at": "2026-11-20T08:59:00Z"},
            "ground": "A17-1-b",
        },
    }
