"""Errors say what, where and the mend, and carry the exit code of their cause."""

from __future__ import annotations

import pytest

from pinner import errors
from pinner.errors import FileProblems, InputError, PinnerError, Problem


def all_errors(cls: type[PinnerError] = PinnerError) -> list[type[PinnerError]]:
    own = [sub for sub in cls.__subclasses__() if sub.__module__ == errors.__name__]
    return own + [error for sub in own for error in all_errors(sub)]


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.AnswerNo, 1),
        *((error, 2) for error in (errors.InputError, errors.FileProblems)),
        *((error, 3) for error in (errors.RegistryError, errors.NotFound, errors.AccessDenied)),
        *((error, 3) for error in (errors.RateLimited, errors.Unavailable, errors.ProtocolError)),
        (errors.IntegrityError, 4),
        (errors.StoreError, 5),
    ],
)
def test_exit_codes_follow_the_cause(error: type[PinnerError], exit_code: int) -> None:
    assert error.exit_code == exit_code


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in all_errors()]
    assert len(set(codes)) == len(codes) == 11
    assert "internal" not in codes


def test_what_alone() -> None:
    assert str(InputError("something is wrong")) == "something is wrong"


def test_what_where_and_the_mend() -> None:
    error = InputError("something is wrong", where="images.toml:3", mend="write it right")
    assert str(error) == "images.toml:3: something is wrong\n  write it right"
    assert error.mend == ("write it right",)


def test_the_mend_may_have_several_lines() -> None:
    assert str(InputError("bad", mend=("one", "two"))) == "bad\n  one\n  two"


def test_only_what_time_may_heal_is_transient() -> None:
    transient = {
        error
        for error in all_errors()
        if issubclass(error, errors.RegistryError) and error.transient
    }
    assert transient == {errors.RateLimited, errors.Unavailable}


def test_the_problems_of_a_file_are_told_all_at_once() -> None:
    error = FileProblems(
        (
            Problem(where="images.toml:3", what="one", mend="do this"),
            Problem(where="images.toml", what="two"),
        ),
        mend="images.lock was not touched",
    )
    assert str(error) == (
        "images.toml:3: one; do this\nimages.toml: two\n  images.lock was not touched"
    )
    assert (error.what, error.where) == ("one", "images.toml:3")
