"""The verifier has the hashing in common with whoever wrote the ledger, and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.unit.test_house import ROOT, imports, top_levels, tracked

MODULES = tracked("verifier/*.py")
SHARED = {"leaf_hash", "node_hash", "EMPTY", "Edge"}  # hashes; what makes proofs is the writer's


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 10


def test_of_ours_it_imports_itself_and_the_hashing() -> None:
    for module in MODULES:
        ours = {name for name in imports(module) if (ROOT / name.split(".")[0]).is_dir()}
        assert not {name for name in ours if not name.startswith("verifier")} - {"shared.ledger.merkle"}, module
        assert top_levels(module) <= {
            *sys.stdlib_module_names,
            "verifier",
            "shared",
            "nacl",
            *LAZILY.get(module.name, ()),
        }


LAZILY = {"source.py": ("boto3", "botocore", "types_boto3_s3")}


def test_of_the_hashing_it_takes_no_proof() -> None:
    for module in MODULES:
        for each in ast.walk(ast.parse(module.read_text())):
            if isinstance(each, ast.ImportFrom) and each.module == "shared.ledger.merkle":
                assert {name.name for name in each.names} <= SHARED, module


@pytest.mark.parametrize("module", ["verifier.log", "verifier.claim"])
def test_a_process_that_verifies_has_loaded_none_of_the_writers_code(module: str) -> None:
    program = f"import sys, {module}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    shared = {name for name in loaded if name.split(".")[0] == "shared"}
    assert shared == {"shared", "shared.ledger", "shared.ledger.merkle"}
    assert not loaded & {"boto3", "psycopg2", "click", "gdpr", "functions"}
