"""What a function is told by its environment."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from shared.addresses import PostgresAddress
from shared.errors import SettingInvalid, SettingMissing
from shared.settings import AuditLoggingSettings, DataDeletionSettings, DataExportSettings, Settings

FUNCTIONS = (DataExportSettings, DataDeletionSettings, AuditLoggingSettings)
ENVIRONMENT = {
    "DATABASE_URL": "postgresql://gdpr_export:secret@127.0.0.1:5432/shop",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "EXPORT_BUCKET": "packages",
    "LEDGER_BUCKET": "ledger",
    "KEYS_BUCKET": "keys",
    "EXCHANGE_BUCKET": "exchange",
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_settings_are_read_from_the_environment(function: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings = function.read()
    assert isinstance(settings.database, PostgresAddress)
    assert settings.database.role == "gdpr_export"
    assert settings.region == "us-east-2"
    with pytest.raises(FrozenInstanceError):
        settings.region = "eu-central-1"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("function", "missing"),
    [
        (DataExportSettings, "DATABASE_URL"),
        (DataExportSettings, "EXPORT_BUCKET"),
        (DataDeletionSettings, "EXPORT_BUCKET"),
        (AuditLoggingSettings, "LEDGER_BUCKET"),
        (AuditLoggingSettings, "KEYS_BUCKET"),
        (AuditLoggingSettings, "EXCHANGE_BUCKET"),
    ],
)
@pytest.mark.parametrize("how", ["absent", "empty", "blank"])
def test_what_is_missing_is_named_with_its_purpose(function: type[Settings], missing: str, how: str) -> None:
    given = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    given |= {"absent": {}, "empty": {missing: ""}, "blank": {missing: "  "}}[how]
    with pytest.raises(SettingMissing, match=rf"^{missing} is not set: it names the .+\.$"):
        function.read(given)


def test_a_cache_is_optional() -> None:
    given = {name: value for name, value in ENVIRONMENT.items() if name != "REDIS_URL"}
    assert DataExportSettings.read(given).cache is None


def test_a_setting_that_cannot_be_used_is_named() -> None:
    with pytest.raises(SettingInvalid, match=r"^REDIS_URL names a cache on another machine without TLS"):
        DataExportSettings.read(ENVIRONMENT | {"REDIS_URL": "redis://cache.example/0"})


def test_settings_show_no_secret() -> None:
    assert "secret" not in repr(DataExportSettings.read(ENVIRONMENT))


def test_nothing_reads_the_environment_or_opens_a_connection_at_import() -> None:
    """In a fresh interpreter without sockets, and with an environment that would fail whoever looked at ours."""
    code = """
import os, pkgutil, importlib, socket
class Watched(dict):
    def __getitem__(self, key): seen.add(key); return super().__getitem__(key)
    def get(self, key, default=None): seen.add(key); return super().get(key, default)
seen = set()
os.environ = Watched(os.environ)
def no(*args, **kwargs): raise AssertionError("a connection at import")
socket.socket.connect = no
import shared, functions
for package in (shared, functions):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
buckets = {"EXPORT_BUCKET", "LEDGER_BUCKET", "KEYS_BUCKET", "EXCHANGE_BUCKET"}
ours = {"DATABASE_URL", "REDIS_URL", "DATA_MAP", "AWS_ENDPOINT_URL", "AWS_REGION"} | buckets
assert not seen & ours, seen & ours
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
