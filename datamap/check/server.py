"""What only the server can say, asked in a way that changes nothing: each question in a savepoint that only reads."""

from __future__ import annotations

from typing import Any

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, cursor

_OUR_ROLES = ("gdpr_export", "gdpr_erase", "gdpr_verify")


class Server:
    """A database, for somebody who only asks. Questions hold names and constants of the map."""

    def __init__(self, cur: cursor) -> None:
        self._cursor = cur

    def rows(self, question: str) -> list[tuple[Any, ...]] | None:
        """The answer; None where the server refuses to give one."""
        cur = self._cursor
        opens = cur.connection.autocommit and cur.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE
        before, after = ("begin", "rollback") if opens else ("savepoint gdpr_question", _BACK)
        cur.execute(f"{before}; set local transaction_read_only = on; set local statement_timeout = '10s'")
        try:
            cur.execute(question)
            return cur.fetchall()
        except psycopg2.Error:
            return None  # the driver's text may quote rows
        finally:
            cur.execute(after)

    def holds(self, condition: str) -> bool | None:
        """Whether a condition holds; None where the server cannot say."""
        found = self.rows(f"select {condition}")
        return found[0][0] if found else None

    def bypassing(self) -> frozenset[str]:
        """Our roles that no policy applies to."""
        listed = ", ".join(f"'{role}'" for role in _OUR_ROLES)
        question = f"select rolname::text from pg_roles where rolname in ({listed}) and (rolbypassrls or rolsuper)"
        return frozenset(role for (role,) in self.rows(question) or ())


_BACK = "rollback to savepoint gdpr_question; release savepoint gdpr_question"
