"""The tree of errors."""

from __future__ import annotations

import inspect

from shared import errors
from shared.errors import StoreUnavailable, SuiteError


def tree(root: type[SuiteError]) -> list[type[SuiteError]]:
    below = [each for each in root.__subclasses__() if each.__module__ == errors.__name__]
    return [root, *(leaf for child in below for leaf in tree(child))]


def test_the_docstring_draws_the_whole_tree() -> None:
    drawn = {line.split("── ")[-1].split()[0] for line in (errors.__doc__ or "").splitlines() if "── " in line}
    assert drawn | {"SuiteError"} == {error.__name__ for error in tree(SuiteError)}
    assert drawn | {"SuiteError"} == {
        name for name, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, SuiteError)
    }


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in tree(SuiteError)]
    assert len(set(codes)) == len(codes)


def test_a_sentence_says_what_and_where_and_what_to_do_next() -> None:
    error = StoreUnavailable("Nothing answers", where="127.0.0.1:5432/shop", remedy="start it")
    assert str(error) == "Nothing answers at 127.0.0.1:5432/shop: start it."
    assert str(SuiteError("That was all")) == "That was all."
    assert str(SuiteError("There is no x", remedy="did you mean y?")) == "There is no x: did you mean y?"


def test_only_what_a_retry_may_cure_is_retryable() -> None:
    assert {error.__name__ for error in tree(SuiteError) if error.retryable} == {"StoreUnavailable", "StoreBusy"}
