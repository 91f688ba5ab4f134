"""An approval before it stands: what the plan reads and erases, what is new in it, and whose rights change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from psycopg2.extensions import cursor

from gdpr.columns import filled
from gdpr.outline import Way, by_hand, tables, ways
from gdpr.quantity import counted, listed
from shared.active_plan import Rights, application_rights, approve, load_if_any
from shared.approval import Approval, plan_data
from shared.plan import Kind, Plan
from shared.queries import told
from shared.roles import owner_lent

_VERBS = {"deletes": "deletes rows of", "keeps": "keeps rows of", "unlinks": "takes links out of"}
_VERBS |= {"refreshes": "refreshes", "nothing:": "leaves to somebody's hands"}
_FEW = 3  # names that are as short as saying which others they are


def approval(cur: cursor, plan: Plan, catalogue: str) -> Approval:
    """Approve the plan, in this transaction: it is for whoever calls to commit it or to roll it back."""
    before, rights = _in_use(cur), application_rights(cur)
    digest = approve(cur, plan, catalogue)
    now = application_rights(cur)
    return Approval(plan=plan, digest=digest, before=before, granted=now - rights, revoked=rights - now)


def _in_use(cur: cursor) -> Plan | None:
    """What the functions go by, read as the schema's owner by an administrator who may not see it himself."""
    if told(cur, "may_activate"):
        return load_if_any(cur)
    with owner_lent(cur):
        cur.execute("set local role gdpr_owner")
        return load_if_any(cur)


def lines(found: Approval) -> Iterator[str]:
    """The summary for whoever approves."""
    yield from _filled(_summary(found))


def _filled(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        margin = " " * (len(line) - len(line.lstrip()))
        yield from filled(line.lstrip(), margin=margin, below=f"{margin}    ")


def plan_lines(plan: Plan) -> Iterator[str]:
    """What a plan does, for whoever approves it where the database cannot be reached."""
    yield from _filled(_of_plan(plan))


def _summary(found: Approval) -> Iterator[str]:
    yield from _of_plan(found.plan)
    yield from _news(found)
    yield from _of_rights("get", found.granted)
    yield from _of_rights("lose", found.revoked)
    if not found.granted and not found.revoked:
        yield "No right of any role changes."


def _of_plan(plan: Plan) -> Iterator[str]:
    for kind in plan.kinds:
        read = counted(len(kind.read), "table")
        yield f"For a {kind.name}, the plan reads {read}, and locks rows in {len(kind.locked)}."
        yield "An erasure"
        for verb, names in _by_verb(plan, kind).items():
            yield f"  {verb} {', '.join(names)}"
    if told_by_hand := by_hand(plan):
        yield f"By hand: {', '.join(told_by_hand)}."


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
    told = found.as_data() | {"by_hand": by_hand(found.plan)}
    return told | {"changes": changes(found.before, found.plan) if found.before and is_other else []}


def as_plan_data(plan: Plan) -> dict[str, Any]:
    """What `plan_lines` tells, for a machine."""
    return plan_data(plan) | {"by_hand": by_hand(plan)}
