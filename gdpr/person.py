"""Who is meant: the words `--kind`, `--id` and `--identity`, as the columns that a plan binds.

No message repeats a value: it may be somebody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.errors import Misuse
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
            remedy=f"by {_spelled(kind.key)}{ways if kind.identities else ''}",
        )
    return _by_key(kind, ids) if ids else _by_identity(kind, identities)


def _by_key(kind: Kind, ids: Sequence[str]) -> Mapping[str, str]:
    if len(kind.key) == 1 and len(ids) == 1:
        (column,) = kind.key
        return {column: ids[0].removeprefix(f"{column}=")}
    given = dict(_parted(each, kind.key, _spelled(kind.key)) for each in ids)
    if len(given) != len(ids) or set(given) != set(kind.key):
        raise Misuse(f"The key of {kind.table} is {', '.join(kind.key)}", remedy=f"name it by {_spelled(kind.key)}")
    return given


def _by_identity(kind: Kind, identities: Sequence[str]) -> Mapping[str, str]:
    names = tuple(kind.identities)
    if not names:
        raise Misuse(f"{kind.name} has no identities", remedy=f"name it by {_spelled(kind.key)}")
    given = [_parted(each, names, f"--identity {names[0]}=…") for each in identities]
    if len(dict(given)) != len(given):
        raise Misuse("An identity is given twice", remedy="one person has one of each")
    return {kind.identities[name]: value for name, value in given}


def _parted(text: str, names: Sequence[str], spelled: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or name not in names:
        raise Misuse(f"What stands before = is to be one of {', '.join(names)}", remedy=f"write {spelled}")
    return name, value


def _spelled(key: Sequence[str]) -> str:
    """`--id …` · `--id tenant_id=… --id user_id=…`"""
    return "--id …" if len(key) == 1 else " ".join(f"--id {column}=…" for column in key)
