"""The ledger's keys on their way: added, told of, retired; whoever has both of them reads all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gdpr.commands import gdpr
from shared import clock
from shared.bucket import Folder
from shared.errors import Misuse
from shared.keys import Keys
from shared.ledger.entry import Entry
from shared.ledger.note import LocalSigner, open_note
from shared.sealing import Seal
from tests.integration.people import NOW
from tests.integration.test_ledger_publish import sizes
from tests.integration.test_restore import findings, unit
from tests.integration.unit_of_data import Unit
from verifier.log import verify
from verifier.note import PublicKey
from verifier.source import opened

__all__ = ["unit"]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYS_BUCKET", f"file://{tmp_path}/outside/keys")
    monkeypatch.setenv("LEDGER_BUCKET", f"file://{tmp_path}/outside/shop-ledger")


def run(*words: str) -> Result:
    return CliRunner().invoke(gdpr, ["keys", *words])


def known(unit: Unit) -> list[str]:
    return [str(key) for key in unit.service.ledger.keys.ledger().known]


def signed_by(unit: Unit, size: int) -> int:
    """How many of the keys have signed the checkpoint of a size."""
    note, count = unit.anchors.read(size) or "", 0
    for key in unit.service.ledger.keys.ledger().known:
        try:
            open_note(note, [key])
        except ValueError:
            continue
        count += 1
    return count


def codes(unit: Unit, *keys: str) -> set[str]:
    report = verify(opened(str(unit.outside / "shop-ledger")), [PublicKey.parse(key) for key in keys])
    return {finding.code for finding in report.findings}


def rotations(unit: Unit) -> list[str]:
    rows = unit.ask("select body from gdpr.entry where kind = 'ledger.key_rotated' order by id")
    return [Entry.parse(bytes(body)).said["status"] for (body,) in rows]


def test_a_key_is_added_and_told_of_and_the_old_one_retired(unit: Unit) -> None:
    unit.write(3)
    assert unit.publish() == 3
    added = run("rotate", "ledger")
    assert added.exit_code == 0, added
    old, new = known(unit)
    assert added.stdout == f"{new}\n"
    assert unit.publish() == 5  # with the entry that tells of the key, and the one that tells of the anchor
    assert (signed_by(unit, 3), signed_by(unit, 5)) == (1, 2)
    assert not unit.invoke("checkpoint")["is_new"]
    retired = run("retire")
    assert retired.stdout == f"{old}\n"
    assert known(unit) == [old, new]
    unit.write(1)
    size = unit.publish()
    assert signed_by(unit, size) == 1
    assert rotations(unit) == ["added", "retired"]
    assert codes(unit, old, new) == set()
    assert findings(unit) == []
    assert run("show").stdout == f"{old}\n{new}\n"
    secret = (unit.outside / "keys/ledger").read_text()
    assert secret.count("PRIVATE+KEY+") == 1


def test_with_one_key_alone_it_is_said_which_is_not_known(unit: Unit) -> None:
    unit.write(3)
    unit.publish()
    run("rotate", "ledger")
    unit.write(1)
    unit.publish()
    run("retire")
    unit.write(1)
    unit.publish()
    unit.write(1)
    unit.publish()
    old, new = known(unit)
    assert "key_unknown" in codes(unit, new)
    assert "key_unknown" in codes(unit, old)
    keys = unit.service.ledger.keys.bucket
    lines = (keys.get("ledger") or b"").decode().splitlines()
    keys.put("ledger", lines[1].encode())
    assert {each["code"] for each in findings(unit)} == {"anchor_key"}


def test_at_the_very_size_that_is_anchored_nothing_is_signed_twice(unit: Unit) -> None:
    unit.write(256)
    assert unit.publish() == 256
    run("rotate", "ledger")
    note = unit.anchors.read(256)
    assert unit.publish() == 258
    assert unit.anchors.read(256) == note
    assert sizes(unit.anchors) == [256, 258]
    run("retire")
    assert unit.publish() == 260
    old, new = known(unit)
    assert codes(unit, old, new) == set()
    assert findings(unit) == []


def test_a_key_that_was_rotated_while_a_checkpoint_was_on_its_way_stops_nothing(unit: Unit) -> None:
    """It lies outside, signed with the old key alone, and nobody has recorded it."""
    unit.write(3)
    unit.publish()
    ledger = unit.service.ledger
    unit.write(1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("shared.ledger.publish.record", lambda *_: None)
        size = unit.publish()
    run("rotate", "ledger")
    unit.write(1)
    assert unit.publish() > size
    assert codes(unit, *known(unit)) == set()
    assert ledger.name == "shop-ledger"


def test_the_old_key_is_not_retired_before_the_new_one_has_signed(unit: Unit) -> None:
    unit.write(3)
    unit.publish()
    run("rotate", "ledger")
    before = (unit.outside / "keys/ledger").read_text()
    refused = run("retire").exception
    assert isinstance(refused, Misuse)
    assert "not signed with the newest key yet" in str(refused)
    assert (unit.outside / "keys/ledger").read_text() == before


def test_one_key_is_not_retired(unit: Unit) -> None:
    unit.write(1)
    unit.publish()
    done = run("retire")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "One key alone signs already.\n")


def test_in_the_next_epoch_the_keys_are_those_of_the_log(unit: Unit) -> None:
    unit.write(3)
    unit.publish()
    run("rotate", "ledger")
    backup = unit.backup()
    unit.write(1)
    unit.publish()
    run("retire")
    unit.publish()
    assert backup.restore()["status"] == "completed"
    backup.publish()
    assert codes(backup, *known(backup)) == set()
    assert rotations(backup) == ["added", "retired"]
    assert findings(backup) == []
    backup.close()


def test_sealing_rotates_and_what_was_sealed_before_opens(tmp_path: Path) -> None:
    keys = Keys(bucket=Folder(tmp_path / "outside/keys"))
    keys.make(log="shop-ledger")
    sealed = Seal(keys.sealing()).close({"email": "x"}, about="a")
    done = run("rotate", "sealing")
    assert (done.exit_code, done.stdout) == (0, "")
    assert len(keys.sealing()) == 2
    assert Seal(keys.sealing()).open(sealed, about="a") == {"email": "x"}
    with pytest.raises(Exception, match="cannot be unsealed"):
        Seal(keys.sealing()[1:]).open(Seal(keys.sealing()).close({}, about="a"), about="a")


def test_person_never_rotates_and_says_why(tmp_path: Path) -> None:
    keys = Keys(bucket=Folder(tmp_path / "outside/keys"))
    keys.make(log="shop-ledger")
    before = keys.person()
    refused = run("rotate", "person").exception
    assert isinstance(refused, Misuse)
    assert "everybody who asks again would be a stranger" in str(refused)
    assert keys.person() == before


def test_only_the_ledger_takes_a_key_of_kms(tmp_path: Path) -> None:
    Keys(bucket=Folder(tmp_path / "outside/keys")).make(log="shop-ledger")
    refused = run("rotate", "sealing", "--kms", "arn:aws:kms:us-east-2:000000000000:key/x").exception
    assert isinstance(refused, Misuse)
    assert LocalSigner.generate("x").public.name == "x"
