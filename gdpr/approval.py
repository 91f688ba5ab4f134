"""An approval before it stands: what the plan reads and erases, what is new in it, and whose rights change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor

from gdpr.columns import filled
from gdpr.outline import Way, by_hand, tables, ways
from gdpr.quantity import counted, listed
from shared.active_plan import Rights, application_rights, approve, load
from shared.errors import PlanMissing
from shared.plan import Kind, Plan
from shared.queries import told
from shared.roles import owner_lent

_VERBS = {"deletes": "deletes rows of", "keeps": "keeps rows of", "unlinks": "takes links out of"}
_VERBS |= {"refreshes": "refreshes", "nothing:": "leaves to somebody's hands"}
_FEW = 3  # names that are as short as saying which others they are


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A plan that stands with the end of the transaction."""

    plan: Plan
    digest: str
    before: Plan | None  # what the functions went by so far
    granted: Rights
    revoked: Rights


def approval(cur: cursor, plan: Plan, catalogue: str) -> Approval:
    """Approve the plan, in this transaction: it is for whoever calls to commit it or to roll it back."""
    before, rights = _in_use(cur), application_rights(cur)
    digest = approve(cur, plan, catalogue)
    now = application_rights(cur)
    return Approval(plan=plan, digest=digest, before=before, granted=now - rights, revoked=rights - now)


def _in_use(cur: cursor) -> Plan | None:
    """What the functions go by, read as the schema's owner by an administrator who may not see it himself."""
    if told(cur, "may_activate"):
        return _loaded(cur)
    with owner_lent(cur):
        cur.execute("set local role gdpr_owner")
        return _loaded(cur)


def _loaded(cur: cursor) -> Plan | None:
    try:
        return load(cur)
    except PlanMissing:
        return None


def lines(found: Approval) -> Iterator[str]:
    """The summary for whoever approves."""
    for line in _summary(found):
        margin = " " * (len(line) - len(line.lstrip()))
        yield from filled(line.lstrip(), margin=margin, below=f"{margin}    ")


def _summary(found: Approval) -> Iterator[str]:
    for kind in found.plan.kinds:
        read = counted(len(kind.read), "table")
        yield f"For a {kind.name}, the plan reads {read}, and locks rows in {len(kind.locked)}."
        yield "An erasure"
        for verb, names in _by_verb(found.plan, kind).items():
            yield f"  {verb} {', '.join(names)}"
    if told_by_hand := by_hand(found.plan):
        yield f"By hand: {', '.join(told_by_hand)}."
    yield from _news(found)
    yield from _of_rights("get", found.granted)
    yield from _of_rights("lose", found.revoked)
    if not found.granted and not found.revoked:
        yield "No right of any role changes."


def _by_verb(plan: Plan, kind: Kind) -> dict[str, list[str]]:
    """Tables by what is done with rows of theirs; one with several links may be done several things with."""
    found: dict[str, list[str]] = {}
    for table in tables(kind):
        for verb in dict.fromkeys(map(_verb, ways(plan, kind, table))):
            found.setdefault(verb, []).append(table)
    return found


def _verb(way: Way) -> str:
    if way.ends:
        return f"keeps rows for {way.ends}, and deletes those that are past it, of"
    return _VERBS.get(way.does.split(maxsplit=1)[0].rstrip(";"), "changes rows of")


def _news(found: Approval) -> Iterator[str]:
    if found.before is None:
        yield "No plan is in use so far."
    elif found.before.digest == found.digest:
        yield "It is the plan that is in use already."
    else:
        yield "Compared with the plan in use:"
        yield from (f"  {line}" for line in changes(found.before, found.plan))


def changes(before: Plan, after: Plan) -> list[str]:
    """What is found and done otherwise, a sentence for each table and link."""
    was, is_now = _told(before), _told(after)
    found = []
    for place in dict.fromkeys([*was, *is_now]):
        name = ", ".join(part for part in place if part)
        if place not in is_now:
            found.append(f"{name}: not any more")
        elif place not in was:
            found.append(f"{name}: {is_now[place]} (new)")
        elif was[place] != is_now[place]:
            found.append(f"{name}: {is_now[place]} (so far: {was[place]})")
    return found or ["the same rows are found, and the same is done with them; wording, columns or statements differ"]


def _told(plan: Plan) -> Mapping[tuple[str, str, str], str]:
    """What an erasure does, by kind (where there are several), table and link."""
    return {
        (kind.name if plan.kinds[1:] else "", table, way.by): way.does
        for kind in plan.kinds
        for table in tables(kind)
        for way in ways(plan, kind, table)
    }


def _of_rights(verb: str, rights: Rights) -> Iterator[str]:
    """`gdpr_export and gdpr_verify get select on app.orders, app.users`; the same tables again in fewer words."""
    before: tuple[str, ...] = ()
    for roles, privileges, places in grouped(rights):
        yield f"{listed(roles)} {verb}{'' if roles[1:] else 's'} {', '.join(privileges)} on {_which(places, before)}"
        before = max(before, places, key=len)


def grouped(rights: Rights) -> list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """Roles, privileges and places, where each of the roles has each of the privileges on each of the places."""
    places: dict[tuple[str, str], list[str]] = {}
    for role, place, privilege in sorted(rights):
        places.setdefault((privilege, role), []).append(place)
    roles: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (privilege, role), of_both in sorted(places.items()):
        roles.setdefault((privilege, tuple(of_both)), []).append(role)
    privileges: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (privilege, of_all), who in roles.items():
        privileges.setdefault((tuple(who), of_all), []).append(privilege)
    found = [(who, tuple(what), of_all) for (who, of_all), what in privileges.items()]
    return sorted(found, key=lambda each: (-len(each[0]), each))


def _which(places: tuple[str, ...], before: tuple[str, ...]) -> str:
    """What was listed before is not listed again."""
    missing = [place for place in before if place not in places]
    if len(places) <= _FEW or not set(places) <= set(before) or len(missing) > _FEW:
        return ", ".join(places)
    return f"the same {len(before)}{f' but {listed(missing)}' if missing else ''}"


def as_data(found: Approval) -> dict[str, Any]:
    """The same for a machine."""
    is_other = found.before is not None and found.before.digest != found.digest
    return {
        "digest": found.digest,
        "map_digest": found.plan.map_digest,
        "fingerprint": found.plan.fingerprint,
        "kinds": {
            kind.name: {
                "read": list(kind.read),
                "locked": list(kind.locked),
                "erasure": {dataset.name: dataset.action for dataset in kind.datasets},
            }
            for kind in found.plan.kinds
        },
        "by_hand": by_hand(found.plan),
        "in_use_before": found.before.digest if found.before else None,
        "changes": changes(found.before, found.plan) if found.before and is_other else [],
        "granted": [list(right) for right in sorted(found.granted)],
        "revoked": [list(right) for right in sorted(found.revoked)],
    }
