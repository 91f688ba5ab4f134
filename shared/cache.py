"""The connection to Valkey or Redis, with the same manners as the one to Postgres."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.addresses import CacheAddress
from shared.errors import AccessDenied, StoreBusy, StoreFault, StoreMisconfigured, StoreUnavailable, SuiteError

SECONDS_TO_ANSWER = 5.0


def connect(address: CacheAddress, *, application: str) -> redis.Redis:
    """A client that has shown that it is let in. Fails with one sentence that holds no secret."""
    client = redis.Redis(
        host=address.host,
        port=address.port,
        db=address.database,
        username=address.user,
        password=address.password,
        client_name=application,
        socket_connect_timeout=SECONDS_TO_ANSWER,
        socket_timeout=SECONDS_TO_ANSWER,
        retry=Retry(NoBackoff(), 1),  # a socket that died while the function slept; more is the caller's to decide
        health_check_interval=30,
        ssl=address.tls,
        ssl_cert_reqs="required",
        ssl_check_hostname=True,
        ssl_ca_certs=address.ca_file or ssl.get_default_verify_paths().cafile,
    )
    with translated(address.where):
        client.ping()
    return client


class Cache:
    """The one client of an execution environment."""

    def __init__(self, address: CacheAddress, *, application: str) -> None:
        self._address = address
        self._application = application
        self._open: redis.Redis | None = None

    @property
    def where(self) -> str:
        return self._address.where

    def client(self) -> redis.Redis:
        """The client, opened when first needed; it opens broken sockets again by itself."""
        if self._open is None:
            self._open = connect(self._address, application=self._application)
        return self._open

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


@contextlib.contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what the client raises into errors of ours. Its text stays behind: it may quote keys and values."""
    try:
        yield
    except redis.RedisError as error:
        raise _failed(error, where) from None


# The first that fits: the client's classes are each other's parents.
_MEANINGS: tuple[tuple[type[redis.RedisError], type[SuiteError], str, str], ...] = (
    (redis.AuthenticationError, AccessDenied, "The cache refused user or password", "correct them in REDIS_URL"),
    (redis.exceptions.NoPermissionError, AccessDenied, "The cache's user may not do this", "widen its access list"),
    (redis.exceptions.BusyLoadingError, StoreBusy, "The cache is loading its data", "try again"),
    (redis.TimeoutError, StoreUnavailable, "The cache did not answer in time", "try again, or check REDIS_URL"),
    (redis.ConnectionError, StoreUnavailable, "Nothing answers where the cache should be", "check REDIS_URL"),
)


def _failed(error: redis.RedisError, where: str) -> SuiteError:
    if _is_about_tls(error):
        return StoreMisconfigured(
            "TLS with the cache failed",
            where=where,
            remedy="check that it offers TLS, the host's name, and ?ssl_ca_certs=FILE in REDIS_URL",
        )
    for cause, kind, what, remedy in _MEANINGS:
        if isinstance(error, cause):
            return kind(what, where=where, remedy=remedy)
    return StoreFault(f"The cache refused a command ({type(error).__name__})", where=where)


def _is_about_tls(error: redis.RedisError) -> bool:
    return isinstance(error, redis.ConnectionError) and ("SSL" in str(error) or "certificate" in str(error).lower())
