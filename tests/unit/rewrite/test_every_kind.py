"""What holds for every kind, whatever the file: F01 to F03, F11, F12 and PyYAML as the judge."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.reference import Reference
from pinner.rewrite.edits import CannotHold, unpin_edits
from pinner.rewrite.gitlab import included_locals
from pinner.rewrite.kinds import KINDS, Kind, kind_named
from pinner.rewrite.located import NOWHERE
from pinner.rewrite.model import Occurrence, Skipped
from pinner.rewrite.plan import plan_file
from support.rewriting import FOLDER, cases, digest_of, pinned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.rewrite.model import Edit, Found
    from support.rewriting import Case

NAMES = sorted({kind.name for kind in KINDS if (FOLDER / kind.name).exists()})
ALL = [(name, case.values[0], case.id) for name in NAMES for case in cases(name)]
YAML = [
    pytest.param(name, case, id=f"{name}-{label}")
    for name, case, label in ALL
    if name not in {"dockerfile", "devcontainer", "quadlet"}
]
PINNED = re.compile(r"@?sha256:[0-9a-f]{64}")
ADDED = re.compile(rf"{PINNED.pattern}|:latest\b")
PIECES = [
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b":",
    b"- ",
    b"&a ",
    b"*a",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"'",
    b"|",
    b">",
    b"#",
    b"@",
    b"\\",
    b"$",
    b"${",
    b"{{",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xc2\x85",
    b"image: ",
    b"<<: ",
    b"tag: ",
    b"digest:",
    b"---\n",
    b"?",
    b"!x ",
]


def assert_in_place(found: tuple[Found, ...], data: bytes) -> None:
    """Each located character is the byte at its origin; each finding has a line and safe text."""
    for one in found:
        assert 1 <= one.line <= data.count(b"\n") + 1
        if isinstance(one, Occurrence):
            Reference.parse(one.reference.text)
            for character, origin in zip(one.reference.text, one.reference.origins, strict=True):
                assert origin == NOWHERE or data[origin] == ord(character)
        else:
            assert isinstance(one, Skipped)
            assert one.text.isprintable()
            assert one.why.isprintable()


@pytest.mark.parametrize(
    "kind", KINDS, ids=[f"{number}-{kind.name}" for number, kind in enumerate(KINDS)]
)
@given(st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_no_bytes_make_a_reader_fail(kind: Kind, data: bytes) -> None:
    assert_in_place(kind.read(data), data)
    assert_in_place(kind.read(data + b"\nimage: a\n"), data + b"\nimage: a\n")
    included_locals(data + b"\ninclude: x")


@given(st.sampled_from(ALL), st.data())
def test_broken_files_are_read_as_they_stand(
    which: tuple[str, Case, str], draw: st.DataObject
) -> None:
    name, case, _ = which
    data = bytearray(case.before)
    for _ in range(draw.draw(st.integers(1, 3))):
        start = draw.draw(st.integers(0, len(data)))
        end = start + draw.draw(st.integers(0, 8))
        data[start:end] = draw.draw(st.sampled_from(PIECES))
    read = kind_named(name).read
    broken = bytes(data)
    assert_in_place(read(broken), broken)
    once = pinned(broken, read)
    assert ADDED.sub("", bare(once)) == ADDED.sub("", bare(broken))
    assert pinned(once, read) == once


def bare(data: bytes) -> str:
    """Without the keys and blanks that a digest under a key of its own brings."""
    text = data.decode("latin-1")
    return re.sub(r'(?:,|\r?\n)?[ ]*"?\bdigest"?:[ ]*(?="?sha256:)', "", text).replace(" ", "")


@pytest.mark.parametrize(("name", "case"), YAML)
def test_documents_differ_at_image_values_alone(name: str, case: Case) -> None:
    after = pinned(case.before, kind_named(name).read)
    try:
        before = composed(case.before)
    except yaml.YAMLError:
        assert after == case.before
        return
    assert composed(after) == before


def composed(data: bytes) -> list[tuple[str, str]]:
    """Each path of all documents and what PyYAML reads there, digests left out."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
    documents = yaml.compose_all(text, Loader=yaml.CSafeLoader)
    return [leaf for document in documents for leaf in leaves(document, "")]


def leaves(node: yaml.Node | None, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value != "digest":
                yield from leaves(key, f"{path}?")
                yield from leaves(value, f"{path}/{key.value}")
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from leaves(value, f"{path}/{number}")
    elif node is not None:
        yield path, ADDED.sub("", str(node.value))


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=label) for name, case, label in ALL if name == "devcontainer"]
)
def test_settings_differ_at_the_image_alone(case: Case) -> None:
    after = settings(pinned(case.before, kind_named("devcontainer").read))
    assert after == settings(case.before)


def settings(data: bytes) -> object:
    """As json reads it, comments and trailing commas aside, and digests left out."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode()
    text = re.sub(r"(?m)/\*.*?\*/|(?:^|\s)//.*$", "", text)
    text = re.sub(r",(?=\s*[}\]])", "", ADDED.sub("", text))
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.mark.parametrize(
    ("name", "case"),
    [pytest.param(name, case, id=f"{name}-{label}") for name, case, label in ALL],
)
def test_another_digest_takes_the_place_of_the_first(name: str, case: Case) -> None:
    read = kind_named(name).read

    def unpin(occurrence: Occurrence) -> tuple[Edit, ...]:
        reference = Reference.parse(occurrence.reference.text)
        return unpin_edits(occurrence) if reference.tag is not None else ()

    loose = plan_file(case.expected, read, unpin)
    assert all("sha256" not in one.after for one in loose.changed)
    assert pinned(loose.after, read) == case.expected


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        pytest.param("image: >-\n      nginx:1@{}", "nginx:1", id="73 folded"),
        pytest.param("image: |\n      nginx:1@{}\n", "nginx:1", id="73 literal"),
        pytest.param(
            "image: &x nginx:1.25@{}\n  b:\n    image: *x\n", "nginx:1.25", id="74 anchor"
        ),
        pytest.param('image: "redis:7@{}"', "redis:7", id="74 quoted"),
        pytest.param("build: .\n    image: acme/out\n", None, id="75 build"),
    ],
)
def test_rows_of_compose(text: str, reference: str | None) -> None:
    after = f"services:\n  a:\n    {text}".replace("{}", str(digest_of(reference or ""))).encode()
    before = PINNED.sub("", after.decode()).encode()
    assert pinned(before, kind_named("compose").read) == after


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        pytest.param('registry: r.io, repository: a, tag: "1.2@{}"', "r.io/a:1.2", id="76 tag"),
        pytest.param("repository: a, version: 1.2@{}", "a:1.2", id="76 version"),
        pytest.param("repository: a, tag: 1.10@{}", "a:1.10", id="76 a number"),
        pytest.param('repository: a, tag: 1.10, digest: "{}"', "a:1.10", id="76 digest"),
    ],
)
def test_row_76(text: str, reference: str) -> None:
    after = f"image: {{{text}}}".replace("{}", str(digest_of(reference))).encode()
    before = PINNED.sub("", after.decode()).encode()
    assert pinned(before, kind_named("helm").read) == after


def test_a_place_that_asks_for_a_platform_says_so() -> None:
    text = b"services: {a: {platform: linux/arm64, image: x:1}, b: {platform: $P, image: y:1}}"
    found = kind_named("compose").read(text)
    assert [str(one.platform) for one in found if isinstance(one, Occurrence)] == [
        "linux/arm64",
        "None",
    ]


def test_a_comment_names_the_entry() -> None:
    text = (
        b"image:\n  # pinner: db\n  repository: a\n  tag: '1'\nb:\n  # pinner: web\n  image: x:1\n"
    )
    found = kind_named("helm").read(text)
    assert [one.entry for one in found if isinstance(one, Occurrence)] == ["db", "web"]


def test_unpinning_leaves_a_key_of_its_own_empty() -> None:
    text = f"images: [{{name: a, newTag: '1', digest: {digest_of('x')}}}]".encode()
    plan = plan_file(text, kind_named("kustomize").read, unpin_edits)
    assert plan.after == b"images: [{name: a, newTag: '1', digest: }]"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("include: /ci/a.yml", ("/ci/a.yml",)),
        ("include:\n  - local: ci/*.yml\n  - 'b.yml'\n", ("ci/*.yml", "b.yml")),
        ("include: {local: a.yml}", ("a.yml",)),
        ("include: [{project: x, file: y.yml}, {remote: 'https://x/y.yml'}, {template: z}]", ()),
        ("include: ['https://x/y.yml', {local: $X.yml}]", ()),
        ("spec: {inputs: {}}\n---\ninclude: a.yml", ("a.yml",)),
        ("include: [", ()),
        ("a: b", ()),
    ],
)
def test_included_locals(text: str, paths: tuple[str, ...]) -> None:
    assert included_locals(text.encode()) == paths


def test_unpinning_a_digest_alone_is_refused() -> None:
    text = f"images: [{{name: a, digest: {digest_of('x')}}}]".encode()
    (place,) = kind_named("kustomize").read(text)
    assert isinstance(place, Occurrence)
    with pytest.raises(CannotHold, match="no tag"):
        unpin_edits(place)
