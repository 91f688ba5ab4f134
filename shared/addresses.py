"""Where a store is: DATABASE_URL and REDIS_URL taken apart, without ever repeating what is secret in them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from shared.errors import SettingInvalid

POSTGRES_FORM = "postgresql://role:password@host:5432/database"
CACHE_FORM = "rediss://user:password@host:6379/0"

TORN = "its port is no number, or a name or password has to be percent-encoded ('@' is %40, '/' is %2F, '#' is %23)"


def is_loopback(host: str) -> bool:
    """Whether what is sent to this host stays on the machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, kw_only=True)
class PostgresAddress:
    host: str
    port: int
    database: str
    role: str
    password: str | None = field(repr=False)
    ca_file: str | None = None

    @classmethod
    def parse(cls, url: str, *, variable: str = "DATABASE_URL") -> PostgresAddress:
        parts = _split(url, variable, ("postgresql", "postgres"), POSTGRES_FORM)
        if not parts.username:
            raise _malformed(variable, POSTGRES_FORM, "it names no role")
        if not parts.path.strip("/"):
            raise _malformed(variable, POSTGRES_FORM, "it names no database")
        options = _options(parts, variable, known=("sslmode", "sslrootcert"))
        if options.get("sslmode", "verify-full") != "verify-full" and not is_loopback(parts.hostname or ""):
            raise SettingInvalid(
                f"{variable} asks for a weaker sslmode than verify-full",
                where=f"{parts.hostname}:{parts.port or 5432}",
                remedy="take sslmode out of it; a connection that leaves this machine checks the server's certificate",
            )
        return cls(
            host=parts.hostname or "",
            port=parts.port or 5432,
            database=unquote(parts.path.lstrip("/")),
            role=unquote(parts.username),
            password=unquote(parts.password) if parts.password is not None else None,
            ca_file=options.get("sslrootcert"),
        )

    @property
    def where(self) -> str:
        """The address as a message may name it."""
        return f"{_shown(self.host)}:{self.port}/{self.database}"

    def url(self) -> str:
        """The whole address with its password: for an environment or a URL parameter, never for a message."""
        password = "" if self.password is None else ":" + quote(self.password, safe="")
        tail = "" if self.ca_file is None else "?sslrootcert=" + quote(self.ca_file, safe="/")
        person = quote(self.role, safe="") + password
        return f"postgresql://{person}@{_shown(self.host)}:{self.port}/{quote(self.database, safe='')}{tail}"


@dataclass(frozen=True, kw_only=True)
class CacheAddress:
    host: str
    port: int
    database: int
    user: str | None
    password: str | None = field(repr=False)
    tls: bool
    ca_file: str | None = None

    @classmethod
    def parse(cls, url: str, *, variable: str = "REDIS_URL") -> CacheAddress:
        parts = _split(url, variable, ("redis", "rediss", "valkey", "valkeys"), CACHE_FORM)
        tls = parts.scheme in ("rediss", "valkeys")
        if not tls and not is_loopback(parts.hostname or ""):
            raise SettingInvalid(
                f"{variable} names a cache on another machine without TLS",
                where=f"{parts.hostname}:{parts.port or 6379}",
                remedy="write rediss:// instead of redis://",
            )
        number = parts.path.lstrip("/") or "0"
        if not number.isdecimal() or len(number) > 5:
            raise _malformed(variable, CACHE_FORM, "what stands behind the last / is no number of a database")
        options = _options(parts, variable, known=("ssl_ca_certs",))
        return cls(
            host=parts.hostname or "",
            port=parts.port or 6379,
            database=int(number),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password is not None else None,
            tls=tls,
            ca_file=options.get("ssl_ca_certs"),
        )

    @property
    def where(self) -> str:
        """The address as a message may name it."""
        return f"{_shown(self.host)}:{self.port}/{self.database}"

    def url(self) -> str:
        """The whole address with its password: for an environment, never for a message."""
        password = "" if self.password is None else ":" + quote(self.password, safe="")
        person = quote(self.user or "", safe="") + password
        tail = "" if self.ca_file is None else "?ssl_ca_certs=" + quote(self.ca_file, safe="/")
        return f"redis{'s' * self.tls}://{person + '@' if person else ''}{self.where}{tail}"


def _split(url: str, variable: str, schemes: tuple[str, ...], form: str) -> SplitResult:
    url = url.strip()
    if not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise _malformed(variable, form, f"it does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its text may quote a part of the password
        raise _malformed(variable, form, TORN) from None
    if parts.fragment or "@" in parts.path + parts.query or "\x00" in unquote(url):
        raise _malformed(variable, form, TORN)
    if not parts.hostname:
        raise _malformed(variable, form, "it names no host")
    return parts


def _options(parts: SplitResult, variable: str, *, known: tuple[str, ...]) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not set(options) <= set(known):
        raise SettingInvalid(
            f"{variable} has a parameter behind its question mark that is not one of {', '.join(known)}",
            remedy="take it out; time limits and TLS are set by the program",
        )
    return options


def _malformed(variable: str, form: str, reason: str) -> SettingInvalid:
    return SettingInvalid(f"{variable} is not of the form {form}", remedy=reason)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
