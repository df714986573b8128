from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pinner.errors import FileProblems, InputError
from pinner.serve.htpasswd import Htpasswd, bcrypt_checker, parse_htpasswd, read_htpasswd

if TYPE_CHECKING:
    from pathlib import Path

# `htpasswd -nbB -C 4 ada "open sesame"`.
BCRYPT = "$2y$04$ilIePcCk5U/YBX28LVNVye8/hyfLy45tChDCWm4u5xv8q4uEqoBCC"
REST = "." * 53


def test_users_are_read() -> None:
    text = f"# who\n\nada:{BCRYPT}\r\nbob smith:$2b$10${REST}\n"
    users = parse_htpasswd(text, file="users")
    assert users.hashes == {"ada": BCRYPT.encode(), "bob smith": f"$2b$10${REST}".encode()}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ada:$apr1$pLTzTD7e$bR2XLBVoLFLIhuvdZ2iFZ/", "not of bcrypt"),
        ("ada:{SHA}MfeKtDwVb5yeuTlJHvUYCwJ0N/M=", "not of bcrypt"),
        ("ada:rqXexS6ZhobKA", "not of bcrypt"),
        (f"ada:$2x$10${REST}", "not of bcrypt"),
        (f"ada:$2y$10${REST}.", "not of bcrypt"),
        (f"ada:$2y$03${REST}", "cost outside 4 to 16"),
        (f"ada:$2y$31${REST}", "cost outside 4 to 16"),
        ("ada", "not `user:hash`"),
        (f":{BCRYPT}", "not `user:hash`"),
        ("ada:", "not `user:hash`"),
        ("", "names no user"),
        (f"ada:{BCRYPT}\nada:{BCRYPT}", "there twice"),
    ],
)
def test_what_is_refused(text: str, problem: str) -> None:
    with pytest.raises(FileProblems) as refused:
        parse_htpasswd(text, file="users")
    (found,) = refused.value.problems
    assert problem in found.what
    assert "users" in found.where


def test_all_problems_at_once_with_their_lines_and_without_hashes() -> None:
    with pytest.raises(FileProblems) as refused:
        parse_htpasswd(f"ok:{BCRYPT}\nada:secrethash\n\x1b[2J:x", file="users")
    assert [found.where for found in refused.value.problems] == ["users:2", "users:3"]
    assert "secrethash" not in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_a_missing_file_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file") as refused:
        read_htpasswd(tmp_path / "users")
    assert "htpasswd -B" in refused.value.mend[0]


def test_an_unknown_user_costs_what_the_dearest_known_one_does() -> None:
    users = Htpasswd({"a": f"$2y$05${REST}".encode(), "b": f"$2y$11${REST}".encode()})
    assert users.hash_of("a") == f"$2y$05${REST}".encode()
    assert users.hash_of("nobody").startswith(b"$2b$11$")


def test_passwords_are_checked_as_htpasswd_made_them() -> None:
    check = bcrypt_checker()
    assert check(b"open sesame", BCRYPT.encode())
    assert not check(b"open sesam", BCRYPT.encode())
    assert not check(b"open sesame\0open sesame", BCRYPT.encode())  # to bcrypt they are one
    nobody = Htpasswd({"a": BCRYPT.encode()}).hash_of("nobody")
    assert not check(b"open sesame", nobody)
    assert not check(b"x" * 100, nobody)  # no failure either


def test_without_bcrypt_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    with pytest.raises(InputError, match="needs the package bcrypt") as refused:
        bcrypt_checker()
    assert "image-pinner[serve]" in refused.value.mend[0]
