"""`pinner import`: other tools' pins are kept, whatever the tags name now."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pinner.lockfile import loads

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.lockfile import Lock
    from support.registry_sim import RegistrySim

Pinner = Any
GONE = "9" * 64


@dataclass(frozen=True)
class World:
    """A registry where `app:1` has moved: `old` is what was pinned, `new` what it names now."""

    sim: RegistrySim
    folder: Path
    old: str
    new: str

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = text.replace("HOST", self.sim.host).replace("OLD", self.old)
        path.write_text(text.replace("HEX", self.old.removeprefix("sha256:")))

    def lock(self) -> Lock:
        return loads((self.folder / "images.lock").read_bytes(), path="images.lock")

    def written(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} & {"images.toml", "images.lock"}


@pytest.fixture
def world(sim: RegistrySim, tmp_path: Path) -> World:
    content = sim.content
    old = content.add_index(
        "app", "1", images={"linux/amd64": content.add_image("app", layers=[b"old"])}
    )
    new = content.add_index(
        "app", "1", images={"linux/amd64": content.add_image("app", layers=[b"new"])}
    )
    assert old.digest != new.digest
    return World(sim, tmp_path, old.digest, new.digest)


DOCKER_LOCK = (
    '{"dockerfiles": {"api/Dockerfile": [{"name": "HOST/app", "tag": "1", "digest": "HEX"}]}}'
)
IMPORTS = {
    "docker-lock.json": (DOCKER_LOCK, "docker-lock.json: api/Dockerfile"),
    "sources.json": (
        (
            '{"version": 8, "pins": {"web": {"type": "Container", "image_name": "HOST/app", '
            '"image_tag": "1", "image_digest": "OLD"}}}'
        ),
        "sources.json: web",
    ),
    "images.yml": (
        (
            "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n"
            '- image: "HOST/app@OLD"\n  annotations: {kbld.carvel.dev/id: "HOST/app:1"}\n'
        ),
        "images.yml: HOST/app:1",
    ),
    "Dockerfile": ("FROM HOST/app:1@OLD\n", "Dockerfile:1"),
    "compose.yaml": ("services:\n  a:\n    image: HOST/app:1@OLD\n", "compose.yaml:3"),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_the_pinned_digest_is_kept(pinner: Pinner, world: World, name: str) -> None:
    text, where = IMPORTS[name]
    world.write(name, text)
    ran = pinner("import", name)
    assert ran.code == 0, ran.err
    assert (world.folder / "images.toml").read_text() == (
        f'[images]\n# {where}\napp = "HOST/app:1"\n'.replace("HOST", world.sim.host)
    )
    (locked,) = world.lock().images
    assert (locked.tag, str(locked.digest)) == ("1", world.old)
    assert [str(platform) for platform in locked.platforms] == ["linux/amd64"]
    assert world.sim.count("GET", "/manifests/") == 1
    assert ran.out.splitlines()[0] == f"Found 1 image in {name}, 1 pinned to a digest"
    assert "Kept 1 digest in " in ran.out
    assert ran.out.splitlines()[-1] == "Wrote images.toml and images.lock. Next: pinner rewrite"
    assert pinner("lock", "--check").code == 0


def test_what_is_not_pinned_is_locked_by_its_tag(pinner: Pinner, world: World) -> None:
    world.write("Dockerfile", "FROM HOST/app:1\n")
    ran = pinner("import", "Dockerfile")
    assert ran.code == 0, ran.err
    assert str(world.lock().images[0].digest) == world.new
    assert "Kept 0 digests" in ran.out


def test_several_files_at_once(pinner: Pinner, world: World) -> None:
    world.write("a/Dockerfile", "FROM HOST/app:1@OLD\nFROM $X\n")
    world.write("docker-lock.json", DOCKER_LOCK)
    ran = pinner("import", "a/Dockerfile", "docker-lock.json")
    assert ran.code == 0, ran.err
    assert (
        "# a/Dockerfile:1, docker-lock.json: api/Dockerfile\n"
        in (world.folder / "images.toml").read_text()
    )
    assert "a/Dockerfile:2: skipped: $X" in ran.err


def test_only_images_toml(pinner: Pinner, world: World) -> None:
    world.write("docker-lock.json", DOCKER_LOCK)
    ran = pinner("import", "--no-lock", "docker-lock.json")
    assert ran.code == 0, ran.err
    assert world.written() == {"images.toml"}
    assert world.sim.requests == []
    assert "`pinner lock` takes what the tags name now, not what was pinned" in ran.out


def test_print(pinner: Pinner, world: World) -> None:
    world.write("docker-lock.json", DOCKER_LOCK)
    ran = pinner("import", "--print", "--platform", "linux/amd64", "docker-lock.json")
    assert tomllib.loads(ran.out) == {
        "settings": {"platforms": ["linux/amd64"]},
        "images": {"app": f"{world.sim.host}/app:1"},
    }
    assert world.written() == set()


def test_a_digest_that_is_gone_fails_the_whole(pinner: Pinner, world: World) -> None:
    world.write("Dockerfile", f"FROM HOST/app:1@OLD\nFROM HOST/app:2@sha256:{GONE}\n")
    ran = pinner("import", "Dockerfile")
    assert ran.code == 3
    assert f"app:2@sha256:{GONE} is gone from the registry" in ran.err
    assert "--skip-gone" in ran.err
    assert "1 of 2 images could not be locked; nothing was written" in ran.out
    assert world.written() == set()


def test_what_is_gone_may_be_skipped(pinner: Pinner, world: World) -> None:
    world.write("Dockerfile", f"FROM HOST/app:1@OLD\nFROM HOST/app:2@sha256:{GONE}\n")
    ran = pinner("import", "--skip-gone", "Dockerfile")
    assert ran.code == 0, ran.err
    assert [one.name for one in world.lock().images] == ["app-1"]
    assert "; 1 image not locked" in ran.out


def test_json(pinner: Pinner, world: World) -> None:
    world.write("Dockerfile", f"FROM HOST/app:1@OLD\nFROM HOST/app:2@sha256:{GONE}\n")
    told = json.loads(pinner("import", "--skip-gone", "--json", "Dockerfile").out)
    assert told["wrote"] == ["images.toml", "images.lock"]
    assert told["requests"] == 2
    kept, gone = told["images"]
    assert kept == {
        "name": "app-1",
        "image": f"{world.sim.host}/app",
        "tag": "1",
        "digest": None,
        "pinned": [world.old],
        "places": ["Dockerfile:1"],
        "outcome": "kept",
        "locked": world.old,
    }
    assert (gone["outcome"], gone["error"]["code"]) == ("failed", "not-found")


def test_two_digests_for_one_tag(pinner: Pinner, world: World) -> None:
    world.write("Dockerfile", f"FROM HOST/app:1@OLD\nFROM HOST/app:1@sha256:{GONE}\n")
    ran = pinner("import", "Dockerfile")
    assert ran.code == 2
    assert "app:1 is pinned to 999999999999 here, and to " in ran.err
    assert world.written() == set()
    assert pinner("import", "--no-lock", "Dockerfile").code == 0


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("docker-lock.json", '{"dockerfiles": []}', "dockerfiles is not an object"),
        ("sources.json", '{"pins": {}, "version": 99}', "pinner knows up to 8"),
        ("images.yml", "kind: BundleLock\napiVersion: imgpkg.carvel.dev/v1alpha1\n", "BundleLock"),
        ("sources.json", '{"pins": {}, "version": 8}', "names no image"),
        ("README.md", "FROM a:1\n", "is of no kind of file that pinner reads"),
        ("Dockerfile", "FROM scratch\n", "names no image"),
    ],
)
def test_files_that_are_refused(
    pinner: Pinner, world: World, name: str, text: str, what: str
) -> None:
    world.write(name, text)
    ran = pinner("import", name)
    assert ran.code == 2
    assert what in ran.err
    assert name in ran.err
    assert world.written() == set()


def test_a_file_that_is_not_there(pinner: Pinner, world: World) -> None:
    ran = pinner("import", "none.json")
    assert (ran.code, ran.err) == (2, "error: none.json: is not there\n")


@pytest.mark.parametrize("there", ["images.toml", "images.lock"])
def test_nothing_is_overwritten(pinner: Pinner, world: World, there: str) -> None:
    world.write("docker-lock.json", DOCKER_LOCK)
    world.write(there, "mine")
    ran = pinner("import", "docker-lock.json")
    assert ran.code == 2
    assert f"{there}: is there already, and is not overwritten" in ran.err
    assert (world.folder / there).read_text() == "mine"
    assert world.sim.requests == []
