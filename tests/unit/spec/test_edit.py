"""`add` and `remove` change their own lines and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from pinner.errors import FileProblems, InputError
from pinner.spec.edit import Addition, add_entry, remove_entry
from support.tables import params

PATH = "images.toml"


def add(text: str, argument: str) -> str:
    return add_entry(text, Addition.parse(argument), path=PATH)


@pytest.mark.parametrize("row", params("specs/add.toml"))
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_add(row: dict[str, Any], newline: str) -> None:
    before = row["before"].replace("\n", newline)
    after = row["after"].replace("\n", newline if before else "\n")
    assert add(before, row["argument"]) == after


@pytest.mark.parametrize("row", params("specs/remove.toml"))
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_remove(row: dict[str, Any], newline: str) -> None:
    before, after = (row[key].replace("\n", newline) for key in ("before", "after"))
    assert remove_entry(before, row["name"], path=PATH) == after


@pytest.mark.parametrize(
    ("argument", "name", "reference"),
    [
        ("redis", "redis", "docker.io/library/redis"),
        ("ghcr.io/acme/app:1", "app", "ghcr.io/acme/app:1"),
        ("registry.example:5000/team/my-app.x", "my-app.x", "registry.example:5000/team/my-app.x"),
        ("cache=redis:7", "cache", "docker.io/library/redis:7"),
        ("acme/" + "a" * 129, "a" * 128, "docker.io/acme/" + "a" * 129),
        ("a" * 128 + "=redis", "a" * 128, "docker.io/library/redis"),
        ("redis@sha256:" + "1a" * 32, "redis", "docker.io/library/redis@sha256:" + "1a" * 32),
    ],
)
def test_additions(argument: str, name: str, reference: str) -> None:
    addition = Addition.parse(argument)
    assert (addition.name, str(addition.reference)) == (name, reference)
    assert addition.is_named == ("=" in argument)


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("", "repository name must have at least one component"),
        ("a=", "repository name must have at least one component"),
        ("=redis", '"" cannot be a name'),
        ("A=redis", '"A" cannot be a name'),
        ("a=b=redis", '"a=b" cannot be a name'),
        ("a" * 129 + "=redis", '(+49)" cannot be a name'),
        ("\x1b=redis", '"\\x1b" cannot be a name'),
        ("Redis", "repository name (library/Redis) must be lowercase"),
    ],
)
def test_no_additions(argument: str, error: str) -> None:
    with pytest.raises(InputError) as refused:
        Addition.parse(argument)
    assert error in refused.value.what


@pytest.mark.parametrize(
    ("argument", "mend"),
    [
        ("redis:8", "give this one a name: `pinner add NAME=redis:8`"),
        ("redis=redis:8", "choose another name"),
    ],
)
def test_a_name_that_is_taken(argument: str, mend: str) -> None:
    with pytest.raises(InputError) as refused:
        add('[images]\nredis = "redis:7"\n', argument)
    assert str(refused.value) == f'images.toml: has an image "redis" already\n  {mend}'


@pytest.mark.parametrize(
    ("name", "mend"), [("reddis", '\n  did you mean "redis"?'), ("zzz", ""), ("\x1b", "")]
)
def test_a_name_that_is_not_there(name: str, mend: str) -> None:
    with pytest.raises(InputError) as refused:
        remove_entry('[images]\nredis = "redis:7"\n', name, path=PATH)
    shown = name if name.isprintable() else "\\x1b"
    assert str(refused.value) == f'images.toml: has no image "{shown}"{mend}'


def test_an_inline_table_is_not_edited() -> None:
    text = '# x\nimages = { a = "a", b = "b" }\n'
    refusal = r"images\.toml:2: .* cannot be edited in place"
    with pytest.raises(InputError, match=refusal):
        add(text, "redis")
    with pytest.raises(InputError, match=refusal):
        remove_entry(text, "a", path=PATH)


@pytest.mark.parametrize("text", ["[images\n", "a = 1\na = 2\n", "[images]\n<<<<<<< HEAD\n"])
def test_a_file_that_is_no_toml_is_not_touched(text: str) -> None:
    with pytest.raises(FileProblems):
        add(text, "redis")


@pytest.mark.parametrize(
    ("text", "kind"), [("images = 1\n", "an integer"), ("[[images]]\n", "an array")]
)
def test_images_that_are_no_table(text: str, kind: str) -> None:
    with pytest.raises(InputError, match=f"images.toml:1: images is {kind}"):
        add(text, "redis")
