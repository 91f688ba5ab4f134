"""`gdpr keys`: made once, and only what is public is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gdpr.commands import gdpr
from shared.errors import SettingMissing
from shared.ledger.note import PublicKey


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KEYS_BUCKET", f"file://{tmp_path}/keys")
    monkeypatch.setenv("LEDGER_BUCKET", f"file://{tmp_path}/shop-ledger")
    return tmp_path


def test_they_are_made_once_and_the_public_one_is_shown(places: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(gdpr, ["keys", "make"]).stdout == "ledger\nsealing\nperson\n"
    again = runner.invoke(gdpr, ["keys", "make"])
    assert (again.stdout, again.stderr) == ("", "All keys are there.\n")
    shown = runner.invoke(gdpr, ["keys", "show"]).stdout
    assert PublicKey.parse(shown.strip()).name == "shop-ledger"
    secret = (places / "keys" / "ledger").read_text().rpartition("+")[2].strip()
    assert secret not in shown


def test_a_place_that_is_not_set_is_named(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYS_BUCKET")
    failed = CliRunner().invoke(gdpr, ["keys", "make"])
    assert isinstance(failed.exception, SettingMissing)
    assert "KEYS_BUCKET is not set: it names the bucket or folder that the keys lie in." in str(failed.exception)
