"""What the three embedded servers have in common: a private directory, a leash, a log, the wait for an answer."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from local import leash
from shared.errors import StoreMisconfigured, SuiteError

SECONDS_TO_START = 30.0
ROOM_IN_MEMORY = 4 * 2**30
_LEASH = str(Path(leash.__file__).resolve())


def private_directory(name: str, *, parent: Path | None = None) -> Path:
    """A directory that only this user (and whoever the server runs as) can enter."""
    return Path(tempfile.mkdtemp(prefix=f"gdpr-{name}-", dir=parent))


def memory_disk() -> Path | None:
    """Where nothing has to reach a disk: cloning a database for each test makes and removes thousands of files.

    Not where somebody has said in TMPDIR where such things belong, and not where it is as small as in a container.
    """
    shared_memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a directory of our own in it
    if "TMPDIR" in os.environ or not os.access(shared_memory, os.W_OK):
        return None
    return shared_memory if shutil.disk_usage(shared_memory).free >= ROOM_IN_MEMORY else None


def free_port() -> int:
    """A port that nobody has now. Somebody may take it before the server does: `start` is tried again then."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Server:
    """A server of ours, up to its end or ours. `before` is a program that prepares it."""

    def __init__(
        self,
        name: str,
        command: list[str],
        directory: Path,
        *,
        stop: signal.Signals = signal.SIGTERM,
        identity: leash.Identity = "same",
        before: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.directory = directory
        self.log = directory / f"{name}.log"
        self._process = subprocess.Popen(
            [
                *_leashed(identity),
                *("--stop", str(int(stop)), "--log", str(self.log), "--remove", str(directory)),
                *("--before", json.dumps(before), "--", *command),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is for us, not for it
        )

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait_until(self, answers: Callable[[], bool]) -> None:
        """Wait until it does; raise if it ends first, or takes too long."""
        deadline = time.monotonic() + SECONDS_TO_START
        while not answers():
            if self.has_ended or time.monotonic() > deadline:
                said = _said(self.log)
                self.stop()
                raise (PortTaken if "already in use" in said else NotStarted)(self.name, said)
            time.sleep(0.005)

    def stop(self) -> None:
        """Let go of the leash, and wait until server and directory are gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class NotStarted(StoreMisconfigured):
    """An embedded server ended before it answered."""

    code = "not_started"

    def __init__(self, name: str, said: str) -> None:
        last_words = said.strip().splitlines()[-1:] or ["it said nothing"]
        super().__init__(
            f"The embedded {name} did not start ({last_words[0][:200]})",
            remedy="give the address of a server of your own in its place (README, Stores)",
        )


class PortTaken(NotStarted):
    """Somebody else was faster in taking the port that was free a moment ago."""

    code = "port_taken"


class NotToBeHad(StoreMisconfigured):
    """There is no build of a server for this machine."""

    code = "not_to_be_had"

    def __init__(self, name: str, variable: str) -> None:
        super().__init__(
            f"There is no embedded {name} for {platform.system()} on {platform.machine()}",
            remedy=f"set {variable} to a server of your own, or STORES=docker where a Docker engine runs",
        )


AnyServer = TypeVar("AnyServer", bound=Server)


def started(start: Callable[[], AnyServer], *, attempts: int = 5) -> AnyServer:
    """Start a server on a free port; again where somebody else was faster in taking that port."""
    for _ in range(attempts - 1):
        with contextlib.suppress(PortTaken):
            return start()
    return start()


def _run(command: list[str]) -> int:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        return process.wait()  # and only then is the leash let go


def _said(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""


def _leashed(identity: leash.Identity) -> list[str]:
    return [sys.executable, "-I", "-S", _LEASH, "--identity", identity]


@functools.cache
def unprivileged() -> leash.Identity:
    """As whom Postgres runs, which refuses root: as ourselves, in a user namespace, or as nobody."""
    if os.geteuid() != 0:
        return "same"
    if _run([*_leashed("namespace"), "--", "/bin/true"]) == 0:
        return "namespace"
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise SuiteError(
            "Postgres does not run as root, and this machine has neither user namespaces nor a user nobody",
            remedy="run as an ordinary user, or set DATABASE_URL",
        ) from None
    return f"{nobody.pw_uid}:{nobody.pw_gid}"


def within_reach(programs: Path, directory: Path, identity: leash.Identity) -> Path:
    """The programs where that identity can read them: copied beside the data where a folder above them is closed."""
    if ":" not in identity:
        return programs
    uid, gid = (int(part) for part in identity.split(":"))
    os.chown(directory, uid, gid)
    if all(folder.stat().st_mode & 0o001 for folder in (programs, *programs.parents)):
        return programs
    copy = directory / "programs"
    shutil.copytree(programs, copy, symlinks=True)
    return copy
