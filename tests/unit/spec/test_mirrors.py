"""A registry's mirrors are written in place, and nothing else changes."""

from __future__ import annotations

import tomllib

import pytest

from pinner.errors import InputError
from pinner.spec.mirrors import add_mirror, mirrors_table

HEAD = '# ours\n[images]\napp = "debian"  # a comment\n'
M = "m.example/x"
MORE = f'registries."docker.io".mirrors = ["{M}"]\n'
CASES = {
    "no-registries": (HEAD, HEAD + f'\n[registries."docker.io"]\nmirrors = ["{M}"]\n'),
    "no-last-line-feed": (
        HEAD[:-1],
        HEAD + f'\n[registries."docker.io"]\nmirrors = ["{M}"]\n',
    ),
    "another-registry": (
        HEAD + '[registries."ghcr.io"]\nplain-http = false\n',
        HEAD
        + '[registries."ghcr.io"]\nplain-http = false\n'
        + f'\n[registries."docker.io"]\nmirrors = ["{M}"]\n',
    ),
    "a-table-without-mirrors": (
        '[registries."docker.io"] # hub\nca-file = "a" # mine\n\n[images]\n',
        f'[registries."docker.io"] # hub\nca-file = "a" # mine\nmirrors = ["{M}"]\n\n[images]\n',
    ),
    "an-empty-table": (
        '[registries."docker.io"]\n[images]\n',
        f'[registries."docker.io"]\nmirrors = ["{M}"]\n[images]\n',
    ),
    "an-alias": (
        '[registries."index.docker.io"]\n',
        f'[registries."index.docker.io"]\nmirrors = ["{M}"]\n',
    ),
    "others": (
        '[registries."docker.io"]\nmirrors = ["a.example", "b.example"]\n',
        f'[registries."docker.io"]\nmirrors = ["{M}", "a.example", "b.example"]\n',
    ),
    "many-lines": (
        '[registries."docker.io"]\nmirrors = [  # in order\n  "a.example",  # near\n]\n',
        f'[registries."docker.io"]\nmirrors = [  # in order\n  "{M}", "a.example",  # near\n]\n',
    ),
    "an-empty-list": (
        '[registries."docker.io"]\nmirrors = [ ]\n',
        f'[registries."docker.io"]\nmirrors = ["{M}" ]\n',
    ),
    "there-already": (
        f"[registries.'docker.io']\nmirrors = ['a.example', '{M}']\n",
        f"[registries.'docker.io']\nmirrors = ['a.example', '{M}']\n",
    ),
    "dotted": (
        '[registries]\n  "docker.io".ca-file = "a"\n[images]\n',
        f'[registries]\n  "docker.io".ca-file = "a"\n  "docker.io".mirrors = ["{M}"]\n[images]\n',
    ),
    "dotted-at-the-top": (
        'registries."docker.io".plain-http = false\n[images]\n',
        'registries."docker.io".plain-http = false\n' + MORE + "[images]\n",
    ),
    "inline-with-mirrors": (
        'registries = { "docker.io" = { mirrors = ["a.example"] } }\n',
        f'registries = {{ "docker.io" = {{ mirrors = ["{M}", "a.example"] }} }}\n',
    ),
    "upper-case": (
        '[registries."Registry.example"]\nca-file = "a"\n',
        f'[registries."Registry.example"]\nca-file = "a"\nmirrors = ["{M}"]\n',
    ),
}


def host(case: str) -> str:
    return "registry.example" if case == "upper-case" else "docker.io"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_mirror_is_put_first_and_once(case: str, newline: str) -> None:
    before, after = (text.replace("\n", newline) for text in CASES[case])
    once = add_mirror(before, host(case), M, path="images.toml")
    assert once == after
    assert add_mirror(once, host(case), M, path="images.toml") == once


@pytest.mark.parametrize(
    "text",
    [
        'registries = { "docker.io" = { ca-file = "a" } }\n',
        'registries = { "docker.io" = {} }\n',
        "registries = {}\n",
        '[registries]\n"docker.io" = { ca-file = "a" }\n',
    ],
)
def test_what_cannot_be_edited_is_refused_with_the_line(text: str) -> None:
    with pytest.raises(InputError, match="cannot be edited in place") as caught:
        add_mirror(text, "docker.io", M, path="images.toml")
    assert f'mirrors = ["{M}"]' in str(caught.value)


def test_the_lines_for_writing_by_hand_are_toml() -> None:
    values = tomllib.loads(mirrors_table("r.example:5000", M))
    assert values == {"registries": {"r.example:5000": {"mirrors": [M]}}}
