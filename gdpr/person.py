"""Who is meant: the words `--kind`, `--id` and `--identity`, as the columns that a plan binds.

Whoever is named by an identity and has a key is looked up, and bound by the key.

No message repeats a value: it may be somebody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor

from shared.errors import Misuse, Refused
from shared.plan import Kind, Plan


def kind_named(plan: Plan, name: str | None) -> Kind:
    """The kind of subject; the only one need not be named."""
    known = {kind.name: kind for kind in plan.kinds}
    if name is None and len(known) == 1:
        return plan.kinds[0]
    if name not in known:
        what = "The plan has several kinds of subject" if name is None else f"The plan has no kind of subject {name}"
        raise Misuse(what, remedy=f"name one with --kind: {', '.join(known)}")
    return known[name]


def person_named(kind: Kind, ids: Sequence[str], identities: Sequence[str]) -> Mapping[str, str]:
    """One person, by the whole key or by identities."""
    if bool(ids) == bool(identities):
        ways = ", or by --identity with " + ", ".join(f"{name}=…" for name in kind.identities)
        raise Misuse(
            "One person is to be named, in one way",
            remedy=f"by {key_words(kind.key)}{ways if kind.identities else ''}",
        )
    return _by_key(kind, ids) if ids else _by_identity(kind, identities)


def _by_key(kind: Kind, ids: Sequence[str]) -> Mapping[str, str]:
    for each in ids:
        _check_is_key(kind, each)
    if len(kind.key) == 1 and len(ids) == 1:
        (column,) = kind.key
        return {column: ids[0].removeprefix(f"{column}=")}
    given = dict(_parted(each, kind.key, key_words(kind.key)) for each in ids)
    if len(given) != len(ids) or set(given) != set(kind.key):
        raise Misuse(f"The key of {kind.table} is {', '.join(kind.key)}", remedy=f"name it by {key_words(kind.key)}")
    return given


def _check_is_key(kind: Kind, text: str) -> None:
    """A text may hold a = itself; what has the name of an identity before it, or is no text, was meant otherwise."""
    name, found, _ = text.partition("=")
    is_text = len(kind.key) == 1 and kind.binds.get(kind.key[0], "text") == "text"
    if not found or name in kind.key or (is_text and name not in kind.identities):
        return
    what = f"What stands before = is no column of the key of {kind.table}, which is {', '.join(kind.key)}"
    if name in kind.identities:
        what, remedy = f"{name} is an identity, and no column of the key of {kind.table}", f"--identity {name}=…"
    else:
        remedy = key_words(kind.key)
    raise Misuse(what, remedy=f"write {remedy}")


def _by_identity(kind: Kind, identities: Sequence[str]) -> Mapping[str, str]:
    names = tuple(kind.identities)
    if not names:
        raise Misuse(f"{kind.name} has no identities", remedy=f"name it by {key_words(kind.key)}")
    given = [_parted(each, names, f"--identity {names[0]}=…") for each in identities]
    if len(dict(given)) != len(given):
        raise Misuse("An identity is given twice", remedy="one person has one of each")
    return {kind.identities[name]: value for name, value in given}


def _parted(text: str, names: Sequence[str], spelled: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or name not in names:
        raise Misuse(f"What stands before = is to be one of {', '.join(names)}", remedy=f"write {spelled}")
    return name, value


def key_words(key: Sequence[str]) -> str:
    """`--id …` · `--id tenant_id=… --id user_id=…`"""
    return "--id …" if len(key) == 1 else " ".join(f"--id {column}=…" for column in key)


def key_of(cur: cursor, plan: Plan, kind: Kind) -> Mapping[str, str]:
    """The key of whoever is bound by an identity in this transaction, and was refused since they have a key."""
    why, counting = kind.refusals[-1]
    before, counts, rows = counting.partition("select count(*) from ")
    if before or not counts:  # a plan that another version stored
        raise Refused(why, remedy=f"take the key from {kind.table}, and write {key_words(kind.key)}")
    key = (sql.SQL("cast(u.{} as pg_catalog.text)").format(sql.Identifier(c)) for c in _columns_of_key(plan, kind))
    cur.execute(sql.SQL("select distinct {} from {}").format(sql.SQL(", ").join(key), sql.SQL(rows)))
    found = cur.fetchmany(2)
    if len(found) != 1:
        raise Refused(
            f"More than one person in {kind.table} has this identity",
            remedy=f"take the key of the one that is meant from there, and write {key_words(kind.key)}",
        )
    return dict(zip(kind.key, found[0], strict=True))


def _columns_of_key(plan: Plan, kind: Kind) -> Sequence[str]:
    """As the table calls them; `kind.key` is what a person's columns are called."""
    subject = plan.map.get("subject") or plan.map["subjects"][kind.name]
    found: Sequence[str] = subject["key"]
    return found
