"""Row 72 of the table: which files are Dockerfiles."""

from __future__ import annotations

import pytest

from pinner.rewrite.dockerfile.names import is_dockerfile


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "dockerfile",
        "DOCKERFILE",
        "Containerfile",
        "containerfile",
        "x.Dockerfile",
        "api.v2.dockerfile",
        "Dockerfile.dev",
        "Dockerfile-arm64",
        "Dockerfile_debian",
        "Containerfile.ubi9",
        "Dockerfile.alpine.j2",
    ],
)
def test_a_dockerfile(name: str) -> None:
    assert is_dockerfile(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Dockerfiles",
        "MyDockerfile",
        "Dockerfile.dockerignore",
        "Containerfile.containerignore",
        "dev.Dockerfile.dockerignore",
        "Dockerfile.md",
        "dockerfile_parser.go",
        "dockerfile-lint.test.ts",
        "docker-compose.yml",
        "Makefile",
    ],
)
def test_another_file(name: str) -> None:
    assert not is_dockerfile(name)
