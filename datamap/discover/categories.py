"""What a column holds, in fideslang's words: by its name, its type, and what the values look like."""

from __future__ import annotations

import functools
from collections.abc import Callable

from datamap.catalogue import Column, Family, Table
from datamap.discover import shapes, words
from datamap.discover.finding import Holding
from datamap.discover.questions import Sample

UNDECIDED = "undecided"

# The first line of which a word, or all of several words, stands in the name.
_BY_NAME: tuple[tuple[str, str], ...] = (
    ("user.authorization.password", "password passwd pwd passphrase crypted+password"),
    (
        "user.authorization.credentials",
        "key+hash key+digest hashed+key token secret otp totp mfa 2fa salt credential credentials apikey api+key"
        " session+key private+key access+key secret+key signing+key recovery+code backup+code reset+code"
        " verification+code jti nonce pin tan",
    ),
    ("user.authorization.biometric", "faceprint"),
    ("user.biometric.fingerprint", "fingerprint"),
    ("user.government_id.passport_number", "passport"),
    (
        "user.government_id.national_identification_number",
        "vat+number vat+id tax+number tax+id taxpayer+id tin ssn national+id nin sin cpf curp bsn nif"
        " personnummer social+security",
    ),
    ("user.government_id.drivers_license_number", "license+number licence+number driver+license driving+licence"),
    ("user.government_id.vehicle_registration", "plate vin"),
    ("user.health_and_medical.record_id", "mrn medical+record"),
    ("user.health_and_medical.genetic", "genome dna genotype"),
    (
        "user.health_and_medical",
        "diagnosis symptom symptoms allergy medication prescription blood disease illness treatment icd"
        " vaccination dosage pregnancy disability medical health",
    ),
    ("user.financial.credit_card", "credit+card card+number pan cvv cvc card+last"),
    ("user.financial.bank_account", "iban bic swift routing+number account+number bank"),
    ("user.demographic.date_of_birth", "birth dob birthday birthdate dateofbirth"),
    ("user.demographic.gender", "gender sex pronoun"),
    ("user.demographic.religious_belief", "religion religious"),
    ("user.demographic.political_opinion", "political party+affiliation"),
    ("user.demographic.race_ethnicity", "ethnicity race ethnic"),
    ("user.demographic.sexual_orientation", "orientation sexual"),
    ("user.demographic.marital_status", "marital married"),
    ("user.demographic.language", "language locale lang"),
    ("user.demographic.age_range", "age"),
    ("user.contact.email", "email mail e+mail"),
    ("user.contact.fax_number", "fax"),
    ("user.contact.phone_number", "phone mobile telephone tel cell msisdn whatsapp"),
    ("user.contact.address.postal_code", "zip postcode postal zipcode plz"),
    ("user.contact.address.city", "city town"),
    ("user.contact.address.state", "state+code province county region"),
    ("user.contact.address.country", "country"),
    ("user.contact.address.street", "street address1 address2 address+line house+number"),
    ("user.device.ip_address", "ip ipaddress ipaddr remote+addr"),
    ("user.device.cookie_id", "cookie"),
    ("user.device.device_id", "device imei udid idfa gaid push"),
    ("user.device", "agent+user user+agent browser useragent os"),
    ("user.location.precise", "latitude longitude lat lng lon gps coordinate geo geolocation"),
    ("user.location.imprecise", "location place timezone"),
    ("user.contact.address", "address addr"),
    ("user.name.first", "first+name firstname given fname forename vorname middle"),
    ("user.name.last", "last+name lastname surname lname family+name nachname"),
    ("user.content.self_image", "avatar photo selfie picture portrait gravatar"),
    ("user.account.username", "username login nick nickname handle screenname user+name"),
    (
        "user.name",
        "fullname full+name displayname display+name realname ship+name billing+name recipient+name customer+name"
        " contact+name patient+name name+kana",
    ),
    ("user.contact.organization", "company employer organisation organization"),
    ("user.job_title", "job+title position+title occupation profession"),
    ("user.workplace", "department salary hire hired"),
    ("user.behavior.search_history", "query search+term search+history searched"),
    ("user.behavior.browsing_history", "url path referer referrer page visited"),
    ("user.privacy_preferences", "consent optin opt+in gdpr newsletter marketing unsubscribe unsubscribed"),
    ("user.account.settings", "setting settings preference preferences theme option config notification"),
    ("user.demographic.profile", "interest interests hobby hobbies bio about tag"),
    ("user.contact.url", "website homepage linkedin twitter facebook github"),
    ("user.social", "follower friend"),
    (
        "user.financial",
        "amount price total balance currency cost fee tax discount paid payment invoice goods shipping refund"
        " revenue credit debit",
    ),
    (
        "user.content",
        "body content message comment text note notes description title subject summary remark greeting caption"
        " question answer review feedback reply memo document letter attachment filename file html markdown",
    ),
)
_BY_TABLE: tuple[tuple[str, str], ...] = (
    (
        "user.behavior.purchase_history",
        "order purchase cart basket item invoice booking rental wishlist wish giftcard receipt",
    ),
    ("user.payment", "payment transaction refund charge payout"),
    ("user.behavior", "event log activity visit login attempt session view click history audit trail impression track"),
    ("user.health_and_medical", "appointment prescription diagnosis patient treatment encounter observation visit"),
    ("user.content", "comment message post document file note chat ticket page attachment chunk embedding answer"),
    ("user.account", "user account profile customer member person setting membership subscription enrollment"),
)
_WORDED = ("text", "time", "json", "enum", "other")


_SECRETS = ("user.authorization.password", "user.authorization.credentials")
_BROWSING = "user.behavior.browsing_history"
_FILES = words.listed(
    "pdf file document invoice receipt attachment download image logo video audio export label report"
)
_COMPANIES = words.listed("organization organisation org company business vendor merchant agency employer")
_LOGINS = words.listed("session token authtoken apikey")


def _names(table: tuple[tuple[str, str], ...]) -> list[tuple[str, list[frozenset[str]]]]:
    return [(category, [frozenset(each.split("+")) for each in listed.split()]) for category, listed in table]


_COLUMNS, _TABLES = _names(_BY_NAME), _names(_BY_TABLE)
_SHAPES: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    ("user.contact.email", shapes.is_email, "e-mail addresses"),
    ("user.device.ip_address", shapes.is_address, "addresses of the Internet"),
    ("user.contact.phone_number", shapes.is_phone, "telephone numbers"),
)
_TELLING = frozenset(
    category
    for category, _ in _BY_NAME
    if category.startswith(
        (
            "user.contact.email",
            "user.contact.phone",
            "user.contact.fax",
            "user.name",
            "user.government",
            "user.health",
            "user.biometric",
            "user.authorization.password",
            "user.demographic.date",
            "user.device.ip",
            "user.financial.bank",
            "user.financial.credit",
            "user.demographic.sexual",
            "user.demographic.relig",
            "user.demographic.race",
            "user.demographic.marital",
            "user.contact.address.street",
            "user.demographic.gender",
        )
    )
)


def held(table: Table, column: Column, sample: Sample | None) -> Holding:
    """The category of one column of a table that holds people."""
    if column.family == "vector":
        return Holding(
            category="user.content",
            entry={"origin": "DerivedPersonalData", "export": "explain"},
            evidence=f"an embedding ({column.type}), derived from the row's text",
            confidence="high",
        )
    seen = sample.of(column.name) if sample else []
    if column.family == "text" and not column.is_array and (shaped := _by_shape(seen)):
        return shaped
    named = by_name(column)
    if named and named.startswith(_SECRETS):
        return secret(named)
    if named:
        return Holding(category=named, evidence="by its name", confidence="medium" if named in _TELLING else "low")
    return _by_type(table, column, seen)


def secret(category: str = "user.authorization.credentials") -> Holding:
    """What an export leaves out: whoever reads it could log in."""
    entry = {"export": False, "reason": "a secret that logs in"}
    return Holding(category=category, entry=entry, evidence="by its name", confidence="medium")


def is_secret(table: Table, column: Column) -> bool:
    """Whether a key lets whoever knows it log in: of a table of sessions or tokens."""
    if column.family != "text" or column.is_array:
        return False
    named = by_name(column)
    is_of_a_login = bool(words.words(table.name.name)[-1:]) and words.words(table.name.name)[-1] in _LOGINS
    return (named is not None and named.startswith(_SECRETS)) or is_of_a_login


def _by_shape(seen: list[str]) -> Holding | None:
    for category, test, told in _SHAPES:
        if len(seen) >= 3 and shapes.share(seen, test) >= 0.8:
            return Holding(category=category, evidence=f"its values look like {told}", confidence="high")
    return None


def by_name(column: Column) -> str | None:
    """The category that the name says, where the type does not contradict it."""
    return _named(column.name, column.family)


@functools.lru_cache(maxsize=50_000)
def _named(name: str, family: Family) -> str | None:
    said = frozenset(words.words(name)) | {"".join(words.words(name))}
    return next(
        (
            category
            for category, wanted in _COLUMNS
            if any(each <= said for each in wanted) and _agrees(category, name, family)
        ),
        None,
    )


def _agrees(category: str, name: str, family: Family) -> bool:
    """`email_verified` is no e-mail address, `phone_count` no telephone."""
    if family in ("boolean", "time"):
        return category in ("user.demographic.date_of_birth", "user.privacy_preferences", "user.account.settings")
    if category == _BROWSING and set(words.words(name)) & _FILES:
        return False
    if category.startswith(_SECRETS) and family in ("integer", "numeric"):
        return bool({"pin", "tan", "otp", "totp", "code"} & set(words.words(name)))
    if family in ("integer", "numeric") and category.startswith(("user.contact.email", "user.content", "user.name")):
        return False
    if category == "user.financial":
        return family in ("integer", "numeric")
    return True


def _by_type(table: Table, column: Column, seen: list[str]) -> Holding:
    said = words.words(column.name)
    if "name" in said and column.family == "text":
        whose = "user.name" if set(said) & words.PERSON else _of_a_name(table)  # `guest_name`, wherever it stands
        return Holding(category=whose, evidence="a name", confidence="low")
    if column.family == "bytes" or (column.family == "other" and not column.base.startswith("pg_catalog.")):
        return Holding(category=UNDECIDED, evidence=f"{column.type}: nobody can tell from here", confidence="low")
    if column.base.endswith((".inet", ".cidr")):
        return Holding(category="user.device.ip_address", evidence=f"its type is {column.type}", confidence="high")
    category = _by_table(table)
    if column.family in ("time", "boolean") and category == "user.content":
        category = "user.behavior"  # when it was written, and not what
    if column.family == "text" and seen and sum(map(len, seen)) > 40 * len(seen):
        return Holding(category="user.content", evidence="its values are long texts", confidence="medium")
    return Holding(category=category, evidence="by its table", confidence="low")


def _of_a_name(table: Table) -> str:
    """Whose name it is: somebody's, a company's, or that of what the table is for."""
    last = (words.words(table.name.name) or ("",))[-1]
    if last in words.PERSON:
        return "user.name"
    return "user.contact.organization" if last in _COMPANIES else _by_table(table)


def _by_table(table: Table) -> str:
    said = frozenset(words.words(table.name.name))
    return next((category for category, wanted in _TABLES if any(each <= said for each in wanted)), "user")


def telling(table: Table, sample: Sample | None) -> list[tuple[str, str]]:
    """The columns that hold somebody's data whatever the table is for, with why: e-mail, names of people, addresses."""
    found = []
    for column in table.columns.values():
        seen = sample.of(column.name) if sample else []
        shaped = _by_shape(seen) if column.family == "text" and not column.is_array else None
        named = by_name(column)
        if shaped is not None:
            found.append((column.name, shaped.evidence))
        elif named in _TELLING and column.family in _WORDED and (sample is None or seen or column.family == "time"):
            found.append((column.name, "by its name"))
    return found
