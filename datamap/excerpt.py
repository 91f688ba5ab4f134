"""A piece of a file as a sentence may hold it: short, and on one line."""

from __future__ import annotations

import re

_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST = 40


def excerpt(text: str) -> str:
    """The text, cut where it is long, with its line ends and control characters as escapes."""
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), shown)
