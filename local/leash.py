"""Hold one server on a leash: it ends when the process that asked for it ends, however that happens.

Run as a script, by path, with nothing but the standard library. Standard input is the leash: its other end is
held by the owner and by nobody else. When it closes (the owner stopped, crashed or was killed), the server gets
its stop signal, then SIGKILL, and its private directory is removed. Should the leash itself be killed, the kernel
ends the server (Linux).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534
SECONDS_TO_STOP = 10.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Identity = str  # "same", "namespace" (appear as nobody in a user namespace) or "UID:GID"


def become(identity: Identity) -> None:
    """Give up root, which Postgres refuses to run as."""
    if identity == "same":
        return
    if identity == "namespace":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "user namespaces are not to be had")
        for name, line in (
            ("setgroups", "deny"),
            ("uid_map", f"{NOBODY} 0 1"),
            ("gid_map", f"{NOBODY} 0 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(line)
        return
    uid, gid = (int(part) for part in identity.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(parent: int, number: int) -> None:
    """Ask the kernel for the stop signal when the leash dies; after `become`, which would clear the wish."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it died before the wish was made
        os._exit(1)


def spawn(identity: Identity, stop: int, log: str | None, command: list[str]) -> int:
    """Start a program. A signal that comes before it is itself ends it, and not our half of the fork."""
    parent = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return child
    try:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        nothing = os.open(os.devnull, os.O_RDWR)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log else nothing
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        become(identity)
        die_with_parent(parent, stop)
        os.execv(command[0], command)
    except OSError as error:
        os.write(2, f"leash: {command[0]}: {error}\n".encode())
    os._exit(127)


class Leash:
    """Runs one program after the other until one fails or the owner lets go."""

    def __init__(self, identity: Identity, stop: int, log: str | None) -> None:
        self._identity = identity
        self._stop = stop
        self._log = log
        self._child: int | None = None
        self.let_go = threading.Event()

    def follow_owner(self) -> None:
        """Wait until the other end of standard input closes."""
        while os.read(0, 4096):
            pass
        self.end()
        time.sleep(SECONDS_TO_STOP)
        self._signal(signal.SIGKILL)

    def end(self, *_: object) -> None:
        self.let_go.set()
        self._signal(self._stop)

    def run(self, command: list[str]) -> int:
        """To its end, which the owner's end brings about. The answer is its exit status."""
        self._child = spawn(self._identity, self._stop, self._log, command)
        if self.let_go.is_set():  # since before there was anybody to tell
            self._signal(self._stop)
        _, status = os.waitpid(self._child, 0)
        self._child = None
        return os.waitstatus_to_exitcode(status)

    def _signal(self, number: int) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--identity", default="same")
    parser.add_argument("--stop", type=int, default=int(signal.SIGTERM))
    parser.add_argument("--log")
    parser.add_argument("--remove", help="a directory that goes when the server has gone")
    parser.add_argument("--before", default="[]", help="a command in JSON that prepares the server, if not empty")
    parser.add_argument("command", nargs="+")
    wish = parser.parse_args()
    leash = Leash(wish.identity, wish.stop, wish.log)
    for number in SIGNALS:
        signal.signal(number, leash.end)
    threading.Thread(target=leash.follow_owner, daemon=True).start()
    status = 0
    for command in filter(None, (json.loads(wish.before), wish.command)):
        if status == 0 and not leash.let_go.is_set():
            status = leash.run(command)
    if wish.remove and leash.let_go.is_set():  # a server that ended by itself leaves its log to the owner
        shutil.rmtree(wish.remove, ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
