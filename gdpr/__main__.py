"""`gdpr …`, also as `python -m gdpr …`: the door, where an interruption has its answer from the first moment on.

So nothing is imported here that takes time: gdpr/commands.py has the rest.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run a command; its exit status."""
    try:
        from gdpr.interruption import Interrupted, ended, heard
    except KeyboardInterrupt:
        return 130
    try:
        with heard():
            from gdpr.commands import run

            return run()
    except (KeyboardInterrupt, Interrupted):
        return ended()


if __name__ == "__main__":
    sys.exit(main())
