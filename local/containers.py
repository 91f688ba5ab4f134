"""The official images of pgvector and Valkey, where a Docker engine runs; testcontainers removes them at our end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from shared.addresses import CacheAddress, PostgresAddress
from shared.errors import StoreMisconfigured

POSTGRES_IMAGE = "pgvector/pgvector:pg{version}"
VALKEY_IMAGE = "valkey/valkey:9"


@dataclass(frozen=True, kw_only=True)
class PostgresContainer:
    address: PostgresAddress
    container: Any

    def stop(self) -> None:
        self.container.stop()


@dataclass(frozen=True, kw_only=True)
class ValkeyContainer:
    address: CacheAddress
    container: Any

    def stop(self) -> None:
        self.container.stop()


def engine_answers() -> bool:
    """Whether a Docker engine does; that its command line is installed means nothing."""
    import docker
    from docker.errors import DockerException

    try:
        return bool(docker.from_env(timeout=3).ping())
    except DockerException:
        return False


def check_engine() -> None:
    if not engine_answers():
        raise StoreMisconfigured(
            "STORES=docker, and no Docker engine answers",
            remedy="start it, or leave STORES unset: the embedded stores need none",
        )


def start_postgres(version: str) -> PostgresContainer:
    """Postgres with pgvector, in its official image."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.waiting_utils import wait_for_logs

    from local.postgres import ADMINISTRATOR, SETTINGS

    password = secrets.token_urlsafe(24)
    given = {
        name: value for name, value in SETTINGS.items() if name not in ("listen_addresses", "unix_socket_directories")
    }
    container = (
        DockerContainer(POSTGRES_IMAGE.format(version=version))
        .with_env("POSTGRES_PASSWORD", password)
        .with_exposed_ports(5432)
        .with_command(["postgres", *(f"--{name}={value}" for name, value in given.items())])
        .start()
    )
    # The image starts once to initialise and once for good.
    wait_for_logs(container, r"(?s)ready to accept connections.*ready to accept connections", timeout=60)
    return PostgresContainer(
        address=PostgresAddress(
            host=container.get_container_host_ip(),
            port=int(container.get_exposed_port(5432)),
            database="postgres",
            role=ADMINISTRATOR,
            password=password,
        ),
        container=container,
    )


def start_valkey() -> ValkeyContainer:
    """Valkey, in its official image."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.waiting_utils import wait_for_logs

    from local.valkey import EmbeddedValkey

    password = secrets.token_urlsafe(24)
    container = (
        DockerContainer(VALKEY_IMAGE)
        .with_exposed_ports(6379)
        .with_command(
            ["valkey-server", "--requirepass", password, "--databases", str(EmbeddedValkey.DATABASES), "--save", ""]
        )
        .start()
    )
    wait_for_logs(container, "Ready to accept connections", timeout=60)
    return ValkeyContainer(
        address=CacheAddress(
            host=container.get_container_host_ip(),
            port=int(container.get_exposed_port(6379)),
            database=0,
            user=None,
            password=password,
            tls=False,
        ),
        container=container,
    )
