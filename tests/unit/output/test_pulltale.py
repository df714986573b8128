"""The order in which a pull is told: as docker would, whatever order things happen in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.oci.reference import Reference
from pinner.output.pulltale import LayerState, PullTale
from pinner.pull import Block
from pinner.pull.model import Target
from support.outcomes import descriptor, digest

if TYPE_CHECKING:
    from collections.abc import Sequence

BASE, ONE, TWO = (descriptor(number, 1_000) for number in (0xB0, 0x01, 0x02))
CONFIG = digest(0xC0)


def block(
    name: str,
    *layers: int,
    missing: Sequence[int] = (),
    up_to_date: bool = False,
    found: bool = True,
    failed: bool = False,
    group: str = "",
    defaulted: bool = False,
) -> Block:
    reference = Reference.parse(name)
    given = Reference.parse(group) if group else reference
    return Block(
        target=Target(reference=reference, given=given, group=group, defaulted=defaulted),
        found=found,
        digest=None if failed else digest(0xF0),
        layers=tuple(descriptor(number, 1_000) for number in layers),
        missing=frozenset(map(digest, missing)),
        up_to_date=up_to_date,
    )


def hexes(number: int) -> str:
    return f"{number:02x}" * 6


def blob(number: int) -> str:
    return str(digest(number))


DIGEST = f"Digest: {digest(0xF0)}"


def test_a_fresh_image() -> None:
    tale = PullTale()
    assert tale.found([block("debian:1", 0xB0, 0x01, missing=[0xB0, 0x01, 0xC0])]).splitlines() == [
        "1: Pulling from library/debian",
        f"{hexes(0xB0)}: Pulling fs layer",
        f"{hexes(0x01)}: Pulling fs layer",
    ]
    assert tale.downloaded(blob(0x01)) == f"{hexes(0x01)}: Download complete\n"
    assert tale.downloaded(blob(0xC0)) == ""  # docker does not tell of configs
    assert tale.downloaded(blob(0xB0)) == f"{hexes(0xB0)}: Download complete\n"
    assert tale.ended("debian:1", complete=True).splitlines() == [
        f"{hexes(0xB0)}: Pull complete",
        f"{hexes(0x01)}: Pull complete",
        DIGEST,
        "Status: Downloaded newer image for debian:1",
        "docker.io/library/debian:1",
    ]
    assert tale.block is None


def test_nothing_is_missing() -> None:
    tale = PullTale()
    assert tale.found([block("debian:1", 0xB0, up_to_date=True)]).splitlines() == [
        "1: Pulling from library/debian"
    ]
    assert tale.ended("debian:1", complete=True).splitlines() == [
        DIGEST,
        "Status: Image is up to date for debian:1",
        "docker.io/library/debian:1",
    ]


def test_a_config_alone_is_missing() -> None:
    tale = PullTale()
    told = tale.found([block("debian:1", 0xB0, missing=[0xC0])])
    assert f"{hexes(0xB0)}: Already exists" in told
    assert "Downloaded newer" in tale.ended("debian:1", complete=True)


def test_a_digest_is_named_in_full() -> None:
    name = f"registry.example/app@{digest(0xF0)}"
    tale = PullTale()
    assert tale.found([block(name)]) == f"{name}: Pulling from app\n"
    assert tale.ended(name, complete=True).splitlines()[1:] == [
        f"Status: Downloaded newer image for {name}",
        name,
    ]


def test_the_next_block_waits_and_then_tells_all() -> None:
    tale = PullTale()
    first = block("a:1", 0xB0, 0x01, missing=[0xB0, 0x01])
    second = block("b:1", 0xB0, 0x02, missing=[0xB0, 0x02])
    tale.found([first, second])
    assert tale.downloaded(blob(0x02)) == ""
    assert tale.downloaded(blob(0xB0)) != ""
    assert tale.ended("b:1", complete=True) == ""
    assert tale.ended("a:1", complete=True).splitlines()[-9:] == [
        "docker.io/library/a:1",
        "1: Pulling from library/b",
        f"{hexes(0xB0)}: Already exists",
        f"{hexes(0x02)}: Pulling fs layer",
        f"{hexes(0x02)}: Download complete",
        f"{hexes(0x02)}: Pull complete",
        DIGEST,
        "Status: Downloaded newer image for b:1",
        "docker.io/library/b:1",
    ]


def test_what_an_earlier_block_brought_whole_is_here() -> None:
    tale = PullTale()
    same = [block(name, 0xB0, missing=[0xB0, 0xC0]) for name in ("a:1", "a:2")]
    tale.found(same)
    tale.downloaded(blob(0xB0))
    tale.downloaded(blob(0xC0))
    tale.ended("a:2", complete=True)
    told = tale.ended("a:1", complete=True).splitlines()
    assert told[told.index("2: Pulling from library/a") + 1] == DIGEST


def test_what_an_earlier_block_did_not_bring_is_still_pulled() -> None:
    tale = PullTale()
    tale.found([block(name, 0xB0, missing=[0xB0]) for name in ("a:1", "b:1")])
    assert tale.ended("a:1", complete=False).splitlines() == [
        "1: Pulling from library/b",
        f"{hexes(0xB0)}: Pulling fs layer",
    ]


def test_the_first_word_on_an_end_counts() -> None:
    tale = PullTale()
    tale.found([block("a:1"), block("b:1")])
    tale.ended("b:1", complete=False)
    tale.ended("b:1", complete=True)
    assert "Digest" not in tale.ended("a:1", complete=True).partition("from library/b")[2]


@pytest.mark.parametrize(
    ("found", "told"),
    [(True, ["Using default tag: latest", "latest: Pulling from library/a"]), (False, None)],
    ids=["begun", "not there"],
)
def test_one_that_cannot_be_pulled(found: bool, told: list[str] | None) -> None:  # noqa: FBT001
    tale = PullTale()
    failing = block("a:latest", found=found, failed=True, defaulted=True)
    assert tale.found([failing]).splitlines() == (told or ["Using default tag: latest"])
    assert tale.block is None


def test_the_default_tag_is_told_once() -> None:
    tale = PullTale(begun=True)
    both = [block(f"{name}:latest", defaulted=True) for name in ("a", "b")]
    assert tale.found(both).startswith("latest: Pulling from library/a")
    assert "Using default tag: latest\nlatest: Pulling from library/b" in tale.ended(
        "a:latest", complete=True
    )


@pytest.mark.parametrize(
    ("blocks", "ends", "last"),
    [
        pytest.param(
            [block("a:1", group="a"), block("a:2", group="a", up_to_date=True)],
            (True, True),
            ["Status: Downloaded newer image for a", "docker.io/library/a"],
            id="one is new",
        ),
        pytest.param(
            [block(f"a:{tag}", group="a", up_to_date=True) for tag in (1, 2)],
            (True, True),
            ["Status: Image is up to date for a", "docker.io/library/a"],
            id="none is",
        ),
        pytest.param(
            [block(f"a:{tag}", group="a") for tag in (1, 2)],
            (False, True),
            ["2: Pulling from library/a", DIGEST],
            id="one failed",
        ),
        pytest.param(
            [block("a:1", group="a"), block("a:2", group="a", failed=True)],
            (True, True),
            [DIGEST, "2: Pulling from library/a"],
            id="one cannot be pulled",
        ),
    ],
)
def test_all_tags_have_one_status(
    blocks: list[Block], ends: Sequence[bool], last: list[str]
) -> None:
    tale = PullTale()
    told = tale.found(blocks)
    for each, complete in zip(blocks, ends, strict=True):
        told += tale.ended(each.target.name, complete=complete)
    assert told.splitlines()[-2:] == last
    assert told.count("Status") <= 1


def test_beside_bars_a_layer_has_one_line() -> None:
    tale = PullTale(brief=True)
    wanted = block("a:1", 0xB0, 0x01, missing=[0x01])
    assert tale.found([wanted]) == "1: Pulling from library/a\n"
    assert [state for _, state in tale.layers] == [LayerState.EXISTS, LayerState.PULLING]
    assert tale.downloaded(blob(0x01)) == ""
    assert [state for _, state in tale.layers] == [LayerState.EXISTS, LayerState.DOWNLOADED]
    assert tale.ended("a:1", complete=True).splitlines()[:2] == [
        f"{hexes(0xB0)}: Already exists",
        f"{hexes(0x01)}: Pull complete",
    ]


@pytest.mark.parametrize(
    "order", [("1", "a", "2", "b"), ("2", "b", "1", "a"), ("2", "1", "a", "b")], ids="".join
)
def test_the_same_is_told_in_any_order(order: Sequence[str]) -> None:
    tale = PullTale()
    told = tale.found([block("a:1", 1, missing=[1]), block("b:1", 2, missing=[2])])
    for what in order:
        told += (
            tale.downloaded(blob(int(what)))
            if what.isdigit()
            else tale.ended(f"{what}:1", complete=True)
        )
    assert told.splitlines() == [
        line
        for name, number in (("a", 1), ("b", 2))
        for line in (
            f"1: Pulling from library/{name}",
            f"{hexes(number)}: Pulling fs layer",
            f"{hexes(number)}: Download complete",
            f"{hexes(number)}: Pull complete",
            DIGEST,
            f"Status: Downloaded newer image for {name}:1",
            f"docker.io/library/{name}:1",
        )
    ]
