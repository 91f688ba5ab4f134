"""Ctrl-C: one line, exit status 130, and no waiting for a database that does not answer.

The driver waits for the server in C and hears nothing meanwhile. So a thread of its own listens: where the command has
not come to its end a moment after the interruption, the process ends without it. What it had begun is rolled back by
the server, which looks every few seconds whether somebody is still there (shared/database.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator

INTERRUPTED = 130
GRACE = 1.0  # seconds in which a command may end by itself

_told = threading.Lock()


class Interrupted(BaseException):
    """Raised in place of KeyboardInterrupt, of which click would speak by itself."""


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """Within this, an interruption is heard even while the driver waits."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # whoever started us wants it otherwise
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    ours, signals = socket.socketpair()
    signals.setblocking(False)
    signal.set_wakeup_fd(signals.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(ours,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        signals.close()


def _interrupt(_number: int, _frame: object) -> None:
    raise Interrupted


def _listen(signals: socket.socket) -> None:
    with signals:
        while byte := signals.recv(1):
            if byte[0] == signal.SIGINT:
                time.sleep(GRACE)
                _tell()
                os._exit(INTERRUPTED)


def ended() -> int:
    """The command was interrupted: say so, and do not let a second Ctrl-C end in a traceback. The exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _tell()
    return INTERRUPTED


def _tell() -> None:
    if _told.acquire(blocking=False):
        before = "\x1b[?25h\n" if sys.stderr.isatty() else ""  # a bar had hidden the cursor, and ^C stands there
        sys.stderr.write(f"{before}Interrupted.\n")
        sys.stderr.flush()
