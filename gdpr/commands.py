"""All commands, and the one place where a failure becomes a sentence and an exit status.

Results go to stdout, talk to stderr. Exit status: 0 done, 1 the answer is no, 2 misuse, 3 a retry may cure it, 130
interrupted.
"""

from __future__ import annotations

import os
import sys

import click

from gdpr.database import database_commands
from gdpr.keys import key_commands
from gdpr.ledger import ledger_commands
from gdpr.ledger_live import checkpoint, proof, query
from gdpr.map import map_commands
from gdpr.plan import plan_commands
from gdpr.report import report
from gdpr.request import request_commands
from shared.errors import Refused, SuiteError
from shared.logs import guard, told

OUR_FAULT = 70


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="gdpr-suite")
def gdpr() -> None:
    """Export, erase and account for one person's data.

    Addresses come from the environment, such as DATABASE_URL; a flag wins.

    \b
    Example:
      DATABASE_URL=postgresql://admin:…@db.example:5432/shop gdpr map discover -o datamap.yaml
    """


gdpr.add_command(database_commands)
gdpr.add_command(map_commands)
gdpr.add_command(ledger_commands)
gdpr.add_command(key_commands)
gdpr.add_command(plan_commands)
gdpr.add_command(request_commands)
for command in (checkpoint, proof, query):
    ledger_commands.add_command(command)
gdpr.add_command(report)


def run() -> int:
    """Run a command; every failure ends here, as one sentence."""
    guard()
    try:
        return int(gdpr.main(prog_name="gdpr", standalone_mode=False) or 0)
    except click.ClickException as misuse:
        return _misused(misuse)
    except click.Abort:  # what click makes of a KeyboardInterrupt
        raise KeyboardInterrupt from None
    except SuiteError as error:
        return _end(error.sentence, exit_status(error))
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:
            return _unwritten(error)
        place = told(error.__traceback__)  # its text may quote a person, so it stays inside
        return _end(f"A fault of this program, please report it: {type(error).__name__} at {place}.", OUR_FAULT)


def _misused(misuse: click.ClickException) -> int:
    if "://" in misuse.format_message():  # which would be repeated, with its password
        return _end("An address stands where none is expected: pass it as --database-url.", misuse.exit_code)
    misuse.show()
    return misuse.exit_code


def _unwritten(error: OSError) -> int:
    """Standard output takes no more; the interpreter must not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # `gdpr … | head`
        return 0
    return _end(f"The answer could not be written: {error.strerror}.", 3)


def exit_status(error: SuiteError) -> int:
    """What a shell script may branch on."""
    if error.retryable:
        return 3
    return 1 if isinstance(error, Refused) else 2


def _end(sentence: str, status: int) -> int:
    click.echo(sentence, err=True)
    return status
