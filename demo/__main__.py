"""`python -m demo`: build the shop, show it, and leave nothing behind, however it ends."""

from __future__ import annotations

import argparse
import os
import signal
import sys

from demo.crowd import FEWEST_USERS
from local import leash
from shared.errors import SuiteError

INTERRUPTED = 130
TERMINATED = 128 + signal.SIGTERM


def main(arguments: list[str] | None = None) -> int:
    wish = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    if "AWS_ENDPOINT_URL" not in os.environ:
        os.environ.pop("AWS_PROFILE", None)  # somebody's account has no part in this
    leash.die_with_parent(os.getppid(), signal.SIGTERM)  # `make` can be killed, and would leave us behind
    try:
        return _show(wish)
    except KeyboardInterrupt:
        return _failed("Stopped: database, keys and objects are gone again.", INTERRUPTED)
    except SuiteError as error:
        return _failed(error.sentence, 3 if error.retryable else 2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description="Build a small shop, and show a person in it.")
    parser.add_argument("--users", type=_users, default=2000, help="how many people (2000)")
    parser.add_argument("--seed", type=int, default=1, help="another number makes other people (1)")
    parser.add_argument("--stay", action="store_true", help="keep the shop until Ctrl-C, and print its addresses")
    return parser


def _users(text: str) -> int:
    if not text.isdecimal() or int(text) < FEWEST_USERS:
        raise argparse.ArgumentTypeError(f"a number from {FEWEST_USERS} on is wanted")
    return int(text)


def _show(wish: argparse.Namespace) -> int:
    from rich.console import Console

    from demo import tour

    tour.show(
        users=wish.users,
        seed=wish.seed,
        stay=wish.stay,
        console=Console(highlight=False, markup=False, emoji=False),
        talk=Console(stderr=True, highlight=False, markup=False, emoji=False),
    )
    return 0


def _end(*_: object) -> None:
    sys.exit(TERMINATED)  # through every `finally`, so that servers and databases go


def _failed(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
