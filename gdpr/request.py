"""`gdpr request`: the register of requests, by the code that audit_logging answers with.

Who may log in as gdpr_audit is the officer here: what the function takes by its door for officers alone needs no other
sign of it (docs/decisions.md).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdpr.auditor import Auditor, asked_for, auditing
from gdpr.database import json_option
from shared.asked import LARGEST, Asked, Rejected, read
from shared.clock import now
from shared.envelope import RIGHTS
from shared.errors import Misuse
from shared.reasons import TO_EXTEND, TO_REFUSE

if TYPE_CHECKING:
    from shared.database import Database

Answer = Mapping[str, Any]

number_argument = click.argument("number", metavar="NUMBER")
right_option = click.option(
    "--right", type=click.Choice(sorted(RIGHTS)), help="Which, where one number stands for two requests."
)
by_option = click.option("--by", required=True, metavar="ROLE", help="Who did it, as your house calls the role.")
at_option = click.option(
    "--at", metavar="TIME", help="When, with its zone: 2026-11-20T09:00:00+01:00. Now, if left out."
)
text_option = click.option("--text-ref", required=True, metavar="REF", help="Where the notice is found with you: L-17.")
facts_option = click.option("--facts-ref", metavar="REF", help="Where the facts are written down, if it needs any.")


@click.group("request")
def request_commands() -> None:
    """The register of requests: what is due, and the steps of a request until it is answered.

    NUMBER is the subject_request_id, a UUID. DATABASE_URL is the address of gdpr_audit. docs/requests.md has more.
    """


@request_commands.command("list")
@auditing()
@click.option("--open", "is_open", is_flag=True, help="Only those that somebody has to do something about.")
@click.option("--overdue", is_flag=True, help="Only those whose last day is over.")
@click.option("--right", type=click.Choice(sorted(RIGHTS)), help="Only those of this right.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="No more than these.")
@click.option("--after", metavar="PLACE", help="Behind the last one of the page before, which names it.")
@json_option
def list_(
    auditor: Auditor, *, is_open: bool, overdue: bool, right: str | None, limit: int, after: str | None, as_json: bool
) -> None:
    """List requests: open ones first, by the day on which they are due.

    \b
    Example:
      gdpr request list --open
      gdpr request list --overdue --json
    """
    from gdpr.request_report import table

    given = {"open": is_open, "overdue": overdue, "right": right, "limit": limit, "after": after}
    with auditor.database() as database:
        found = _listed(database, given)
    if as_json:
        click.echo(json.dumps(found))
        return
    for line in table(found["requests"]):
        click.echo(line)
    if not found["requests"]:
        click.echo("There are no such requests.", err=True)
    if "after" in found:
        click.echo(f"There may be more: --after '{found['after']}'", err=True)


@request_commands.command()
@number_argument
@auditing()
@right_option
@click.option("--by", default="operator", show_default=True, metavar="ROLE", help="Who looks, for the ledger.")
@json_option
def show(auditor: Auditor, *, number: str, right: str | None, by: str, as_json: bool) -> None:
    """Show the whole case of a request: dates, questions, notices, and what the ledger tells of it.

    Nothing of it says whom it is about. That somebody looked is told to the ledger.

    \b
    Example:
      gdpr request show 3f2b8a52-3f53-4d0b-9d0c-6f7d5f3a7a11
    """
    from functions.audit_logging.cases import Cases
    from gdpr.request_report import case

    with auditor.database() as database:
        named = _named(database, number, right)
        found = Cases(database=database).show(asked_for({**named, "by_role": by}))
    click.echo(json.dumps(found) if as_json else "\n".join(case(found)))


@request_commands.command()
@number_argument
@auditing(keys=True, ledger=True)
@right_option
@by_option
@at_option
@json_option
def pause(auditor: Auditor, *, at: str | None, **given: Any) -> None:
    """The person was asked something without which nobody can go on.

    \b
    Example:
      gdpr request pause 3f2b8a52-3f53-4d0b-9d0c-6f7d5f3a7a11 --by privacy-officer
    """
    _step(auditor, "pause", {"asked_at": _time(at)}, **given)


@request_commands.command()
@number_argument
@auditing(keys=True, ledger=True)
@right_option
@by_option
@at_option
@json_option
def resume(auditor: Auditor, *, at: str | None, **given: Any) -> None:
    """The person has answered all that they were asked. The days between are added, if it was asked soon enough.

    \b
    Example:
      gdpr request resume 3f2b8a52-3f53-4d0b-9d0c-6f7d5f3a7a11 --by privacy-officer --at 2026-11-29T09:00:00Z
    """
    _step(auditor, "resume", {"answered_at": _time(at)}, **given)


@request_commands.command()
@number_argument
@auditing(keys=True, ledger=True)
@right_option
@by_option
@at_option
@click.option("--reason", required=True, metavar="WORD", help=f"One of {', '.join(TO_EXTEND)}.")
@text_option
@facts_option
@click.option("--notified-at", metavar="TIME", help="When the person was told, from when on it counts.")
@json_option
def extend(
    auditor: Auditor,
    *,
    at: str | None,
    reason: str,
    text_ref: str,
    facts_ref: str | None,
    notified_at: str | None,
    **given: Any,
) -> None:
    """It takes longer. It counts from when the person has been told: then again, with the same --at and --notified-at.

    \b
    Example:
      gdpr request extend 3f2b8a52-3f53-4d0b-9d0c-6f7d5f3a7a11 --by privacy-officer \\
        --reason complexity --text-ref L-17 --at 2026-11-20T09:00:00Z --notified-at 2026-11-20T11:00:00Z
    """
    fields = {"decided_at": _time(at), "reason": reason, "text_ref": text_ref, "facts_ref": facts_ref}
    _step(auditor, "extend", fields | {"notified_at": notified_at}, **given)


@request_commands.command()
@number_argument
@auditing(keys=True, ledger=True)
@right_option
@by_option
@at_option
@click.option("--reason", required=True, metavar="WORD", help=f"One of {', '.join(TO_REFUSE)}.")
@text_option
@click.option("--authority", required=True, metavar="NAME", help="Whom the person may complain to, as they were told.")
@click.option("--remedy", required=True, metavar="NAME", help="The court, or where the notice tells of it.")
@facts_option
@click.option("--earlier-on", metavar="DATE", help="When the request before it came, if that makes it excessive.")
@json_option
def refuse(
    auditor: Auditor,
    *,
    at: str | None,
    reason: str,
    text_ref: str,
    authority: str,
    remedy: str,
    facts_ref: str | None,
    earlier_on: str | None,
    **given: Any,
) -> None:
    """The officer has refused it. It ends, and the person has to be told.

    \b
    Example:
      gdpr request refuse 3f2b8a52-3f53-4d0b-9d0c-6f7d5f3a7a11 --by privacy-officer --reason no_ground \\
        --text-ref L-18 --authority 'Berlin DPA' --remedy 'Verwaltungsgericht Berlin'
    """
    fields = {"decided_at": _time(at), "reason": reason, "text_ref": text_ref, "facts_ref": facts_ref}
    fields |= {"authority": authority, "remedy": remedy, "earlier_on": earlier_on}
    _step(auditor, "refuse", fields, **given)


@request_commands.command()
@number_argument
@auditing(keys=True, ledger=True)
@right_option
@by_option
@at_option
@json_option
def notify(auditor: Auditor, *, at: str | None, **given: Any) -> None:
    """The person has been told that they were refused, or that nobody knows who they are.

    \b
    Example:
      gdpr request notify 3f2b8a52-3f53-4d0b-9d0c-6f7d5f3a7a11 --by privacy-officer
    """
    _step(auditor, "notify", {"notified_at": _time(at)}, **given)


@request_commands.command()
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path))
@auditing(keys=True, ledger=True)
@json_option
def register(auditor: Auditor, *, file: Path, as_json: bool) -> None:
    """Register the request in FILE, or on standard input if that is -. Exit status 1 if it names nobody here.

    It is one envelope, in JSON, as docs/requests.md has it.

    \b
    Example:
      gdpr request register request.json
    """
    from functions.audit_logging.requests import Requests
    from gdpr.request_report import step

    envelope = _envelope(file)
    with auditor.database() as database:
        auditor.ledger(database).be_whole()
        answer = Requests(database=database, keys=auditor.keys).register(asked_for({"request": envelope}))
    click.echo(json.dumps(answer) if as_json else step(answer))
    if answer["status"] == "not_identified":
        click.echo("The person has to be told so: gdpr request notify.", err=True)
        click.get_current_context().exit(1)


def _envelope(file: Path) -> object:
    """With the action that its right says, where it says none. A message repeats nothing of it."""
    try:
        raw = sys.stdin.buffer.read(LARGEST + 1) if str(file) == "-" else _bytes(file)
        found = read(raw)
    except Rejected as rejected:
        raise Misuse(
            f"{file}: {rejected.faults[0].message.rstrip('.')}", remedy="see docs/requests.md for one"
        ) from None
    if not isinstance(found, dict):
        raise Misuse(f"{file} holds no request", remedy="see docs/requests.md for one")
    right = found.get("subject_request_type")
    return {"action": RIGHTS.get(right, "export") if isinstance(right, str) else "export", **found}


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        raise Misuse(f"{file} cannot be read ({type(error).__name__})", remedy="name a file that is there") from None


def _step(
    auditor: Auditor, name: str, fields: Mapping[str, Any], *, number: str, right: str | None, by: str, as_json: bool
) -> None:
    """One step of a request, and how it stands then. A restored database takes none (docs/restore.md)."""
    from functions.audit_logging.requests import Requests
    from gdpr.request_report import left_to_do, step

    steps: Mapping[str, Callable[[Requests, Asked], Answer]] = {
        "pause": Requests.pause,
        "resume": Requests.resume,
        "extend": Requests.extend,
        "refuse": Requests.refuse,
        "notify": Requests.notify,
    }
    with auditor.database() as database:
        auditor.ledger(database).be_whole()
        named = _named(database, number, right)
        requests = Requests(database=database, keys=auditor.keys)
        answer = steps[name](requests, asked_for({**named, "by_role": by, **fields}))
    click.echo(json.dumps(answer) if as_json else step(answer))
    if told := left_to_do(name, fields, number):
        click.echo(told, err=True)


def _time(given: str | None) -> str:
    return given or now().isoformat(timespec="seconds")


def _named(database: Database, number: str, right: str | None) -> dict[str, str]:
    """Number and right of the one request that is meant."""
    found = _listed(database, {"subject_request_id": number})["requests"]
    rights = sorted(each["right"] for each in found)
    if not rights:
        raise Misuse("There is no request of this number", remedy="`gdpr request list` shows those that there are")
    if right is None and rights[1:]:
        raise Misuse(f"Requests of {' and '.join(rights)} have this number", remedy="say which: --right")
    if right is not None and right not in rights:
        raise Misuse(
            f"The request of this number is one of {rights[0]}", remedy=f"--right {rights[0]}, or leave it out"
        )
    return {"subject_request_id": number, "subject_request_type": right or rights[0]}


def _listed(database: Database, given: Mapping[str, Any]) -> Any:
    from functions.audit_logging.cases import Cases

    return Cases(database=database).list(asked_for(given))
