"""What only the server can say, asked in a way that changes nothing: each question in a savepoint that only reads.

A question that gets no answer is written down, so that nobody takes silence for consent: datamap.check.unanswered
tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, cursor

from datamap.names import Table as Name

SECONDS: float = 10  # for one question
OUR_ROLES = ("gdpr_export", "gdpr_erase", "gdpr_verify")
_BACK = "rollback to savepoint gdpr_question; release savepoint gdpr_question"


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """A question that the server did not answer. What a driver said of it may quote rows, and is not kept."""

    what: str
    tables: tuple[Name, ...]
    is_denied: bool
    is_slow: bool
    state: str | None  # the SQLSTATE


@dataclass
class Server:
    """A database, for somebody who only asks. Questions hold names and constants of the map."""

    cursor: cursor
    unanswered: list[Unanswered] = field(default_factory=list)

    def rows(self, question: str, *, what: str, tables: tuple[Name, ...] = ()) -> list[tuple[Any, ...]] | None:
        """The answer; None where the server refuses to give one. `what` goes on after "it is not known"."""
        cur = self.cursor
        opens = cur.connection.autocommit and cur.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE
        before, after = ("begin", "rollback") if opens else ("savepoint gdpr_question", _BACK)
        wait = f"set local statement_timeout = {int(SECONDS * 1000)}"
        cur.execute(f"{before}; set local transaction_read_only = on; {wait}")
        try:
            cur.execute(question)
            return cur.fetchall()
        except psycopg2.Error as error:
            self.unanswered.append(_unanswered(error, what, tables))
            return None
        finally:
            cur.execute(after)

    def holds(self, condition: str, *, what: str, tables: tuple[Name, ...] = ()) -> bool | None:
        """Whether a condition holds; None where the server cannot say."""
        found = self.rows(f"select {condition}", what=what, tables=tables)
        return found[0][0] if found else None

    @cached_property
    def roles(self) -> frozenset[str]:
        """The roles of this server."""
        found = self.rows("select rolname::text from pg_roles", what="which roles there are")
        return frozenset(name for (name,) in found or ())

    @cached_property
    def bypassing(self) -> frozenset[str]:
        """Our roles that no policy applies to."""
        listed = ", ".join(f"'{role}'" for role in OUR_ROLES)
        question = f"select rolname::text from pg_roles where rolname in ({listed}) and (rolbypassrls or rolsuper)"
        found = self.rows(question, what="which of the suite's roles pass by every policy")
        return frozenset(role for (role,) in found or ())


def _unanswered(error: psycopg2.Error, what: str, tables: tuple[Name, ...]) -> Unanswered:
    return Unanswered(
        what=what,
        tables=tables,
        is_denied=isinstance(error, errors.InsufficientPrivilege),
        is_slow=isinstance(error, errors.QueryCanceled | errors.LockNotAvailable),
        state=error.pgcode,
    )
