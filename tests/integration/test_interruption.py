"""Ctrl-C: one line and exit status 130, wherever the command is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg2.extensions import cursor

from shared.addresses import PostgresAddress
from tests.integration.test_map_commands import data_map, shop
from tests.run import administrator

__all__ = ["data_map", "shop"]  # fixtures

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def test_while_modules_are_imported(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(60)")
    answer = subprocess.run(
        [sys.executable, "-m", "gdpr", "map", "show"],
        capture_output=True,
        text=True,
        check=False,
        env={**ENVIRONMENT, "PYTHONPATH": str(tmp_path)},
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize("times", [1, 3])
def test_while_the_driver_waits_for_an_answer(shop: PostgresAddress, data_map: Path, times: int) -> None:
    """The statement would take ten minutes, and the driver hears nothing meanwhile."""
    with administrator(shop) as cur:
        cur.execute(
            "create function app.waits() returns trigger language plpgsql as 'begin perform pg_sleep(600); end';"
            " create trigger waits before delete on app.orders for each row execute function app.waits()"
        )
        command = subprocess.Popen(
            [sys.executable, "-m", "gdpr", "plan", "try", data_map, "--id", "7", "--erase", "--timeout", "3600"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**ENVIRONMENT, "DATABASE_URL": shop.url()},
        )
        with command:
            while _sleeping(cur) == 0:
                assert command.poll() is None, command.communicate()
            for _ in range(times):
                command.send_signal(signal.SIGINT)
            try:
                told = command.communicate(timeout=60)
            finally:
                command.kill()
    assert (command.returncode, *told) == (130, "", "Interrupted.\n")


def _sleeping(cur: cursor) -> int:
    cur.execute("select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()")
    (number,) = cur.fetchone() or (0,)
    return int(number)


def test_it_is_told_once() -> None:
    """By the command itself, or by whoever listens for it; both may come to it."""
    code = "from gdpr.interruption import _tell, ended; ended(); _tell()"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert (answer.returncode, answer.stderr) == (0, "Interrupted.\n")


def test_a_command_that_was_started_deaf_to_it_goes_on() -> None:
    code = "import os, signal; from gdpr.interruption import heard\nwith heard(): os.kill(os.getpid(), signal.SIGINT)"
    answer = subprocess.run(
        ["sh", "-c", f"trap '' INT; exec {sys.executable} -c '{code}; print(7)'"],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert (answer.returncode, answer.stdout) == (0, "7\n")
