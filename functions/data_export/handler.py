"""What Lambda calls. It takes the event, opens the data unit, and answers."""

from __future__ import annotations

import functools
from typing import Any

from shared import health
from shared.invocation import Answer, answer
from shared.settings import DataExportSettings
from shared.unit import DataUnit

NAME = "data_export"


@functools.cache
def unit() -> DataUnit:
    """The stores of this execution environment."""
    return DataUnit(DataExportSettings.read(), application=NAME)


def handler(event: object, context: Any) -> Answer:
    """Answer one invocation."""
    return answer(event, context, service=NAME, actions={"health": lambda _: health.answer(unit())})
