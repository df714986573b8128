"""`pinner diff`: lockfiles by path and by revision of real git repositories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.gitrepos import Ground
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Pinner = Any
BASE = b"base" * 1000


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    with RegistrySim() as registry:
        publish(registry, b"first" * 10)
        yield registry


def publish(sim: RegistrySim, top: bytes) -> None:
    """Let the tag name a build of the app."""
    image = sim.content.add_image("app", layers=[BASE, top])
    sim.content.add_index("app", "1", images={"linux/amd64": image})


@pytest.fixture(autouse=True)
def amd64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


@pytest.fixture
def repository(tmp_path: Path, pinner: Pinner, sim: RegistrySim) -> Ground:
    """Two commits of a project: the app as it was locked first, and after a rebuild."""
    ground = Ground.make(tmp_path)
    ground.write({"images.toml": f'[images]\napp = "{sim.host}/app:1"\n'})
    relock(pinner, tmp_path)
    ground.commit({"images.lock": (tmp_path / "images.lock").read_bytes()}, "first")
    ground.git("tag", "-a", "-m", "a tag", "v1")
    publish(sim, b"second" * 10)
    relock(pinner, tmp_path)
    ground.commit({"images.lock": (tmp_path / "images.lock").read_bytes()}, "second")
    sim.requests.clear()
    return ground


def relock(pinner: Pinner, folder: Path) -> None:
    (folder / "images.lock").unlink(missing_ok=True)
    ran = pinner("lock")
    assert ran.code == 0, ran.err


def document(pinner: Pinner, *argv: str) -> dict[str, Any]:
    ran = pinner("diff", *argv, "--json", "--store", "store")
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def names(pinner: Pinner, *argv: str) -> list[tuple[str, str]]:
    return [(one["name"], one["change"]) for one in document(pinner, *argv)["images"]]


def test_the_working_tree_is_compared_with_head(
    pinner: Pinner, repository: Ground, tmp_path: Path
) -> None:
    assert names(pinner) == []
    lock = tmp_path / "images.lock"
    lock.write_text(lock.read_text().split("[[image]]")[0])
    assert names(pinner) == [("app", "removed")]


@pytest.mark.parametrize(
    "old", ["HEAD~1", "v1", "main~1", "HEAD~1:images.lock", "v1:./images.lock"]
)
def test_a_revision_names_the_lockfile_of_then(
    pinner: Pinner, repository: Ground, sim: RegistrySim, old: str
) -> None:
    assert names(pinner, old) == [("app", "changed")]
    assert names(pinner, old, "HEAD") == [("app", "changed")]
    assert sim.requests == [], "nothing is asked without --fetch"


def test_a_path_is_compared_without_any_repository(
    pinner: Pinner, repository: Ground, tmp_path: Path
) -> None:
    (tmp_path / "old.lock").write_text(repository.git("show", "v1:images.lock") + "\n")
    (tmp_path / ".git").rename(tmp_path / "gone")
    assert names(pinner, "old.lock", "images.lock") == [("app", "changed")]
    assert names(pinner, "images.lock", "./old.lock") == [("app", "changed")]


def test_a_file_wins_over_a_branch_of_its_name(
    pinner: Pinner, repository: Ground, tmp_path: Path
) -> None:
    repository.git("branch", "release/1", "v1")
    assert names(pinner, "release/1") == [("app", "changed")]
    (tmp_path / "release").mkdir()
    (tmp_path / "release/1").write_bytes((tmp_path / "images.lock").read_bytes())
    assert names(pinner, "release/1") == []
    assert names(pinner, "release/1:images.lock") == [("app", "changed")]


def test_a_file_of_a_branchs_name_is_none_where_it_is_no_lockfile(
    pinner: Pinner, repository: Ground, tmp_path: Path
) -> None:
    repository.git("branch", "images", "v1")
    (tmp_path / "images").write_text("no lockfile")
    assert names(pinner, "images") == [("app", "changed")]


def test_a_project_in_a_subfolder_has_its_own_lockfile(
    pinner: Pinner, repository: Ground, tmp_path: Path
) -> None:
    lock, spec = (tmp_path / name for name in ("images.lock", "images.toml"))
    repository.commit({"sub/images.lock": lock.read_bytes(), "sub/images.toml": spec.read_bytes()})
    empty = lock.read_text().split("[[image]]")[0]
    (tmp_path / "sub/images.lock").write_text(empty)
    assert names(pinner, "--directory", "sub") == [("app", "removed")]
    assert names(pinner, "--directory", "sub", "v1:images.lock") == [("app", "removed")]
    assert names(pinner, "--directory", "sub", "v1:../images.lock") == [("app", "removed")]


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        pytest.param(["nonsense"], '"nonsense" is not a revision', id="no revision"),
        pytest.param(["HEAD~7"], '"HEAD~7" is not a revision', id="before the first"),
        pytest.param(
            ["no/such.lock"], '"no/such.lock" is neither a file nor a revision', id="no file"
        ),
        pytest.param(["HEAD:no.lock"], "HEAD has no no.lock", id="no file at the revision"),
        pytest.param(["HEAD:../x"], "is outside of the git repository", id="outside"),
        pytest.param(["--", "--output=x"], '"--output=x" is not a revision', id="an option"),
        pytest.param(["--", "-x:images.lock"], '"-x" is not a revision', id="an option and a path"),
        pytest.param([""], '"" is not a revision', id="nothing"),
        pytest.param(["HEAD\x1b[2J"], r'"HEAD\x1b[2J" is not a revision', id="escape"),
        pytest.param(["x" * 5000 + ".lock"], "is neither a file nor a revision", id="long"),
        pytest.param(["HEAD", "HEAD", "--markdown", "--json"], "exclude", id="two forms"),
    ],
)
def test_what_names_no_lockfile_is_exit_2_with_the_mend(
    pinner: Pinner, repository: Ground, tmp_path: Path, argv: list[str], what: str
) -> None:
    ran = pinner("diff", *argv)
    assert ran.code == 2
    assert what in ran.out + ran.err
    assert not (tmp_path / "x").exists()


def test_without_a_repository_a_revision_means_nothing(pinner: Pinner, tmp_path: Path) -> None:
    ran = pinner("diff")
    assert ran.code == 2
    assert "no git repository" in ran.err
    assert "give the path of a lockfile" in ran.err


def test_a_revision_before_the_lockfile_has_none(
    pinner: Pinner, tmp_path: Path, sim: RegistrySim
) -> None:
    ground = Ground.make(tmp_path)
    ground.commit({"images.toml": f'[images]\napp = "{sim.host}/app:1"\n'})
    relock(pinner, tmp_path)
    ran = pinner("diff")
    assert ran.code == 2
    assert "HEAD has no images.lock" in ran.err
    assert "git log" in ran.err


def test_a_lockfile_of_a_revision_that_is_spoiled(pinner: Pinner, repository: Ground) -> None:
    text = repository.git("show", "HEAD:images.lock")
    repository.commit({"images.lock": f"<<<<<<< ours\n{text}\n"})
    ran = pinner("diff", "HEAD", "HEAD~1")
    assert ran.code == 2
    assert ran.err.startswith("error: HEAD:")


def test_without_fetch_what_is_not_here_is_a_note(
    pinner: Pinner, repository: Ground, sim: RegistrySim
) -> None:
    ran = pinner("diff", "v1", "--store", "store")
    assert ran.code == 0
    assert "note: neither image is in the store: --fetch asks the registry" in ran.out
    assert sim.requests == []


def test_fetch_brings_both_images_and_names_none(
    pinner: Pinner, repository: Ground, tmp_path: Path
) -> None:
    (one,) = document(pinner, "v1", "--fetch")["images"]
    assert one["kept_layers"] == 1
    assert (one["old"]["bytes"], one["new"]["bytes"]) == (4050, 4060)
    assert one["platform"] == "linux/amd64"
    assert one["notes"] == []
    assert not json.loads((tmp_path / "store/index.json").read_text())["manifests"]


def test_fetched_once_the_next_run_asks_nothing(
    pinner: Pinner, repository: Ground, sim: RegistrySim
) -> None:
    first = document(pinner, "v1", "--fetch")
    sim.requests.clear()
    assert document(pinner, "v1") == first
    assert sim.requests == []


def test_no_packages_fetches_no_layers(
    pinner: Pinner, repository: Ground, sim: RegistrySim
) -> None:
    (one,) = document(pinner, "v1", "--fetch", "--no-packages")["images"]
    assert one["packages"] is None
    assert one["new"]["bytes"] == 4060
    assert sim.count("GET", "/blobs/") == 2, "the two configs"
    assert sim.count("GET", "/manifests/") == 2, "no index, which would tell of attestations"


def test_text_and_markdown(pinner: Pinner, repository: Ground, sim: RegistrySim) -> None:
    text = pinner("diff", "v1", "--fetch", "--store", "store").out
    assert text.startswith("app  1  ")
    assert "4.0 → 4.1 kB, 1 of 2 layers kept" in text
    assert text.endswith("1 image differs between v1 and images.lock, compared for linux/amd64\n")
    markdown = pinner("diff", "v1", "--markdown", "--store", "store").out
    assert markdown.startswith("### Update 1 image\n\n| image | tag |")


def test_a_registry_that_is_gone_leaves_notes(
    pinner: Pinner, repository: Ground, sim: RegistrySim
) -> None:
    sim.content.repositories.clear()
    (one,) = document(pinner, "v1", "--fetch")["images"]
    assert one["old"] is None
    assert "the older image could not be read" in one["notes"][0]
