"""A signing key that never leaves KMS: each checkpoint is one call of kms:Sign, and nobody can take the key away.

It takes a way to KMS, which a function behind the gateway endpoint of S3 alone does not have.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Self

from shared.errors import AccessDenied, Misuse, StoreFault, StoreMisconfigured, StoreUnavailable, SuiteError
from shared.ledger.note import PublicKey

ALGORITHM = "ED25519_SHA_512"  # Ed25519 of RFC 8032: the same bytes for the same text
LONGEST = 4096  # bytes of a text that KMS signs as it is
_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+", re.ASCII)
_SPKI = bytes.fromhex("302a300506032b6570032100")  # what stands before the 32 bytes of an Ed25519 key

# KMS's word, what it means, and what to do. A retry may cure only what is of the last kind.
_MEANINGS: dict[str, tuple[type[SuiteError], str, str]] = {
    "AccessDeniedException": (AccessDenied, "KMS refused access", "allow kms:Sign and kms:GetPublicKey with this key"),
    "NotFoundException": (StoreMisconfigured, "KMS has no such key", "correct its ARN"),
    "DisabledException": (StoreMisconfigured, "The key is disabled in KMS", "enable it, or rotate"),
    "KMSInvalidStateException": (StoreMisconfigured, "The key cannot be used in KMS", "see its state"),
    "InvalidKeyUsageException": (StoreMisconfigured, "The key is none that signs so", "use ECC_NIST_EDWARDS25519"),
    "UnsupportedOperationException": (StoreMisconfigured, "The key has no public part", "use ECC_NIST_EDWARDS25519"),
    "ThrottlingException": (StoreUnavailable, "KMS is asked too often", "try again"),
    "DependencyTimeoutException": (StoreUnavailable, "KMS did not answer in time", "try again"),
    "KeyUnavailableException": (StoreUnavailable, "The key is not available just now", "try again"),
    "KMSInternalException": (StoreUnavailable, "KMS has failed", "try again"),
}


class KmsKeyInvalid(Misuse):
    code = "key_invalid"


class KmsSigner:
    """Of one key, by its ARN. Its public part is pinned: another key behind the ARN signs nothing that counts."""

    PREFIX = "KMS+"

    def __init__(self, arn: str, public: PublicKey, *, client: Any = None) -> None:
        found = _ARN.fullmatch(arn)
        if found is None:
            raise ValueError("this is no ARN of a key of KMS")
        self.public = public
        self._arn = arn
        self._region = found["region"]
        self._client = client

    @classmethod
    def parse(cls, text: str) -> Self:
        """KMS+ARN+NAME+ID+KEY, as it lies in the key's object."""
        arn, plus, key = text.strip().removeprefix(cls.PREFIX).partition("+")
        if not text.startswith(cls.PREFIX) or not plus:
            raise ValueError("this is no key of KMS: it begins with KMS+")
        return cls(arn, PublicKey.parse(key))

    @classmethod
    def of(cls, arn: str, *, name: str, client: Any = None) -> Self:
        """The key behind this ARN, whose public part KMS tells. Raises KmsKeyInvalid."""
        try:
            signer = cls(arn, PublicKey(name=name, key=bytes(32)), client=client)
        except ValueError:
            raise KmsKeyInvalid(
                "This is no ARN of a key of KMS", remedy="write arn:aws:kms:REGION:ACCOUNT:key/ID; an alias may move"
            ) from None
        with _translated(arn):
            told = signer._kms().get_public_key(KeyId=arn)
        raw = bytes(told["PublicKey"])
        if not raw.startswith(_SPKI) or len(raw) != len(_SPKI) + 32 or ALGORITHM not in told["SigningAlgorithms"]:
            raise KmsKeyInvalid("The key is no Ed25519 key that signs", where=arn, remedy="use ECC_NIST_EDWARDS25519")
        return cls(arn, PublicKey(name=name, key=raw[len(_SPKI) :]), client=signer._client)

    def as_text(self) -> str:
        """What `parse` takes. Nothing secret."""
        return f"{self.PREFIX}{self._arn}+{self.public}"

    def sign(self, text: bytes) -> bytes:
        if len(text) > LONGEST:
            raise ValueError(f"KMS signs at most {LONGEST} bytes as they are")
        with _translated(self._arn):
            told = self._kms().sign(KeyId=self._arn, Message=text, MessageType="RAW", SigningAlgorithm=ALGORITHM)
        signature = bytes(told["Signature"])
        if not self.public.verifies(text, signature):
            raise StoreMisconfigured(
                "KMS signs with another key than the one that is pinned",
                where=self._arn,
                remedy="see who has changed the line of the key `ledger`",
            )
        return signature

    def _kms(self) -> Any:
        if self._client is None:
            import boto3
            from botocore.config import Config

            retries: Any = {"max_attempts": 2, "mode": "standard"}
            config = Config(connect_timeout=2, read_timeout=10, retries=retries)
            self._client = boto3.client("kms", region_name=self._region, config=config)
        return self._client


@contextlib.contextmanager
def _translated(where: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError
    from botocore.exceptions import ConnectionError as NoConnection

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "?")
        kind, what, remedy = _MEANINGS.get(code, (StoreFault, f"KMS refused ({code})", "see the key's policy"))
        raise kind(what, where=where, remedy=remedy) from None
    except NoCredentialsError:
        raise StoreMisconfigured("There are no credentials for KMS", where=where) from None
    except (NoConnection, HTTPClientError):
        raise StoreUnavailable(
            "KMS does not answer", where=where, remedy="give the function a way to KMS, or let a local key sign"
        ) from None
    except BotoCoreError as error:
        raise StoreFault(f"KMS could not be asked ({type(error).__name__})", where=where) from None
