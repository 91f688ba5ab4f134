"""Columns that are called as what lets somebody in, whatever category somebody gave them."""

from __future__ import annotations

from datamap.catalogue import Column
from datamap.discover import words

_SECRETS = words.listed(
    """
    password passwd passphrase passcode pwd secret salt otp totp hotp credential passkey apikey accesskey secretkey
    privatekey passwort kennwort contrasena
    """
)
_PASSES = words.listed("user login db admin app smtp mail web hash hashed encrypted account")
_KEYS = words.listed("api access private secret signing signature encryption auth session activation recovery")
_TOKENS = words.listed(
    """
    access refresh reset session remember api auth csrf login bearer id confirmation verification verify invite
    invitation oauth user activation unlock magic
    """
)
_CODES = words.listed("recovery backup scratch reset login pin")
_OF_IT = words.listed("at on count type kind hint policy version expire expiry algorithm algo date time strength")
_KINDS = (("pass", _PASSES), ("key", _KEYS), ("token", _TOKENS), ("code", _CODES))


def is_credential(column: Column) -> bool:
    """Of a secret itself: a text or bytes, and not when it was changed, or of what kind it is."""
    said = list(words.words(column.name))
    if column.family not in ("text", "bytes", "uuid", "json") or not said or said[-1] in _OF_IT:
        return False
    if set(said) & _SECRETS:
        return True
    if said in (["pass"], ["token"], ["pin"]):
        return True
    return any(said[-1] == word and set(said[:-1]) & others for word, others in _KINDS)
