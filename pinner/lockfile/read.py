"""images.lock from bytes to values, strictly: whatever it says was meant, or it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pinner.lockfile.canonical import read_canonical
from pinner.lockfile.direct import read_direct
from pinner.lockfile.model import LOCK_REVISION, LOCK_VERSION, Lock, LockedImage
from pinner.lockfile.values import parse_name, parse_repository, parse_tag
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.tomlfiles.document import Document, decode
from pinner.tomlfiles.names import key_text
from pinner.tomlfiles.table import Report, Table, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOCK_LIMIT: Final = 16 * 1024 * 1024
_ROOT_KEYS: Final = ("version", "revision", "image")
_IMAGE_KEYS: Final = (
    "name",
    "image",
    "tag",
    "digest",
    "all-platforms",
    "platform-count",
    "platforms",
)
_MOST: Final = 1_000_000
_RESTORE: Final = "restore it from version control, or delete it and run `pinner lock`"
_Value = TypeVar("_Value")
_CONFLICT: Final = "take either side, then run `pinner lock`"


def loads(data: bytes, *, path: str) -> Lock:
    """The lock that an images.lock holds; line ends may be LF or CRLF.

    Args:
        data: the file, whole.
        path: the file as messages shall name it.

    Raises:
        FileProblems: everything that is wrong with it, in the order of the file; or that a newer
            pinner wrote it. A file that was cut short is refused, or else lacks whole entries or
            platforms that the spec names, which `staleness` finds.
    """
    text = decode(data, path=path, limit=LOCK_LIMIT)
    lock = read_direct(text)
    if lock is not None:
        return lock
    document = _document(data, text, path)
    report = Report(document)
    root = Table(report, (), document.values)
    revision = _read_revision(root, report)
    reader = _Reader(report, is_strict=revision <= LOCK_REVISION)
    images = reader.read_root(root)
    report.settle(_RESTORE)
    return Lock(images=tuple(images), revision=revision)


def _document(data: bytes, text: str, path: str) -> Document:
    values = read_canonical(text)
    if values is not None:
        return Document(path=path, text=text, values=values)
    return Document.parse(data, path=path, limit=LOCK_LIMIT, mend=_RESTORE, conflict_mend=_CONFLICT)


def _read_revision(root: Table, report: Report) -> int:
    """The revision, of a version that is ours; of others nothing more is read."""
    version = root.number("version", 1, _MOST)
    if version is not None and version > LOCK_VERSION:
        root.problem(
            "version",
            f"{version} is newer than {LOCK_VERSION}, the one read here",
            "upgrade pinner",
        )
        report.settle()
    revision = root.number("revision", 1, _MOST)
    for key in ("version", "revision"):
        if key not in root:
            root.problem(None, f"has no {key}")
    return revision or LOCK_REVISION


class _Reader:
    """Reads the entries of one file; what many entries share is parsed once."""

    def __init__(self, report: Report, *, is_strict: bool) -> None:
        self._report = report
        self._is_strict = is_strict
        self._platforms: dict[str, Platform] = {}

    def read_root(self, root: Table) -> list[LockedImage]:
        """Every entry without a problem."""
        if self._is_strict:
            root.only(_ROOT_KEYS, "images.lock")
        tables = root.values.get("image", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            root.problem("image", f"is {type_name(tables)}, not a row of [[image]] tables")
            return []
        images: dict[str, LockedImage] = {}
        for number, values in enumerate(tables):
            label = _label(number, values)
            table = Table(self._report, ("image", number), values, label=label)
            image = self._read_image(table)
            if image is not None and images.setdefault(image.name, image) is not image:
                table.problem("name", "is locked above already")
        return list(images.values())

    def _read_image(self, table: Table) -> LockedImage | None:
        if self._is_strict:
            table.only(_IMAGE_KEYS, "a locked image")
        name = _required(table, "name", parse_name)
        repository = _required(table, "image", parse_repository)
        digest = _required(table, "digest", Digest.parse)
        tag = table.parsed("tag", parse_tag, "a tag")
        all_platforms = table.flag("all-platforms") or False
        platforms = self._read_platforms(table)
        _check_count(table, all_platforms=all_platforms)
        if name is None or repository is None or digest is None:
            return None
        return LockedImage(
            name=name,
            repository=repository,
            tag=tag,
            digest=digest,
            platforms=platforms,
            all_platforms=all_platforms,
        )

    def _read_platforms(self, image: Table) -> dict[Platform, Digest]:
        table = image.table("platforms")
        if not table or not table.values:
            if table is not None or "platforms" not in image:
                image.problem(None, "has no platforms")
            return {}
        platforms = {}
        for key in table.values:
            platform = self._platforms.get(key) or table.attempt(key, Platform.parse_canonical, key)
            digest = table.parsed(key, Digest.parse, "a digest")
            if platform is not None and digest is not None:
                platforms[self._platforms.setdefault(key, platform)] = digest
        return platforms


def _required(table: Table, key: str, parse: Callable[[str], _Value]) -> _Value | None:
    if key not in table:
        table.problem(None, f"has no {key}")
    return table.parsed(key, parse, "a string")


def _check_count(table: Table, *, all_platforms: bool) -> None:
    """An entry for all platforms says how many they are, which shows whether one is missing."""
    count = table.number("platform-count", 1, _MOST)
    if ("platform-count" in table) != all_platforms:
        table.problem(None, "has one of all-platforms and platform-count without the other")
    platforms = table.values.get("platforms")
    if count is not None and isinstance(platforms, dict) and len(platforms) != count:
        table.problem("platforms", f"are {len(platforms)}, not {count}: the file is cut or edited")


def _label(number: int, values: Mapping[str, Any]) -> str:
    name = values.get("name")
    return key_text(name) if isinstance(name, str) else f"image {number + 1}"
