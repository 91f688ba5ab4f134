"""A clock that tests can set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared import clock


def test_it_tells_the_present_with_its_zone() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)


def test_it_stands_where_it_was_stopped_and_moves_when_it_is_moved() -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with clock.standing_at(noon):
        assert clock.now() == noon
        assert clock.advance(timedelta(days=30)) == clock.now() == noon + timedelta(days=30)
    assert clock.now() > datetime(2026, 1, 1, tzinfo=UTC)
    assert clock.now() != noon + timedelta(days=30)


def test_an_instant_without_a_zone_is_none() -> None:
    with pytest.raises(ValueError, match="time zone"), clock.standing_at(datetime(2026, 11, 20)):  # noqa: DTZ001
        pass


def test_a_running_clock_cannot_be_moved() -> None:
    with pytest.raises(RuntimeError, match="standing_at"):
        clock.advance(timedelta(seconds=1))
