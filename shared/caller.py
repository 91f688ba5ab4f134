"""By which door an invocation came in: a function does not see who invoked it, but by which of its names (A11).

Whoever may decide invokes the alias `officer`, which IAM lets another role invoke than the function's own name. So what
an event says of roles is hearsay, and this is not.
"""

from __future__ import annotations

from typing import Any

OFFICER = "officer"
_ARN_PARTS = 8  # arn:aws:lambda:REGION:ACCOUNT:function:NAME:ALIAS


def is_officer(context: Any) -> bool:
    """Whether the function was invoked through its alias for decisions."""
    parts = str(getattr(context, "invoked_function_arn", "")).split(":")
    return len(parts) == _ARN_PARTS and parts[2] == "lambda" and parts[7] == OFFICER
