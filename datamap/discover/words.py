"""What names say: the words in a name of a table or column, and which of them mean people, deeds and places.

A name alone decides nothing here; it says what is worth a look, and breaks a tie between values.
"""

from __future__ import annotations

import functools
import re

from datamap.condition import Condition
from datamap.names import Place


def listed(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
# Written as one word: `useridto`, `relateduserid`, `usermodified`; `creatorid`, `ownertype`.
_OF_A_USER = re.compile(r"([a-z]*?)(user)(id)?(from|to|modified|created)?")
_GLUED = re.compile(r"([a-z]{4,}?)(id|type|table|kind|model|class)")
_DOER, _DONE = re.compile(r"(?<=\w\w\w)[eo]r$"), re.compile(r"(?<=\w\w\w)(?:ed|ee)$")
_IDENTIFIER = listed("id ids uuid uid guid key pk fk no nr num number ref code oid ident identifier")
_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "staff": "staff",
    "status": "status",
    "address": "address",
    "business": "business",
    "access": "access",
    "series": "series",
    "news": "news",
    "alias": "alias",
    "bonus": "bonus",
    "campus": "campus",
    "addresses": "address",
    "matrices": "matrix",
    "indices": "index",
    "aliases": "alias",
    "statuses": "status",
    "movies": "movie",
    "sms": "sms",
    "basis": "basis",
    "analysis": "analysis",
}

# Words for somebody with data of their own. Those of the second kind may also be an organisation or a thing.
PERSON = listed(
    """
    user customer person patient student employee member contact client subscriber guest donor participant
    applicant candidate citizen resident passenger teacher pupil parent guardian doctor physician nurse driver
    visitor shopper buyer seller voter volunteer learner trainee beneficiary individual human userprofile
    appuser useraccount enduser consumer player athlete instructor staff worker lead prospect insured
    policyholder tourist nutzer kunde mitarbeiter benutzer mitglied usuario cliente utilisateur
    """
)
MAYBE_PERSON = listed("account partner profile agent admin administrator party login identity tenant")
# Of these, who works for somebody, and for whom. One of the first is none of the second.
_SERVING = listed(
    """
    staff employee worker teacher instructor doctor physician nurse driver trainer coach agent operator admin
    administrator clerk technician cashier seller courier salesperson moderator therapist lawyer
    """
)
_SERVED = listed(
    """
    customer client patient student pupil guest passenger shopper buyer donor subscriber visitor player resident
    citizen insured policyholder applicant candidate tourist consumer
    """
)
# Places where people are together, and what belongs to no single person.
GATHERING = listed(
    """
    tenant organization organisation org company team group workspace project folder space account community
    club channel room conversation thread board household family department division site shop store branch
    office school course class circle realm league agency namespace vendor merchant business forum category
    chat album list
    """
)

# Of these, what owns nothing: it is itself somebody's, or everybody's.
_OWNED_PLACES = listed(
    "project folder channel room conversation thread board chat album list category forum course class circle site"
)

_CREATED = listed("created creator create added entered inserted registered recorded imported")
_OWNING = listed(
    """
    owner author actor sender recipient receiver buyer purchaser payer payee holder poster uploader requester
    reporter applicant subscriber member follower followee followed participant attendee organizer organiser
    host guest voter customer user client patient student person contact lead buyer seller borrower renter
    donor passenger founder debtor creditor lender landlord captain chairman president director trainer coach
    mentor mentee spouse writer speaker publisher friend liker rater sub uid userid username login requestor
    addressee beneficiary claimant complainant source_user target_user
    """
)
_DEEDS_OF_OWNERS = listed(
    """
    written submitted posted uploaded requested ordered sent booked owned authored reported asked paid
    purchased bought signed rented borrowed filed lodged lent raised incurred complained donated pledged
    """
)
_ACTING = listed(
    """
    assignee assigned approver approved reviewer reviewed editor edited updater updated modified modifier
    changed closer closed locker locked moderator moderated inviter invited deleter deleted packer packed
    processor processed handler handled agent manager supervisor resolver resolved responsible verifier
    verified checked checker archived cancelled canceled completed confirmed exported released issued merged
    granted banned blocked published accepted rejected escalated watcher watching subscribed watched referrer
    referred operator cashier clerk staff employee technician write whodunnit triaged pinned hidden muted
    mention disabled revoked unlocked started stopped scheduled dispatched delivered shipped picked counted audited
    witness validated reconciled refunded voided transferred printed called impersonator impersonated support
    owner_changed viewer viewed seen read reader tagged mentioned liked
    """
)
# Without `by` these say to whom it was done: `blocked_id`, `invited_user_id`, `tagged_user_id`.
_DONE_TO = listed(
    """
    blocked banned invited muted tagged mentioned liked viewed called seen read referred accepted granted
    reviewed deleted verified rejected revoked impersonated transferred counted
    """
)
# Behind a word for a person these still mean the person.
_WHICH_ONE = listed("from to one two a b first second old new current main primary self other original real")
# Before a word for a person these say which one it is, as the names of roles and deeds do.
_OF_ROLES = listed(
    """
    by on behalf of for last next previous source target root ancestor related affected requesting inviting referring
    sending receiving paying initiating deputy backup emergency legal secondary third
    """
)
_PROFESSIONS = listed(
    """
    vet groomer breeder surgeon midwife carer caretaker caregiver barber hairdresser stylist tutor professor lecturer
    examiner engineer mechanic plumber electrician installer inspector adviser advisor consultant broker attorney judge
    notary translator interpreter photographer designer developer tester programmer waiter chef cook courier rider
    pilot captain cleaner gardener farmer keeper walker sitter nanny helper mediator interviewer recruiter sponsor
    planner buddy colleague head chief boss
    """
)
_OF_PROFESSIONS = re.compile(r"[a-z]{3,}(?:[aeo]logist|rapist|entist|ician|iatrist|iarian)")
_GLUED_TO = (
    listed("object item parent channel post message order product project task ticket topic thread document file event")
    | PERSON
    | MAYBE_PERSON
    | GATHERING
    | _CREATED
    | _OWNING
    | _ACTING
)
_FREE_TEXT = listed(
    """
    body content message text comment note notes description bio about remark remarks memo greeting question
    answer review feedback reply caption summary transcript letter biography statement
    """
)
_SPOKEN = listed(
    """
    comment message post reply note answer review remark response tweet status mail email
    """
)


@functools.lru_cache(maxsize=50_000)
def words(name: str) -> tuple[str, ...]:
    """`fk_OrderItems` → fk, order, item; `creatorid` → creator, id."""
    return tuple(_singular(part) for each in _PART.findall(name) for part in _unglued(each.lower()))


def _unglued(part: str) -> tuple[str, ...]:
    """The words of a name that nobody has set apart."""
    if (of_a_user := _OF_A_USER.fullmatch(part)) and (of_a_user[3] or of_a_user[4]):
        return tuple(each for each in of_a_user.groups() if each)
    glued = _GLUED.fullmatch(part)
    return glued.groups() if glued and glued[1] in _GLUED_TO else (part,)


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@functools.lru_cache(maxsize=50_000)
def meant(name: str) -> tuple[str, ...]:
    """The words without those that only say that it is a key: `fk_user_id` → user; `customer_no` → customer."""
    found = list(words(name))
    while len(found) > 1 and (found[-1] in _IDENTIFIER or found[-1].isdigit()):
        found.pop()
    if len(found) > 2 and found[-1] in ("from", "to") and found[-2] in _IDENTIFIER:
        found.pop(-2)
    while len(found) > 1 and found[0] in ("fk", "ref", "id", "f"):
        found.pop(0)
    return tuple(found)


def meant_by(place: Place) -> tuple[str, ...]:
    """The same of a place: in JSON the last key, or the one before where that is only `id`."""
    keys = [step for step in place.steps if step is not None]
    if not keys:
        return meant(place.columns[-1])
    last = meant(keys[-1])
    if last and last[-1] not in _IDENTIFIER | {"sub", "email", "mail", "phone", "name"}:
        return last
    return meant(keys[-2]) if len(keys) > 1 else (meant(place.column) + last)


def is_key_word(word: str) -> bool:
    return word in _IDENTIFIER


def is_created(said: tuple[str, ...]) -> bool:
    """`created_by`, `create_uid`, `creator`: an owner where nobody else is, else one who acted."""
    return any(word in _CREATED for word in said)


def is_acting(said: tuple[str, ...]) -> bool:
    """`approved_by`, `assigned_to`, `last_editor`: somebody who merely did something to the row."""
    if "by" in said:
        return not any(word in _DEEDS_OF_OWNERS for word in said)
    if any(word in _ACTING and word not in _DONE_TO for word in said):
        return True
    return "last" in said[:-1] and said[-1] in PERSON | MAYBE_PERSON


def is_unclear(said: tuple[str, ...]) -> bool:
    """`cleaned_by`, `sold_by`: a deed of which no list says whether the row is about whoever did it."""
    known = _ACTING | _DEEDS_OF_OWNERS | _CREATED
    return "by" in said and not known & set(said)


def is_direction(said: tuple[str, ...]) -> bool:
    """`from` and `to`: people, in a column for messages; a range, in one for prices."""
    return said in (("from",), ("to",))


def are_sides(said: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """`referrer` and `referred`, `inviter` and `invitee`: one deed, and somebody on either side of it."""
    return bool(_done_by(said) & _done_to(other) or _done_to(said) & _done_by(other))


def _done_by(said: tuple[str, ...]) -> set[str]:
    ending = _DONE if "by" in said else _DOER
    return {_stem(word, ending) for word in said if ending.search(word)}


def _done_to(said: tuple[str, ...]) -> set[str]:
    if "by" in said or "assigned" in said or "assignee" in said:
        return set()
    return {_stem(word, _DONE) for word in said if _DONE.search(word)}


def _stem(word: str, ending: re.Pattern[str]) -> str:
    bare = ending.sub("", word)
    return bare[:-1] if bare[-1] == bare[-2] else bare


def is_owning(said: tuple[str, ...]) -> bool:
    """`owner`, `author`, `sent_by`: whom a row is about, or by."""
    return any(word in _OWNING for word in said) or ("by" in said and any(word in _DEEDS_OF_OWNERS for word in said))


def means_a_person(said: tuple[str, ...]) -> bool:
    """Whether it could name a person at all."""
    return bool(said) and (
        is_created(said) or is_acting(said) or is_owning(said) or said[-1] in PERSON | MAYBE_PERSON or "by" in said
    )


def is_one_of_several(said: tuple[str, ...]) -> bool:
    """`user_from`, `user_modified`, `user_b`: which of the people of a row it is."""
    is_which = (
        said[-1] in _WHICH_ONE or (is_created(said[-1:]) or said[-1] in ("modified", "updated")) if said else False
    )
    return len(said) == 2 and said[0] in PERSON and is_which


def is_of_the_other_side(said: tuple[str, ...], head: str) -> bool:
    """`driver_id` where the people are customers: their numbers are alike, and they are not."""
    return bool(said) and any(
        said[-1] in one and head in other for one, other in ((_SERVING, _SERVED), (_SERVED, _SERVING))
    )


def is_another_thing(said: tuple[str, ...], names: frozenset[str]) -> bool:
    """`gl_account`, `user_agent`: a word for people behind one that is none of their roles. `names`: their table's."""
    kept = [word for word in said if word not in _WHICH_ONE and not word.isdigit()]
    if len(kept) < 2 or kept[-1] not in PERSON | MAYBE_PERSON | names:
        return False
    roles = PERSON | MAYBE_PERSON | _OWNING | _ACTING | _CREATED | _DEEDS_OF_OWNERS | _OF_ROLES
    return kept[-2:] == ["user", "agent"] or not set(kept[:-1]) <= roles | names


def is_a_profession(said: tuple[str, ...]) -> bool:
    """`surgeon`, `beta_tester`: somebody at work, whom no other list knows."""
    return bool(said) and (said[-1] in _PROFESSIONS or _OF_PROFESSIONS.fullmatch(said[-1]) is not None)


def is_amount(name: str) -> bool:
    """`guests_no`: how many, maybe; `customer_no` where the customers have one is theirs."""
    return words(name)[-1:] in {("no",), ("num",), ("number",)}


def ends_in_a_person(said: tuple[str, ...]) -> bool:
    """`buyer`, `user_from`, and not `customer_group` or `user_session`: what is somebody's is not somebody."""
    if "by" in said or is_direction(said):
        return True
    kept = [word for word in said if word not in _WHICH_ONE]
    known = PERSON | MAYBE_PERSON | _OWNING | _ACTING | _CREATED | _DEEDS_OF_OWNERS
    return bool(kept) and kept[-1] in known


def is_noun_for_a_person(said: tuple[str, ...]) -> bool:
    """The same without `id` behind it: `author`, `created_by`, `assigned_to`, and not `viewed` or `read`."""
    if "by" in said[1:] or said[-2:] == ("assigned", "to"):
        return True
    last = said[-1] if said else ""
    return last in PERSON | MAYBE_PERSON | _OWNING | {"whodunnit", "creator"} or (
        last in _ACTING and last.endswith(("er", "or", "ee", "agent", "staff", "clerk", "technician", "responsible"))
    )


def is_plural(name: str) -> bool:
    """`followers`: a number of people rather than one of them."""
    parts = _PART.findall(name)
    return bool(parts) and _singular(parts[-1].lower()) != parts[-1].lower()


def is_gathering(said: tuple[str, ...]) -> bool:
    return bool(said) and said[-1] in GATHERING


def can_own(said: tuple[str, ...]) -> bool:
    """`company`, `team`, and not `project`: what an `owner_id` may mean beside a person."""
    return is_gathering(said) and said[-1] not in _OWNED_PLACES


def is_free_text(said: tuple[str, ...]) -> bool:
    return bool(said) and said[-1] in _FREE_TEXT


def is_spoken(said: tuple[str, ...]) -> bool:
    """`comments`, `messages`: something that one person says, and others answer."""
    return bool(said) and said[-1] in _SPOKEN


def condition(column: str, values: tuple[str, ...]) -> str:
    """`column = 'value'`, or one of several."""
    quoted = ["'" + value.replace("'", "''") + "'" for value in values]
    place = str(Place((column,)))
    text = f"{place} = {quoted[0]}" if len(quoted) == 1 else f"{place} in ({', '.join(quoted)})"
    return str(Condition.parse(text))
