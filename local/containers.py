"""The official images of pgvector and Valkey, where a Docker engine runs; testcontainers removes them at our end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local import postgres, valkey
from shared.addresses import CacheAddress, PostgresAddress
from shared.errors import StoreMisconfigured

POSTGRES_IMAGE = "pgvector/pgvector:pg{version}"
VALKEY_IMAGE = "valkey/valkey:9"
SECONDS_TO_START = 60.0


@dataclass(frozen=True, kw_only=True)
class StoreInContainer:
    address: PostgresAddress | CacheAddress
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


def start_postgres(version: str) -> StoreInContainer:
    """Postgres with pgvector, in its official image, which listens on its port only when it is initialised."""
    from testcontainers.core.container import DockerContainer

    password = secrets.token_urlsafe(24)
    its_own = ("listen_addresses", "unix_socket_directories")
    settings = [f"--{name}={value}" for name, value in postgres.SETTINGS.items() if name not in its_own]
    container = (
        DockerContainer(POSTGRES_IMAGE.format(version=version))
        .with_env("POSTGRES_PASSWORD", password)
        .with_exposed_ports(5432)
        .with_command(["postgres", *settings])
        .start()
    )
    address = PostgresAddress(
        host=container.get_container_host_ip(),
        port=int(container.get_exposed_port(5432)),
        database="postgres",
        role=postgres.ADMINISTRATOR,
        password=password,
    )
    return _answering(StoreInContainer(address=address, container=container), lambda: postgres.answers(address))


def start_valkey() -> StoreInContainer:
    """Valkey, in its official image."""
    from testcontainers.core.container import DockerContainer

    password = secrets.token_urlsafe(24)
    words = ["--requirepass", password, "--databases", str(valkey.EmbeddedValkey.DATABASES), "--save", ""]
    container = DockerContainer(VALKEY_IMAGE).with_exposed_ports(6379).with_command(["valkey-server", *words]).start()
    address = CacheAddress(
        host=container.get_container_host_ip(),
        port=int(container.get_exposed_port(6379)),
        database=0,
        user=None,
        password=password,
        tls=False,
    )
    return _answering(StoreInContainer(address=address, container=container), lambda: valkey.answers(address))


def _answering(store: StoreInContainer, answers: Callable[[], bool]) -> StoreInContainer:
    deadline = time.monotonic() + SECONDS_TO_START
    while not answers():
        if time.monotonic() > deadline:
            store.stop()
            raise StoreMisconfigured("A container does not answer", where=store.address.where, remedy="look at its log")
        time.sleep(0.1)
    return store
