"""The live catalogue as a function sees it: as a document for the data map, and as a fingerprint for a plan."""

from __future__ import annotations

import json

from psycopg2.extensions import cursor

from shared.queries import query


def fingerprint(cur: cursor) -> str:
    """One hash of all that plans are made of. The same for a dump that was restored, and after another partition."""
    cur.execute(query("fingerprint"))
    (found,) = cur.fetchone() or ("",)
    return str(found)


def document(cur: cursor) -> str:
    """Tables, columns, keys, indexes, triggers and policies as JSON, with the fingerprint; no row of anybody."""
    cur.execute(query("catalogue"))
    (found,) = cur.fetchone() or ("{}",)
    return json.dumps({"fingerprint": fingerprint(cur), **json.loads(found)}, ensure_ascii=False)
