"""The override: which services of a compose file are in it, with which images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pinner.errors import InputError
from pinner.export.compose import render_override
from pinner.export.model import Rendered, Wish
from pinner.oci.platform import Platform
from pinner.spec import parse_spec
from support.files import LOCK, SPEC, digest

COMPOSE = """\
x-base: &base
  image: python:3.12-slim
services:
  web:
    image: docker.io/library/node:22.12.0
  job:
    <<: *base
  cache: {image: "redis"}
  old:
    image: python:3.12-slim@sha256:NINE
  built:
    build: .
    image: python:3.12-slim
  chosen:
    image: ${IMAGE:-redis:latest}
  unknown:
    image: ${IMAGE}
  other:
    image: postgres:16
  none:
    command: x
""".replace("NINE", "9" * 64)


def render(compose: str | None = COMPOSE, **options: Any) -> Rendered:
    spec = parse_spec(SPEC.encode(), path="images.toml", base=Path("/nowhere"))
    data = compose.encode() if compose is not None else None
    return render_override(Wish(spec=spec, lock=LOCK, compose=data, **options))


def test_services_of_the_lock_are_pinned() -> None:
    rendered = render()
    python, redis = f"python:3.12-slim@{digest('2')}", f"redis:latest@{digest('3')}"
    assert yaml.safe_load(rendered.text) == {
        "services": {
            "web": {"image": f"docker.io/library/node:22.12.0@{digest('1')}"},
            "job": {"image": python},
            "cache": {"image": redis},
            "old": {"image": python},
            "chosen": {"image": redis},
        }
    }
    assert rendered.names == ("node", "python", "redis")
    assert rendered.notes == (
        "unknown is left out: IMAGE has no default here, so only who runs it knows its value",
        "other is left out: postgres:16 is not in images.toml",
    )


def test_the_bytes() -> None:
    assert render("services:\n  a:\n    image: redis\n").text == (
        f'services:\n  "a":\n    image: "redis:latest@{digest("3")}"\n'
    )


def test_chosen_entries() -> None:
    rendered = render(names=frozenset({"redis"}))
    assert list(yaml.safe_load(rendered.text)["services"]) == ["cache", "chosen"]


def test_a_platforms_manifests() -> None:
    rendered = render(platform=Platform.parse("linux/arm64"), names=frozenset({"node"}))
    assert yaml.safe_load(rendered.text) == {
        "services": {"web": {"image": f"docker.io/library/node:22.12.0@{digest('b')}"}}
    }


def test_services_that_yaml_takes_for_something_else() -> None:
    text = "services:\n  'on': {image: redis}\n  '1': {image: redis}\n"
    assert list(yaml.safe_load(render(text).text)["services"]) == ["on", "1"]


@pytest.mark.parametrize("compose", ["", "services: {}\n", "a: 1\n", "- 1\n"])
def test_nothing_to_pin(compose: str) -> None:
    rendered = render(compose)
    assert (rendered.text, rendered.names) == ("services: {}\n", ())


@pytest.mark.parametrize(
    ("compose", "what"),
    [
        (None, "name it by --compose FILE"),
        ("a: [", "the compose file cannot be read"),
        ('services: {"a\\nb: 1": {image: redis}}', r'"a\\nb: 1" cannot be a service'),
        ("services: {é: {image: redis}}", "cannot be a service"),
    ],
)
def test_what_is_refused(compose: str | None, what: str) -> None:
    with pytest.raises(InputError, match=what):
        render(compose)
