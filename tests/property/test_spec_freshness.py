"""Freshness is decided by meaning: the layout of the spec never matters, its meaning always."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypothesis import assume, given
from hypothesis import strategies as st

from pinner.freshness import Kind, staleness
from pinner.lockfile import Lock, dumps, loads
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from pinner.oci.registryconfig import RegistryConfig
from pinner.spec import Spec, SpecEntry, parse_spec
from pinner.tagpolicy.versions import VersionWish
from support.projects import lock_of, locks, specs

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = Platform.parse("freebsd/riscv64")
blanks = st.lists(st.sampled_from(["", "# words", "  # [images]", "\t"]), max_size=2)


def text_of(entry: SpecEntry, *, as_table: bool, key_order: list[int]) -> list[str]:
    """The entry as lines of images.toml, in the short form or as a table."""
    pairs = [f'image = "{entry.reference.with_tag(None)}"']
    if entry.tag is not None:
        pairs.append(f'tag = "{entry.tag}"')
    if isinstance(entry.wish, VersionWish):
        pairs.append(f'version = "{entry.wish.specifier}"')
        pairs.append(f'variant = "{entry.wish.variant}"')
    if entry.platforms is not None:
        pairs.append(f"platforms = {[str(platform) for platform in entry.platforms]}")
    pairs = [pairs[number] for number in key_order if number < len(pairs)]
    if as_table:
        return [f'[images."{entry.name}"]', *pairs]
    return [f'images."{entry.name}" = {{ {", ".join(pairs)} }}']


@given(st.data(), specs())
def test_layout_and_order_do_not_matter(data: st.DataObject, spec: Spec) -> None:
    lock = lock_of(spec)
    tables: list[str] = []
    lines: list[str] = []
    for entry in data.draw(st.permutations(spec.entries)):
        as_table = data.draw(st.booleans())
        order = data.draw(st.permutations(range(5)))
        (tables if as_table else lines).extend(
            [*data.draw(blanks), *text_of(entry, as_table=as_table, key_order=order)]
        )
    newline = data.draw(st.sampled_from(["\n", "\r\n"]))
    text = newline.join([*lines, *tables, ""])
    parsed = parse_spec(text.encode(), path="images.toml", base=Path())
    assert staleness(parsed, lock) == ()


@given(specs())
def test_a_lock_survives_being_written(spec: Spec) -> None:
    assert staleness(spec, loads(dumps(lock_of(spec)).encode(), path="images.lock")) == ()


@given(specs(), st.integers(0, 10_000))
def test_what_does_not_concern_the_pins_leaves_them_fresh(spec: Spec, hours: int) -> None:
    age = timedelta(hours=hours)
    entries = [replace(each, minimum_age=age, immutable=True) for each in spec.entries]
    changed = Spec(
        entries=tuple(entries),
        minimum_age=age,
        platforms=(OTHER,),
        registries=(RegistryConfig(host="r.example", plain_http=True, mirrors=("m.example",)),),
    )
    assert staleness(changed, lock_of(spec)) == ()


def other_tag(entry: SpecEntry) -> SpecEntry:
    return replace(entry, tag=f"{entry.tag or ''}x", wish=None)


def other_registry(entry: SpecEntry) -> SpecEntry:
    return replace(entry, repository=Repository("other.example", entry.repository.path))


def other_path(entry: SpecEntry) -> SpecEntry:
    path = f"{entry.repository.path}/x"
    return replace(entry, repository=Repository(entry.repository.registry, path))


def other_digest(entry: SpecEntry) -> SpecEntry:
    return replace(entry, digest=Digest.of(b"other"), wish=None)


def other_version(entry: SpecEntry) -> SpecEntry:
    return replace(entry, wish=VersionWish(specifier=">=5"), tag=None, digest=None)


def other_platforms(entry: SpecEntry) -> SpecEntry:
    return replace(entry, platforms=(*(entry.platforms or ()), OTHER))


def one_platform_less(entry: SpecEntry) -> SpecEntry:
    assume(entry.platforms is not None and len(entry.platforms) > 1)
    return replace(entry, platforms=(entry.platforms or ())[1:])


def every_platform(entry: SpecEntry) -> SpecEntry:
    assume(entry.platforms is not None)
    return replace(entry, platforms=None)


CHANGES: Final[dict[Callable[[SpecEntry], SpecEntry], Kind]] = {
    other_tag: Kind.IDENTITY,
    other_registry: Kind.IDENTITY,
    other_path: Kind.IDENTITY,
    other_digest: Kind.DIGEST,
    other_version: Kind.VERSION,
    other_platforms: Kind.PLATFORMS,
    one_platform_less: Kind.PLATFORMS,
    every_platform: Kind.PLATFORMS,
}


@given(st.data(), specs(min_size=1), st.sampled_from(list(CHANGES)))
def test_every_change_of_meaning_is_found(
    data: st.DataObject, spec: Spec, change: Callable[[SpecEntry], SpecEntry]
) -> None:
    entry = data.draw(st.sampled_from(spec.entries))
    assume(OTHER not in (entry.platforms or ()))
    assume(entry.repository.registry != "other.example")
    changed = tuple(change(each) if each is entry else each for each in spec.entries)
    found = staleness(replace(spec, entries=changed), lock_of(spec))
    assert {stale.name for stale in found} == {entry.name}
    assert CHANGES[change] in {stale.kind for stale in found}


@given(specs(min_size=1))
def test_L20_L21_one_entry_more_or_less(spec: Spec) -> None:
    fewer = replace(spec, entries=spec.entries[1:])
    name = spec.entries[0].name
    (extra,) = staleness(fewer, lock_of(spec))
    (missing,) = staleness(spec, lock_of(fewer))
    assert (extra.name, extra.kind) == (name, Kind.EXTRA)
    assert (missing.name, missing.kind) == (name, Kind.MISSING)


@given(specs(), locks())
def test_L22_any_lock_is_judged_in_printable_words(spec: Spec, lock: Lock) -> None:
    for stale in staleness(spec, lock):
        assert stale.what.startswith(stale.name)
        assert stale.what.isprintable()
