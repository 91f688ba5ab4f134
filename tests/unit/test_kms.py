"""A signer whose key is KMS's: asked with botocore's own client, whose words its stub checks against KMS's model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from shared.bucket import Folder
from shared.errors import AccessDenied, StoreMisconfigured, StoreUnavailable
from shared.keys import KeyInvalid, Keys
from shared.ledger.checkpoint import Checkpoint
from shared.ledger.kms import KmsKeyInvalid, KmsSigner
from shared.ledger.merkle import EMPTY
from shared.ledger.note import LocalSigner, PublicKey, sign

KEY = LocalSigner("shop-ledger", bytes(range(32)))
ARN = "arn:aws:kms:us-east-2:000000000000:key/5d3c1c5e-0000-4000-8000-000000000001"
TEXT = Checkpoint(origin="shop-ledger/1", size=0, root=EMPTY).text
SPKI = bytes.fromhex("302a300506032b6570032100") + KEY.public.key


@pytest.fixture
def kms() -> Any:
    """The client that boto3 would make."""
    session = botocore.session.get_session()
    return session.create_client("kms", region_name="us-east-2", aws_access_key_id="x", aws_secret_access_key="x")


def asked(text: bytes) -> dict[str, Any]:
    return {"KeyId": ARN, "Message": text, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}


def test_a_checkpoint_is_signed_as_by_a_local_key_of_the_same_bytes(kms: Any) -> None:
    signer = KmsSigner(ARN, KEY.public, client=kms)
    with Stubber(kms) as stub:
        stub.add_response("sign", {"Signature": KEY.sign(TEXT.encode()), "KeyId": ARN}, asked(TEXT.encode()))
        assert sign(TEXT, [signer]) == sign(TEXT, [KEY])
        stub.assert_no_pending_responses()


def test_its_public_part_is_asked_for_once_and_pinned(kms: Any) -> None:
    told = {
        "KeyId": ARN,
        "PublicKey": SPKI,
        "KeySpec": "ECC_NIST_EDWARDS25519",
        "SigningAlgorithms": ["ED25519_SHA_512"],
    }
    with Stubber(kms) as stub:
        stub.add_response("get_public_key", told, {"KeyId": ARN})
        signer = KmsSigner.of(ARN, name="shop-ledger", client=kms)
    assert signer.public == KEY.public
    assert signer.as_text() == f"KMS+{ARN}+{KEY.public}"
    assert KmsSigner.parse(signer.as_text()).as_text() == signer.as_text()


def test_another_key_behind_the_name_signs_nothing(kms: Any) -> None:
    other = LocalSigner("shop-ledger", bytes(32))
    with Stubber(kms) as stub, pytest.raises(StoreMisconfigured, match="another key than the one that is pinned"):
        stub.add_response("sign", {"Signature": other.sign(b"text")}, asked(b"text"))
        KmsSigner(ARN, KEY.public, client=kms).sign(b"text")


@pytest.mark.parametrize(
    "told",
    [
        {"PublicKey": SPKI[:-1], "SigningAlgorithms": ["ED25519_SHA_512"]},
        {"PublicKey": bytes(44), "SigningAlgorithms": ["ED25519_SHA_512"]},
        {"PublicKey": SPKI, "SigningAlgorithms": ["ECDSA_SHA_256"]},
    ],
)
def test_a_key_of_another_kind_is_refused(kms: Any, told: dict[str, Any]) -> None:
    with Stubber(kms) as stub, pytest.raises(KmsKeyInvalid, match="no Ed25519 key that signs"):
        stub.add_response("get_public_key", told)
        KmsSigner.of(ARN, name="shop-ledger", client=kms)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", AccessDenied),
        ("NotFoundException", StoreMisconfigured),
        ("ThrottlingException", StoreUnavailable),
    ],
)
def test_what_kms_refuses_is_told_in_our_words(kms: Any, code: str, error: type[Exception]) -> None:
    with Stubber(kms) as stub, pytest.raises(error, match=ARN) as failed:
        stub.add_client_error("sign", code, "kanarie")
        KmsSigner(ARN, KEY.public, client=kms).sign(b"text")
    assert "kanarie" not in str(failed.value)


def test_where_there_is_no_way_to_kms_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
    with pytest.raises(StoreUnavailable, match="give the function a way to KMS"):
        KmsSigner(ARN, KEY.public).sign(b"text")


@pytest.mark.parametrize(
    "text",
    [
        "KMS+",
        f"KMS+{ARN}",
        f"KMS+arn:aws:kms:us-east-2:000000000000:alias/ledger+{KEY.public}",
        f"KMS+{ARN}+shop-ledger+00000000+AAAA",
        KEY.as_text(),
        str(KEY.public),
    ],
)
def test_what_is_no_line_of_a_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"key|known|base64"):
        KmsSigner.parse(text)


def test_a_text_that_is_longer_than_kms_takes_is_refused(kms: Any) -> None:
    with pytest.raises(ValueError, match="4096 bytes"):
        KmsSigner(ARN, KEY.public, client=kms).sign(bytes(4097))


def test_it_lies_among_the_keys_of_the_ledger(tmp_path: Path) -> None:
    keys = Keys(bucket=Folder(tmp_path))
    other = LocalSigner.generate("shop-ledger")
    lines = (str(other.public), f"KMS+{ARN}+{KEY.public}")
    keys.bucket.put("ledger", "\n".join(lines).encode())
    found = keys.ledger()
    assert [signer.public for signer in found.signers] == [KEY.public]
    assert found.known == (other.public, KEY.public)
    assert PublicKey.parse(lines[0]) == other.public
    keys.bucket.put("ledger", b"KMS+arn:secret")
    with pytest.raises(KeyInvalid, match="A line of the key 'ledger' is none") as invalid:
        keys.ledger()
    assert "secret" not in str(invalid.value)


def test_boto3_is_not_loaded_before_something_is_signed() -> None:
    program = "import sys, shared.keys; print('boto3' in sys.modules or 'botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
