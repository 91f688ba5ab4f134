"""A real browser: Debian's Chromium, or the one that CHROMIUM names; none is ever downloaded.

Where there is none these tests are skipped, but in CI (CI or REQUIRE_BROWSER set) that is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Where it is."""
    named = os.environ.get("CHROMIUM", "").strip()
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def is_required() -> bool:
    return any(os.environ.get(name, "").strip() not in {"", "0", "false"} for name in ("CI", "REQUIRE_BROWSER"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        reason = "no browser here: apt-get install chromium, or set CHROMIUM to one"
        if is_required():
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs a user that is not root, and more of the kernel than a container gives.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        opened = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield opened
        finally:
            opened.close()
