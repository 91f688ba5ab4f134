"""Faults as text, JSON and SARIF; and that each code is explained in the docs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from datamap.check.report import as_json, sarif, text
from datamap.check.rules import RULES
from datamap.document import Document
from datamap.fault import Fault

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = Document.parse(
    "version: 1\ncontroller: {name: A, contact: b, authority: c}\nsubject: {table: users, key: id}\n", name="a map.yaml"
)
FAULTS = [
    Fault(code="keep_law", message="It is kept", where=("tables", "t", "keep"), remedy="write law", line=4, column=7),
    Fault(
        code="index_missing", message="No index", severity="note", remedy="create index\non t (u);", line=9, column=1
    ),
    Fault(code="backups", message="Nothing says when", severity="warning"),
]


def test_a_text_has_a_place_a_sentence_and_what_to_do() -> None:
    assert text(FAULTS, DOCUMENT.name, notes=True).splitlines() == [
        "a map.yaml:4:7: error: It is kept (keep_law)",
        "    write law",
        "a map.yaml:9:1: note: No index (index_missing)",
        "    create index",
        "    on t (u);",
        "a map.yaml: warning: Nothing says when (backups)",
        "1 error (keep_law 1), 1 warning (backups 1), 1 note (index_missing 1)",
    ]


def test_notes_are_shown_to_whoever_asks_and_else_only_counted() -> None:
    *others, last = text(FAULTS, DOCUMENT.name).splitlines()
    assert [line.split(": ")[1] for line in others if line.startswith("a map")] == ["error", "warning"]
    assert "create index" not in "".join(others)
    assert last == "1 error (keep_law 1), 1 warning (backups 1), 1 note (index_missing 1): --notes shows them"
    assert text(FAULTS[1:2], DOCUMENT.name) == "1 note (index_missing 1): --notes shows them"
    assert "--notes" not in text(FAULTS[:1], DOCUMENT.name)
    assert len(json.loads(as_json(FAULTS))) == len(json.loads(sarif(FAULTS, DOCUMENT.name))["runs"][0]["results"]) == 3


def test_no_fault_is_said_to_be_none() -> None:
    assert text([], DOCUMENT.name) == "No faults"
    assert json.loads(as_json([])) == []
    assert json.loads(sarif([], DOCUMENT.name))["runs"][0]["results"] == []


WORDS = st.text(st.characters(categories=["L", "N"], include_characters="-_:,;{}[]()."), min_size=1, max_size=30)
QUOTED = st.builds("{0}{1}{0}".format, st.sampled_from("'\"`"), st.lists(WORDS, min_size=1, max_size=12).map(" ".join))


@given(st.lists(WORDS | QUOTED, min_size=1, max_size=40))
def test_a_remedy_is_broken_between_words_and_nowhere_within_quotes(words: list[str]) -> None:
    fault = Fault(code="keep", message="It is", remedy=" ".join(words))
    lines = text([fault], "m").splitlines()[1:-1]
    assert " ".join(line.strip() for line in lines) == " ".join(words)
    for line in lines:
        assert line.startswith("    ")
        assert len(line) <= 100 or line.strip() in words
    assert all(any(word in line for line in lines) for word in words)


def test_a_comment_goes_on_as_one_and_an_apostrophe_opens_nothing() -> None:
    remedy = "-- " + "word " * 30 + "\n" + "the others' " + "text " * 40 + "of the others' own"
    lines = text([Fault(code="keep", message="It is", remedy=remedy.rstrip())], "m").splitlines()[1:-1]
    comments = [line for line in lines if "word word" in line]
    assert len(comments) > 1
    assert all(line.startswith("    -- word") for line in comments)
    assert max(map(len, lines)) <= 100


def test_the_sentence_itself_stays_on_one_line() -> None:
    assert text([Fault(code="keep", message="It is " + "so " * 60 + "done")], "m").splitlines()[0].endswith("(keep)")


def test_several_of_a_code_are_counted() -> None:
    assert text([FAULTS[0], FAULTS[0]], DOCUMENT.name).splitlines()[-1] == "2 errors (keep_law 2)"


def test_json_has_everything_that_a_fault_has() -> None:
    assert json.loads(as_json(FAULTS))[0] == {
        "code": "keep_law",
        "severity": "error",
        "message": "It is kept",
        "remedy": "write law",
        "where": ["tables", "t", "keep"],
        "line": 4,
        "column": 7,
    }
    last = json.loads(as_json(FAULTS))[2]
    assert (last["line"], last["column"], last["where"]) == (None, None, [])


def test_sarif_names_rules_levels_and_places() -> None:
    log = json.loads(sarif(FAULTS, DOCUMENT.name))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["backups", "index_missing", "keep_law"]
    assert rules[2]["shortDescription"] == {"text": RULES["keep_law"]}
    first = run["results"][0]
    assert (first["ruleId"], rules[first["ruleIndex"]]["id"], first["level"]) == ("keep_law", "keep_law", "error")
    assert first["message"] == {"text": "It is kept\nwrite law"}
    place = first["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "a%20map.yaml"},
        "region": {"startLine": 4, "startColumn": 7},
    }
    assert run["results"][0]["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": FAULTS[0].path}]
    assert "logicalLocations" not in run["results"][2]["locations"][0]
    assert "region" not in run["results"][2]["locations"][0]["physicalLocation"]


LINES = st.integers(0, 10_000)
ANY = st.builds(
    Fault, code=st.sampled_from(sorted(RULES)), message=st.text(min_size=1), line=LINES, column=LINES,
    severity=st.sampled_from(["error", "warning", "note"]), remedy=st.none() | st.text(),
    where=st.lists(st.text() | st.integers(0, 9), max_size=4).map(tuple),
)  # fmt: skip


@given(st.lists(ANY, max_size=6))
def test_whatever_the_faults_are_the_log_is_one_that_readers_take(faults: list[Fault]) -> None:
    run: dict[str, Any] = json.loads(sarif(faults, DOCUMENT.name))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(faults)
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result, fault in zip(run["results"], faults, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == fault.code
        assert result["level"] in ("error", "warning", "note")
        region = result["locations"][0]["physicalLocation"].get("region")
        assert (region is None) == (fault.line == 0)
        assert region is None or (region["startLine"] >= 1 and region["startColumn"] >= 1)


# How things are said ------------------------------------------------------------------------------------------------

_NOT_SO = re.compile(r"\?\.|\.\.|  | [,;:.](?:\s|$)|\bNone\b|\s$|^\s|\.$")
_SAYS_SO_ITSELF = ("map.kind", "map.yaml", "map.twice", "map.endless")
_BEGINS = re.compile(r"""[A-Z"'`\d{]|\w+[.:*/]|[\w$-]+,""")


def is_well_said(fault: Fault) -> bool:
    """One sentence that begins with a capital or a name; and what to do, where it does not say so itself."""
    begins = fault.message.split(" ")[0].rstrip(",")
    assert _BEGINS.match(fault.message) or begins in map(str, fault.where) or fault.code == "map.yaml", fault.message
    for line in (fault.message, *(fault.remedy or "").splitlines()):
        assert not _NOT_SO.search(line), line
        assert line.count("(") == line.count(")"), line
        assert line.count("`") % 2 == 0, line
    assert fault.remedy or fault.code in _SAYS_SO_ITSELF, fault
    return True


# The codes ----------------------------------------------------------------------------------------------------------


def _headings() -> list[str]:
    lines = (ROOT / "docs" / "checks.md").read_text().splitlines()
    return [code for line in lines if line.startswith("### ") for code in re.findall(r"`([\w.]+)`", line)]


def test_each_code_has_one_heading_in_the_docs_and_each_heading_a_code() -> None:
    assert sorted(_headings()) == sorted(RULES)


def test_each_code_in_the_source_is_a_rule_and_each_rule_is_in_the_source() -> None:
    sources = {path: path.read_text() for path in (ROOT / "datamap").glob("**/*.py") if path.stem != "rules"}
    used = {code for text in sources.values() for code in re.findall(r'\b(?:code=|_fault\(\s*)"([\w.]+)"', text)}
    assert {code for code in used if not code.startswith("fides.")} - {"partial", "unknown", "ambiguous"} <= set(RULES)
    everything = "\n".join([*sources.values(), (ROOT / "shared" / "patterns.py").read_text()])
    assert not [
        code for code in RULES if f'"{code}"' not in everything and f'"{code.partition(".")[2]}"' not in everything
    ]
