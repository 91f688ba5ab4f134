"""Events that go outside: objects of ids, codes and dates, each of which ends in an e-mail or wakes a worker.

S3 tells EventBridge of each new object, which nothing behind the gateway endpoint could be told of otherwise. No
object and no key says whom an event is about (threat model A9).
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.bucket import Bucket, KeyTakenError

_KIND = re.compile(r"[a-z][a-z_]{0,30}", re.ASCII)
_WORD = re.compile(r"[a-z0-9_:.+-]{1,80}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Outbox:
    bucket: Bucket

    def put(self, kind: str, number: str, said: Mapping[str, str | int]) -> None:
        """Once for each number, however often it is tried."""
        words = [number, *said, *map(str, said.values())]
        if not _KIND.fullmatch(kind) or not all(_WORD.fullmatch(word) for word in words):
            raise ValueError("an event holds ids, codes and dates")
        body = json.dumps({"kind": kind, **said}, sort_keys=True).encode()
        with contextlib.suppress(KeyTakenError):
            self.bucket.put_new(f"outbox/{kind}/{number}.json", body)
