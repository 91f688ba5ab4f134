"""compiled(map, catalogue): the one door. It answers with a plan, or with everything that stands in its way."""

from __future__ import annotations

from datamap.catalogue import Catalogue
from datamap.compile.erasure import Erasure
from datamap.compile.gone import Remains
from datamap.compile.naming import Naming
from datamap.compile.ownership import Ownership
from datamap.compile.proof import proven
from datamap.compile.reading import Reading
from datamap.compile.resolution import Kind, Resolution, resolve
from datamap.fault import Fault
from datamap.model import Controller, Map
from datamap.public_holidays import calendar
from shared import plan
from shared.errors import Refused
from shared.plan import Plan
from shared.policy import newest


class Uncompilable(Refused):
    """The map does not fit the catalogue, or would reach somebody else; `faults` says where."""

    code = "map_uncompilable"

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        first = faults[0]
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(first.message + more, where=first.path or None, remedy=first.remedy or "run `gdpr map check`")


def compiled(data_map: Map, catalogue: Catalogue) -> Plan:
    """The plan. Raises Uncompilable."""
    found, faults = attempted(data_map, catalogue)
    errors = [fault for fault in faults if fault.severity == "error"]
    if found is None or errors:
        raise Uncompilable(errors or faults)
    return found


def attempted(data_map: Map, catalogue: Catalogue) -> tuple[Plan | None, list[Fault]]:
    """The plan as far as there is one, and every fault."""
    resolution = resolve(data_map, catalogue)
    faults = [*resolution.faults, *proven(resolution)]
    kinds = []
    if resolution.kinds:
        for kind in resolution.kinds.values():
            compiled_kind, more = _kind(kind, resolution, data_map)
            kinds.append(compiled_kind)
            faults += more
    if any(fault.severity == "error" for fault in faults) or not kinds:
        return None, list(dict.fromkeys(faults))
    return (
        Plan(
            fingerprint=catalogue.fingerprint,
            map=data_map.data(),
            deadlines=_deadlines(data_map.controller),
            kinds=tuple(kinds),
        ),
        list(dict.fromkeys(faults)),
    )


def _deadlines(controller: Controller) -> plan.Deadlines:
    return plan.Deadlines(
        zone=controller.timezone,
        policy=newest(controller.pauses).name,
        calendar=calendar(controller.holidays) if controller.holidays else None,
    )


def _kind(kind: Kind, resolution: Resolution, data_map: Map) -> tuple[plan.Kind, list[Fault]]:
    ownership = Ownership(resolution, kind)
    erasure = Erasure(ownership, data_map)
    erase = tuple(erasure.statements())
    reach, sources = ownership.reach()
    remains = Remains(ownership, erasure)
    read = set(erasure.read)
    datasets = []
    for name, dataset in sorted(resolution.datasets.items()):
        is_theirs = name in ownership.datasets
        verified = remains.verify(dataset)
        if not is_theirs and not verified and not any(link.kind == kind.name for link in dataset.person_links):
            continue
        read.add(name)
        reading = Reading(ownership, erasure, dataset, sources, data_map)
        datasets.append(
            plan.Dataset(
                name=str(name),
                activity=dataset.decision.activity,
                action=erasure.action(dataset),
                columns=reading.columns,
                label=dataset.decision.label,
                reads=(*reading.statements(), *verified),
            )
        )
    person = ownership.person
    return (
        plan.Kind(
            name=kind.name,
            table=str(kind.table),
            key=tuple(person.column(column) for column in kind.key),
            naming=Naming(person=person, resolution=resolution).compiled,
            identities={name: person.column(identity.column) for name, identity in kind.identities.items()},
            invalid=person.invalid,
            refusals=person.refusals,
            locked=tuple(name.sql for name in (*erasure.touched, *erasure.refreshed)),
            read=tuple(name.sql for name in sorted(read)),
            binds=person.binds,
            resolve=person.resolve,
            reach=tuple(reach),
            datasets=tuple(datasets),
            erase=erase,
            rows={str(name): erasure.rows(name).removeprefix("pg_temp.") for name in erasure.touched},
            gone=tuple(remains.gone),
        ),
        [*erasure.faults, *erasure.undecided(), *erasure.unheard(), *erasure.unfindable()],
    )
