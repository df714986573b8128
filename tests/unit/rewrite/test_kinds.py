"""Which file is of which kind: by its name, or by its first bytes."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from pinner.rewrite.kinds import KINDS, kind_named, kind_of, may_be_of_a_kind

POD = b"apiVersion: v1\nkind: Pod\n"


@pytest.mark.parametrize(
    ("path", "head", "kind"),
    [
        ("Dockerfile", b"", "dockerfile"),
        ("a/Containerfile", b"", "dockerfile"),
        ("x.Dockerfile", b"", "dockerfile"),
        ("Dockerfile.dev", b"", "dockerfile"),
        ("dockerfile", b"", "dockerfile"),
        ("DOCKERFILE", b"", "dockerfile"),
        ("web.containerfile", b"", "dockerfile"),
        ("Dockerfile.dockerignore", b"", None),
        (".dockerignore", b"", None),
        ("mydockerfiles/x.txt", b"", None),
        (".github/workflows/ci.yml", b"", "workflow"),
        ("sub/.gitea/workflows/ci.yaml", b"", "workflow"),
        (".github/workflows/deep/ci.yml", b"", None),
        (".github/dependabot.yml", b"", None),
        ("action.yml", b"", "action"),
        (".github/actions/x/action.yaml", b"", "action"),
        (".gitlab-ci.yml", b"", "gitlab"),
        ("ci/build.gitlab-ci.yml", b"", "gitlab"),
        (".devcontainer.json", b"", "devcontainer"),
        (".devcontainer/devcontainer.json", b"", "devcontainer"),
        ("a/.devcontainer/go/devcontainer.json", b"", "devcontainer"),
        ("devcontainer.json", b"", None),
        ("compose.yaml", b"", "compose"),
        ("docker-compose.yml", b"", "compose"),
        ("docker-compose.prod.yml", b"", "compose"),
        ("compose-dev.yaml", b"", "compose"),
        ("stack.yml", b"version: '3'\r\nservices:\r\n  a:\r\n    image: x\r\n", "compose"),
        ("stack.json", b"services:\n  a:\n", None),
        ("kustomization.yaml", POD, "kustomize"),
        ("base/kustomization.yml", b"", "kustomize"),
        ("Kustomization", b"", "kustomize"),
        ("web.container", b"", "quadlet"),
        ("web.image", b"", "quadlet"),
        ("web.volume", b"", "quadlet"),
        ("web.kube", b"", None),
        ("values.yaml", b"", "helm"),
        ("charts/web/values-prod.yml", b"", "helm"),
        ("prod.values.yaml", b"", "helm"),
        ("charts/web/Chart.yaml", b"apiVersion: v2\nname: web\n", None),
        ("charts/web/templates/a.yaml", POD + b"name: {{ .x }}\n", "helm-template"),
        ("charts/web/templates/a.yaml", POD, "kubernetes"),
        ("k8s/pod.yaml", POD, "kubernetes"),
        ("k8s/pod.yaml", b"# c\n\xef\xbb\xbf" + POD, "kubernetes"),
        ("k8s/pod.yml", b"\xef\xbb\xbf---\n" + POD, "kubernetes"),
        ("k8s/pod.json", b'{\n "kind": "Pod", "apiVersion" : "v1"}', "kubernetes"),
        ("k8s/pod.txt", POD, None),
        ("task.yaml", b"apiVersion: tekton.dev/v1\nkind: Task\n", "tekton"),
        ("openapi.yaml", b"openapi: 3.0.0\n", None),
        ("a.py", POD, None),
        ("README", b"", None),
    ],
)
def test_kind(path: str, head: bytes, kind: str | None) -> None:
    found = kind_of(PurePosixPath(path), head)
    assert (found.name if found else None) == kind
    if kind is not None:
        assert may_be_of_a_kind(PurePosixPath(path).name)


def test_most_files_need_no_look() -> None:
    assert not any(map(may_be_of_a_kind, ["a.py", "README.md", "Makefile", "x.go", "LICENSE"]))


def test_a_kind_has_a_name() -> None:
    assert all(kind_named(kind.name).name == kind.name for kind in KINDS)
    with pytest.raises(KeyError):
        kind_named("nothing")


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_files_without_its_words_are_not_parsed(kind: object) -> None:
    assert kind_named(getattr(kind, "name", "")).read(b"a: [") == () or not getattr(
        kind, "words", ()
    )
