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
import os
import shutil
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534
SECONDS_TO_STOP = 10.0

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
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
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


def hold(child: int, stop: int) -> tuple[int, bool]:
    """Wait for the server's end: its exit status, and whether it was the owner that let go."""

    def end(*_: object) -> None:
        let_go.set()
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, stop)

    def follow_owner() -> None:
        while os.read(0, 4096):
            pass
        end()
        if not ended.wait(SECONDS_TO_STOP):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    let_go, ended = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    threading.Thread(target=follow_owner, daemon=True).start()
    _, status = os.waitpid(child, 0)
    ended.set()
    return os.waitstatus_to_exitcode(status), let_go.is_set()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--identity", default="same")
    parser.add_argument("--stop", type=int, default=int(signal.SIGTERM))
    parser.add_argument("--log")
    parser.add_argument("--remove", help="a directory that goes when the server has gone")
    parser.add_argument("command", nargs="+")
    wish = parser.parse_args()
    status, let_go = hold(spawn(wish.identity, wish.stop, wish.log, wish.command), wish.stop)
    if wish.remove and let_go:  # a server that ended by itself leaves its log to the owner
        shutil.rmtree(wish.remove, ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
