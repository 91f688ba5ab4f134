"""What an approval changes: the plan that the functions go by, and what their roles may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.active_plan import Rights
from shared.plan import Dataset, Plan


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A plan, and what it changes or would change."""

    plan: Plan
    digest: str
    before: Plan | None  # what the functions went by so far
    granted: Rights
    revoked: Rights

    def as_data(self) -> dict[str, Any]:
        """For a machine."""
        return {
            **plan_data(self.plan),
            "in_use_before": self.before.digest if self.before else None,
            "granted": [list(right) for right in sorted(self.granted)],
            "revoked": [list(right) for right in sorted(self.revoked)],
        }


def plan_data(plan: Plan) -> dict[str, Any]:
    """What a plan is known by, and which tables it has to do with."""
    return {
        "digest": plan.digest,
        "map_digest": plan.map_digest,
        "fingerprint": plan.fingerprint,
        "kinds": {
            kind.name: {
                "read": list(kind.read),
                "locked": list(kind.locked),
                "erasure": {dataset.name: dataset.action for dataset in kind.datasets},
            }
            for kind in plan.kinds
        },
    }


def tables_changed(before: Plan, after: Plan) -> list[str]:
    """What becomes of tables otherwise, a sentence for each; `gdpr map approve` tells the same by links as well."""
    was, is_now = _datasets(before), _datasets(after)
    found = []
    for place in dict.fromkeys([*was, *is_now]):
        name = ", ".join(filter(None, place))
        if place not in is_now:
            found.append(f"{name}: not any more")
        elif place not in was:
            found.append(f"{name}: {is_now[place].action} (new)")
        elif was[place].action != is_now[place].action:
            found.append(f"{name}: {is_now[place].action} (so far: {was[place].action})")
        elif was[place] != is_now[place]:
            found.append(f"{name}: {is_now[place].action}, as so far; what is read or told of it differs")
    return found or ["the same is done with the same tables; the statements that do it, or the map's words, differ"]


def _datasets(plan: Plan) -> Mapping[tuple[str, str], Dataset]:
    """By kind, where there are several, and table."""
    return {
        (kind.name if plan.kinds[1:] else "", dataset.name): dataset for kind in plan.kinds for dataset in kind.datasets
    }
