"""`gdpr report`: what happened to requests, and the record of processing activities, on a terminal and as a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdpr.auditor import Auditor, auditing
from gdpr.database import json_option
from shared.errors import Misuse

if TYPE_CHECKING:
    from functions.audit_logging.reports.data import RequestReport
    from functions.audit_logging.reports.ropa import Ropa


@click.command("report")
@auditing()
@click.option("--ropa", is_flag=True, help="The record of processing activities (Art. 30), by the data map.")
@click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --ropa: this map, instead of the approved one; needs no database.",
)
@click.option("--since", metavar="MONTH", help="Requests of 2026-01 and later; unless given, of a year.")
@click.option("--until", metavar="MONTH", help="And none later than 2026-12; unless given, this month.")
@click.option("--by", default="command_line", show_default=True, metavar="ROLE", help="Who asks, for the ledger.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write it there as one page, too.")
@json_option
def report(  # noqa: PLR0917 - click passes them by name
    auditor: Auditor,
    map_file: Path | None,
    since: str | None,
    until: str | None,
    by: str,
    html: Path | None,
    *,
    ropa: bool,
    as_json: bool,
) -> None:
    """What happened to requests: how many, how long they took, what is open and overdue.

    DATABASE_URL is the address of gdpr_audit. Nobody is named in a report. That somebody has asked for one is told to
    the ledger. docs/reports.md has more.

    \b
    Example:
      gdpr report --since 2026-01 --until 2026-06 --html report.html
      gdpr report --ropa --map datamap.yaml --html ropa.html
    """
    _check_fit(ropa=ropa, map_file=map_file, months=since or until)
    found = _of_file(map_file) if map_file else _of_database(auditor, since, until, by, ropa=ropa)
    if html:
        _write(html, found)
    if as_json:
        click.echo(json.dumps(found.as_data(), ensure_ascii=False, indent=2))
    else:
        from gdpr import report_lines

        for line in report_lines.lines(found):
            click.echo(line)
    if html:
        click.echo(f"The page is {html}.", err=True)


def _check_fit(*, ropa: bool, map_file: Path | None, months: str | None) -> None:
    if map_file and not ropa:
        raise Misuse("A report of requests is not made from a map", remedy="add --ropa, or leave out --map")
    if months and ropa:
        raise Misuse("A record of processing activities has no months", remedy="leave out --since and --until")


def _of_file(map_file: Path) -> Ropa:
    from functions.audit_logging.reports.ropa import record_of_map
    from gdpr.map_file import read_map
    from shared import clock
    from shared.plan import map_digest

    data = read_map(map_file).map.data()
    return record_of_map(data, digest=map_digest(data), made_at=clock.now())


def _of_database(
    auditor: Auditor, since: str | None, until: str | None, by: str, *, ropa: bool
) -> RequestReport | Ropa:
    from functions.audit_logging.report import Reports, month
    from shared.asked import Asked

    with auditor.database() as database:
        given = {"since": since, "until": until, "by_role": by}
        asked = Asked({name: value for name, value in given.items() if value is not None})
        first, last, role = month(asked, "since"), month(asked, "until"), asked.code("by_role")
        asked.check()
        reports = Reports(database=database)
        return reports.ropa(role=role) if ropa else reports.requests(first, last, role=role)


def _write(file: Path, found: RequestReport | Ropa) -> None:
    from functions.audit_logging.report import shown

    try:
        file.write_text(shown(found), encoding="utf-8")
    except OSError as error:
        raise Misuse(f"{file} cannot be written ({type(error).__name__})", remedy="name another file") from None
