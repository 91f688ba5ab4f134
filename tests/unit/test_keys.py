"""Keys that lie outside: made once, read as they are, and shown by nothing."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from shared.bucket import Folder
from shared.keys import KeyInvalid, KeyMissing, Keys
from shared.ledger.note import LocalSigner


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(bucket=Folder(tmp_path / "keys"))


def test_they_are_made_once(keys: Keys) -> None:
    assert keys.make(log="shop-ledger") == ["ledger", "sealing", "person"]
    signer, person = keys.bucket.get("ledger"), keys.person()
    assert keys.make(log="shop-ledger") == []
    assert (keys.bucket.get("ledger"), keys.person()) == (signer, person)


def test_each_is_another(keys: Keys) -> None:
    keys.make(log="shop-ledger")
    assert len({keys.person(), *keys.sealing()}) == 2


@pytest.mark.parametrize("name", ["ledger", "sealing", "person"])
def test_one_that_is_missing_is_named_with_what_makes_it(keys: Keys, name: str) -> None:
    with pytest.raises(KeyMissing, match=rf"There is no key '{name}' at .*: `gdpr keys make`"):
        getattr(keys, name)()


@pytest.mark.parametrize("name", ["ledger", "sealing", "person"])
@pytest.mark.parametrize(
    "text", ["secret-words", base64.b64encode(b"secret-words").decode(), "ä", "PRIVATE+KEY+secret"]
)
def test_one_that_is_none_is_named_and_not_shown(keys: Keys, name: str, text: str) -> None:
    keys.bucket.put(name, text.encode())
    with pytest.raises(KeyInvalid, match=name) as refused:
        getattr(keys, name)()
    assert "secret" not in str(refused.value)


def test_of_several_keys_the_first_seals_and_all_open_and_retired_signers_are_known(keys: Keys) -> None:
    keys.make(log="shop-ledger")
    old, new = keys.ledger().signers[0], LocalSigner.generate("shop-ledger")
    keys.bucket.put("ledger", f"{new.as_text()}\n{old.public}\n".encode())
    found = keys.ledger()
    assert [signer.public for signer in found.signers] == [new.public]
    assert found.known == (new.public, old.public)
    keys.bucket.put("ledger", str(old.public).encode())
    with pytest.raises(KeyInvalid, match="signs nothing"):
        keys.ledger()


def test_another_person_key_beside_the_first_is_refused(keys: Keys) -> None:
    keys.make(log="shop-ledger")
    line = base64.b64encode(bytes(32)).decode()
    keys.bucket.put("person", f"{line}\n{line}\n".encode())
    with pytest.raises(KeyInvalid, match="one line"):
        keys.person()


def test_a_repr_shows_none(keys: Keys) -> None:
    keys.make(log="shop-ledger")
    assert base64.b64encode(keys.person()).decode() not in repr(keys) + repr(keys.ledger())
