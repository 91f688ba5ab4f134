"""Columns that are called as what lets somebody in, whatever category somebody gave them."""

from __future__ import annotations

from datamap.catalogue import Column
from datamap.discover import words

_SECRETS = words.listed(
    """
    password passwd passphrase passcode pwd secret salt otp totp hotp credential passkey apikey accesskey secretkey
    privatekey passwort kennwort contrasena jwt cvv cvc keystore pwhash csrftoken
    """
)
_PASSES = words.listed("user login db admin app smtp mail web hash hashed encrypted account")
_KEYS = words.listed(
    "api access private secret signing signature encryption auth session activation recovery ssh master wallet"
)
_COUNTED = words.listed("max min prompt completion input output next page sync cursor continuation")
_BEHIND = words.listed("new old current hash value secret digest encrypted")  # a token is one still
_CODES = words.listed(
    "recovery backup scratch reset login pin auth activation verification confirmation verify sms mfa authorization"
)
_SEEDS = words.listed("mfa wallet otp key")
_LINKS = words.listed("magic reset login activation")
_HASHES = words.listed("token pass pw code key")
_OF_IT = words.listed("at on count type kind hint policy version expire expiry algorithm algo date time strength")
_KINDS = (
    ("pass", _PASSES), ("key", _KEYS), ("code", _CODES), ("seed", _SEEDS), ("link", _LINKS), ("hash", _HASHES),
    ("digest", _HASHES), ("phrase", words.listed("seed recovery")), ("answer", words.listed("security")),
)  # fmt: skip


def is_credential(column: Column) -> bool:
    """Of a secret itself: a text or bytes, and not when it was changed, or of what kind it is."""
    said = list(words.words(column.name))
    if column.family not in ("text", "bytes", "uuid", "json") or not said or said[-1] in _OF_IT:
        return False
    if set(said) & _SECRETS:
        return True
    if said in (["pass"], ["pin"], ["pw"]):
        return True
    if "token" in said and not set(said) & _COUNTED and set(said[said.index("token") + 1 :]) <= _BEHIND:
        return True
    return any(said[-1] == word and set(said[:-1]) & others for word, others in _KINDS)
