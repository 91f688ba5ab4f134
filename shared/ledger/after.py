"""After a commit that wrote into the ledger: the tree takes it in, where nothing is in the way."""

from __future__ import annotations

import contextlib

from shared.database import Database
from shared.errors import SuiteError
from shared.ledger import tree


def sequenced(database: Database) -> None:
    """What was written is written. If this fails, the sweep does it; so no caller is told of a failure."""
    with contextlib.suppress(SuiteError):
        tree.sequence(database)
