"""`gdpr request`, and `gdpr ledger checkpoint | proof | query`, as somebody at a terminal meets them."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import cursor

from functions.audit_logging.cases import Cases
from functions.audit_logging.ledger import Ledger
from gdpr.commands import gdpr, run
from shared import clock
from shared.addresses import PostgresAddress
from shared.asked import Asked, Rejected
from shared.bucket import Folder
from shared.database import Database
from shared.errors import LedgerBehind
from shared.keys import Keys
from shared.plan import Plan
from shared.reasons import TO_EXTEND, TO_REFUSE
from tests.integration.people import NOW, event
from tests.run import as_role

CANARY = "kanarie"
NUMBER = str(uuid.UUID(int=1))
REFUSAL = ("--reason", "no_ground", "--text-ref", "L-18", "--authority", "Berlin DPA", "--remedy", "VG Berlin")


@dataclass(frozen=True, kw_only=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Gdpr = Callable[..., Said]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@pytest.fixture
def typed(
    postgres: PostgresAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Gdpr:
    """A command as it is typed, in an environment as the function's."""
    monkeypatch.setenv("DATABASE_URL", as_role(postgres, "gdpr_audit").url())
    for name in ("KEYS_BUCKET", "LEDGER_BUCKET"):
        monkeypatch.setenv(name, f"file://{tmp_path}/{name.split('_')[0].lower()}")
    Keys(bucket=Folder(tmp_path / "keys")).make(log="ledger")

    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["gdpr", *words])
        capsys.readouterr()
        status = run()
        out, err = capsys.readouterr()
        return Said(status=status, out=out, err=err)

    return call


@pytest.fixture
def register(typed: Gdpr, plan: Plan, tmp_path: Path) -> Callable[..., Said]:
    """A request of Otto's, received on 20 November 2026 and due on 21 December, unless it says otherwise."""

    def call(number: int = 1, /, phone: str = "0171", **more: Any) -> Said:
        (tmp_path / "request.json").write_text(json.dumps(event(number, phone=phone) | more))
        return typed("request", "register", str(tmp_path / "request.json"))

    return call


@pytest.fixture
def registered(register: Callable[..., Said]) -> str:
    done = register()
    assert (done.status, done.out) == (0, "in progress, due on 2026-12-21\n")
    return NUMBER


def kinds(people: cursor) -> list[str]:
    people.execute("select kind from gdpr.entry order by id")
    return [kind for (kind,) in people.fetchall()]


class TestRegister:
    def test_it_is_what_the_function_registers(self, registered: str, people: cursor) -> None:
        people.execute("select subject_request_id::text, action, request_type, due_at from gdpr.request")
        assert people.fetchall() == [(NUMBER, "erase", "erasure", datetime(2026, 12, 21, 23, tzinfo=UTC))]
        assert kinds(people) == ["request.registered"]

    def test_it_is_read_from_standard_input_as_well(
        self, typed: Gdpr, plan: Plan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raw = json.dumps(event(1, phone="0171")).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        done = typed("request", "register", "-", "--json")
        assert (done.status, done.data["status"]) == (0, "in_progress")

    def test_who_is_nobody_here_is_an_answer_of_no(self, register: Callable[..., Said]) -> None:
        done = register(phone=f"{CANARY}0170")
        assert (done.status, done.out) == (1, "not identified (unknown)\n")
        assert "has to be told so: gdpr request notify" in done.err
        assert CANARY not in done.out + done.err

    def test_faults_are_told_with_their_places_and_no_value(
        self, register: Callable[..., Said], people: cursor
    ) -> None:
        done = register(subject_request_type=CANARY, submitted_time=CANARY)
        assert done.status == 2
        assert "subject_request_type: this is to be one of erasure; " in done.err
        assert "submitted_time: this is to be an instant with its zone" in done.err
        assert CANARY not in done.err
        assert kinds(people) == []

    @pytest.mark.parametrize("content", ["", "[]", "no json", '{"a": 1, "a": 2}', f'"{CANARY}"'])
    def test_what_is_no_request_is_said_in_a_sentence(
        self, typed: Gdpr, plan: Plan, tmp_path: Path, content: str
    ) -> None:
        file = tmp_path / "odd.json"
        file.write_text(content)
        done = typed("request", "register", str(file))
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert done.err.startswith(f"{file}")
        assert "see docs/requests.md for one" in done.err
        assert CANARY not in done.err

    def test_a_file_that_is_not_there_is_named(self, typed: Gdpr, tmp_path: Path) -> None:
        done = typed("request", "register", str(tmp_path / "none.json"))
        assert (done.status, done.err) == (
            2,
            f"{tmp_path}/none.json cannot be read (FileNotFoundError): name a file that is there.\n",
        )


class TestSteps:
    def test_a_pause_and_its_end(self, typed: Gdpr, registered: str, people: cursor) -> None:
        with clock.standing_at(NOW + timedelta(days=1)):
            paused = typed("request", "pause", NUMBER, "--by", "privacy-officer")
            assert (paused.status, paused.out) == (0, "in progress, due on 2026-12-21\n")
        with clock.standing_at(NOW + timedelta(days=9)):
            resumed = typed("request", "resume", NUMBER, "--by", "privacy-officer")
            assert (resumed.status, resumed.out) == (0, "in progress, due on 2026-12-28\n")
        assert kinds(people) == ["request.registered", "request.asked", "request.answered"]

    def test_an_extension_says_what_is_left_to_do(self, typed: Gdpr, registered: str) -> None:
        words = ("request", "extend", NUMBER, "--by", "officer", "--reason", "complexity", "--text-ref", "L-1")
        first = typed(*words)
        assert (first.status, first.out) == (0, "in progress, due on 2026-12-21\n")
        assert first.err == (
            "It counts once the person has been told: again, with --at 2026-11-20T12:00:00+00:00 --notified-at TIME\n"
        )
        at = "2026-11-20T12:00:00+00:00"
        second = typed(*words, "--at", at, "--notified-at", at)
        assert (second.status, second.out, second.err) == (0, "in progress, due on 2027-02-22\n", "")

    def test_a_refusal_ends_it_and_the_person_has_to_be_told(
        self, typed: Gdpr, registered: str, people: cursor
    ) -> None:
        done = typed("request", "refuse", NUMBER, "--by", "privacy-officer", *REFUSAL)
        assert (done.status, done.out) == (0, "refused (no_ground)\n")
        assert done.err == f"The person has to be told: gdpr request notify {NUMBER} --by ROLE\n"
        told = typed("request", "notify", NUMBER, "--by", "privacy-officer", "--json")
        assert (told.status, told.data["status"]) == (0, "refused")
        assert kinds(people) == ["request.registered", "request.refused", "request.notified"]

    def test_who_may_not_log_in_as_the_auditor_refuses_nothing(
        self, typed: Gdpr, registered: str, people: cursor, postgres: PostgresAddress
    ) -> None:
        """There is no door for officers here but the address itself (threat model A11)."""
        for role in ("gdpr_export", "gdpr_erase", "gdpr_verify"):
            address = as_role(postgres, role).url()
            done = typed("request", "refuse", NUMBER, "--by", "officer", *REFUSAL, "--database-url", address)
            assert done.status == 1
            assert "connect as gdpr_audit: `gdpr db rotate gdpr_audit` prints its address" in done.err
        assert kinds(people) == ["request.registered"]

    def test_a_reason_that_is_mistyped_is_answered_with_the_nearest(self, typed: Gdpr, registered: str) -> None:
        words = ("request", "extend", NUMBER, "--by", "officer", "--text-ref", "L-1", "--reason")
        assert typed(*words, "complexty") == Said(
            status=2, out="", err="That is no reason to extend a deadline: did you mean complexity?\n"
        )
        refusing = ("request", "refuse", NUMBER, "--by", "officer", *REFUSAL[2:], "--reason", "noground")
        assert typed(*refusing).status == 0

    def test_what_the_law_does_not_allow_is_no_and_what_is_mistyped_is_misuse(
        self, typed: Gdpr, registered: str
    ) -> None:
        typed("request", "refuse", NUMBER, "--by", "officer", *REFUSAL)
        closed = typed("request", "pause", NUMBER, "--by", "officer")
        assert (closed.status, closed.err) == (1, "This request is refused: nothing can be added to it.\n")
        late = typed("request", "notify", NUMBER, "--by", "Officer")
        assert (late.status, late.err) == (
            2,
            "--by: this is to be a code of small letters, digits and - . _.\n",
        )

    def test_a_time_without_its_zone_is_told_by_its_flag(self, typed: Gdpr, registered: str) -> None:
        done = typed("request", "pause", NUMBER, "--by", "officer", "--at", "2026-11-20T09:00:00")
        assert done.err == "--at: this is to be an instant with its zone, such as 2026-11-20T09:00:00+01:00.\n"
        assert done.status == 2

    def test_a_restored_database_takes_no_step(
        self,
        typed: Gdpr,
        registered: str,
        people: cursor,
        register: Callable[..., Said],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # threat model A2
        def behind(_: Ledger) -> None:
            raise LedgerBehind("This database's ledger has 1 entries, and 7 are anchored", where="here")

        monkeypatch.setattr(Ledger, "be_whole", behind)
        before = kinds(people)
        more = ("--reason", "complexity", "--text-ref", "L-1")
        for words in (("pause",), ("resume",), ("extend", *more), ("refuse", *REFUSAL), ("notify",)):
            assert typed("request", words[0], NUMBER, "--by", "officer", *words[1:]).status == 1
        assert register(2).status == 1
        assert kinds(people) == before

    def test_an_unknown_number_is_said_so(self, typed: Gdpr, registered: str) -> None:
        done = typed("request", "show", str(uuid.UUID(int=77)))
        assert (done.status, done.err) == (
            2,
            "There is no request of this number: `gdpr request list` shows those that there are.\n",
        )
        none = typed("request", "show", CANARY)
        assert (none.status, none.err) == (2, "NUMBER: this is to be a UUID in small letters.\n")

    def test_one_number_may_stand_for_two_requests(self, typed: Gdpr, register: Callable[..., Said]) -> None:
        register()
        other = typed("request", "show", NUMBER, "--right", "access")
        assert (other.status, other.err) == (
            2,
            "The request of this number is one of erasure: --right erasure, or leave it out.\n",
        )
        decision = {k: v for k, v in event(1)["decision"].items() if k != "ground"}
        assert register(action="export", subject_request_type="access", decision=decision).status == 0
        unclear = typed("request", "pause", NUMBER, "--by", "officer")
        assert (unclear.status, unclear.err) == (
            2,
            "Requests of access and erasure have this number: say which: --right.\n",
        )
        assert typed("request", "pause", NUMBER, "--by", "officer", "--right", "access").status == 0


class TestList:
    @pytest.fixture
    def several(self, typed: Gdpr, register: Callable[..., Said]) -> None:
        """4 is overdue, 3 and 5 are due next on one day, 2 waits for an answer; 1, due before, is over."""
        received = {1: "10-05", 2: "11-18", 3: "11-17", 4: "10-01", 5: "11-17"}
        for number, day in received.items():
            assert register(number, submitted_time=f"2026-{day}T09:00:00Z").status == 0
        typed("request", "refuse", str(uuid.UUID(int=1)), "--by", "officer", *REFUSAL)
        typed("request", "pause", str(uuid.UUID(int=2)), "--by", "officer")

    def test_open_ones_come_first_by_what_is_due(self, typed: Gdpr, several: None) -> None:
        done = typed("request", "list")
        assert (done.status, done.err) == (0, "")
        header, *lines = done.out.splitlines()
        assert header.split() == ["number", "right", "status", "due", "on", "left"]
        assert sorted(lines[1:3]) == [
            "00000000-0000-0000-0000-000000000003  erasure  in progress  2026-12-17    27",
            "00000000-0000-0000-0000-000000000005  erasure  in progress  2026-12-17    27",
        ]
        assert [lines[0], *lines[3:]] == [
            "00000000-0000-0000-0000-000000000004  erasure  in progress  2026-11-02   -18",
            "00000000-0000-0000-0000-000000000002  erasure  waiting      2026-12-18    28",
            "00000000-0000-0000-0000-000000000001  erasure  refused      2026-11-05",
        ]

    @pytest.mark.parametrize(
        ("words", "numbers"),
        [
            (["--open"], {2, 3, 4, 5}),
            (["--overdue"], {4}),
            (["--right", "access"], set()),
            (["--right", "erasure", "--limit", "200"], {1, 2, 3, 4, 5}),
            (["--open", "--limit", "1"], {4}),
        ],
    )
    def test_filters(self, typed: Gdpr, several: None, words: list[str], numbers: set[int]) -> None:
        found = typed("request", "list", "--json", *words).data["requests"]
        assert {uuid.UUID(each["subject_request_id"]).int for each in found} == numbers

    def test_nothing_to_list_is_said(self, typed: Gdpr, plan: Plan) -> None:
        assert typed("request", "list") == Said(status=0, out="", err="There are no such requests.\n")

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    def test_pages_are_the_list_without_a_gap_or_a_double(self, typed: Gdpr, several: None, limit: int) -> None:
        whole = [each["subject_request_id"] for each in typed("request", "list", "--json").data["requests"]]
        found: list[str] = []
        after: list[str] = []
        while True:
            page = typed("request", "list", "--json", "--limit", str(limit), *after).data
            found += [each["subject_request_id"] for each in page["requests"]]
            if "after" not in page:
                break
            after = ["--after", page["after"]]
        assert found == whole

    @pytest.mark.parametrize("after", [CANARY, "0 2026-12-21 x", "0 yesterday 00000000-0000-0000-0000-000000000001"])
    def test_a_page_begins_where_one_ended(self, typed: Gdpr, plan: Plan, after: str) -> None:
        done = typed("request", "list", "--after", after)
        assert (done.status, done.err) == (2, "--after: this is to be what the page before had under `after`.\n")

    def test_a_line_fits_the_screen_whatever_stands_in_it(self, typed: Gdpr, several: None, people: cursor) -> None:
        people.execute("alter table gdpr.request disable trigger all")
        people.execute("update gdpr.request set request_type = 'portability', action = 'export'")
        for status in ("not_identified", "suspended_by_restore", "in_progress"):
            people.execute("update gdpr.request set status = %s", (status,))
            with clock.standing_at(NOW + timedelta(days=400)):
                lines = typed("request", "list").out.splitlines()
            assert max(map(len, lines)) <= 80

    def test_one_that_cannot_be_read_hides_no_other(self, typed: Gdpr, several: None, people: cursor) -> None:
        people.execute(
            "update gdpr.request set deadline = '{}' where subject_request_id = %s", (str(uuid.UUID(int=3)),)
        )
        lines = typed("request", "list", "--open").out.splitlines()
        assert {line.split()[0][-1] for line in lines[1:]} == set("2345")
        assert ["unreadable" in line for line in lines if line.split()[0].endswith("3")] == [True]


class TestShow:
    def test_the_whole_case_and_nobody_in_it(self, typed: Gdpr, registered: str, people: cursor) -> None:
        typed("request", "pause", NUMBER, "--by", "officer")
        typed("request", "resume", NUMBER, "--by", "officer")
        at = "2026-11-20T12:00:00+00:00"
        more = ("--reason", "complexity", "--text-ref", "L-17", "--at", at, "--notified-at", at)
        typed("request", "extend", NUMBER, "--by", "officer", *more)
        typed("request", "refuse", NUMBER, "--by", "officer", *REFUSAL)
        done = typed("request", "show", NUMBER)
        assert done.status == 0, done.err
        assert max(map(len, done.out.splitlines())) <= 80
        for part in (
            "status           refused (no_ground)",
            "received         2026-11-19 23:30Z",
            "asked 2026-11-20 12:00Z  answered 2026-11-20 12:00Z",
            "complexity, L-17",
            "no_ground, L-18",
            "by officer",
            "extension  by 2026-12-21 23:00Z  told 2026-11-20 12:00Z",
            "refusal    by 2026-12-21 23:00Z  not told",
            "request.registered",
            "request.refused",
        ):
            assert part in done.out, part
        machine = typed("request", "show", NUMBER, "--json").out
        for personal in ("otto", "0171", "Berlin DPA", "VG Berlin", "D-17"):
            assert personal not in done.out + machine
        assert kinds(people)[-1] == "ledger.queried"

    def test_it_tells_a_machine_all_of_it(self, typed: Gdpr, registered: str) -> None:
        found = typed("request", "show", NUMBER, "--json").data
        assert found["deadline"]["due_statutory"] == found["due_on"] == "2026-12-21"
        assert (found["days_left"], found["is_open"], found["is_overdue"]) == (31, True, False)
        assert [entry["kind"] for entry in found["entries"]] == ["request.registered"]
        assert not {"person", "decision", "sealed", "subject_identities"} & set(found)

    def test_who_looked_is_told_to_the_ledger(self, typed: Gdpr, registered: str, people: cursor) -> None:  # R80
        typed("request", "show", NUMBER, "--by", "auditor")
        people.execute("select convert_from(substr(body, 2), 'UTF8') from gdpr.entry where kind = 'ledger.queried'")
        [(text,)] = people.fetchall()
        said = json.loads(text)
        assert (said["role"], said["code"], said["size"]) == ("auditor", "case", 1)


class TestLedger:
    def test_a_checkpoint_is_anchored_and_then_nothing_is_new(
        self, typed: Gdpr, registered: str, tmp_path: Path
    ) -> None:
        first = typed("ledger", "checkpoint")
        assert (first.status, first.out, first.err) == (0, "ledger/1  1 entry\n", "")
        assert list((tmp_path / "ledger" / "1" / "checkpoints").iterdir())
        again = typed("ledger", "checkpoint")
        assert (again.out, again.err) == ("ledger/1  1 entry\n", "It was anchored already.\n")
        assert typed("ledger", "checkpoint", "--json").data["is_new"] is False

    def test_a_proof_is_what_verify_takes(self, typed: Gdpr, registered: str, tmp_path: Path) -> None:
        entry = typed("request", "show", NUMBER, "--json").data["entries"][0]
        early = typed("ledger", "proof", "--event", entry["event"])
        assert (early.status, early.err) == (
            2,
            "No checkpoint covers this entry yet: `gdpr ledger checkpoint` makes one.\n",
        )
        typed("ledger", "checkpoint")
        key = typed("keys", "show").out.strip()
        written = typed("ledger", "proof", "--event", entry["event"], "--out", str(tmp_path / "mine"))
        assert written.out == f"{tmp_path}/mine.tlog-proof\n{tmp_path}/mine.bin\n"
        words = ("--proof", str(tmp_path / "mine.tlog-proof"), "--entry", str(tmp_path / "mine.bin"), "--key", key)
        assert typed("ledger", "verify", *words).status == 0
        shown = typed("ledger", "proof", "--event", entry["event"])
        assert shown.out == (tmp_path / "mine.tlog-proof").read_text()
        assert typed("ledger", "proof", "--event", entry["event"], "--json").data["index"] == 0

    def test_one_checkpoint_is_proved_to_be_the_beginning_of_another(
        self, typed: Gdpr, registered: str, register: Callable[..., Said]
    ) -> None:
        typed("ledger", "checkpoint")
        register(2)
        size = typed("ledger", "checkpoint", "--json").data["size"]
        shown = typed("ledger", "proof", "--old", "1", "--new", str(size)).data
        assert "ledger/1\n1\n" in shown["old"]
        assert f"ledger/1\n{size}\n" in shown["new"]
        assert typed("ledger", "proof", "--old", "1", "--new", "77").err == (
            "There is no checkpoint of size 77: `query` lists them.\n"
        )

    @pytest.mark.parametrize(
        "words", [[], ["--event", "x", "--old", "1"], ["--old", "1"], ["--new", "1"], ["--old", "1", "--out", "x"]]
    )
    def test_a_proof_is_of_one_thing(self, typed: Gdpr, plan: Plan, words: list[str]) -> None:
        assert typed("ledger", "proof", *words).status == 2

    def test_entries_are_listed_by_what_they_are_about(self, typed: Gdpr, registered: str, people: cursor) -> None:
        done = typed("ledger", "query", "--kind", "request.registered")
        header, line = done.out.splitlines()
        assert header.split() == ["id", "at", "kind", "writer"]
        assert re.fullmatch(r"\d+ +2026-11-\d\dT\d\d:\d\d:\d\dZ  request\.registered  gdpr_audit", line)
        assert max(map(len, done.out.splitlines())) <= 80
        register = typed("request", "show", NUMBER, "--json").data["request_id"]
        assert [e["kind"] for e in typed("ledger", "query", "--request", register, "--json").data["entries"]] == [
            "request.registered"
        ]
        mine = typed("ledger", "query", "--identity", "phone=0171", "--subject-kind", "user", "--json").data["entries"]
        assert [each["kind"] for each in mine] == ["request.registered"]
        people.execute("select count(*) from gdpr.entry where kind = 'ledger.queried'")
        assert people.fetchone() == (4,)

    def test_there_is_more_behind_the_limit(self, typed: Gdpr, registered: str, register: Callable[..., Said]) -> None:
        register(2)
        first = typed("ledger", "query", "--limit", "1")
        before = first.err.split()[-1]
        assert first.err == f"There may be more: --before {before}\n"
        second = typed("ledger", "query", "--limit", "1", "--before", before, "--json").data["entries"]
        assert second[0]["id"] < int(before)


class TestSettings:
    @pytest.mark.parametrize(
        ("variable", "words", "said"),
        [
            ("DATABASE_URL", ["request", "list"], "DATABASE_URL is not set: set it, or pass --database-url.\n"),
            (
                "KEYS_BUCKET",
                ["ledger", "checkpoint"],
                "KEYS_BUCKET is not set: set it, or pass --keys-bucket: it names the bucket or folder of the keys.\n",
            ),
            (
                "LEDGER_BUCKET",
                ["ledger", "checkpoint"],
                "LEDGER_BUCKET is not set: set it, or pass --ledger-bucket:"
                " it names the bucket or folder that the ledger is anchored in.\n",
            ),
        ],
    )
    def test_what_is_missing_is_named_with_how_to_set_it(
        self, typed: Gdpr, plan: Plan, monkeypatch: pytest.MonkeyPatch, variable: str, words: list[str], said: str
    ) -> None:
        monkeypatch.delenv(variable)
        assert typed(*words) == Said(status=2, out="", err=said)

    def test_nothing_is_asked_for_that_is_not_needed(
        self, typed: Gdpr, registered: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("KEYS_BUCKET", "LEDGER_BUCKET"):
            monkeypatch.delenv(name)
        for words in (["list"], ["show", NUMBER], ["pause", NUMBER, "--by", "officer"]):
            assert typed("request", *words).status == 0
        assert typed("ledger", "query").status == 0

    def test_a_flag_wins_over_the_environment(
        self, typed: Gdpr, registered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LEDGER_BUCKET", f"file://{tmp_path}/other")
        done = typed("ledger", "checkpoint", "--ledger-bucket", f"file://{tmp_path}/ledger")
        assert done.out == "ledger/1  1 entry\n"

    def test_the_address_may_lie_in_an_object(
        self, typed: Gdpr, registered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "addresses").mkdir()
        (tmp_path / "addresses" / "gdpr_audit").write_text(os.environ["DATABASE_URL"])
        monkeypatch.setenv("DATABASE_URL", f"file://{tmp_path}/addresses/gdpr_audit")
        assert typed("request", "list").status == 0

    def test_no_error_shows_a_password(self, typed: Gdpr, plan: Plan, postgres: PostgresAddress) -> None:
        for wrong in (
            replace(as_role(postgres, "gdpr_audit"), password=CANARY).url(),
            f"postgresql://gdpr_audit:{CANARY}#x@127.0.0.1/shop",
            f"mysql://gdpr_audit:{CANARY}@127.0.0.1/shop",
        ):
            done = typed("request", "list", "--database-url", wrong)
            assert done.status in (1, 2)
            assert done.err.count("\n") == 1
            assert CANARY not in done.out + done.err

    def test_a_database_without_the_schema_says_what_to_run(self, typed: Gdpr, empty_postgres: PostgresAddress) -> None:
        done = typed("request", "list", "--database-url", empty_postgres.url())
        assert (done.status, done.err) == (
            2,
            f"Schema gdpr is not installed at {empty_postgres.where}:"
            " run `gdpr db migrate` first, as an administrator.\n",
        )


@pytest.mark.parametrize(
    "words",
    [("request", name) for name in ("list", "show", "pause", "resume", "extend", "refuse", "notify", "register")]
    + [("ledger", name) for name in ("checkpoint", "proof", "query")],
)
def test_every_command_has_an_example(words: tuple[str, str], typed: Gdpr) -> None:
    shown = typed(*words, "--help")
    assert shown.status == 0
    assert "Example:" in shown.out
    assert f"gdpr {' '.join(words)}" in shown.out


def test_the_closed_lists_are_in_the_help(typed: Gdpr) -> None:
    for name, reasons in (("extend", TO_EXTEND), ("refuse", TO_REFUSE)):
        shown = " ".join(typed("request", name, "--help").out.split())
        assert ", ".join(reasons) in shown


def test_a_mistyped_step_is_answered_with_the_one_that_was_meant(typed: Gdpr) -> None:
    assert "Did you mean 'extend'?" in typed("request", "extnd").err
    assert set(gdpr.commands) >= {"db", "map", "plan", "ledger", "keys", "request"}


def test_the_function_lists_and_shows_alike(typed: Gdpr, registered: str, postgres: PostgresAddress) -> None:
    with closing(Database(as_role(postgres, "gdpr_audit"), application="gdpr-tests")) as database:
        cases = Cases(database=database)
        assert cases.list(Asked({})) == typed("request", "list", "--json").data
        with pytest.raises(Rejected) as unknown:
            cases.show(
                Asked(
                    {
                        "subject_request_id": str(uuid.UUID(int=9)),
                        "subject_request_type": "erasure",
                        "by_role": "auditor",
                    }
                )
            )
    assert [fault.code for fault in unknown.value.faults] == ["request_unknown"]
