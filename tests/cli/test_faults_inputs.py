"""Faults R and S: references and images.toml that cannot be used, met by every command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from support.oracle import converges, survived
from support.registry_faults import honest
from support.tables import FIXTURES, params

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.ground import Ground
    from support.net import Answer, Request

COMMANDS = (("lock",), ("lock", "--check"), ("sync",), ("add", "debian:bookworm"))
BAD = sorted((FIXTURES / "specs/bad").glob("*.toml"))
MIB = 1024 * 1024


@pytest.fixture
def locked(ground: Ground) -> Ground:
    """A project with a lock, which a bad images.toml must leave as it is."""
    ground.sim.content.add_image("app", "stable")
    ground.want(app="app:stable")
    assert ground.run("lock").code == 0
    ground.sim.requests.clear()
    return ground


def refused(ground: Ground, *says: str, code: int = 2) -> None:
    """Every command ends with `code`, and no registry is asked."""
    for command in COMMANDS:
        survived(ground, *command, code=code, says=says)
    assert not ground.sim.requests
    assert not ground.store.exists()


def mend(ground: Ground) -> None:
    """Have images.toml as it was, and come to the same as ever."""
    ground.want(app="app:stable")
    converges(ground)


@pytest.mark.parametrize("row", params("references/hostile.toml"))
def test_references_that_are_none(locked: Ground, row: dict[str, Any]) -> None:
    """R01 to R28, in images.toml and on the command line."""
    spec = locked.spec.read_bytes()
    locked.spec.write_text(f"[images]\napp = {quoted(row['input'])}\n")
    for command in COMMANDS[:3]:
        survived(locked, *command, code=2, says=["images.toml:2: "], lasting=False)
    locked.spec.write_bytes(spec)
    survived(locked, "add", "--", row["input"], code=2, lasting=False)
    assert not locked.sim.requests
    converges(locked)


def quoted(text: str) -> str:
    """A string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


@pytest.mark.parametrize("row", params("references/accepted.toml"))
def test_references_that_are_some(ground: Ground, row: dict[str, Any]) -> None:
    """R06 to R12, R15, R17 to R19 and R25: what is asked for next is a lock."""
    ground.spec.write_text(f"[images]\napp = {quoted(row['input'])}\n")
    survived(ground, "lock", "--check", code=1, lasting=False)
    survived(ground, "sync", code=2, says=["there is no images.lock"], lasting=False)


@pytest.mark.parametrize(
    ("repository", "tag"),
    [
        pytest.param("a" * 239, "stable", id="R06-a-path-of-239"),
        pytest.param("a__b/c---d/e.f-g_h", "stable", id="R18"),
        pytest.param("app", "t" * 128, id="R07"),
        pytest.param("app", "_x", id="R08"),
        pytest.param("app", "5000", id="R11"),
        pytest.param("app", "latest", id="R09"),
    ],
)
def test_what_is_at_the_border_is_locked_and_synced(
    ground: Ground, repository: str, tag: str
) -> None:
    ground.sim.content.add_image(repository, tag)
    ground.want(app=repository if tag == "latest" else f"{repository}:{tag}")
    survived(ground, "lock", code=0)
    survived(ground, "sync", code=0)
    converges(ground)


def test_R10_a_name_that_is_spelled_otherwise_is_the_same_host(ground: Ground) -> None:
    ground.sim.content.add_image("app", "stable")
    port = ground.sim.port
    ground.spec.write_text(
        f'[images]\none = "localhost:{port}/app:stable"\ntwo = "LOCALHOST:{port}/app:stable"\n'
    )
    survived(ground, "lock", code=0)
    survived(ground, "sync", code=0)
    assert ground.sim.count("GET", "/manifests/stable") == 2
    converges(ground)


def test_R19_the_digest_counts_and_not_the_tag(ground: Ground) -> None:
    old = ground.sim.content.add_image("app", "stable", layers=[b"old"])
    ground.sim.content.add_image("app", "stable", layers=[b"new"])
    ground.want(app=f"app:stable@{old.digest}")
    survived(ground, "lock", code=0)
    assert old.digest in ground.lockfile.read_text()
    assert not ground.sim.count("GET", "/manifests/stable")
    survived(ground, "sync", code=0)
    converges(ground)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_files_with_problems(locked: Ground, path: Path) -> None:
    """S02, S10 to S13, S15 and R, as the unit tests have them: each problem with its line."""
    locked.spec.write_bytes(path.read_bytes())
    expected = path.with_suffix(".txt").read_text().splitlines()
    refused(locked, *(line.partition(": ")[0] for line in expected if "images.toml" in line))
    mend(locked)


HEAD = b"[images]\n"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(HEAD + b"a = \n", "images.toml:2:5", id="S02"),
        pytest.param(HEAD + b'a = "\xff"\n', "images.toml:2", id="S03"),
        pytest.param(b"\xef\xbb\xbf" + HEAD, "byte order mark", id="S04"),
        pytest.param(HEAD.decode().encode("utf-16"), "UTF-16", id="S05"),
        pytest.param(HEAD.decode().encode("utf-16-le"), "images.toml:1", id="S05-without-mark"),
        pytest.param(HEAD + b"a = " + b"[" * 100_000, "nests more than 16", id="S06-lists"),
        pytest.param(HEAD + b"a = " + b"{a=" * 100_000, "nests more than 16", id="S06-tables"),
        pytest.param(b"a." * 20_000 + b"b = 1\n", "nests more than 16", id="S07"),
        pytest.param(HEAD + b"a = " + b"9" * 5000, "images.toml:2", id="S08-digits"),
        pytest.param(HEAD + b"a = 0x" + b"f" * 200_000, "images.toml:2", id="S08-hexadecimal"),
        pytest.param(HEAD + b"#" * MIB, "larger than 1 MiB", id="S09-comment"),
        pytest.param(HEAD + b'a = "' + b"x" * 20 * MIB + b'"', "larger than 1 MiB", id="S09-text"),
        pytest.param(
            HEAD + b"".join(b"k%d = 1\n" % n for n in range(200_000)), "1 MiB", id="S09-keys"
        ),
        pytest.param(HEAD + b'a = "a"\na = "b"\n', "images.toml:3", id="S10"),
        pytest.param(HEAD + b'[images.a]\nimage = "a"\nplatfroms = 1\n', "platforms", id="S11"),
        pytest.param(
            HEAD + b'a = { image = "a", platforms = "linux/amd64" }\n', "images.toml:2", id="S12"
        ),
        pytest.param(HEAD + b'"\\u001b[31m" = "a"\n', "images.toml:2", id="S13"),
        pytest.param(
            b'[settings]\nplatforms = ["linux/amd64", "linux/amd64"]\n', "images.toml:2", id="S16"
        ),
        pytest.param(
            b'[settings]\nplatforms = ["linux/x86_64"]\n', "linux/amd64", id="S15-another-name"
        ),
        pytest.param(HEAD + b"<<<<<<< HEAD\n", "merge", id="L02-in-images.toml"),
    ],
)
def test_files_that_are_not_read(locked: Ground, data: bytes, says: str) -> None:
    locked.spec.write_bytes(data)
    refused(locked, "images.toml", says)
    if len(data) > 10_000:  # where memory could grow, it is measured
        locked.process = True
        survived(locked, "lock", code=2, says=["images.toml"])
        locked.process = False
    mend(locked)


@pytest.mark.parametrize("text", ["", "\n", "[images]\n"], ids=["S01", "S01-line", "S01-table"])
def test_no_images_at_all(ground: Ground, text: str) -> None:
    ground.spec.write_text(text)
    survived(ground, "lock", code=0)
    survived(ground, "lock", "--check", code=0)
    survived(ground, "sync", code=0)
    assert not ground.sim.requests
    converges(ground)


def test_S14_two_names_for_one_image(ground: Ground) -> None:
    ground.sim.content.add_image("app", "stable")
    ground.want(one="app:stable", two="app:stable")
    survived(ground, "lock", code=0)
    assert ground.sim.count("GET", "/manifests/stable") == 1
    survived(ground, "sync", code=0)
    converges(ground)


def folder(path: Path) -> None:
    path.mkdir()


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("make", "commands"),
    [
        pytest.param(lambda path: None, COMMANDS[:3], id="S17-missing"),
        pytest.param(folder, COMMANDS, id="S17-folder"),
        pytest.param(os.mkfifo, COMMANDS, id="S17-FIFO"),
        pytest.param(zeros, COMMANDS, id="S17-zeros"),
        pytest.param(lambda path: path.symlink_to(path), COMMANDS[:3], id="S17-loop"),
        pytest.param(lambda path: path.symlink_to("nowhere"), COMMANDS[:3], id="S17-dangling"),
    ],
)
def test_a_spec_that_is_no_file(
    locked: Ground, make: Callable[[Path], None], commands: tuple[tuple[str, ...], ...]
) -> None:
    locked.spec.unlink()
    make(locked.spec)
    for command in commands:
        survived(locked, *command, code=2, says=["images.toml"])
    assert not locked.sim.requests
    if os.path.lexists(locked.spec):
        (locked.spec.rmdir if locked.spec.is_dir() else locked.spec.unlink)()
    mend(locked)


def test_S18_a_spec_that_changes_meanwhile(ground: Ground) -> None:
    first = ground.sim.content.add_image("app", "stable", layers=[b"first"])
    ground.sim.content.add_image("other", "stable")
    ground.want(app="app:stable")
    spec = ground.spec.read_bytes()

    def edit(request: Request, answer: Answer) -> Answer:
        ground.want(app="other:stable")
        return honest(request, answer)

    ground.sim.script("/manifests/stable", edit)
    survived(ground, "lock", code=0)
    assert first.digest in ground.lockfile.read_text(), "as it was read"
    survived(ground, "lock", "--check", code=1, says=["app"])
    ground.spec.write_bytes(spec)
    survived(ground, "lock", "--check", code=0)
    converges(ground)


def test_S19_lines_of_windows(ground: Ground) -> None:
    ground.sim.content.add_image("app", "stable")
    ground.want(app="app:stable")
    ground.spec.write_bytes(ground.spec.read_bytes().replace(b"\n", b"\r\n"))
    survived(ground, "lock", code=0)
    survived(ground, "sync", code=0)
    assert b"\r" not in ground.lockfile.read_bytes()
    converges(ground)


def test_S22_ten_thousand_images(ground: Ground) -> None:
    ground.sim.content.add_image("app", "stable")
    names = sorted(f"app-{number}" for number in range(10_000))
    ground.want(**{names[0]: "app:stable"})
    survived(ground, "lock", code=0)
    head, _, row = ground.lockfile.read_text().partition("[[image]]")
    rows = (f"[[image]]{row.replace(names[0], name)}" for name in names)
    ground.want(**dict.fromkeys(names, "app:stable"))
    ground.lockfile.write_text(head + "\n".join(rows))
    survived(ground, "lock", "--check", code=0)
    before = len(ground.sim.requests)
    survived(ground, "lock", code=0)
    assert len(ground.sim.requests) == before
