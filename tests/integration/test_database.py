"""The connection to Postgres: its limits, its second life, and what it says when something is wrong."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
import trustme
from psycopg2.extensions import cursor

from shared.addresses import PostgresAddress
from shared.database import SESSION, Database, connect
from shared.errors import AccessDenied, StoreBusy, StoreFault, StoreMisconfigured, StoreUnavailable, SuiteError
from tests.run import administrator, as_role

CANARY = "kanarie@geheim.example"


@pytest.fixture
def database(postgres: PostgresAddress) -> Iterator[Database]:
    opened = Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")
    yield opened
    opened.close()


def test_every_session_has_its_limits(database: Database) -> None:
    with database.transaction(seconds=7.5) as cur:
        held = {}
        for name in SESSION:
            cur.execute(f"show {name}")
            (held[name],) = cur.fetchone() or ("",)
    assert held == {
        "search_path": "pg_catalog,pg_temp",
        "row_security": "off",
        "standard_conforming_strings": "on",
        "lock_timeout": "800ms",
        "statement_timeout": "7500ms",
        "idle_in_transaction_session_timeout": "30s",
        "idle_session_timeout": "1min",
        "client_connection_check_interval": "5s",
        "timezone": "UTC",
        "client_encoding": "UTF8",
        "jit": "off",
    }


def test_a_connection_that_hangs_is_given_up(database: Database) -> None:
    said = database.connection().get_dsn_parameters()
    assert (said["connect_timeout"], said["keepalives_idle"], said["keepalives_count"]) == ("5", "10", "3")


def test_no_variable_of_the_environment_has_a_say(
    postgres: PostgresAddress, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With PGHOSTADDR the password would go to another machine, in clear; with PGDATESTYLE 1/2 would be another day."""
    (tmp_path / "services").write_text("[other]\nhostaddr=127.0.0.9\nport=1\n")
    for name, value in {
        "PGHOSTADDR": "127.0.0.9",
        "PGSERVICE": "other",
        "PGSERVICEFILE": str(tmp_path / "services"),
        "PGCLIENTENCODING": "LATIN1",
        "PGDATESTYLE": "German",
        "PGTZ": "Pacific/Kiritimati",
        "PGOPTIONS": "-c row_security=on",
        "PGREQUIREAUTH": "none",
        "PGPASSWORD": "another",
        "PGSSLMODE": "verify-full",
    }.items():
        monkeypatch.setenv(name, value)
    opened = connect(postgres, application="gdpr-tests")
    with contextlib.closing(opened), opened.cursor() as cur:
        cur.execute("select '2020-02-01'::date = '2020/2/1'::date, length('Ünï'), current_setting('timezone')")
        assert cur.fetchone() == (True, 3, "UTC")
        cur.execute("show datestyle")
        assert cur.fetchone() == ("ISO, YMD",)
        cur.execute("show row_security")
        assert cur.fetchone() == ("off",)
    with pytest.raises(AccessDenied, match=r"wants a password|refused the password"):
        connect(replace(postgres, password=None), application="gdpr-tests")


def test_a_failure_that_was_passed_over_is_not_called_a_success(database: Database) -> None:
    with pytest.raises(StoreFault, match="nothing is committed"), database.transaction() as cur:
        with contextlib.suppress(psycopg2.Error):
            cur.execute("select 1 / 0")


def test_a_transaction_inside_a_transaction_is_a_fault_of_ours(database: Database) -> None:
    with database.transaction() as cur:
        with pytest.raises(RuntimeError, match="inside a transaction already"), database.transaction():
            pass
        cur.execute("select 1")


def test_a_fault_of_ours_is_not_called_a_fault_that_a_retry_may_cure(database: Database) -> None:
    with pytest.raises(StoreFault) as failed, database.transaction() as cur:
        cur.execute("select %s", (object(),))
    assert not failed.value.retryable


def test_one_connection_serves_an_execution_environment(database: Database) -> None:
    assert database.connection() is database.connection()


def test_a_connection_that_died_between_two_invocations_is_opened_again(database: Database, server: cursor) -> None:
    with database.transaction() as cur:
        cur.execute("select pg_backend_pid()")
        (first,) = cur.fetchone() or (0,)
    server.execute("select pg_terminate_backend(%s, 5000)", (first,))

    with database.transaction() as cur:
        cur.execute("select pg_backend_pid()")
        assert cur.fetchone() != (first,)


def test_a_connection_left_inside_a_transaction_is_not_used_again(database: Database) -> None:
    """A function that was frozen half-way must not do its next work inside the last one's transaction."""
    first = database.connection()
    with first.cursor() as cur:
        cur.execute("select 1")
    assert database.connection() is not first


def test_a_connection_that_dies_on_the_way_is_a_fault_that_a_retry_may_cure(database: Database, server: cursor) -> None:
    with pytest.raises(StoreUnavailable) as failed, database.transaction() as cur:
        cur.execute("select pg_backend_pid()")
        server.execute("select pg_terminate_backend(%s, 5000)", cur.fetchone())
        cur.execute("select 1")
    assert failed.value.retryable


def test_what_fails_is_rolled_back(database: Database) -> None:
    with contextlib.suppress(ZeroDivisionError), database.transaction() as cur:
        cur.execute("select gdpr.know_person(sha256('somebody'), sha256('key'))")
        raise ZeroDivisionError
    with database.transaction() as cur:
        cur.execute("select count(*) from gdpr.subject_key")
        assert cur.fetchone() == (0,)


def test_a_statement_ends_before_the_time_that_is_left(database: Database) -> None:
    with pytest.raises(StoreBusy, match="took too long"), database.transaction(seconds=0.05) as cur:
        cur.execute("select pg_sleep(10)")


def test_a_lock_is_waited_for_briefly(postgres: PostgresAddress, database: Database) -> None:
    with administrator(postgres) as admin:
        admin.execute("begin; lock table gdpr.request in access exclusive mode")
        with pytest.raises(StoreBusy) as failed, database.transaction() as cur:
            cur.execute("select * from gdpr.request")
    assert failed.value.retryable


def test_what_postgres_says_of_a_value_goes_nowhere(database: Database) -> None:
    """Its message and detail quote the value, so neither the error nor what a traceback would print may hold it."""
    with pytest.raises(StoreFault) as failed, database.transaction() as cur:
        cur.execute("select cast(%s as integer)", (CANARY,))
    assert failed.value.sentence.startswith("Postgres refused a statement (SQLSTATE 22P02) at 127.0.0.1:")
    shown = "".join(traceback.format_exception(failed.value))
    assert CANARY not in shown


class TestBadAddress:
    """Each in one sentence that says what and where, with no secret in it."""

    SECRET = "aV3ry-s3cret/pass%word"

    def refused(self, address: PostgresAddress) -> SuiteError:
        with pytest.raises(SuiteError) as failed:
            connect(address, application="gdpr-tests")
        shown = "".join(traceback.format_exception(failed.value))
        assert self.SECRET not in shown
        assert "\n" not in failed.value.sentence
        return failed.value

    def test_a_wrong_password(self, postgres: PostgresAddress) -> None:
        error = self.refused(replace(as_role(postgres, "gdpr_erase"), password=self.SECRET))
        assert isinstance(error, AccessDenied)
        assert error.sentence == (
            f"Postgres refused the password of role gdpr_erase at {postgres.where}: "
            "put the right role and password into the address."
        )

    def test_a_role_that_does_not_exist(self, postgres: PostgresAddress) -> None:
        error = self.refused(replace(postgres, role="nobody", password=self.SECRET))
        assert isinstance(error, AccessDenied)  # Postgres does not tell a stranger which roles there are

    def test_a_role_that_may_not_log_in(self, postgres: PostgresAddress) -> None:
        assert isinstance(self.refused(replace(postgres, role="gdpr_owner", password=self.SECRET)), AccessDenied)

    def test_no_password(self, postgres: PostgresAddress) -> None:
        error = self.refused(replace(postgres, password=None))
        assert "Postgres wants a password for role postgres" in error.sentence

    def test_a_database_that_does_not_exist(self, postgres: PostgresAddress) -> None:
        error = self.refused(replace(postgres, database="elsewhere"))
        assert isinstance(error, StoreMisconfigured)
        assert "elsewhere" in error.sentence

    def test_nobody_at_the_port(self, postgres: PostgresAddress) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            error = self.refused(replace(postgres, port=taken.getsockname()[1], password=self.SECRET))
        assert isinstance(error, StoreUnavailable)
        assert error.retryable
        assert "Nothing answers where Postgres should be at 127.0.0.1:" in error.sentence

    def test_a_host_that_does_not_exist(self, postgres: PostgresAddress) -> None:
        error = self.refused(replace(postgres, host="db.invalid", password=self.SECRET))
        assert isinstance(error, StoreUnavailable)
        assert "db.invalid" in error.sentence

    def test_a_server_without_tls_on_another_machine(self, postgres: PostgresAddress, elsewhere: None) -> None:
        error = self.refused(replace(postgres, password=self.SECRET))
        assert isinstance(error, StoreMisconfigured)
        assert "Postgres offers no TLS" in error.sentence


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the server on this machine for one on another."""
    monkeypatch.setattr("shared.database.is_loopback", lambda host: False)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@contextlib.contextmanager
def tls_front(address: PostgresAddress, certificate: trustme.LeafCert) -> Iterator[PostgresAddress]:
    """TLS before a server that was built without it: it behaves like RDS with rds.force_ssl."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def serve(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain:
            if plain.recv(8) != SSL_REQUEST:
                return
            plain.sendall(b"S")
            with (
                context.wrap_socket(plain, server_side=True) as client,
                socket.create_connection((address.host, address.port)) as behind,
            ):
                pump(client, behind)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield replace(address, port=listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def pump(client: ssl.SSLSocket, behind: socket.socket) -> None:
    while True:
        if not client.pending():
            readable, _, _ = select.select([client, behind], [], [])
        else:
            readable = [client]
        for source, target in ((client, behind), (behind, client)):
            if source in readable:
                data = source.recv(65536)
                if not data:
                    return
                target.sendall(data)


class TestTls:
    """A connection that leaves the machine checks who answers."""

    def test_the_right_certificate_is_accepted(
        self, postgres: PostgresAddress, authority: trustme.CA, ca_file: str, elsewhere: None
    ) -> None:
        with tls_front(postgres, authority.issue_cert("127.0.0.1")) as address:
            opened = connect(replace(address, ca_file=ca_file), application="gdpr-tests")
            with contextlib.closing(opened), opened.cursor() as cur:
                cur.execute("select 1")
                assert cur.fetchone() == (1,)
                assert opened.info.ssl_in_use

    @pytest.mark.parametrize(
        ("issued_by", "issued_for", "said"),
        [
            ("stranger", "127.0.0.1", "signed by nobody we trust"),
            ("authority", "db.example.com", "for another host"),
        ],
    )
    def test_another_certificate_is_refused(
        self,
        postgres: PostgresAddress,
        authority: trustme.CA,
        ca_file: str,
        elsewhere: None,
        issued_by: str,
        issued_for: str,
        said: str,
    ) -> None:
        issuer = authority if issued_by == "authority" else trustme.CA()
        with tls_front(postgres, issuer.issue_cert(issued_for)) as address:
            with pytest.raises(StoreMisconfigured, match=said):
                connect(replace(address, ca_file=ca_file), application="gdpr-tests")

    def test_a_file_of_authorities_that_is_not_there_is_named_as_the_fault(
        self, postgres: PostgresAddress, authority: trustme.CA, elsewhere: None
    ) -> None:
        with tls_front(postgres, authority.issue_cert("127.0.0.1")) as address:
            with pytest.raises(StoreMisconfigured, match="file of certificate authorities is not there"):
                connect(replace(address, ca_file="/nowhere/ca.pem"), application="gdpr-tests")

    def test_a_server_that_wants_tls_does_not_get_a_plain_session(
        self, postgres: PostgresAddress, authority: trustme.CA
    ) -> None:
        """On loopback TLS is used where it is offered."""
        with tls_front(postgres, authority.issue_cert("127.0.0.1")) as address:
            opened = connect(address, application="gdpr-tests")
            with contextlib.closing(opened):
                assert opened.info.ssl_in_use


def test_an_old_server_is_refused(postgres: PostgresAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.database.OLDEST_SERVER", 990000)
    with pytest.raises(StoreMisconfigured, match=re.escape("use version 16 or later")):
        connect(postgres, application="gdpr-tests")
