"""The rules of the house: what imports what, what is locked, what fits on a screen."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from shared.queries import SQL, query

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("data_export", "data_deletion", "audit_logging")


def tracked(*patterns: str) -> list[Path]:
    """The files that git knows, or would know with the next commit; without a repository, those that are there."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]
    hidden = re.compile(r"/(\.|__pycache__|dist/)")
    found = (path for pattern in patterns or ("*",) for path in ROOT.glob(pattern.replace("/*", "/**/*")))
    return [path for path in found if path.is_file() and not hidden.search(f"/{path.relative_to(ROOT)}")]


def imports(module: Path) -> set[str]:
    tree = ast.parse(module.read_text())
    named = {each.module for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) and each.module}
    return named | {name.name for each in ast.walk(tree) if isinstance(each, ast.Import) for name in each.names}


def top_levels(module: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(module)}


def test_shared_imports_nothing_that_stands_on_it() -> None:
    for module in tracked("shared/*.py"):
        assert not top_levels(module) & {"functions", "gdpr", "verifier", "local", "demo", "bench", "tests"}, module


def test_functions_import_shared_and_never_each_other() -> None:
    for module in tracked("functions/*.py"):
        own = module.relative_to(ROOT / "functions").parts[0]
        assert not top_levels(module) & {"gdpr", "verifier", "local", "demo", "bench", "tests"}, module
        others = {f"functions.{name}" for name in FUNCTIONS if name != own}
        assert not {name for name in imports(module) if name.startswith(tuple(others))}, module


def test_what_lambda_runs_does_not_know_that_it_may_run_locally() -> None:
    for module in tracked("shared/*.py", "functions/*.py"):
        assert not re.search(r"\b(moto|localstack|IS_LOCAL|embedded)\b", module.read_text()), module


def test_every_module_says_why_it_exists() -> None:
    for module in tracked("*.py"):
        if module.stat().st_size:
            assert ast.get_docstring(ast.parse(module.read_text())), module


def test_no_module_is_named_for_nothing() -> None:
    nameless = {"util", "utils", "helper", "helpers", "common", "manager", "base", "misc"}
    assert not [path for path in tracked() if path.stem in nameless]


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_names_versions_and_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links|@ ", text)
    for requirement in re.split(r"\n(?=\S)", text):
        if not requirement.startswith("#"):
            assert "==" in requirement
            assert "--hash=sha256:" in requirement
    assert not (ROOT / "uv.lock").exists()


def test_the_layer_holds_what_the_functions_import_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    layer = {re.split(r"[>=\[;]", line)[0].lower() for line in project["dependencies"]}
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert layer <= locked
    assert not locked & {"sqlalchemy", "boto3", "botocore", "pydantic", "click", "rich", "pgvector"}


def test_every_direct_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = {re.split(r"[>=\[;]", line)[0] for line in (*project["dependencies"], *extras["cli"], *extras["dev"])}
    decisions = (ROOT / "docs" / "decisions.md").read_text()
    assert not [name for name in sorted(named) if not re.search(rf"^\| `{name}(\[\w+\])?` \|", decisions, re.MULTILINE)]


def test_help_fits_on_one_screen_and_lists_every_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"help", "check", "fix", "demo", "test", "bench", "clean"} <= set(targets)
    assert all(f"  {target} " in shown for target in targets)
    assert len(shown.splitlines()) <= 24
    assert max(map(len, shown.splitlines())) <= 80


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) < 150
    assert {"make demo", "make test"} <= {line.split("#")[0].strip() for line in lines}


def test_every_named_query_is_used_and_every_query_used_is_named() -> None:
    files = [(SQL / name).read_text() for name in ("queries.sql", "catalogue.sql")]
    named = set(re.findall(r"^-- ([a-z_]+): ", "\n".join(files), re.MULTILINE))
    used = {
        name
        for module in tracked("shared/*.py", "functions/*.py", "gdpr/*.py")
        for name in re.findall(r"(?:query|told)\((?:cur, )?\"([a-z_]+)\"\)", module.read_text())
    }
    assert named == used
    assert all(query(name).endswith(";") for name in named)


def test_a_function_of_the_schema_never_trusts_the_callers_search_path() -> None:
    for file in tracked("sql/*.sql"):
        for body in re.findall(r"create function .+?\$\$", file.read_text(), re.DOTALL | re.IGNORECASE):
            assert "set search_path = pg_catalog, pg_temp" in body, f"{file}: {body[:60]}"


def test_no_file_of_the_product_names_a_registry_or_a_path_of_a_machine() -> None:
    elsewhere = re.compile(r"/root/|/home/[a-z]+/|pythonhosted\.org|pypi\.org|registry\.npmjs")
    itself = Path(__file__)
    assert not [path for path in tracked() if path != itself and elsewhere.search(path.read_text(errors="ignore"))]
