"""The data map as people write it: what only a person can decide. The facts come from the catalogue.

Every class here is a part of datamap.yaml; the JSON Schema that editors read is generated from them. What the words
mean is in docs/data-map.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from datamap import names, public_holidays
from datamap.condition import Condition
from datamap.vocabulary import Vocabulary

UNDECIDED = "undecided"

_PERIOD = r"^P(?=.)([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$"
_NAME = r'\s*("([^"]|"")+"|[^".,\s]([^".,]*[^".,\s])?)\s*'
_TABLE = rf"^{_NAME}(\.{_NAME})?$"
_CALLING_CODE = r"^\+[1-9][0-9]{0,2}$"
_TABLES = rf"^{_NAME}(\.({_NAME}|\*))?$"


def _reads(parse: Callable[[str], object], such: str) -> AfterValidator:
    """A text that has to mean something; it stays the text that was written. `such` is what one looks like."""

    def read(text: str) -> str:
        try:
            parse(text)
        except names.NotAName as fault:
            said = str(fault)
            raise ValueError(said if re.search(r": (write|put)\b", said) else f"{said}: write {such}") from None
        return text

    return AfterValidator(read)


def _period(text: str) -> str:
    if not re.fullmatch(_PERIOD.rstrip("$"), text):
        raise ValueError(f"{text!r} is no period: write P10Y, P6M, P35D or PT30S")
    return text


def _tables(text: str) -> None:
    if not text.endswith(".*"):
        names.Table.parse(text)
    elif not re.fullmatch(_TABLES, text):
        raise names.NotAName(f"{text!r} is no schema: write schema.*")


# How other languages write what a condition means, and what it is here.
_OTHERWISE = (("===", "="), ("==", "="), ("&&", " and "), ('"', "'"))


def _condition(text: str) -> None:
    try:
        Condition.parse(text)
    except names.NotAName:
        meant = next(filter(_is_condition, _otherwise(text)), None)
        if meant is not None:
            raise ValueError(f"{text!r} is no condition: write {meant}") from None
        if re.search(r"\bor\b|\|\|", text, re.IGNORECASE):
            message = f"{text!r} has an or, which no condition has: write a link for each: [{{when: …}}, {{when: …}}]"
            raise ValueError(message) from None
        raise


def _otherwise(text: str) -> Iterator[str]:
    """What may have been meant; last with quotes around a word that stands alone."""
    for theirs, ours in _OTHERWISE:
        text = text.replace(theirs, ours)
    yield " ".join(text.split())
    yield re.sub(r"(=|<>)\s*([^\W\d]\w*)", r"\1 '\2'", " ".join(text.split()))


def _is_condition(text: str) -> bool:
    try:
        Condition.parse(text)
    except names.NotAName:
        return False
    return True


TablesName = Annotated[str, _reads(_tables, "schema.table")]
TableName = Annotated[
    str,
    Field(description="schema.table", json_schema_extra={"pattern": _TABLE}),
    _reads(names.Table.parse, "schema.table"),
]
ColumnName = Annotated[str, Field(min_length=1)]
PlaceText = Annotated[
    str,
    Field(description="user_id · tenant_id, user_id · watcher_ids[] · payload->'actor'->>'id' · notes::jsonb->>'by'"),
    _reads(names.Place.parse, "a column, or a place such as watcher_ids[] or payload->'actor'->>'id'"),
]
TargetText = Annotated[str, Field(description="schema.table.column"), _reads(names.Target.parse, "schema.table.column")]
ConditionText = Annotated[
    str,
    Field(examples=["author_type = 'User'"]),
    _reads(_condition, "column = 'value', column in ('a', 'b') or column is null"),
]
Period = Annotated[str, Field(json_schema_extra={"pattern": _PERIOD}, examples=["P10Y"]), AfterValidator(_period)]
Text = Annotated[str, Field(min_length=1)]


def _only(word: object) -> BeforeValidator:
    """To Python 1, 1.0 and True are one; to a reader they are not."""

    def read(value: object) -> object:
        if type(value) is not type(word):
            raise PydanticCustomError("literal_error", "another kind of value")
        return value

    return BeforeValidator(read)


Term = Text  # of fideslang or DPV; the check knows the lists


@dataclass(frozen=True)
class _Completed:
    """Tells the JSON Schema which words an editor may offer. Any other is left to the check."""

    words: Callable[[], Iterable[str]]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(self.words())}, handler(core)]}


def _bases(article: str) -> _Completed:
    return _Completed(lambda: (key for key in Vocabulary.load().legal_bases if key.startswith(f"A{article}-")))


LegalBasis = Annotated[Term, _bases("6")]
SpecialBasis = Annotated[Term, _bases("9")]
Origin = Annotated[Term, _Completed(lambda: Vocabulary.load().origins)]
Exemption = Annotated[Term, _Completed(lambda: Vocabulary.load().exceptions)]


WORD, LIST, MAPPING = "<word>", "<list>", "<mapping>"  # which form of several a value has; no word of any map


def _form(value: object) -> str:
    """Of what may be written in several forms only the one that was begun is read: its faults alone are told."""
    if isinstance(value, Mapping | BaseModel):
        return MAPPING
    return LIST if isinstance(value, list) else WORD


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


@dataclass(frozen=True)
class _OrShort:
    """Tells the JSON Schema that something may also be written shorter."""

    forms: tuple[JsonSchemaValue, ...]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full = handler(core)
        single = full["items"] if full.get("type") == "array" else None
        return {"anyOf": [*([single] if single else []), *full.get("anyOf", [full]), *self.forms]}


@dataclass(frozen=True)
class _PatternsAtTheTop:
    """Tells the JSON Schema that the patterns of the cache stand beside refill_max."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        parts = handler.resolve_ref_schema(handler(core))["properties"]
        return {
            "type": "object",
            "description": "Patterns of keys, and refill_max: the longest time in which a stale read is written back.",
            "properties": {"refill_max": parts["refill_max"]},
            "additionalProperties": {"anyOf": [parts["patterns"]["additionalProperties"], {"const": "undecided"}]},
        }


class Part(BaseModel):
    """What all parts have in common: no word that the schema does not know."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, populate_by_name=True, use_attribute_docstrings=True
    )


class Controller(Part):
    """Who answers to the people whose data this is."""

    name: str
    contact: str
    """Where people write to: an e-mail or postal address."""
    authority: str
    """The supervisory authority that people may complain to."""
    timezone: str = "UTC"
    """The zone that a deadline's last day ends in, such as Europe/Berlin."""
    holidays: str | None = None
    """The calendar of public holidays that deadlines respect, such as DE or DE-BY; without it none does."""
    pauses: Literal["suspend", "off"] = "suspend"
    """Whether the days on which a request waits for the person's answer are added to its deadline."""
    representative: str | None = None
    officer: str | None = None
    """How the data protection officer is reached."""

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"{zone!r} is no time zone: write one such as Europe/Berlin")
        return ZoneInfo(zone).key

    @field_validator("holidays")
    @classmethod
    def _is_a_calendar(cls, name: str | None) -> str | None:
        return name if name is None else public_holidays.check(name)


_NAMED: JsonSchemaValue = {"type": "string", "minLength": 1}


def _not_a_number(value: object) -> object:
    """YAML reads +49 as the number 49."""
    if type(value) is int:
        raise ValueError(f'{value} is no calling code: write "+{value}", in quotes')
    return value


def _calling_code(text: str) -> str:
    if not re.fullmatch(_CALLING_CODE, text):
        raise ValueError(f'{text!r} is no calling code: write one such as "+49"')
    return text


CallingCode = Annotated[
    str,
    BeforeValidator(_not_a_number),
    Field(json_schema_extra={"pattern": _CALLING_CODE}, examples=["+49"]),
    AfterValidator(_calling_code),
]


class Phone(Part):
    """Telephone numbers, however they are written: +49 170 1234, 0049 (0)170-1234 and 0170/1234 are one."""

    phone: CallingCode
    """The calling code of the country whose numbers are written without one, such as "+49"."""
    leading_zero: bool = True
    """Its numbers begin with a 0 that the code replaces. false where they don't, as in +1, +34 or +39: then a number
    without a code is the country's as it stands."""


class Identity(Part):
    """Another way to name a person: a column of the subject's table."""

    column: ColumnName
    match: Annotated[
        Annotated[Literal["exact", "folded"], Tag(WORD)] | Annotated[Phone, Tag(MAPPING)], Discriminator(_form)
    ] = "exact"
    """folded: capitals make no difference; {phone: "+49"}: spellings of a telephone number make none. Here and wherever
    a link names this identity."""
    shared: bool = False
    """Several subjects may have the same value, and what it names may be erased for each of them."""


def _column_alone(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


IdentityEntry = Annotated[Identity, BeforeValidator(_column_alone), _OrShort((_NAMED,))]


class Subject(Part):
    """One kind of person: the table that has a row for each, and how the row is named."""

    table: TableName
    key: Annotated[list[ColumnName], BeforeValidator(_listed), Field(min_length=1), _OrShort(())]
    """The column that names a person everywhere else, or several."""
    identities: dict[str, IdentityEntry] = {}
    """How else a request may name the person, such as {email: email}."""
    birth: ColumnName | None = None
    """A column that never changes, such as created_at: it tells apart two people with the same key, after a restore."""
    nobody: Annotated[dict[ColumnName, str | int] | None, _OrShort(({"type": "integer"}, {"type": "string"}))] = None
    """The key of a row that stands for nobody: links that may not be null point to it instead of the person. Of a key
    of one column the value alone; of several a part, where the rest stays: {id: 0} is each tenant's nobody."""

    @field_validator("nobody", mode="before")
    @classmethod
    def _value_alone(cls, given: object, info: ValidationInfo) -> object:
        """`nobody: 0` is short for `nobody: {id: 0}`."""
        key = info.data.get("key")
        if type(given) not in (int, str) or not key:
            return given
        if len(key) > 1:
            said = ", ".join(f"{column}: …" for column in key)
            raise ValueError(f"nobody is one value, and the key has {len(key)} columns: write nobody: {{{said}}}")
        return {key[0]: given}


class Recipient(Part):
    """Who else receives the data. By name: a category alone needs a reason (Art. 15(1)(c), C-154/21)."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["name"]}, {"required": ["category", "reason"]}]}
    )

    name: Text | None = None
    category: Text | None = None
    reason: Text | None = None
    """Why only a category is named."""
    country: str | None = None
    """Where it is outside of the European Union."""
    safeguard: str | None = None
    """What protects the data there, as a DPV term such as A46-2-c."""
    contact: str | None = None
    """Where it is told of an erasure (Art. 19)."""

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if not self.name and not (self.category and self.reason):
            raise ValueError(
                "a recipient has neither a name nor a category: write a name, or a category and the reason"
            )
        return self


def _name_alone(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


RecipientEntry = Annotated[Recipient, BeforeValidator(_name_alone), _OrShort((_NAMED,))]


class Since(Part):
    """What a period counts from: a column of the table that is kept."""

    column: ColumnName
    round: Literal["year_end", "month_end"] | None = None


class Retention(Part):
    """How long the data is kept: a period from something, or until something happens."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["period"]}, {"required": ["until"]}]})

    period: Period | None = None
    from_: Annotated[
        Annotated[Annotated[Since, Tag(MAPPING)] | Annotated[Text, Tag(WORD)], Discriminator(_form)] | None,
        Field(alias="from"),
    ] = None
    """A column of the table, or what the period counts from in words."""
    until: Text | None = None
    """What ends the keeping, such as account_closed."""
    law: Text | None = None
    """The law that asks for it."""

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if not self.period and not self.until:
            raise ValueError("a retention has no end: write a period, such as P10Y, or until what")
        return self


class AutomatedDecision(Part):
    """A decision by a machine alone (Art. 22)."""

    logic: str
    significance: str
    consequences: str


class Activity(Part):
    """Why data is processed: what Art. 15(1) and Art. 30 ask for."""

    purpose: Annotated[Annotated[Term, Tag(WORD)] | Annotated[list[Term], Tag(LIST)], Discriminator(_form)] | None = (
        None
    )
    """DPV, such as ServiceProvision."""
    legal_basis: LegalBasis | None = None
    """DPV, such as A6-1-b."""
    special_basis: SpecialBasis | None = None
    """For special categories: DPV, such as A9-2-a."""
    interest: str | None = None
    """The legitimate interest, where the basis is A6-1-f."""
    recipients: list[RecipientEntry] | None = None
    """Everybody who receives the data; [] says nobody."""
    retention: Retention | None = None
    origin: Origin | None = None
    """DPV: ProvidedPersonalData, ObservedPersonalData, DerivedPersonalData, InferredPersonalData. Portability asks."""
    source: str | None = None
    """Where the data comes from, if not from the person."""
    automated_decision: AutomatedDecision | None = None
    description: str | None = None
    """The purpose in words that the person understands."""


class Constant(Part):
    """The same for everybody."""

    value: str | int | float | bool


class Pseudonym(Part):
    """Recognised so that it can be refused: hash, mask and token leave the person singled out (R58)."""

    model_config = ConfigDict(json_schema_extra={"deprecated": True})

    mask: str | None = None
    hash: str | None = None


CONSTANT, PSEUDONYM = "<constant>", "<pseudonym>"


def _set_to(value: object) -> str:
    if isinstance(value, Pseudonym) or (isinstance(value, Mapping) and {"mask", "hash"} & set(value)):
        return PSEUDONYM
    return CONSTANT if _form(value) == MAPPING else WORD


Replacement = Literal["nobody", "random", "empty"]
Recognisable = Annotated[Literal["hash", "mask", "token", "encrypt"], Field(json_schema_extra={"deprecated": True})]
SetTo = (
    Annotated[
        Annotated[Constant, Tag(CONSTANT)]
        | Annotated[Pseudonym, Tag(PSEUDONYM)]
        | Annotated[Replacement | Recognisable, Tag(WORD)],
        Discriminator(_set_to),
    ]
    | None
)
"""What a column is set to: null, {value: constant}, nobody (of the subject), random (a new value), empty ([] or {})."""

Setting = dict[ColumnName, SetTo]

Undecided = Literal["undecided"]


class Redaction(Part):
    """What an export leaves out where a row came in by this link, since it is somebody else's."""

    redact: list[ColumnName] = []


class Link(Part):
    """One way in which a row names a person, or a row that is a person's."""

    subject: str | None = None
    """The kind of subject, where there are several."""
    to: TargetText | None = None
    """What the value is the key of, where no foreign key says so."""
    identity: str | None = None
    """The value is an identity of the subject, such as email."""
    when: ConditionText | None = None
    """Only rows for which this holds name a person here."""
    role: Literal["owner", "actor", "reference", "undecided"] = "owner"
    """owner: the row is about the person, or by them. actor: they merely acted on it. reference: nothing of both."""
    erase: Annotated[
        Annotated[
            Annotated[Literal["delete", "unlink", "undecided"], Tag(WORD)] | Annotated[Setting, Tag(MAPPING)],
            Discriminator(_form),
        ]
        | None,
        _OrShort(({"const": "nobody"},)),
    ] = None
    """For rows found by this link alone; without it, what the table says. nobody: its columns point at nobody."""
    reason: Text | None = None
    """Why what the person wrote stays in a row that is cut off from them; or why rows go by this link though what they
    belong to stays."""
    export: (
        Annotated[
            Annotated[Redaction, Tag(MAPPING)] | Annotated[Literal[False], _only(False), Tag(WORD)],
            Discriminator(_form),
        ]
        | None
    ) = None
    """false: rows found by this link alone are not exported."""


def _spelled(value: object) -> object:
    """`packed_by: actor` is short for `packed_by: {role: actor}`, and one link for a list of one."""
    if isinstance(value, str):
        return [{"role": value}]
    return [value] if isinstance(value, Mapping) else value


Links = Annotated[
    list[Link],
    BeforeValidator(_spelled),
    _OrShort(({"enum": ["owner", "actor", "reference", "undecided"]},)),
]


def _set_to_nobody(place: object, entries: object) -> object:
    """`owner_id: {erase: nobody}` is short for `owner_id: {erase: {owner_id: nobody}}`."""
    if isinstance(entries, list):
        return [_set_to_nobody(place, each) for each in entries]
    if not isinstance(entries, Mapping) or entries.get("erase") != "nobody":
        return entries
    try:
        found = names.Place.parse(str(place))
    except names.NotAName:
        return entries  # which is told of the place itself
    if not found.is_plain:
        raise ValueError(f"nobody fits a whole column, and {place} is a place within one: write erase: unlink")
    return {**entries, "erase": dict.fromkeys(found.columns, "nobody")}


class Column(Part):
    """What a column holds."""

    category: Term | None = None
    """fideslang, such as user.contact.email."""
    personal: bool = True
    reason: str | None = None
    """Why it is not personal, or not exported."""
    origin: Origin | None = None
    """DPV; without it, the activity's."""
    export: bool | Literal["explain"] = True
    """explain: the export says what it is and where from, and leaves out the value (embeddings)."""
    label: str | None = None
    """The column's name for the person."""
    values: dict[str, str] | None = None
    """What each code means."""
    unit: str | None = None
    third_party: bool = False
    """It is about somebody else: exports leave it out."""


def _described(value: object) -> object:
    if isinstance(value, str):
        return {"category": value}
    return {"personal": False} if value is False else value


ColumnEntry = Annotated[
    Column,
    BeforeValidator(_described),
    _OrShort((_NAMED, {"const": False})),
]


class Keep(Part):
    """What a law keeps: as little of the row as that law needs."""

    exception: Exemption | None = None
    """17(3)(a) to 17(3)(e)."""
    columns: list[ColumnName]
    """What stays; key columns do in any case. The others are set to null, or to what `set` says."""
    law: str | None = None
    """Without it, the law of the activity's retention."""
    until: str | None = None
    """What ends the keeping, where the activity's retention has no period."""
    owner: str | None = None
    """Who in the organisation answers for keeping it."""
    set: Setting = {}
    """What a column that does not stay is set to, if it cannot be null."""


class Table(Part):
    """One table: why it is there, whose its rows are, and what an erasure does."""

    personal: bool = True
    reason: str | None = None
    """Why it is not personal, or shared; how it is erased by hand; why what people wrote stays once they are gone (of a
    shared table, beside the link); or why rows go though what they belong to stays."""
    activity: str | None = None
    erase: (
        Annotated[
            Annotated[
                Literal["delete", "keep", "unlink", "refresh", "external_manual", "undecided"],
                Tag(WORD),
            ]
            | Annotated[Setting, Tag(MAPPING)],
            Discriminator(_form),
        ]
        | None
    ) = None
    """delete · keep (see keep) · {column: null, …} · unlink (its links are set to null) · refresh (a materialised view)
    · external_manual (somebody does it by hand: say how in reason)."""
    keep: Keep | None = None
    stub: Setting = {}
    """What the columns of a row hold that only stays because a kept row points at it."""
    shared: bool | Undecided = False
    """People meet here: rows below it belong to whom they name themselves, and it is never deleted."""
    links: dict[PlaceText, Links] = {}
    columns: dict[ColumnName, ColumnEntry] = {}
    """What each column holds; "*" stands for all that are not named. Keys and links need no entry."""
    key: list[ColumnName] | None = None
    """Columns that name one row, where the database does not say so."""
    label: str | None = None
    """The table's name for the person."""

    @field_validator("links", mode="before")
    @classmethod
    def _nobody(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        return {place: _set_to_nobody(place, entries) for place, entries in given.items()}


def _of_undecided(value: object) -> object:
    return {"erase": UNDECIDED} if value == UNDECIDED else value


TableEntry = Annotated[
    Table,
    BeforeValidator(_of_undecided),
    _OrShort(({"const": UNDECIDED},)),
]


class Holds(Part):
    """Where in the value of a key the person stands."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["json"]}, {"required": ["field"]}, {"required": ["value"]}]}
    )

    json_: Annotated[str | None, Field(alias="json")] = None
    """A path in a JSON value: user_id, actor.id, items[].user_id. With `field` it is in that field; with `type: list`,
    `set` or `zset` in each element."""
    field: str | None = None
    """A field of a hash, or of each entry of a stream."""
    value: bool = False
    """The whole value."""
    identity: str | None = None
    """It is this identity there, and not the key."""
    subject: str | None = None

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if not {"json_", "field", "value"} & self.model_fields_set:
            raise ValueError("nothing says where in the value the person stands: write json, field or value")
        return self


class CacheEntry(Part):
    """One pattern of keys. A placeholder is a column of the subject's key, or an identity: `cart:{id}`."""

    personal: bool = True
    reason: str | None = None
    activity: str | None = None
    subject: str | None = None
    holds: Holds | None = None
    """The person is not in the key but in the value."""
    member: str | None = None
    """The person is a member of a set, a sorted set or a list, or with `type: hash` the name of a field: "{id}"."""
    type: Literal["string", "hash", "list", "set", "zset", "stream"] | None = None
    erase: Literal["delete", "expire", "external_manual", "undecided"] = "delete"
    """expire: it is gone by itself before an erasure has to be answered; needs a time to live."""
    category: Term | None = None
    label: str | None = None


class ObjectsEntry(Part):
    """Objects in a bucket. The prefix binds the whole key: `users/{id}/`."""

    bucket: str
    prefix: str = ""
    personal: bool = True
    reason: str | None = None
    activity: str | None = None
    subject: str | None = None
    category: Term | None = None
    label: str | None = None


class Backups(Part):
    """How long a copy outlives what it was made of."""

    expire_after: Period


class Cache(Part):
    """The keys of the Valkey or Redis beside the database."""

    patterns: dict[str, CacheEntry] = {}
    refill_max: Period | None = None
    """The longest time in which a stale read may be written back."""


class Map(Part):
    """datamap.yaml."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["subject"]}, {"required": ["subjects"]}]})

    version: Annotated[Literal[1], _only(1)]
    controller: Controller
    subject: Subject | None = None
    subjects: Annotated[dict[str, Subject], Field(min_length=1)] | None = None
    """Several kinds of people, each under its name, instead of `subject`."""
    activities: dict[str, Activity] = {}
    tables: Annotated[
        dict[TablesName, TableEntry], Field(json_schema_extra={"propertyNames": {"pattern": _TABLES}})
    ] = {}
    """schema.table, or schema.* for a whole schema without personal data."""
    cache: Annotated[Cache, _PatternsAtTheTop()] = Cache()
    objects: dict[str, ObjectsEntry] = {}
    application_roles: list[str] = []
    """The database roles that the application uses: what is restricted must be hidden from them."""
    backups: Backups | None = None

    @field_validator("cache", mode="before")
    @classmethod
    def _patterns(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        patterns = {key: _of_undecided(each) for key, each in given.items() if key != "refill_max"}
        return {"patterns": patterns, **({"refill_max": given["refill_max"]} if "refill_max" in given else {})}

    @model_validator(mode="after")
    def _has_a_subject(self) -> Self:
        if (self.subject is None) == (self.subjects is None):
            raise ValueError("a map has either a subject, or several of them under subjects: write one of the two")
        return self

    @property
    def kinds(self) -> Mapping[str, Subject]:
        """The kinds of subject by name; the only one is called person."""
        return {"person": self.subject} if self.subject else self.subjects or {}

    def data(self) -> dict[str, Any]:
        """The map as it is written, without what is left to its default: for digests and for the plan."""
        told = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if cache := told.get("cache"):
            told["cache"] = {**cache.pop("patterns", {}), **cache}
        return told
