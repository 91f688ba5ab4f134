"""Two ways of doing the same work, in turns, and how they compare."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Measured:
    work: str
    floor_is: str
    ours: float
    floor: float
    rounds: int

    @property
    def ratio(self) -> float:
        return self.ours / self.floor


def interleaved(
    work: str, ours: Callable[[], object], *, floor: Callable[[], object], floor_is: str, rounds: int
) -> Measured:
    """Medians over so many rounds of one after the other; the first round, which pays for what is cold, is left out."""
    seconds: dict[str, list[float]] = {"ours": [], "floor": []}
    for _ in range(rounds + 1):
        for name, run in (("floor", floor), ("ours", ours)):
            begun = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begun)
    ours_median, floor_median = (statistics.median(seconds[name][1:]) for name in ("ours", "floor"))
    return Measured(work=work, floor_is=floor_is, ours=ours_median, floor=floor_median, rounds=rounds)
