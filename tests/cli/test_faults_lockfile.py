"""Faults L: images.lock missing, cut, forged, or not to be written, met by every command."""

from __future__ import annotations

import errno
import os
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from support.oracle import converges, survived
from support.registry_content import digest_of
from support.registry_faults import instead
from support.tables import FIXTURES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.ground import Ground
    from support.net import Answer, Request
    from support.registry_content import SimImage

COMMANDS = (("lock",), ("lock", "--check"), ("sync",), ("sync", "--frozen"))
FUTURE = "2999-01-01T00:00:00Z"
BAD = sorted((FIXTURES / "locks/bad").glob("*.lock"))
LAYER = b"layer"


def offer(ground: Ground, name: str, layer: bytes = LAYER) -> SimImage:
    """Let the registry have the index NAME:stable of two platforms."""
    content = ground.sim.content
    images = {
        f"linux/{architecture}": content.add_image(name, architecture=architecture, layers=[layer])
        for architecture in ("amd64", "arm64")
    }
    return content.add_index(name, "stable", images=images)


@pytest.fixture
def image(ground: Ground) -> SimImage:
    """The index app:stable of two platforms."""
    return offer(ground, "app")


@pytest.fixture
def locked(ground: Ground, image: SimImage) -> Ground:
    """A project that wants it, locked."""
    ground.want('[settings]\nplatforms = ["linux/amd64", "linux/arm64"]', app="app:stable")
    assert ground.run("lock").code == 0
    ground.sim.requests.clear()
    return ground


def refused(ground: Ground, *says: str) -> None:
    """No command takes the lock, nor asks a registry, and `lock` does not replace it."""
    for command in COMMANDS:
        survived(ground, *command, code=2, says=["images.lock", *says])
    assert not ground.sim.requests
    assert not ground.store.exists()


def mend(ground: Ground, lock: bytes) -> None:
    """Have the lock as it was, and come to the same as ever."""
    ground.lockfile.write_bytes(lock)
    converges(ground)


def test_L01_no_lock(ground: Ground, image: SimImage) -> None:
    ground.want(app="app:stable")
    for command in (("sync",), ("sync", "--frozen"), ("sync", "app")):
        survived(ground, *command, code=2, says=["there is no images.lock", "run `pinner lock`"])
    survived(ground, "lock", "--check", code=1, says=["no images.lock"])
    assert not ground.sim.requests
    converges(ground)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_files_with_problems(locked: Ground, path: Path) -> None:
    """L02 to L08 as the unit tests have them: each problem with its line."""
    lock = locked.lockfile.read_bytes()
    locked.lockfile.write_bytes(path.read_bytes())
    expected = path.with_suffix(".txt").read_text().splitlines()
    refused(locked, *(line.partition(": ")[0] for line in expected if "images.lock" in line))
    mend(locked, lock)


def test_L03_cut_anywhere(locked: Ground) -> None:
    """Unit tests cut at every byte. A lock that lacks its last line feed alone is whole."""
    lock = locked.lockfile.read_bytes()
    for length in range(0, len(lock) - 1, 3):
        locked.lockfile.write_bytes(lock[:length])
        ran = locked.run("lock", "--check")
        assert ran.code in {1, 2}, (length, ran)
        assert "images.lock" in ran.out + ran.err
        assert locked.lockfile.read_bytes() == lock[:length]
    for length in range(0, len(lock) - 1, 50):
        locked.lockfile.write_bytes(lock[:length])
        code = locked.run("sync").code
        assert code in {1, 2}
        survived(locked, "sync", code=code, says=["images.lock"])
    assert not locked.sim.requests
    mend(locked, lock)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("version = 1", "version = 2", "version", id="L04-newer"),
        pytest.param("version = 1", "version = 0", "version", id="L04-older"),
        pytest.param("version = 1", "version = true", "version", id="L06-true"),
        pytest.param("version = 1", "version = 1.0", "version", id="L06-float"),
        pytest.param("version = 1", "version = -1", "version", id="L06-negative"),
        pytest.param("version = 1", f"version = {'9' * 5000}", "", id="L06-huge"),
        pytest.param("version = 1", "", "version", id="L04-none"),
        pytest.param('name = "app"', 'name = "app"\nnam = 1', "nam", id="L05"),
        pytest.param("digest = ", "digset = ", "digest", id="L05-misspelt"),
        # There are no times and no sizes: what nobody writes cannot lie.
        *(
            pytest.param(old, new, said, id=name)
            for name, old, new, said in (
                (
                    "L17",
                    'name = "app"',
                    rf"\g<0>\nresolved-at = {FUTURE}",
                    ':7: app: "resolved-at"',
                ),
                ("L17-whole", "revision = 1", rf"\g<0>\nmade = {FUTURE}", ':4: "made"'),
                ("L26", 'name = "app"', r"\g<0>\nsize = 1", ':7: app: "size"'),
                (
                    "L26-platform",
                    r'("linux/amd64") = ("[^"]*")',
                    r"\1 = {digest = \2, size = 1}",
                    ':11: app.platforms."linux/amd64": is a table; write a digest',
                ),
            )
        ),
        *(
            pytest.param(r'digest = "[^"]*"', f'digest = "{value}"', "images.lock:9", id=name)
            for name, value in {
                "L07-R20-63": "sha256:" + "1" * 63,
                "L07-R20-65": "sha256:" + "1" * 65,
                "L07-R21": "sha256:" + "A" * 64,
                "L07-R22": "sha256:../../etc",
                "L07-R23": "sha256:%2e%2e%2f..",
                "L07-R24": "md5:" + "1" * 32,
                "L07-R25": "sha512:" + "1" * 64,
                "L07-R26": "sha256:" + "1" * 64 + r"\\n",
                "L07-R27": "sha256:" + "1" * 63 + "٣",
                "L07-R28": "sha256:" + "1" * 64 + "?x=1",
            }.items()
        ),
        pytest.param(
            r'"linux/amd64" = "[^"]*"', '"linux/amd64" = "sha256:x"', "images.lock:1", id="L07-in"
        ),
        pytest.param('"linux/arm64"', '"linux/amd64"', "images.lock:1", id="L08-platform"),
        pytest.param('"linux/arm64"', '"linux/aarch64"', "images.lock:1", id="L08-S15-spelling"),
        pytest.param(r"(?s)(\[\[image\]\].*)", r"\1\n\1", "app", id="L08-image"),
        pytest.param(r"^", "<<<<<<< HEAD\n", "merge", id="L02"),
        pytest.param('image = "', 'image = "https://', "images.lock:7", id="R14"),
    ],
)
def test_locks_that_are_not_read(locked: Ground, old: str, new: str, says: str) -> None:
    lock = locked.lockfile.read_bytes()
    text, count = re.subn(old, new, lock.decode(), count=1)
    assert count == 1
    locked.lockfile.write_text(text)
    refused(locked, says)
    mend(locked, lock)


@pytest.mark.parametrize(
    "line", [pytest.param(f"resolved-at = {FUTURE}", id="L17"), pytest.param("size = 1", id="L26")]
)
def test_a_newer_revision_that_has_times_or_sizes_is_passed_over(locked: Ground, line: str) -> None:
    """Nothing is decided by them: the digest says which bytes, and so how many."""
    lock = locked.lockfile.read_text()
    newer = lock.replace("revision = 1", "revision = 2").replace(
        'name = "app"', f'name = "app"\n{line}'
    )
    locked.lockfile.write_text(newer)
    for command in COMMANDS:
        survived(locked, *command, code=0)
    assert locked.lockfile.read_text() == newer
    mend(locked, lock.encode())


def shuffled(text: str) -> str:
    """The same images, and the lines of each, in another order."""
    head, *images = text.split("[[image]]\n")
    keys = [re.split(r"(?=\[image\.platforms\])", image.strip()) for image in images]
    turned = ["\n".join([*reversed(own.strip().split("\n")), rest]) for own, rest in keys]
    return "\n[[image]]\n".join([head, *reversed(turned)]) + "\n"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(shuffled, id="L09"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="L10"),
        pytest.param(lambda text: "# mine\n" + text, id="L09-comment"),
        pytest.param(lambda text: text[:-1], id="L03-no-last-line-feed"),
    ],
)
def test_locks_that_were_edited_without_harm(locked: Ground, change: Callable[[str], str]) -> None:
    offer(locked, "other")
    platforms = '[settings]\nplatforms = ["linux/amd64"]'
    locked.want(platforms, app="app:stable", other="other:stable")
    survived(locked, "lock", code=0)
    canonical = locked.lockfile.read_bytes()
    edited = change(canonical.decode()).encode()
    locked.lockfile.write_bytes(edited)
    locked.sim.requests.clear()
    for command in COMMANDS[:2]:
        survived(locked, *command, code=0)
        assert locked.lockfile.read_bytes() == edited, "there was nothing to lock"
    assert not locked.sim.requests
    survived(locked, "sync", code=0)
    third = offer(locked, "third")
    locked.want(platforms, app="app:stable", other="other:stable", third="third:stable")
    survived(locked, "lock", code=0)
    lock = locked.lockfile.read_text()
    assert third.digest in lock
    assert canonical.decode() in lock
    assert "\r" not in lock
    converges(locked)


def refusing(call: str, number: int) -> Callable[..., Any]:
    """A call of the system that fails with this error where images.lock is concerned."""
    honest = getattr(os, call)

    def fail(first: object, *args: object, **kwargs: object) -> object:
        if isinstance(first, int) or "images.lock" in str(first):
            raise OSError(number, os.strerror(number))
        return honest(first, *args, **kwargs)

    return fail


@pytest.mark.parametrize(
    ("call", "number"),
    [
        pytest.param("open", errno.EACCES, id="L11-EACCES"),
        pytest.param("open", errno.EROFS, id="L15-EROFS"),
        pytest.param("open", errno.ENOSPC, id="L13-T04-ENOSPC"),
        pytest.param("fsync", errno.ENOSPC, id="L13-ENOSPC-late"),
        pytest.param("fsync", errno.EIO, id="L13-T05-EIO"),
        pytest.param("replace", errno.EPERM, id="L11-EPERM"),
    ],
)
@pytest.mark.parametrize("command", [("lock",), ("add", "HOST/other:stable")])
def test_a_disk_that_refuses(
    locked: Ground,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    call: str,
    number: int,
) -> None:
    offer(locked, "other")
    argv = [word.replace("HOST", locked.sim.host) for word in command]
    if command == ("lock",):
        locked.want(app="app:stable", other="other:stable")
    with monkeypatch.context() as patch:
        if call == "open":
            guarded = refusing("open", number)
            honest = os.open

            def opened(path: Any, flags: int, *rest: Any, **more: Any) -> object:
                writes = flags & (os.O_WRONLY | os.O_RDWR)
                if writes and str(path) == str(locked.project):  # for a file that has no name yet
                    raise OSError(number, os.strerror(number))
                return (guarded if writes else honest)(path, flags, *rest, **more)

            patch.setattr(os, "open", opened)
        else:
            patch.setattr(os, call, refusing(call, number))
        survived(locked, *argv, code=5, says=["images.", os.strerror(number)])
    assert [path.name for path in sorted(locked.project.iterdir())] == [
        "images.lock",
        "images.toml",
    ], "no temporary is left"
    survived(locked, *argv, code=0)
    converges(locked)


def test_L15_a_folder_that_is_read_only_is_found_out_first(
    locked: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root a mode does not bind; what the system answers does."""
    offer(locked, "other")
    locked.want(app="app:stable", other="other:stable")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: False)
        survived(locked, "lock", code=5, says=["images.lock", "is read-only"])
    assert not locked.sim.requests
    survived(locked, "lock", code=0)
    converges(locked)


def test_L12_a_link_out_of_the_project_is_not_written_through(locked: Ground) -> None:
    offer(locked, "other")
    lock = locked.lockfile.read_bytes()
    locked.target.write_bytes(lock)
    locked.lockfile.unlink()
    locked.lockfile.symlink_to(locked.target)
    locked.want(app="app:stable", other="other:stable")
    survived(locked, "lock", code=2, says=["images.lock", "link out of the project"])
    assert not locked.sim.requests
    locked.lockfile.unlink()
    mend(locked, lock)


def test_L12_a_link_within_the_project_is_kept(locked: Ground) -> None:
    offer(locked, "other")
    inside = locked.project / "pins"
    locked.lockfile.rename(inside)
    locked.lockfile.symlink_to("pins")
    locked.want(app="app:stable", other="other:stable")
    ran = locked.run("lock")  # not under the oracle, to which pins is no file of the project
    assert ran.code == 0, ran.err
    assert locked.lockfile.is_symlink()
    assert b"other" in inside.read_bytes()
    converges(locked)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.mkdir(), id="S17-folder"),
        pytest.param(os.mkfifo, id="T36-FIFO"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="S17-zeros"),
        pytest.param(lambda path: path.symlink_to(path), id="L12-loop"),
    ],
)
def test_a_lock_that_is_no_file(locked: Ground, make: Callable[[Path], None]) -> None:
    lock = locked.lockfile.read_bytes()
    locked.lockfile.unlink()
    make(locked.lockfile)
    for command in COMMANDS:
        survived(locked, *command, code=2, says=["images.lock"])
    assert not locked.sim.requests
    (locked.lockfile.rmdir if locked.lockfile.is_dir() else locked.lockfile.unlink)()
    mend(locked, lock)


def test_L14_two_locks_at_once(ground: Ground, image: SimImage) -> None:
    """Each writes whole files; the later one wins, as if it had run later."""
    ground.want(app="app:stable")
    meet = threading.Barrier(2, timeout=120)

    def hold(request: Request, answer: Answer) -> Answer:
        meet.wait()
        return answer

    ground.process = True
    ground.sim.script("/manifests/stable", hold, hold)
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(ground.run("lock").code)) for _ in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0]
    ground.process = False
    assert [path.name for path in sorted(ground.project.iterdir())] == [
        "images.lock",
        "images.toml",
    ]
    survived(ground, "lock", "--check", code=0)
    converges(ground)


def test_L16_the_same_inputs_make_the_same_lock(ground: Ground, image: SimImage) -> None:
    for number in range(9):
        ground.sim.content.add_image(f"app-{number}", "stable", layers=[b"%d" % number])
    ground.want(app="app:stable", **{f"app-{n}": f"app-{n}:stable" for n in (3, 1, 8, 0, 5)})
    locks = set()
    for jobs in (1, 2, 16, 3, 16):
        ground.lockfile.unlink(missing_ok=True)
        survived(ground, "lock", "--jobs", str(jobs), code=0)
        locks.add(ground.lockfile.read_bytes())
    assert len(locks) == 1
    converges(ground)


def test_L20_a_locked_image_that_nobody_wants(locked: Ground) -> None:
    lock = locked.lockfile.read_bytes()
    locked.spec.write_text("[images]\n")
    survived(locked, "lock", "--check", code=1, says=["app"])
    survived(locked, "sync", code=1, says=["images.lock", "app"])
    assert not locked.sim.requests
    locked.want('[settings]\nplatforms = ["linux/amd64", "linux/arm64"]', app="app:stable")
    mend(locked, lock)


def test_L21_a_wanted_image_that_is_not_locked(locked: Ground) -> None:
    offer(locked, "other")
    platforms = '[settings]\nplatforms = ["linux/amd64", "linux/arm64"]'
    locked.want(platforms, app="app:stable", other="other:stable")
    survived(locked, "lock", "--check", code=1, says=["other"])
    survived(locked, "sync", code=1, says=["images.lock", "other"])
    assert not locked.sim.requests
    converges(locked)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('image = "127.0.0.1', 'image = "127.0.0.2', id="L22-registry"),
        pytest.param(r'image = "127.0.0.1:\d+', 'image = "127.0.0.1:1', id="L22-port"),
        pytest.param("/app", "/appx", id="L22-repository-that-begins-alike"),
        pytest.param("/app", "/evil/app", id="L22-repository"),
        pytest.param('tag = "stable"', 'tag = "stable2"', id="L22-tag-that-begins-alike"),
        pytest.param('tag = "stable"\n', "", id="L22-no-tag"),
    ],
)
@pytest.mark.parametrize("frozen", [(), ("--frozen",)], ids=["plain", "frozen"])
def test_an_injected_lock(locked: Ground, old: str, new: str, frozen: tuple[str, ...]) -> None:
    lock = locked.lockfile.read_bytes()
    text, count = re.subn(old, new, lock.decode(), count=1)
    assert count == 1
    locked.lockfile.write_text(text)
    survived(locked, "lock", "--check", code=1, says=["app"])
    survived(locked, "sync", *frozen, code=2, says=["images.lock", "app", "run `pinner lock`"])
    assert not locked.sim.requests
    assert not locked.store.exists()
    mend(locked, lock)


def test_L23_a_platform_that_the_index_does_not_have(locked: Ground) -> None:
    lock = locked.lockfile.read_bytes()
    forged = "sha256:" + "ab" * 32
    text = re.sub(r'"linux/amd64" = "[^"]*"', f'"linux/amd64" = "{forged}"', lock.decode())
    locked.lockfile.write_text(text)
    survived(locked, "sync", "--all-platforms", code=4, says=["app", forged])
    mend(locked, lock)


def test_L24_a_platform_of_another_image(locked: Ground) -> None:
    """Even where the registry has it, under the same repository or its own."""
    lock = locked.lockfile.read_bytes()
    other = locked.sim.content.add_image("app", layers=[b"of another"])
    text = re.sub(r'"linux/amd64" = "[^"]*"', f'"linux/amd64" = "{other.digest}"', lock.decode())
    locked.lockfile.write_text(text)
    survived(locked, "sync", "--all-platforms", code=4, says=["app", other.digest])
    layer = locked.store / "blobs/sha256" / digest_of(b"of another").removeprefix("sha256:")
    assert not layer.exists()
    mend(locked, lock)


def test_L25_a_platform_that_is_not_wanted(locked: Ground) -> None:
    lock = locked.lockfile.read_bytes()
    locked.want('[settings]\nplatforms = ["linux/amd64"]', app="app:stable")
    survived(locked, "lock", "--check", code=1, says=["app"])
    survived(locked, "sync", code=1, says=["images.lock", "app"])
    assert not locked.sim.requests
    locked.want('[settings]\nplatforms = ["linux/amd64", "linux/arm64"]', app="app:stable")
    mend(locked, lock)


def test_L27_a_tag_that_moved(locked: Ground) -> None:
    before = digest_named(locked)
    moved = offer(locked, "app", b"another layer").digest
    told = [before.removeprefix("sha256:")[:12], moved.removeprefix("sha256:")[:12]]
    survived(
        locked, "check", "--remote", code=1, says=["images.lock: app", "tag that moved", *told]
    )
    assert digest_named(locked) == before
    assert locked.run("update").code == 0
    assert digest_named(locked) == moved
    converges(locked)


def test_L27_a_registry_that_is_down_is_no_answer(locked: Ground) -> None:
    locked.sim.always("/manifests/", instead(503))
    survived(locked, "check", "--remote", code=3, says=["app", locked.sim.host])
    converges(locked)


def digest_named(ground: Ground) -> str:
    """What images.lock says that the tag names."""
    found = re.search(r'^digest = "([^"]*)"', ground.lockfile.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]
