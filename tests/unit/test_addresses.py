"""DATABASE_URL and REDIS_URL taken apart, and what is said of one that cannot be."""

from __future__ import annotations

import traceback
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.addresses import CacheAddress, PostgresAddress, is_loopback
from shared.errors import SettingInvalid

# Long enough, and of letters that none of our sentences holds, not to be found in one by chance.
secrets = st.text(st.sampled_from("QXZqxz019@/?#:%&=+ßé[]"), min_size=6, max_size=24)
names = st.text(st.characters(exclude_characters="\x00"), min_size=1, max_size=20).filter(
    lambda text: text.strip() == text
)


@given(role=names, password=names, database=names)
def test_an_address_survives_its_own_url(role: str, password: str, database: str) -> None:
    try:
        for text in (role, password, database):
            text.encode()
    except UnicodeEncodeError:
        assume(False)
    address = PostgresAddress(host="127.0.0.1", port=5433, database=database, role=role, password=password)
    assume(not database.startswith("/"))
    assert PostgresAddress.parse(address.url()) == address


@given(user=st.none() | names, password=st.none() | names, database=st.integers(0, 255), tls=st.booleans())
def test_a_cache_address_survives_its_own_url(user: str | None, password: str | None, database: int, tls: bool) -> None:
    try:
        for text in (user, password):
            (text or "").encode()
    except UnicodeEncodeError:
        assume(False)
    address = CacheAddress(host="::1", port=6380, database=database, user=user, password=password, tls=tls)
    assert CacheAddress.parse(address.url()) == address


@given(secret=secrets, scheme=st.sampled_from(["postgresql", "redis", "rediss", "http", ""]))
@example(secret="QXZ12/34xz", scheme="postgresql")
@example(secret="12/QXZqxz", scheme="redis")
@example(secret="QXZ#019xz", scheme="redis")
@example(secret="QXZ?a=b", scheme="postgresql")
@example(secret="QXZ[qxz", scheme="postgresql")
def test_no_part_of_a_password_is_repeated_however_it_is_written(secret: str, scheme: str) -> None:
    """Somebody forgot to percent-encode it: that is when a parser quotes what it stumbled over."""
    for url in (f"{scheme}://user:{secret}@db.example/shop", f"{scheme}://:{secret}@db.example/0", secret):
        for parse in (PostgresAddress.parse, CacheAddress.parse):
            try:
                address = parse(url)
            except SettingInvalid as error:
                said = "".join(traceback.format_exception(error))
            else:
                said = repr(address) + address.where
            shown = said.split("raise ")[-1]
            assert not any(secret[at : at + 5] in shown for at in range(len(secret) - 4))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "does not begin with postgresql://"),
        ("shop", "does not begin with postgresql://"),
        ("mysql://a:b@127.0.0.1/shop", "does not begin with postgresql://"),
        ("postgresql://127.0.0.1/shop", "it names no role"),
        ("postgresql://a:b@127.0.0.1", "it names no database"),
        ("postgresql://a:b@/shop", "it names no host"),
        ("postgresql://a:b@127.0.0.1:port/shop", "its port is no number"),
        ("postgresql://a:b@db.example/shop?sslmode=require", "weaker sslmode than verify-full"),
        ("postgresql://a:b@db.example/shop?sslmode=disable", "weaker sslmode than verify-full"),
        ("postgresql://a:b@127.0.0.1/shop?options=-crow_security%3Don", "not one of sslmode, sslrootcert"),
        ("postgresql://a:b@127.0.0.1/shop?host=elsewhere.example", "not one of sslmode, sslrootcert"),
    ],
)
def test_an_address_of_postgres_that_cannot_be_used_is_refused(url: str, said: str) -> None:
    with pytest.raises(SettingInvalid, match=said):
        PostgresAddress.parse(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://cache.example:6379/0", "without TLS at cache.example:6379: write rediss://"),
        ("redis://127.0.0.1:6379/zero", "no number of a database"),
        ("rediss://cache.example/0?ssl_cert_reqs=none", "not one of ssl_ca_certs"),
        ("redis://127.0.0.1/" + "9" * 5000, "no number of a database"),
        ("redis://u:a%00b@127.0.0.1/0", "percent-encoded"),
        ("http://127.0.0.1/0", "does not begin with redis://"),
    ],
)
def test_an_address_of_a_cache_that_cannot_be_used_is_refused(url: str, said: str) -> None:
    with pytest.raises(SettingInvalid, match=said):
        CacheAddress.parse(url)


def test_what_is_left_out_has_its_usual_value() -> None:
    assert PostgresAddress.parse("postgres://a@localhost/shop").port == 5432
    cache = CacheAddress.parse("valkeys://cache.example")
    assert (cache.port, cache.database, cache.tls, cache.user, cache.password) == (6379, 0, True, None, None)


def test_a_message_can_name_the_place_and_a_repr_shows_no_password() -> None:
    address = PostgresAddress.parse(f"postgresql://a:{quote('QXZ/secret', safe='')}@[::1]:5433/shop")
    assert address.where == "[::1]:5433/shop"
    assert "secret" not in repr(address)
    assert "secret" not in repr(CacheAddress.parse("redis://u:secret@127.0.0.1/1"))


def test_loopback_is_told_from_the_rest() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.9.1", "::1")))
    assert not any(map(is_loopback, ("10.0.0.1", "db.example", "localhost.example", "0.0.0.0", "::", "")))  # noqa: S104
