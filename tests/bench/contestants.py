"""pinner and its rivals: what each is asked to do, from a fresh start."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.material import LARGE_IMAGES, SMALL_IMAGES, Place, host_platform
from bench.measure import Contestant, Run
from support.containerd import containerd
from support.programs import clean_environment, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PINNER: Final = str(Path(sys.executable).with_name("pinner"))
_TESTS: Final = Path(__file__).resolve().parents[1]
CONNECTIONS: Final = "8"  # pinner's own default, given to curl as well


@dataclass(frozen=True, slots=True)
class Source:
    """The registry that is asked, and the blobs of the large images in it (each once)."""

    address: str
    blobs: tuple[str, ...]

    def reference(self, place: Place) -> str:
        """The image as references name it."""
        return f"{self.address}/{place.repository}:{place.tag}"


@dataclass(frozen=True, slots=True)
class Commands:
    """A contestant whose commands need only an empty folder."""

    name: str
    source: Source

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """The commands, with `folder` as their home and working folder."""
        yield Run(self.commands(folder), clean_environment(folder), folder)

    def commands(self, folder: Path) -> Sequence[Sequence[str]]:
        """What to run."""
        raise NotImplementedError


class SkopeoCopy(Commands):
    """One `skopeo copy` an image, into one layout: it has no command for several."""

    def commands(self, folder: Path) -> Sequence[Sequence[str]]:
        """Eight copies."""
        skopeo = ("skopeo", "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false")
        return [
            _found(
                *skopeo,
                f"docker://{self.source.reference(place)}",
                f"oci:{folder}/layout:{place.name}",
            )
            for place in LARGE_IMAGES
        ]


class Curl(Commands):
    """One `curl --parallel` for all blobs: nothing is hashed, nothing is named."""

    def commands(self, folder: Path) -> Sequence[Sequence[str]]:
        """One command; the addresses stand in a file."""
        lines = []
        for number, url in enumerate(self.source.blobs):
            lines += [f'url = "{url}"', f'output = "{folder}/{number}"']
        (folder / "blobs").write_text("\n".join(lines))
        options = ("--silent", "--show-error", "--fail", "--parallel-max", CONNECTIONS)
        return [_found("curl", "--parallel", *options, "--config", f"{folder}/blobs")]


@dataclass(frozen=True, slots=True)
class CtrFetch:
    """`ctr content fetch` of each image into an empty containerd, whose work counts as well."""

    name: str
    source: Source

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """A containerd of our own is up."""
        with containerd(folder) as server:
            fetch = (*server.arguments, "content", "fetch", "--plain-http")
            yield Run(
                [
                    _found(*fetch, "--platform", host_platform(), self.source.reference(place))
                    for place in LARGE_IMAGES
                ],
                clean_environment(folder),
                folder,
                daemon=server.pid,
            )


@dataclass(frozen=True, slots=True)
class Pinner:
    """A command of pinner in a folder with a spec, and a lockfile where `locked` gives one."""

    name: str
    arguments: tuple[str, ...]
    spec: str
    locked: bytes | None = None

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """Spec and lockfile are there; store and home are empty."""
        (folder / "images.toml").write_text(self.spec)
        if self.locked is not None:
            (folder / "images.lock").write_bytes(self.locked)
        environment = clean_environment(folder, {"PINNER_STORE": f"{folder}/store"})
        yield Run([[PINNER, *self.arguments]], environment, folder)


class SkopeoInspect(Commands):
    """A loop of `skopeo inspect --raw`: what a lock of 100 entries costs a shell script."""

    def commands(self, folder: Path) -> Sequence[Sequence[str]]:
        """A hundred times."""
        skopeo = ("skopeo", "--insecure-policy", "inspect", "--tls-verify=false", "--raw")
        return [
            _found(*skopeo, f"docker://{self.source.reference(place)}") for place in SMALL_IMAGES
        ]


@dataclass(frozen=True, slots=True)
class Reading(Commands):
    """All blobs of the large images, read and hashed by one HTTP client of Python's."""

    client: str

    def commands(self, folder: Path) -> Sequence[Sequence[str]]:
        """One process."""
        (folder / "addresses").write_text("\n".join(self.source.blobs))
        return [[sys.executable, "-m", "bench.reading", self.client, f"{folder}/addresses"]]

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """As `Commands`, with the bench itself to be found."""
        environment = clean_environment(folder, {"PYTHONPATH": str(_TESTS)})
        yield Run(self.commands(folder), environment, folder)


class BarePython(Commands):
    """What every Python program pays before its first line."""

    def commands(self, folder: Path) -> Sequence[Sequence[str]]:
        """One start."""
        return [[sys.executable, "-c", "pass"]]


def has_command(*arguments: str) -> bool:
    """Whether this pinner knows a command already."""
    if not Path(PINNER).exists():
        return False
    asked = subprocess.run([PINNER, *arguments, "--help"], capture_output=True, check=False)
    return asked.returncode == 0


def spec_of(source: Source, places: Sequence[Place]) -> str:
    """An `images.toml` of these images for the host's platform."""
    entries = [f'{place.name} = "{source.reference(place)}"' for place in places]
    return "\n".join([f'[settings]\nplatforms = ["{host_platform()}"]\n\n[images]', *entries, ""])


def lock_of(spec: str, folder: Path) -> bytes:
    """The lockfile that `pinner lock` makes of a spec."""
    folder.mkdir(parents=True)
    (folder / "images.toml").write_text(spec)
    subprocess.run(
        [PINNER, "lock", "-q"],
        cwd=folder,
        env=clean_environment(folder),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return (folder / "images.lock").read_bytes()


def large_contestants(source: Source, folder: Path) -> list[Contestant]:
    """Who pulls 600 MB."""
    rivals: list[Contestant] = [
        SkopeoCopy("skopeo copy", source),
        CtrFetch("ctr content fetch", source),
        Curl("curl --parallel", source),
    ]
    if not has_command("sync"):
        return rivals
    spec = spec_of(source, LARGE_IMAGES)
    locked = lock_of(spec, folder / "lock-large")
    return [Pinner("pinner sync", ("sync", "-q"), spec, locked), *rivals]


def reading_contestants(source: Source) -> list[Contestant]:
    """Who reads 600 MB and hashes them, and writes nothing."""
    return [
        Reading("pinner's client", source, "pinner"),
        Reading("httpx.Client", source, "httpx"),
        Reading("http.client", source, "http.client"),
    ]


def lock_contestants(source: Source) -> list[Contestant]:
    """Who asks for 100 digests."""
    rivals: list[Contestant] = [SkopeoInspect("skopeo inspect --raw, 100 times", source)]
    if not has_command("lock"):
        return rivals
    return [
        Pinner("pinner lock, 100 entries", ("lock", "-q"), spec_of(source, SMALL_IMAGES)),
        *rivals,
    ]


def update_contestants(source: Source, folder: Path, where: str) -> list[Contestant]:
    """Who asks whether 100 tags moved, and none did.

    Args:
        source: the registry.
        folder: for making the lockfile.
        where: how far away that is, for the names.
    """
    rivals: list[Contestant] = [SkopeoInspect(f"skopeo inspect --raw, 100 times, {where}", source)]
    if not has_command("outdated"):
        return rivals
    spec = spec_of(source, SMALL_IMAGES)
    locked = lock_of(spec, folder / f"lock-{where.replace(' ', '-')}")
    name = f"pinner outdated, 100 entries, {where}"
    return [Pinner(name, ("outdated", "-q"), spec, locked), *rivals]


def start_contestants(source: Source, folder: Path) -> list[Contestant]:
    """What a start costs."""
    bare: list[Contestant] = [BarePython("python -c pass", source)]
    if not has_command("lock"):
        return bare
    spec = spec_of(source, SMALL_IMAGES)
    locked = lock_of(spec, folder / "lock-small")
    return [
        *bare,
        Pinner("pinner --version", ("--version",), spec),
        Pinner("pinner lock --check, 100 entries", ("lock", "--check"), spec, locked),
    ]


def large_blobs(address: str, layout: Path) -> tuple[str, ...]:
    """The addresses of all blobs of the large images for this platform, each once."""
    named = {
        entry["annotations"]["org.opencontainers.image.ref.name"]: entry
        for entry in _document(layout / "index.json")["manifests"]
    }
    found: dict[str, str] = {}
    for place in LARGE_IMAGES:
        index = _blob(layout, named[place.name])
        manifest = _blob(layout, index["manifests"][0])
        for blob in (manifest["config"], *manifest["layers"]):
            digest = blob["digest"]
            found[digest] = f"http://{address}/v2/{place.repository}/blobs/{digest}"
    return tuple(found.values())


def _blob(layout: Path, descriptor: Mapping[str, str]) -> dict[str, Any]:
    return _document(layout / "blobs" / descriptor["digest"].replace(":", "/"))


def _document(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _found(program: str, *arguments: str) -> list[str]:
    return [find(program) or program, *arguments]
