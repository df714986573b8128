from __future__ import annotations

from dataclasses import replace

import pytest

from docpages.pages import DOCS
from pinner.output.machine import document
from pinner.output.serve import Served, exposure, pointers, render_served, served_fields
from support.golden import expected

LOCAL = Served(
    listen="127.0.0.1:5000",
    address="127.0.0.1:5000",
    tls=False,
    login=False,
    remote=False,
    store="/home/ada/.cache/pinner/store",
    images=3,
    registries={"docker.io": "docker.io", "ghcr.io": "ghcr.io"},
    example="debian:bookworm",
)
REMOTE = replace(LOCAL, listen="0.0.0.0:5000", address="build.example:5000", remote=True)


@pytest.mark.parametrize(
    ("name", "served"),
    [
        ("local", LOCAL),
        ("remote", REMOTE),
        ("remote-tls", replace(REMOTE, tls=True)),
        ("remote-login", replace(REMOTE, login=True)),
        ("remote-tls-login", replace(REMOTE, tls=True, login=True)),
        (
            "one-registry",
            replace(LOCAL, registries={"r.lan:81": "r.lan_81"}, images=1, example="r.lan_81/a:1"),
        ),
        ("no-path-spells-it", replace(LOCAL, registries={"registry:5000": ""}, example="")),
        ("empty", replace(LOCAL, registries={}, images=0, example="")),
    ],
)
def test_what_a_person_sees(name: str, served: Served) -> None:
    text = render_served(served) + "".join(f"{line}\n" for line in pointers(served))
    text += f"warning: {exposure(served)}\n" if exposure(served) else ""
    assert text == expected(f"serve-{name}.txt", text)


def test_the_document() -> None:
    text = document("serve", served_fields(REMOTE))
    assert text == expected("serve-document.json", text)
    assert f"```json\n{text}```\n" in (DOCS / "json.md").read_text()


def test_the_page_shows_what_a_person_sees() -> None:
    text = render_served(LOCAL) + "".join(f"{line}\n" for line in pointers(LOCAL))
    assert f"```text\n$ pinner serve\n{text}```\n" in (DOCS / "serve.md").read_text()
