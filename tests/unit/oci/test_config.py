"""Image configs give platform, labels and layers, or are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pinner.errors import IntegrityError
from pinner.oci.config import CONFIG_LIMIT, MalformedConfig, parse_config
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from support.tables import FIXTURES

GOOD = {"os": "linux", "architecture": "amd64"}


def config_of(**fields: Any) -> bytes:
    return json.dumps(GOOD | fields).encode()


def test_config() -> None:
    config = parse_config((FIXTURES / "manifests" / "image-config.json").read_bytes())
    assert config.platform == Platform("linux", "arm64")
    assert config.created == "2026-11-20T01:02:03.456Z"
    assert config.labels == {
        "org.opencontainers.image.source": "https://git.example/app",
        "empty": "",
    }
    assert config.diff_ids == (Digest.of(b"diff 1"), Digest.of(b"diff 2"))


def test_M24_a_platform_with_version_and_features() -> None:
    config = parse_config(config_of(**{"os.version": "10.0.1", "os.features": ["win32k"]}))
    assert str(config.platform) == "linux(10.0.1+win32k)/amd64"


@pytest.mark.parametrize(
    "fields",
    [{}, {"config": None, "rootfs": None, "created": None}, {"config": {"Labels": None}}],
    ids=["absent", "null", "null labels"],
)
def test_what_may_be_left_out(fields: dict[str, Any]) -> None:
    config = parse_config(config_of(**fields))
    assert (config.created, dict(config.labels), config.diff_ids) == ("", {}, ())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"{}", "os is missing", id="M24-artifact"),
        pytest.param(b'{"os":"linux"}', "architecture is missing", id="M24-no-architecture"),
        pytest.param(config_of(os=""), "no specifier can spell", id="M24-empty-os"),
        pytest.param(config_of(architecture="\x1b"), r"spell \"linux/\\x1b/\"", id="M24-escape"),
        pytest.param(config_of(created=1), "created is not text", id="created"),
        pytest.param(config_of(config=[]), "config is not an object", id="config"),
        pytest.param(config_of(config={"Labels": {"a": 1}}), "config.Labels.a is not", id="label"),
        pytest.param(
            config_of(rootfs={"diff_ids": ["sha256:x"]}), r"diff_ids\[0\] is not a digest", id="M10"
        ),
        pytest.param(
            config_of(rootfs={"diff_ids": [""] * 1025}), "has 1025 elements", id="M18-layers"
        ),
        pytest.param(b"[]", "the document is not an object", id="list"),
        pytest.param(b"<html>", "it is not JSON", id="M32"),
        pytest.param(b"{}".ljust(CONFIG_LIMIT + 1), "more than 8388608", id="M17-limit"),
    ],
)
def test_refuses(data: bytes, says: str) -> None:
    with pytest.raises(MalformedConfig, match=says) as refused:
        parse_config(data)
    assert isinstance(refused.value, IntegrityError)
    assert refused.value.what.startswith("image config: ")
