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
import select
import shutil
import signal
import sys
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
        for number in (*SIGNALS, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
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


def _descriptor_of(process: int) -> frozenset[int]:
    """What becomes readable when that process ends: a fork of the owner holds standard input open without being it."""
    if not hasattr(os, "pidfd_open"):
        return frozenset()
    try:
        return frozenset({os.pidfd_open(process)})
    except OSError:  # an old kernel, or it has ended already
        return frozenset()


class Leash:
    """Runs one program after the other until one fails or the owner lets go. One thread: it forks."""

    def __init__(self, identity: Identity, stop: int, log: str | None) -> None:
        self._identity = identity
        self._stop = stop
        self._log = log
        self._child: int | None = None
        self._kill_at: float | None = None
        self._owner_is_there = True
        self._owner = _descriptor_of(os.getppid())
        self._woken, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # so that the end of a child wakes us
        for number in SIGNALS:
            signal.signal(number, self.end)

    @property
    def has_let_go(self) -> bool:
        return self._kill_at is not None

    def end(self, *_: object) -> None:
        if self._kill_at is None:
            self._kill_at = time.monotonic() + SECONDS_TO_STOP
        self._signal(self._stop)

    def run(self, command: list[str]) -> int:
        """To its end, which the owner's end brings about. The answer is its exit status."""
        self._child = spawn(self._identity, self._stop, self._log, command)
        if self.has_let_go:  # since before there was anybody to tell
            self._signal(self._stop)
        while True:
            ended, status = os.waitpid(self._child, os.WNOHANG)
            if ended:
                self._child = None
                return os.waitstatus_to_exitcode(status)
            self._wait()

    def _wait(self) -> None:
        """For whatever comes first: a signal, the owner's end, or the end of our patience."""
        watched = [self._woken, *([0, *self._owner] if self._owner_is_there else [])]
        patience = None if self._kill_at is None else max(0.0, self._kill_at - time.monotonic())
        readable, _, _ = select.select(watched, [], [], patience)
        if self._woken in readable:
            os.read(self._woken, 4096)
        if not self._owner.isdisjoint(readable) or (0 in readable and not os.read(0, 4096)):
            self._owner_is_there = False
            self.end()
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._signal(signal.SIGKILL)

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
    status = 0
    for command in filter(None, (json.loads(wish.before), wish.command)):
        if status == 0 and not leash.has_let_go:
            status = leash.run(command)
    if wish.remove and leash.has_let_go:  # a server that ended by itself leaves its log to the owner
        shutil.rmtree(wish.remove, ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
