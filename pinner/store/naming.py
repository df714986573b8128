"""Names given and taken by hand: `pinner tag` and `pinner rm`.

Blobs stay where they are: `prune` removes what no name reaches. Member names (see `names`) come and
go with the index that they belong to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import InputError, PinnerError
from pinner.oci.manifest import MANIFEST_LIMIT, Index
from pinner.oci.reference import InvalidReference, Reference
from pinner.oci.stored import parse_stored
from pinner.store import names
from pinner.store.names import NamedDescriptor
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.store.layout import Store


_SHOWN: Final = 120


class NoSuchName(InputError):  # noqa: N818 - the answer to a question
    """The store has no image of this name."""

    code = "no-such-name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f'the store has no image "{safe(name, limit=_SHOWN)}"',
            mend="`pinner images` lists what it has",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """A name that was given.

    Attributes:
        replaced: what the name stood for before; None where it is new or stood for the same.
    """

    source: str
    target: str
    descriptor: Descriptor
    replaced: Descriptor | None


def find_name(known: Iterable[NamedDescriptor], text: str) -> NamedDescriptor | None:
    """The image that `text` means: a name to the letter, else as docker reads a reference."""
    by_name = {one.name: one for one in known}
    return by_name.get(text) or by_name.get(full_name(text))


def full_name(text: str) -> str:
    """The name under which the store would have a reference; empty where it is none.

    Beside a digest, a tag is a remark.
    """
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return ""
    return str(reference.with_tag(None) if reference.digest else reference.tag_or_latest())


def tag(store: Store, source: str, target: Reference) -> Tagged:
    """Let another name stand for what `source` names, whatever it stood for before.

    Args:
        store: where.
        source: a name of the store, as `find_name` reads it.
        target: with a tag and without a digest.

    Raises:
        NoSuchName: there is no `source`.
        StoreError: index.json is damaged, or the disk refused.
    """
    with store.locked() as held:
        document = store.index()
        known = names.named(document)
        found = find_name(known, source)
        if found is None:
            raise NoSuchName(source)
        before = {one.name: one.descriptor for one in known}.get(str(target))
        plain = names.asked_for(found.descriptor)
        entries = [
            *_members(store, found, known, target),
            NamedDescriptor(name=str(target), descriptor=plain),
        ]
        after = names.merged(document, entries)
        if after != document:
            store.replace_index(held, after)
    return Tagged(
        source=found.name,
        target=str(target),
        descriptor=plain,
        replaced=before if before and before.digest != plain.digest else None,
    )


def untag(store: Store, wanted: Sequence[str]) -> tuple[list[NamedDescriptor], list[NoSuchName]]:
    """Take names away, and the names of members whose last index goes with them.

    Args:
        store: where.
        wanted: names, each as `find_name` reads it.

    Returns:
        The names that went, each before its members; and the wanted ones that were not there.

    Raises:
        StoreError: index.json is damaged, or the disk refused; every name is still there.
    """
    with store.locked() as held:
        document = store.index()
        known = names.named(document)
        gone: dict[str, NamedDescriptor] = {}
        missing: list[NoSuchName] = []
        for text in dict.fromkeys(wanted):
            found = find_name(known, text)
            if found is None:
                missing.append(NoSuchName(text))
            else:
                gone[found.name] = found
        left = names.without(document, gone)
        gone |= {one.name: one for one in _orphans(store, left, list(gone.values()))}
        if gone:
            store.replace_index(held, names.without(document, gone))
    return list(gone.values()), missing


def _members(
    store: Store, source: NamedDescriptor, known: Sequence[NamedDescriptor], target: Reference
) -> list[NamedDescriptor]:
    """The names of a copied index's members in the new name's repository."""
    below = _below(store, source.descriptor)
    repository = _repository(source.name)
    named = {one.name: one.descriptor for one in known}
    found = []
    for digest in below:
        descriptor = named.get(f"{repository}@{digest}")
        if descriptor is not None:
            name = f"{target.repository}@{digest}"
            marked = names.member(names.asked_for(descriptor), source.descriptor.digest)
            found.append(NamedDescriptor(name=name, descriptor=marked))
    return found


def _orphans(
    store: Store, left: dict[str, Any], gone: Sequence[NamedDescriptor]
) -> list[NamedDescriptor]:
    """The names of members that were below what is gone, and are below nothing that is left."""
    repositories = {_repository(one.name) for one in gone}
    lost = {digest for one in gone for digest in _below(store, one.descriptor)}
    candidates = [
        one
        for one in names.named(left)
        if one.is_member and one.descriptor.digest in lost and _repository(one.name) in repositories
    ]
    if not candidates:
        return []
    kept = {
        (_repository(one.name), digest)
        for one in names.named(left)
        if not one.is_member
        for digest in _below(store, one.descriptor)
    }
    return [one for one in candidates if (_repository(one.name), one.descriptor.digest) not in kept]


def _below(store: Store, descriptor: Descriptor) -> list[Digest]:
    """The digests of an index's members; none where it is no index, or cannot be read."""
    try:
        data = store.read(descriptor.digest, MANIFEST_LIMIT)
        parsed = parse_stored(descriptor.digest, data)
    except PinnerError:
        return []
    return [one.digest for one in parsed.manifests] if isinstance(parsed, Index) else []


def _repository(name: str) -> str:
    try:
        return str(Reference.parse(name).repository)
    except InvalidReference:
        return ""
