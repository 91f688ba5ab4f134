"""AWS, as far as moto's server plays it: S3, SQS, EventBridge and the rest, without running any Lambda code.

Run as a program it is that server: it takes a free port from the system and writes it into the file that it is
told, so that nobody can be faster.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from local.servers import Server, private_directory


class EmbeddedAws(Server):
    """A server on 127.0.0.1 that takes any credentials."""

    def __init__(self) -> None:
        directory = private_directory("aws")
        port = directory / "port"
        super().__init__("aws", [sys.executable, "-m", "local.aws", str(port)], directory)
        self.wait_until(port.exists)
        self.endpoint = f"http://127.0.0.1:{port.read_text()}"


def start_aws() -> EmbeddedAws:
    """A running server."""
    return EmbeddedAws()


def serve(file: Path) -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(str(port))
    unfinished.rename(file)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    stopped.wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
