"""`pinner update` and `pinner outdated` at the command line: files, exit codes, the log."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from support import documents
from support.clock import FakeClock
from support.gitrepos import IDENTITY
from support.gitrepos import Ground as Repository
from support.registry_faults import header, instead

if TYPE_CHECKING:
    from pathlib import Path

    from support.ground import Ground

DAY = 86_400
NOW = 1_790_000_000.0  # 2026-09-21T13:33:20Z, as every run's clock begins
AGED = '[settings]\nminimum-age = "3d"'


@pytest.fixture
def ground(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """app and web, locked; the registry says nothing of time."""
    ground.sim.always("/v2/", header("Last-Modified", None))
    for name in ("app", "web"):
        publish(ground, name, name.encode())
    ground.want(app="team/app:stable", web="team/web:stable")
    assert ground.run("lock").code == 0
    return ground


def publish(ground: Ground, name: str, content: bytes, tag: str = "stable") -> str:
    """Let a tag name an image with this layer; its digest."""
    repository = f"team/{name}"
    document = documents.manifest(ground.sim.content, repository, [content])
    pushed: str = documents.put(ground.sim.content, repository, document, tag)["digest"]
    return pushed


def days_pass(days: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on runs begin so many days after the first."""
    monkeypatch.setattr("pinner.cli.main.SystemClock", lambda: FakeClock(NOW + days * DAY))


def document(ground: Ground, *argv: str, code: int = 0) -> Any:
    ran = ground.run(*argv, "--json")
    assert ran.code == code, ran
    return json.loads(ran.out)


def seen(ground: Ground) -> Path:
    return ground.home / ".local/state/pinner/seen.json"


def test_nothing_moved(ground: Ground) -> None:
    before = ground.lockfile.stat()
    ran = ground.run("update")
    assert (ran.code, ran.out, ran.err) == (0, "Nothing to update: 2 unchanged\n", "")
    after = ground.lockfile.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_what_moved_is_written_and_said(ground: Ground) -> None:
    old = ground.lockfile.read_text()
    moved = publish(ground, "web", b"two")
    ran = ground.run("update")
    assert ran.code == 0
    row, last = ran.out.splitlines()
    assert row.split()[:2] == ["web", "stable"]
    assert f"→ {moved.removeprefix('sha256:')[:12]} " in row
    assert last.startswith("Updated 1 of 2 images. 1 unchanged. Wrote images.lock. Next: ")
    new = ground.lockfile.read_text()
    assert moved in new
    assert len(set(old.splitlines()) - set(new.splitlines())) == 2, "digest and one platform's"
    assert ground.run("lock", "--check").code == 0


def test_a_dry_run_writes_no_lock_and_tells_the_same(ground: Ground) -> None:
    publish(ground, "web", b"two")
    locked = ground.lockfile.read_bytes()
    planned = document(ground, "update", "--dry-run")
    assert ground.lockfile.read_bytes() == locked
    assert planned["wrote"] == []
    done = document(ground, "update")
    assert done["wrote"] == ["images.lock"]
    assert planned["images"] == done["images"]


def test_outdated_asks_and_writes_nothing(ground: Ground) -> None:
    assert ground.run("outdated").code == 0
    publish(ground, "web", b"two")
    locked = ground.lockfile.read_bytes()
    ran = ground.run("outdated")
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == (
        "1 of 2 images is outdated. 1 unchanged. Next: pinner update"
    )
    assert ground.lockfile.read_bytes() == locked


def test_only_the_named(ground: Ground) -> None:
    for name in ("app", "web"):
        publish(ground, name, b"two")
    done = document(ground, "update", "web")
    assert [(one["name"], one["outcome"]) for one in done["images"]] == [("web", "updated")]
    assert ground.run("outdated", "web").code == 0
    assert ground.run("outdated").code == 1


def test_an_unknown_name_asks_for_nothing(ground: Ground) -> None:
    asked = len(ground.sim.requests)
    ran = ground.run("update", "wep")
    assert ran.code == 2
    assert 'did you mean "web"?' in ran.err
    assert len(ground.sim.requests) == asked


def test_held_and_then_taken(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.want(AGED, app="team/app:stable", web="team/web:stable")
    ground.run("update")
    days_pass(1, monkeypatch)
    moved = publish(ground, "web", b"two")
    ran = ground.run("update")
    assert (ran.code, ran.out.splitlines()) == (
        0,
        [
            "  web  stable  held: under a minute old (first seen), minimum-age 3d, matures 25 Sep",
            "Nothing to update: 1 held, 1 unchanged",
        ],
    )
    assert ground.run("outdated").code == 0, "what is held is not outdated"
    days_pass(4, monkeypatch)
    ran = ground.run("update")
    assert "3 days old (first seen)" in ran.out
    assert moved in ground.lockfile.read_text()


def test_the_registrys_time_is_believed(ground: Ground) -> None:
    ground.want(AGED, web="team/web:stable")
    ground.run("update")
    ground.sim.always("/v2/", header("Last-Modified", "Thu, 17 Sep 2026 10:00:00 GMT"))
    publish(ground, "web", b"two")
    ran = ground.run("update")
    assert "4 days old (registry time)" in ran.out


@pytest.mark.parametrize("age", ["0", "3h"])
def test_minimum_age_of_the_command_line(ground: Ground, age: str) -> None:
    ground.want(AGED, web="team/web:stable")
    ground.run("update")
    publish(ground, "web", b"two")
    outcome = document(ground, "update", "--minimum-age", age)["images"][0]["outcome"]
    assert outcome == {"0": "updated", "3h": "held"}[age]


def test_a_minimum_age_that_is_none(ground: Ground) -> None:
    ran = ground.run("update", "--minimum-age", "soon")
    assert ran.code == 2
    assert '"soon" is not a duration' in ran.err


def test_an_immutable_tag_that_moved(ground: Ground) -> None:
    address = f"{ground.sim.host}/team/web:stable"
    ground.want(f'[images.web]\nimage = "{address}"\nimmutable = true', app="team/app:stable")
    (old,) = [one["digest"] for one in document(ground, "update")["images"] if one["name"] == "web"]
    new = publish(ground, "web", b"two")
    locked = ground.lockfile.read_bytes()
    ran = ground.run("update")
    assert ran.code == 1
    assert "alarm: an immutable tag moved" in ran.out
    assert old in ran.err
    assert new in ran.err
    assert ground.lockfile.read_bytes() == locked
    assert ground.run("outdated").code == 1


def test_a_failure_keeps_its_pin_and_the_others_are_written(ground: Ground) -> None:
    moved = publish(ground, "app", b"two")
    ground.sim.always("/v2/team/web/", instead(404))
    ran = ground.run("update")
    assert ran.code == 3
    assert ran.out.splitlines()[-1] == (
        "Updated 1 of 2 images. 1 failed. Wrote images.lock. "
        "Next: pinner diff --fetch, pinner rewrite"
    )
    assert "error: " in ran.err
    text = ground.lockfile.read_text()
    assert moved in text
    assert 'name = "web"' in text


def test_a_lock_that_cannot_be_written_asks_for_nothing(ground: Ground) -> None:
    target = ground.target
    ground.lockfile.rename(target)
    ground.lockfile.symlink_to(target)
    asked = len(ground.sim.requests)
    assert ground.run("update").code == 2
    assert len(ground.sim.requests) == asked
    assert ground.run("outdated").code == 0, "which writes nothing"


def test_without_a_lock_everything_is_locked(ground: Ground) -> None:
    ground.lockfile.unlink()
    ran = ground.run("update")
    assert ran.out.splitlines()[-1] == (
        "Updated 0 of 2 images. 2 added. Wrote images.lock. Next: pinner diff, pinner rewrite"
    )
    assert ground.run("lock", "--check").code == 0


def test_without_a_spec(ground: Ground) -> None:
    ground.spec.unlink()
    ran = ground.run("update")
    assert (ran.code, "there is no images.toml" in ran.err) == (2, True)


def test_quiet_says_the_result_alone(ground: Ground) -> None:
    seen(ground).parent.mkdir(parents=True)
    seen(ground).write_text("not a log")
    ran = ground.run("update", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "Nothing to update: 2 unchanged\n", "")


class TestLog:
    @pytest.mark.parametrize("command", [("update",), ("update", "--dry-run"), ("outdated",)])
    def test_what_was_seen_is_remembered(self, ground: Ground, command: tuple[str, ...]) -> None:
        ground.run(*command)
        tags = json.loads(seen(ground).read_bytes())["tags"]
        assert set(tags) == {f"{ground.sim.host}/team/{name}:stable" for name in ("app", "web")}

    def test_another_file(self, ground: Ground, tmp_path: Path) -> None:
        ground.run("update", "--seen", "ci/seen.json")
        assert (ground.project / "ci/seen.json").exists()
        assert not seen(ground).exists()

    @pytest.mark.parametrize("data", ["not a log", '{"version": 9}'])
    def test_one_that_cannot_be_used_is_a_warning(self, ground: Ground, data: str) -> None:
        seen(ground).parent.mkdir(parents=True)
        seen(ground).write_text(data)
        ran = ground.run("update")
        assert ran.code == 0
        assert "warning: " in ran.err
        kept = seen(ground).with_name("seen.json.bad") if "not" in data else seen(ground)
        assert kept.read_text() == data

    @pytest.mark.parametrize("data", ["not a log", '{"version": 9}'])
    def test_one_that_was_named_is_an_error(self, ground: Ground, data: str) -> None:
        named = ground.project / "seen.json"
        named.write_text(data)
        asked = len(ground.sim.requests)
        ran = ground.run("update", "--seen", "seen.json")
        assert (ran.code, named.read_text()) == (2, data)
        assert len(ground.sim.requests) == asked

    def test_a_state_folder_that_cannot_be_written(self, ground: Ground) -> None:
        seen(ground).parent.parent.parent.mkdir(exist_ok=True)
        seen(ground).parent.parent.write_text("a file in its place")
        publish(ground, "web", b"two")
        ran = ground.run("update")
        assert ran.code == 0
        assert "what was seen is not remembered" in ran.err
        assert "Wrote images.lock" in ran.out

    def test_a_named_file_that_cannot_be_written(self, ground: Ground) -> None:
        (ground.project / "file").write_text("")
        locked = ground.lockfile.read_bytes()
        publish(ground, "web", b"two")
        assert ground.run("update", "--seen", "file/seen.json").code == 2
        assert ground.lockfile.read_bytes() == locked


def test_O01_nothing_foreign_reaches_the_terminal_raw(ground: Ground) -> None:
    hostile = "\x1b]52;c;eA==\x07"
    ground.sim.always("/v2/", instead(500, f'{{"errors":[{{"message":"{hostile}"}}]}}'.encode()))
    ran = ground.run("update")
    assert ran.code == 3
    assert "\x1b" not in ran.out + ran.err


def test_the_document(ground: Ground) -> None:
    old = document(ground, "update")["images"][1]
    new = publish(ground, "web", b"two")
    told = document(ground, "update")
    assert told["command"] == "update"
    # The new image and its config; to tell what changed, the old one's and both configs.
    assert told["requests"] == {"head": 2, "manifest": 2, "tags": 0, "blob": 3}
    same, moved = told["images"]
    assert (same["outcome"], same["alias"]) == ("unchanged", None)
    assert (moved["outcome"], moved["digest"], moved["tag"]) == ("updated", new, "stable")
    assert moved["before"]["digest"] == old["digest"]
    assert (moved["age"], moved["waiting"]) == (None, None)


def test_the_summary_is_the_body_of_a_pull_request(ground: Ground) -> None:
    publish(ground, "web", b"two")
    ran = ground.run("update", "--summary", "body.md")
    assert ran.code == 0
    body = (ground.project / "body.md").read_text()
    assert body.startswith("### Update 1 image\n")
    assert "| web | `stable` |" in body
    assert "**Files:** `images.lock`." in body


def test_a_summary_is_written_where_nothing_moved(ground: Ground) -> None:
    assert ground.run("update", "--summary", "body.md").code == 0
    assert (ground.project / "body.md").read_text() == "### No image to update\n"


@pytest.mark.parametrize(
    ("path", "said"), [("store", "is not a regular file"), ("no/body.md", "does not exist")]
)
def test_a_summary_that_cannot_be_written_is_refused_before_anything(
    ground: Ground, path: str, said: str
) -> None:
    (ground.project / "store").mkdir(exist_ok=True)
    publish(ground, "web", b"two")
    before, asked = ground.lockfile.read_bytes(), len(ground.sim.requests)
    ran = ground.run("update", "--summary", path)
    assert ran.code == 2
    assert said in ran.err
    assert ground.lockfile.read_bytes() == before
    assert len(ground.sim.requests) == asked


def test_a_store_that_cannot_be_used_does_not_stop_an_update(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(ground, "web", b"two")
    (ground.project / "no-store").write_text("a file")
    ran = ground.run("update", "--store", "no-store", "--summary", "body.md")
    assert ran.code == 0
    (warning,) = ran.err.splitlines()
    assert warning.startswith("warning: what changed inside the images cannot be told: ")
    assert "no-store" in warning
    assert "Updated 1 of 2 images." in ran.out
    body = (ground.project / "body.md").read_text()
    assert "what changed inside the images cannot be told" in body
    assert "no-store" not in body


def test_an_update_on_a_branch_leaves_the_files(ground: Ground) -> None:
    git = Repository.make(ground.project)
    git.git("add", "images.toml", "images.lock")
    git.git("commit", "--quiet", "--message=Lock")
    moved = publish(ground, "web", b"two")
    before = ground.lockfile.read_bytes()
    ground.environ = {**ground.environ, **IDENTITY}
    ran = ground.run("update", "--branch", "pinner/update")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1].startswith("Committed to pinner/update: ")
    assert ground.lockfile.read_bytes() == before
    assert moved in git.git("show", "pinner/update:images.lock")
    again = ground.run("update", "--branch", "pinner/update")
    assert "pinner/update has this update already" in again.out


def test_files_are_rewritten_with_the_lock(ground: Ground) -> None:
    dockerfile = ground.project / "Dockerfile"
    reference = f"{ground.sim.host}/team/web:stable"
    dockerfile.write_text(f"FROM {reference}\nRUN true\n")
    moved = publish(ground, "web", b"two")
    ran = ground.run("update", "--rewrite", "--summary", "body.md")
    assert (ran.code, ran.err) == (0, "")
    assert dockerfile.read_text() == f"FROM {reference}@{moved}\nRUN true\n"
    assert ran.out.splitlines()[-1] == (
        "Updated 1 of 2 images. 1 unchanged. Rewrote 1 reference. "
        "Wrote images.lock and Dockerfile. Next: pinner diff --fetch, pinner sync"
    )
    assert "**Files:** `images.lock`, `Dockerfile:1`." in (ground.project / "body.md").read_text()
    again = ground.run("update", "--rewrite")
    assert again.out == "Nothing to update: 2 unchanged\n"


def test_a_dry_run_rewrites_nothing(ground: Ground) -> None:
    dockerfile = ground.project / "Dockerfile"
    dockerfile.write_text(f"FROM {ground.sim.host}/team/web:stable\n")
    before = dockerfile.read_bytes()
    publish(ground, "web", b"two")
    ran = ground.run("update", "--rewrite", "--dry-run")
    assert dockerfile.read_bytes() == before
    assert ran.out.splitlines()[-1].endswith(
        "Would rewrite 1 reference. Nothing was written. Next: pinner update"
    )


def committed(ground: Ground, **files: str | bytes) -> Repository:
    git = Repository.make(ground.project)
    git.commit(
        {
            "images.toml": ground.spec.read_bytes(),
            "images.lock": ground.lockfile.read_bytes(),
            **files,
        }
    )
    ground.environ = {**ground.environ, **IDENTITY}
    return git


def test_on_a_branch_files_are_rewritten_there(ground: Ground) -> None:
    reference = f"{ground.sim.host}/team/web:stable"
    git = committed(ground, Dockerfile=f"FROM {reference}\n")
    moved = publish(ground, "web", b"two")
    ran = ground.run("update", "--rewrite", "--branch", "pinner/update")
    assert (ran.code, ran.err) == (0, "")
    assert git.git("show", "pinner/update:Dockerfile") == f"FROM {reference}@{moved}"
    assert git.git("status", "--porcelain", "--untracked-files=no") == ""
    _, total, commit = ran.out.splitlines()
    assert total == "Updated 1 of 2 images. 1 unchanged. Rewrote 1 reference."
    assert commit.startswith("Committed to pinner/update: ")


def test_a_file_with_changes_of_ones_own_is_not_committed(ground: Ground) -> None:
    reference = f"{ground.sim.host}/team/web:stable"
    git = committed(ground, Dockerfile=f"FROM {reference}\n")
    (ground.project / "Dockerfile").write_text(f"FROM {reference}\nRUN mine\n")
    publish(ground, "web", b"two")
    before = ground.lockfile.read_bytes()
    ran = ground.run("update", "--rewrite", "--commit")
    assert ran.code == 2
    assert "Dockerfile is not as HEAD has it" in ran.err
    assert ground.lockfile.read_bytes() == before
    assert git.git("log", "--format=%s") == "a change"


def test_line_ends_of_the_work_tree_stay_there(ground: Ground) -> None:
    reference = f"{ground.sim.host}/team/web:stable"
    git = committed(ground, Dockerfile=f"FROM {reference}\nRUN true\n")
    (ground.project / "Dockerfile").write_bytes(f"FROM {reference}\r\nRUN true\r\n".encode())
    moved = publish(ground, "web", b"two")
    assert ground.run("update", "--rewrite", "--branch", "pinner/update").code == 0
    # By its id, since text that git prints is read with any line ends.
    wanted = f"FROM {reference}@{moved}\nRUN true\n".encode()
    blob = hashlib.sha1(b"blob %d\0%s" % (len(wanted), wanted), usedforsecurity=False)
    assert git.git("rev-parse", "pinner/update:Dockerfile") == blob.hexdigest()
