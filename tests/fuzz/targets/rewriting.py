"""Files that name images: whatever they hold, edits touch nothing else and are made once."""

from __future__ import annotations

import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from fuzz.seeds import files
from fuzz.target import Target, printable, refusing
from pinner.errors import InputError
from pinner.oci.reference import Reference
from pinner.rewrite.edits import apply, unpin_edits
from pinner.rewrite.kinds import KINDS, kind_named, kind_of
from pinner.rewrite.model import Skipped
from pinner.rewrite.plan import FilePlan, plan_file
from pinner.start.foreign import FOREIGN
from support.rewriting import wish, written_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.rewrite.model import Edit, Found
    from pinner.rewrite.plan import Reader

_DOCKERFILE: Final = kind_named("dockerfile")
_JSON: Final = kind_named("devcontainer")
_OTHERS: Final = tuple(
    dict.fromkeys(kind.name for kind in KINDS if kind not in {_DOCKERFILE, _JSON})
)
_PATHS: Final = ("a.yaml", "values.yaml", "templates/x.tpl", ".github/workflows/a.yml", "b.json")


def dockerfile(data: bytes) -> None:
    """A Dockerfile."""
    lawful(data, _DOCKERFILE.read)


def devcontainer(data: bytes) -> None:
    """A devcontainer.json; JSON lockfiles of other tools."""
    lawful(data, _JSON.read)
    for foreign in FOREIGN:
        with refusing(InputError):
            for sighting in foreign.read(data, "file"):
                printable(str(sighting.reference))


def yaml(data: bytes) -> None:
    """The kind that the first line names, and behind it the file."""
    first, _, rest = data.partition(b"\n")
    name = first.decode("latin-1")
    if name not in _OTHERS:
        name = _OTHERS[zlib.crc32(first) % len(_OTHERS)]
    kind = kind_named(name)
    lawful(rest, kind.read)
    if kind.includes is not None:
        printable(*kind.includes(rest))
    for path in _PATHS:
        kind_of(PurePosixPath(path), rest)


def lawful(data: bytes, read: Reader) -> None:
    """What holds of every kind of file.

    - A place stands on a line of the file, and its characters where it says.
    - What is passed over, and why, can be printed.
    - Bytes outside the edits of its places stay, and places have one digest each afterwards.
    - Planning again changes nothing; taking digests away again leaves the file as it was, where
      every place had a tag and nothing else.
    """
    found = read(data)
    lines = data.count(b"\n") + 1
    for one in found:
        assert 1 <= one.line <= lines
        if isinstance(one, Skipped):
            printable(one.text, one.why, one.mend)
        else:
            assert all(
                origin < 0 or chr(data[origin]) == character
                for character, origin in zip(one.reference.text, one.reference.origins, strict=True)
            )
    plan = plan_file(data, read, wish)
    for stuck in plan.impossible:
        printable(stuck.text, stuck.why)
    _only_edited(plan)
    again = plan_file(plan.after, read, wish)
    assert again.after == plan.after, "planning again changes something"
    unpinned = plan_file(plan.after, read, unpin_edits)
    if all(map(_is_tag_alone, found)):
        assert unpinned.after == data, "taking the digests away leaves another file"


def _is_tag_alone(one: Found) -> bool:
    """Whether a place has a tag, no digest, and no key of its own for one."""
    if isinstance(one, Skipped):
        return True
    reference = Reference.parse(one.reference.text)
    return one.slot is None and reference.tag is not None and reference.digest is None


def _only_edited(plan: FilePlan) -> None:
    """The new bytes are the old ones with the edits of the places that changed, and no others."""
    edits: set[Edit] = set()
    for change in plan.changed:
        own = wish(change.occurrence)
        edits.update(own)
        for edit in own:
            assert b"\n" not in edit.text or change.occurrence.slot is not None
    assert plan.after == apply(plan.before, edits)


def _dockerfile_seeds() -> Iterator[bytes]:
    yield from files("rewrite/dockerfile/*/in*")


def _devcontainer_seeds() -> Iterator[bytes]:
    yield from files("rewrite/devcontainer/*/in*")
    yield from files("imports/*")


def _yaml_seeds() -> Iterator[bytes]:
    for name in _OTHERS:
        for data in files(f"rewrite/{name}/*/in*"):
            yield name.encode() + b"\n" + written_out(data)


_PIN: Final = b"@sha256:" + b"a" * 64

TARGETS: Final = (
    Target(
        name="dockerfile",
        about="Dockerfiles: bytes outside the edits stay, planning again changes nothing",
        run=dockerfile,
        steady=11_000,
        seeds=_dockerfile_seeds,
        tokens=(
            *(
                b"FROM ",
                b"ARG ",
                b"COPY --from=",
                b"RUN --mount=from=",
                b"ONBUILD ",
                b"RUN ",
                b" AS ",
            ),
            *(
                b"# syntax=",
                b"# escape=`\n",
                b"<<EOF\n",
                b"\nEOF\n",
                b"--platform=",
                b"alpine:3.19",
            ),
            *(
                b"$T",
                b"${T}",
                b"${T:-",
                b"${T#",
                b"${T/",
                b"}",
                b"'",
                b'"',
                b"\\\n",
                b"`\n",
                b"\r\n",
            ),
            *(
                b"# pinner: ignore\n",
                b"scratch",
                b"\xef\xbb\xbf",
                b"\0",
                b"\x85",
                _PIN,
                b"\n",
                b" ",
            ),
        ),
    ),
    Target(
        name="yaml",
        about="compose, Kubernetes, Helm, workflows, GitLab and the others: the same laws",
        run=yaml,
        steady=55_000,
        seeds=_yaml_seeds,
        tokens=(
            *(name.encode() + b"\n" for name in _OTHERS),
            *(
                b"image: ",
                b"services:\n",
                b"  ",
                b"- ",
                b"kind: Pod\n",
                b"apiVersion: v1\n",
                b"spec:\n",
            ),
            *(
                b"containers:\n",
                b"container: ",
                b"uses: docker://",
                b"repository: ",
                b"tag: ",
                b"jobs:\n",
            ),
            *(
                b"digest: ",
                b"registry: ",
                b"images:\n",
                b"newTag: ",
                b"variables:\n",
                b"steps:\n",
                b"&a ",
            ),
            *(
                b"*a",
                b"<<: *a",
                b"| \n",
                b">-\n",
                b"'",
                b'"',
                b"{",
                b"}",
                b"[",
                b"]",
                b", ",
                b"---\n",
            ),
            *(
                b"${A:-",
                b"${{ ",
                b"{{ ",
                b"$A",
                b"? ",
                b"!!str ",
                b"#",
                b"\r\n",
                b"\xc3\xa9",
                b"\xef\xbb\xbf",
            ),
            *(
                b"nginx:1.25",
                _PIN,
                b"# pinner: ignore\n",
                b"Image=",
                b"[Container]\n",
                b"\\x41",
                b"\\\n",
            ),
            *(b"dockerfile_inline: ", b"x: ", b"\t"),
        ),
    ),
    Target(
        name="devcontainer",
        about="devcontainer.json and other tools' JSON lockfiles: the same laws",
        run=devcontainer,
        seeds=_devcontainer_seeds,
        tokens=(
            *(b'"image": "', b'"build": {', b'"dockerfiles": {', b'"pins": {', b"//", b"/*", b"*/"),
            *(b"\\u0041", b"\\n", b'"', b"{", b"}", b"[", b"]", b",", b":", b"nginx:1.25", _PIN),
            *(
                b"\xef\xbb\xbf",
                b"\r\n",
                b'"digest": "',
                b'"name": "',
                b'"tag": "',
                b"// pinner: ignore\n",
            ),
        ),
    ),
)
