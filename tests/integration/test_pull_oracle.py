"""`pinner pull` beside `docker pull`, of the same registry: the same lines.

What differs stands in the tables of docs/pull.md, with the reason; this test knows of nothing else.
Both sides begin each case with nothing, and go through the same steps.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

from support.layouts import CONFIG, MANIFEST, LayoutWriter, layer
from support.programs import free_port
from support.pulldifferences import agree, agree_on_errors, read_lines, read_situations
from support.pushing import push_layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.dockerd import Dockerd
    from support.registries import Registry
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

LINES = read_lines()
SITUATIONS = read_situations()
PLATFORMS: Final = ("linux/amd64", "linux/arm64", "linux/arm/v7")
HELM: Final = "application/vnd.cncf.helm.config.v1+json"
# Every repository of the cases, and the image of the layout that a tag names.
PUSHED: Final = {
    **{f"oracle/app:{tag}": "one" for tag in ("1", "latest", "again")},
    "oracle/app:2": "two",
    "oracle/lone:1": "single",
    "oracle/arm:1": "arm",
    "oracle/chart:1": "chart",
    "oracle/signed:1": "one",
    "oracle/signed:sha256-ab.sig": "signature",
    "oracle/charted:1": "one",
    "oracle/charted:2": "chart",
    "oracle/partly:1": "one",
    "oracle/partly:arm": "arm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One situation.

    Attributes:
        argv: of `pull`; `{R}` is the registry, `{N}` its private one, `{one}` a digest.
        before: pulls that come first, each to be said alike too; `move` lets oracle/moving:latest
            name another image.
        code: pinner's exit code; docker's is 0 or not as it is.
        differs: the row of docs/pull.md where the two do not do the same.
    """

    argv: str
    before: tuple[str, ...] = ()
    code: int = 0
    differs: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)


APP: Final = "{R}/oracle/app"
CASES: Final = {
    "fresh": Case(argv=f"{APP}:1"),
    "up to date": Case(argv=f"{APP}:1", before=(f"{APP}:1",)),
    "no tag": Case(argv=APP),
    "no tag, up to date": Case(argv=APP, before=(APP,)),
    "another tag of the same image": Case(argv=f"{APP}:again", before=(f"{APP}:1",)),
    "shared layers": Case(argv=f"{APP}:2", before=(f"{APP}:1",)),
    "a newer image behind the tag": Case(
        argv="{R}/oracle/moving", before=("{R}/oracle/moving", "move")
    ),
    "by digest": Case(argv=f"{APP}@{{one}}"),
    "by digest, up to date": Case(argv=f"{APP}@{{one}}", before=(f"{APP}@{{one}}",)),
    "tag and digest": Case(argv=f"{APP}:1@{{one}}"),
    "a digest and another image's tag": Case(argv=f"{APP}:2@{{one}}", before=(f"{APP}:1@{{one}}",)),
    "quiet": Case(argv=f"-q {APP}:1"),
    "quiet, no tag": Case(argv=f"--quiet {APP}"),
    "quiet, tag and digest": Case(argv=f"-q {APP}:1@{{one}}"),
    "a lone image": Case(argv="{R}/oracle/lone:1"),
    "a login": Case(argv="{N}/oracle/app:1"),
    "all tags": Case(argv=f"-a {APP}"),
    "all tags, up to date": Case(argv=f"-a {APP}", before=(f"-a {APP}",)),
    "all tags, one of them here": Case(argv=f"--all-tags {APP}", before=(f"{APP}:1",)),
    "all tags, quiet": Case(argv=f"-a -q {APP}"),
    "all tags and a tag": Case(argv=f"-a {APP}:1", code=2),
    "all tags and a digest": Case(argv=f"-a {APP}@{{one}}", code=2),
    "all tags of no repository": Case(argv="-a {R}/oracle/nothing", code=3),
    "all tags, one of them no image": Case(
        argv="-a {R}/oracle/signed", differs="all tags, one of them no image"
    ),
    "all tags, one of them a chart": Case(
        argv="-a {R}/oracle/charted", differs="all tags, one of them no image"
    ),
    "all tags, one of them without the platform": Case(
        argv="-a {R}/oracle/partly",
        code=2,
        differs="all tags, one of them without the platform",
    ),
    "missing tag": Case(argv=f"{APP}:nope", code=3),
    "missing tag, others here": Case(argv=f"{APP}:nope", before=(f"{APP}:1",), code=3),
    "missing repository": Case(argv="{R}/oracle/nothing:1", code=3),
    "missing repository, no tag": Case(argv="{R}/oracle/nothing", code=3),
    "missing digest": Case(argv=f"{APP}@sha256:{'ab' * 32}", code=3),
    "another platform": Case(argv=f"--platform linux/arm64 {APP}:1"),
    "half a platform": Case(argv=f"--platform arm64 {APP}:1"),
    "another platform, one of them here": Case(
        argv=f"--platform linux/arm64 {APP}:1", before=(f"{APP}:1",)
    ),
    "another platform, where latest is of the first": Case(
        argv=f"--platform linux/arm64 {APP}:1", before=(f"--platform linux/amd64 {APP}",)
    ),
    "back to the first platform": Case(
        argv=f"--platform linux/amd64 {APP}:1",
        before=(f"--platform linux/amd64 {APP}:1", f"--platform linux/arm64 {APP}:1"),
        differs="back to a platform that was pulled before",
    ),
    "the environment's platform": Case(
        argv=f"{APP}:1", environ={"DOCKER_DEFAULT_PLATFORM": "linux/arm64"}
    ),
    "a platform that the index lacks": Case(argv=f"--platform linux/s390x {APP}:1", code=2),
    "this platform is lacking": Case(argv="--platform linux/amd64 {R}/oracle/arm:1", code=2),
    "a lone image as another platform": Case(
        argv="--platform linux/arm64 {R}/oracle/lone:1",
        code=2,
        differs="a lone image, asked for as another platform's",
    ),
    "several platforms": Case(
        argv=f"--platform linux/arm64 --platform linux/amd64 {APP}:1", differs="several platforms"
    ),
    "no platform": Case(argv=f"--platform foobar {APP}:1", code=2),
    "too much platform": Case(argv=f"--platform linux/arm64/v8/x {APP}:1", code=2),
    "no platform in the environment": Case(
        argv=f"{APP}:1", code=2, environ={"DOCKER_DEFAULT_PLATFORM": "a/b/c/d"}
    ),
    "an uppercase name": Case(argv="UPPER", code=2),
    "an uppercase path": Case(argv="{R}/oracle/APP:1", code=2),
    "all tags of an uppercase name": Case(argv="-a UPPER", code=2),
    "a name with a bad tag": Case(argv=f"{APP}:-x", code=2),
    "a name with an empty tag": Case(argv=f"{APP}:", code=2),
    "a name with a bad digest": Case(argv=f"{APP}@sha256:12", code=2),
    "a URL": Case(argv="https://{R}/oracle/app", code=2),
    "an image ID": Case(argv="ab" * 32, code=2),
    "a long name": Case(argv="a/" + "b" * 256, code=2),
    "scratch": Case(argv="scratch", code=2),
    "an artifact": Case(argv="{R}/oracle/chart:1", code=4),
    "a signature": Case(argv="{R}/oracle/signed:sha256-ab.sig", code=4),
    "no login": Case(argv="{S}/oracle/app:1", code=3),
    "all tags, no login": Case(argv="-a {S}/oracle/app", code=3),
    "nobody answers": Case(argv="{X}/oracle/app:1", code=3, differs="nobody answers"),
    "no name": Case(argv="", code=2, differs="no name"),
    "two names": Case(argv=f"{APP}:1 {APP}:2", differs="two names"),
    "an unknown option": Case(argv="--nope x", code=2, differs="an unknown option"),
}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> LayoutWriter:
    writer = LayoutWriter(tmp_path_factory.mktemp("oracle"))
    shared = layer({"etc/os-release": b"ID=tests\n"})
    for name in ("one", "two"):
        members = [
            writer.image(platform, [shared, layer({"app": f"{name} {platform}".encode()})])
            for platform in PLATFORMS
        ]
        writer.name(name, writer.index(members))
    writer.name("single", writer.image("linux/amd64", [shared, layer({"app": b"alone"})]))
    writer.name("arm", writer.index([writer.image("linux/arm64", [shared])]))
    chart = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": writer.blob(HELM, b"{}"),
        "layers": [writer.blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", b"chart")],
    }
    writer.name("chart", writer.blob(MANIFEST, json.dumps(chart).encode()))
    # As cosign pushes it: with the config of an image, which names no platform.
    config = {"architecture": "", "os": "", "rootfs": {"type": "layers", "diff_ids": []}}
    signature = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": writer.blob(CONFIG, json.dumps(config).encode()),
        "layers": [writer.blob("application/vnd.dev.cosign.simplesigning.v1+json", b"{}")],
    }
    writer.name("signature", writer.blob(MANIFEST, json.dumps(signature).encode()))
    return writer


@pytest.fixture(scope="module")
def pushed(
    images: LayoutWriter, plain_registry: Registry, htpasswd_registry: Registry
) -> dict[str, str]:
    """What the holes of the cases stand for."""
    for where, name in PUSHED.items():
        push_layout(plain_registry, images.folder, name, where)
    push_layout(htpasswd_registry, images.folder, "one", "oracle/app:1")
    index = json.loads((images.folder / "index.json").read_bytes())
    (one, *_) = index["manifests"]
    return {
        "R": plain_registry.address,
        "N": htpasswd_registry.address,
        # The same by a name that nobody logged in to.
        "S": htpasswd_registry.address.replace("127.0.0.1", "localhost"),
        "X": f"127.0.0.1:{free_port()}",
        "one": one["digest"],
    }


@pytest.fixture
def daemon(docker_daemon: Dockerd) -> Iterator[Dockerd]:
    docker_daemon.forget()
    yield docker_daemon
    (docker_daemon.folder / ".docker/config.json").unlink(missing_ok=True)


def test_there_are_situations_enough() -> None:
    assert len(CASES) >= 15
    assert {case.differs for case in CASES.values() if case.differs} == SITUATIONS.keys() - {
        "an empty name"  # a shell can give it, this table of words cannot
    }


@pytest.mark.parametrize("name", CASES)
def test_pinner_says_what_docker_says(
    name: str,
    daemon: Dockerd,
    workspace: Workspace,
    pushed: dict[str, str],
    images: LayoutWriter,
    plain_registry: Registry,
    htpasswd_registry: Registry,
) -> None:
    case = CASES[name]
    if "{N}" in case.argv:
        workspace.log_in(htpasswd_registry)
        _copy_login(workspace.home, daemon.folder)
    if "move" in case.before:
        push_layout(plain_registry, images.folder, "one", "oracle/moving:latest")
    for step in case.before:
        if step == "move":
            push_layout(plain_registry, images.folder, "two", "oracle/moving:latest")
        else:
            _compare(case, step.format(**pushed), daemon, workspace)
    _compare(case, case.argv.format(**pushed), daemon, workspace, last=True)


def test_an_empty_name(daemon: Dockerd, workspace: Workspace) -> None:
    row = SITUATIONS["an empty name"]
    assert row.docker.search(daemon.ask("pull", "").err)
    assert row.pinner.search(workspace.pinner("pull", "", code=2).err)


def test_what_is_pulled_is_what_docker_pulls(
    daemon: Dockerd, workspace: Workspace, pushed: dict[str, str]
) -> None:
    name = f"{pushed['R']}/oracle/app:1"
    daemon.docker("pull", name)
    workspace.pinner("pull", name)
    document = workspace.document("inspect", name)
    (platform,) = document["platforms"]
    manifest = json.loads(
        (workspace.store / "blobs/sha256" / platform["digest"].partition(":")[2]).read_bytes()
    )
    assert manifest["config"]["digest"] == daemon.image_id(name)


def _compare(
    case: Case, text: str, daemon: Dockerd, workspace: Workspace, *, last: bool = False
) -> None:
    argv = text.split()
    docker = daemon.ask("pull", *argv, environment=case.environ)
    code = case.code if last else 0
    pinner = workspace.pinner("pull", *argv, code=code, environ=case.environ)
    said = f"docker:\n{docker.out}{docker.err}\npinner:\n{pinner.out}{pinner.err}"
    if last and case.differs:
        row = SITUATIONS[case.differs]
        assert row.docker.search(docker.out + docker.err), said
        assert row.pinner.search(pinner.out + pinner.err), said
        return
    assert (docker.code == 0) == (code == 0), said
    assert agree(docker.out, pinner.out, LINES), said
    assert agree_on_errors(docker.err, pinner.err, LINES), said


def _copy_login(home: Path, to: Path) -> None:
    target = to / ".docker/config.json"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes((home / ".docker/config.json").read_bytes())
