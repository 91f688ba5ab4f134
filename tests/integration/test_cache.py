"""The connection to Valkey, and what it says when something is wrong."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import trustme

from shared.addresses import CacheAddress
from shared.cache import Cache, connect, translated
from shared.errors import AccessDenied, StoreFault, StoreMisconfigured, StoreUnavailable, SuiteError
from tests.run import Run

CANARY = "kanarie@geheim.example"


def test_one_client_serves_an_execution_environment(valkey: CacheAddress) -> None:
    cache = Cache(valkey, application="gdpr-tests")
    with contextlib.closing(cache):
        assert cache.client() is cache.client()
        assert cache.client().dbsize() == 0


def test_a_client_whose_socket_died_opens_another(valkey: CacheAddress) -> None:
    with contextlib.closing(Cache(valkey, application="gdpr-tests")) as cache:
        client = cache.client()
        with contextlib.closing(connect(valkey, application="gdpr-tests-killer")) as killer:
            killer.client_kill_filter(_id=str(client.client_id()))
        assert client.ping()


def test_what_the_cache_says_of_a_key_goes_nowhere(valkey: CacheAddress) -> None:
    with contextlib.closing(connect(valkey, application="gdpr-tests")) as client:
        client.set(CANARY, "no hash")
        with pytest.raises(StoreFault) as failed, translated(valkey.where):
            client.hget(CANARY, "field")
    assert CANARY not in "".join(traceback.format_exception(failed.value))
    assert failed.value.sentence.startswith("The cache refused a command")


class TestBadAddress:
    """Each in one sentence that says what and where, with no secret in it."""

    SECRET = "aV3ry-s3cret"

    def refused(self, address: CacheAddress) -> SuiteError:
        with pytest.raises(SuiteError) as failed:
            connect(address, application="gdpr-tests")
        assert self.SECRET not in "".join(traceback.format_exception(failed.value))
        assert address.where in failed.value.sentence
        return failed.value

    def test_a_wrong_password(self, run: Run) -> None:
        error = self.refused(replace(run.stores.cache, password=self.SECRET))
        assert isinstance(error, AccessDenied)
        assert "refused user or password" in error.sentence

    def test_a_user_that_does_not_exist(self, run: Run) -> None:
        assert isinstance(self.refused(replace(run.stores.cache, user="nobody", password=self.SECRET)), AccessDenied)

    def test_nobody_at_the_port(self, run: Run) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            error = self.refused(replace(run.stores.cache, port=taken.getsockname()[1], password=self.SECRET))
        assert isinstance(error, StoreUnavailable)
        assert error.retryable

    def test_somebody_who_never_answers(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            monkeypatch.setattr("shared.cache.SECONDS_TO_ANSWER", 0.1)
            error = self.refused(replace(run.stores.cache, port=silent.getsockname()[1], password=self.SECRET))
        assert isinstance(error, StoreUnavailable)
        assert "did not answer in time" in error.sentence

    def test_a_server_without_tls(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shared.cache.SECONDS_TO_ANSWER", 1)
        error = self.refused(replace(run.stores.cache, tls=True, password=self.SECRET))
        assert isinstance(error, StoreMisconfigured | StoreUnavailable)

    def test_a_user_who_may_not(self, run: Run, valkey: CacheAddress) -> None:
        with contextlib.closing(connect(valkey, application="gdpr-tests")) as client:
            client.acl_setuser("reader", enabled=True, passwords=["+reader"], commands=["+@connection"])
            try:
                reader = connect(replace(valkey, user="reader", password="reader"), application="gdpr-tests")
                with contextlib.closing(reader), pytest.raises(AccessDenied), translated(valkey.where):
                    reader.flushall()
            finally:
                client.acl_deluser("reader")


@contextlib.contextmanager
def tls_front(address: CacheAddress, certificate: trustme.LeafCert) -> Iterator[CacheAddress]:
    """TLS before a server that was built without it, for one connection after the other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)

    def serve(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as client:
            with socket.create_connection((address.host, address.port)) as behind:
                back = threading.Thread(target=pump, args=(behind, client), daemon=True)
                back.start()
                pump(client, behind)
                back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    serve(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield replace(address, port=listener.getsockname()[1], tls=True)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


class TestTls:
    """A connection with rediss:// checks who answers."""

    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def ca_file(self, authority: trustme.CA, tmp_path: Path) -> str:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        return str(tmp_path / "ca.pem")

    def test_the_right_certificate_is_accepted(self, run: Run, authority: trustme.CA, ca_file: str) -> None:
        with tls_front(run.stores.cache, authority.issue_cert("127.0.0.1")) as address:
            with contextlib.closing(connect(replace(address, ca_file=ca_file), application="gdpr-tests")) as client:
                assert client.ping()

    @pytest.mark.parametrize(("mine", "host"), [(False, "127.0.0.1"), (True, "cache.example.com")])
    def test_another_certificate_is_refused(
        self, run: Run, authority: trustme.CA, ca_file: str, mine: bool, host: str
    ) -> None:
        issuer = authority if mine else trustme.CA()
        with tls_front(run.stores.cache, issuer.issue_cert(host)) as address:
            with pytest.raises(StoreMisconfigured, match="TLS with the cache failed"):
                connect(replace(address, ca_file=ca_file), application="gdpr-tests")


def test_every_error_of_the_client_has_a_meaning() -> None:
    for error in (redis.ResponseError("x"), redis.DataError("x"), redis.exceptions.ReadOnlyError("x")):
        with pytest.raises(StoreFault), translated("here"):
            raise error
