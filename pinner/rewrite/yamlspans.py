"""YAML documents as nodes that know where they stand; nothing is ever constructed.

file bytes -> one character a byte -> PyYAML's events, with offsets -> nodes; an alias is the node
that it names, so nothing is multiplied.

Every byte that is not ASCII is shown to the parser as one letter, so that its offsets are those of
bytes, in UTF-8 as in Latin-1. What a scalar reads stands in `yamlscalars`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE_LIMIT: Final = 4 << 20
DEPTH_LIMIT: Final = 100
STAND_IN: Final = "\xe9"
"""What the parser sees in place of a byte that is not ASCII."""
BOM: Final = b"\xef\xbb\xbf"
_STANDS_IN: Final = bytes([*range(0x80), *(ord(STAND_IN) for _ in range(0x80))])
# Breaks to YAML 1.1 (libyaml, go-yaml) and none to YAML 1.2: NEL, LS and PS.
_DISPUTED: Final = re.compile(rb"\xc2\x85|\xe2\x80[\xa8\xa9]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MERGE: Final = "<<"
_ENDS: Final = frozenset({"MappingEndEvent", "SequenceEndEvent"})


class NotYaml(Exception):  # noqa: N818 - an answer, turned into a finding by who asked
    """The file cannot be read as YAML; the message says why, in one line that is safe to print.

    Attributes:
        offset: of the byte near which it is wrong.
        syntax: whether the text is wrong, rather than beyond a limit.
    """

    def __init__(self, why: str, offset: int, *, syntax: bool = False) -> None:
        super().__init__(why)
        self.offset = offset
        self.syntax = syntax


@dataclass(slots=True, eq=False)
class Scalar:
    """A scalar.

    Attributes:
        value: what it reads, with `STAND_IN` for bytes that are not ASCII.
        start: the offset of its anchor or tag, or else of its first character.
        end: behind its last character.
        style: `'`, `"`, `|`, `>`; empty for plain.
    """

    value: str
    start: int
    end: int
    style: str


@dataclass(slots=True, eq=False)
class Sequence:
    """A sequence."""

    start: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping.

    Attributes:
        start: where it begins.
        flow: whether it stands between braces.
        values: by key; keys that are no scalars are left out.
        keys: where each key stands.
        doubled: keys that are there twice; tools refuse them or disagree which one counts.
        merged: what each `<<` names: a mapping, or a sequence of them.
    """

    start: int
    flow: bool
    values: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)
    doubled: dict[str, Scalar] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)


Node = Scalar | Sequence | Mapping


def read_documents(data: bytes) -> list[Node]:
    """The roots of all documents.

    Raises:
        NotYaml: a syntax error, an alias to nothing, or more than `SIZE_LIMIT` bytes or
            `DEPTH_LIMIT` levels.
    """
    if len(data) > SIZE_LIMIT:
        raise NotYaml(f"it is larger than {SIZE_LIMIT >> 20} MiB", 0)
    skipped = len(BOM) if data.startswith(BOM) else 0
    if not data.isascii():
        found = _DISPUTED.search(data)
        if found is not None:
            raise NotYaml(
                "it has a line separator that tools do not agree about", found.start(), syntax=True
            )
    text = data[skipped:].translate(_STANDS_IN).decode("latin-1")
    return _Composer(data, skipped).compose(text)


def _events(text: str) -> Iterator[Any]:
    """PyYAML's events.

    Raises:
        NotYaml: with the offset in `text`.
    """
    import yaml  # noqa: PLC0415 - most files are not YAML

    try:
        yield from yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = f"it is not YAML: {error.problem or error.context}"
        raise NotYaml(why, mark.index if mark is not None else 0, syntax=True) from error
    except yaml.YAMLError as error:  # the reader's: a control character
        control = _CONTROL.search(text)
        why = "it is not YAML: it has a control character"
        raise NotYaml(why, control.start() if control else 0, syntax=True) from error


@dataclass(slots=True)
class _Composer:
    data: bytes
    skipped: int
    roots: list[Node] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    open: list[Sequence | Mapping] = field(default_factory=list)
    pending: list[Node | None] = field(default_factory=list)  # the key of each open mapping

    def compose(self, text: str) -> list[Node]:
        try:
            for event in _events(text):
                self._take(event)
        except NotYaml as error:
            raise NotYaml(str(error), error.offset + self.skipped, syntax=error.syntax) from error
        return self.roots

    def _take(self, event: Any) -> None:
        name = event.__class__.__name__
        node: Node
        if name == "ScalarEvent":
            start, end = event.start_mark.index, event.end_mark.index
            node = Scalar(event.value, start + self.skipped, end + self.skipped, event.style or "")
        elif name == "MappingStartEvent":
            flow = bool(event.flow_style)
            node = Mapping(event.start_mark.index + self.skipped, flow, {}, {}, {}, [])
        elif name == "SequenceStartEvent":
            node = Sequence(event.start_mark.index + self.skipped, [])
        elif name in _ENDS:
            self.open.pop()
            self.pending.pop()
            return
        else:
            self._take_other(event, name)
            return
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._add(node)
        if not isinstance(node, Scalar):
            if len(self.open) >= DEPTH_LIMIT:
                why = f"it is nested more than {DEPTH_LIMIT} levels"
                raise NotYaml(why, event.start_mark.index)
            self.open.append(node)
            self.pending.append(None)

    def _take_other(self, event: Any, name: str) -> None:
        if name == "AliasEvent":
            target = self.anchors.get(event.anchor)
            if target is None:
                why = "it is not YAML: an alias names no anchor"
                raise NotYaml(why, event.start_mark.index, syntax=True)
            self._add(target)
        elif name == "DocumentStartEvent":
            self.anchors = {}

    def _add(self, node: Node) -> None:
        if not self.open:
            self.roots.append(node)
            return
        parent = self.open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self.pending[-1]
        if key is None:
            self.pending[-1] = node
        else:
            self.pending[-1] = None
            self._pair(parent, key, node)

    def _pair(self, mapping: Mapping, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar):
            return
        if key.value == _MERGE and not key.style:
            mapping.merged.append(value)
            return
        name = self._name(key) if STAND_IN in key.value else key.value
        if name in mapping.values:
            mapping.doubled[name] = key
        mapping.values[name] = value
        mapping.keys[name] = key

    def _name(self, key: Scalar) -> str:
        """A key that the parser did not see whole, told apart from others by its bytes."""
        return self.data[key.start : key.end].decode("latin-1")
