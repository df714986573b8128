"""A dockerd of the tests' own: the oracle of what `docker pull` says and makes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support import readers

if TYPE_CHECKING:
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.dockerd import Dockerd
    from support.registries import Registry

pytestmark = pytest.mark.servers


def test_it_pulls_an_image_whose_id_is_the_digest_of_the_config(
    docker_daemon: Dockerd,
    plain_registry: Registry,
    push_layout: PushLayout,
    layout: Path,
    home: Path,
) -> None:
    push_layout(plain_registry, "daemon/app:1", name="single")
    name = f"{plain_registry.address}/daemon/app:1"
    docker_daemon.docker("pull", name)
    manifest = json.loads(readers.skopeo_inspect(layout, "single", home=home))
    assert docker_daemon.image_id(name) == manifest["config"]["digest"]


def test_what_it_refuses_comes_with_status_and_words(
    docker_daemon: Dockerd, plain_registry: Registry
) -> None:
    said = docker_daemon.ask("pull", f"{plain_registry.address}/daemon/nothing:1")
    assert said.code == 1
    assert "not found" in said.err
