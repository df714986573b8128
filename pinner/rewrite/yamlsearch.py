"""Looking for images in the documents of a YAML file.

What a kind of file adds is which keys lead to images. Here is the rest: merge keys and aliases
followed, scalars read with the places where they stand, each place told once however many aliases
name it, text that another program fills in passed over aloud.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.rewrite.located import Located
from pinner.rewrite.model import Occurrence, Reason, Skipped
from pinner.rewrite.yamlscalars import read_scalar
from pinner.rewrite.yamlspans import Mapping, Node, NotYaml, Scalar, Sequence, read_documents
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from pinner.oci.platform import Platform
    from pinner.rewrite.model import Barrier, Found, Slot
    from pinner.rewrite.page import Page

# Hostile files multiply by aliases and merge keys; what honest ones of 4 MiB need is far less.
_STEPS: Final = 1_000_000
_MERGE_DEPTH: Final = 50
_LONGEST: Final = 8192
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_FILE_TEMPLATE: Final = re.compile(r"\{\{|\{%|<%|<\?")
TEMPLATE: Final = re.compile(r"\{\{|\{%|<%|\$\(|\$\[\[")
"""Text of template languages; none of it can be in a reference."""
VARIABLE: Final = re.compile(TEMPLATE.pattern + r"|\$[{A-Za-z_]")
"""The same, and variables of a shell's kind."""
FILLED_IN: Final = "another program fills in what stands here"


class Search:
    """What was found so far.

    Attributes:
        page: the file.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self._found: dict[tuple[int, Hashable], Found] = {}
        self._steps = 0

    # Nodes

    def get(self, node: Node | None, *keys: str) -> Node | None:
        """The node that keys lead to, one after the other; None where they lead nowhere."""
        for key in keys:
            node = self._one(node, key, 0)
        return node

    def _one(self, node: Node | None, key: str, depth: int) -> Node | None:
        self._step(1)
        if not isinstance(node, Mapping) or depth > _MERGE_DEPTH:
            return None
        if key in node.doubled:
            self._doubled(node.doubled[key])
            return None
        if key in node.values:
            return node.values[key]
        bases = _bases(node)
        self._step(len(bases))
        for base in bases:
            value = self._one(base, key, depth + 1)
            if value is not None:
                return value
        return None

    def items(self, node: Node | None) -> Iterator[tuple[str, Node]]:
        """The keys and values of a mapping, merged ones too."""
        seen: set[str] = set()
        waiting: list[Mapping] = [node] if isinstance(node, Mapping) else []
        visited: set[int] = set()
        while waiting:
            mapping = waiting.pop(0)
            if id(mapping) in visited or len(visited) > _MERGE_DEPTH:
                continue
            visited.add(id(mapping))
            for key, value in mapping.values.items():
                self._step(1)
                if key in seen:
                    continue
                seen.add(key)
                if key in mapping.doubled:
                    self._doubled(mapping.doubled[key])
                else:
                    yield key, value
            bases = _bases(mapping)
            self._step(len(bases))
            waiting = bases + waiting

    def elements(self, node: Node | None) -> Iterator[Node]:
        """The items of a sequence."""
        if isinstance(node, Sequence):
            for item in node.items:
                self._step(1)
                yield item

    def everything(self, root: Node) -> Iterator[Node]:
        """Every node below, each once, parents first."""
        seen: set[int] = set()
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            if isinstance(node, Sequence):
                waiting += reversed(node.items)
            elif isinstance(node, Mapping):
                waiting += [*node.merged, *reversed(node.values.values())]

    def text(self, node: Node | None, *, limit: int = _LONGEST) -> Located | None:
        """What a scalar reads; None where it is no scalar, or null.

        What is longer than `limit` is no reference, and stands nowhere.
        """
        if not isinstance(node, Scalar) or (not node.style and node.value in _NULL):
            return None
        if node.end - node.start > limit:
            return Located.made(node.value[:limit])
        return read_scalar(self.page.source, node)

    def plain(self, node: Node | None) -> str:
        """The same as mere text; empty where there is none."""
        return node.value if isinstance(node, Scalar) else ""

    def _step(self, count: int) -> None:
        self._steps += count
        if self._steps > _STEPS:
            raise NotYaml("its aliases and merge keys multiply beyond all use", 0)

    def _doubled(self, key: Scalar) -> None:
        why = f'the key "{safe(key.value, limit=80)}" is there twice, and tools differ about it'
        written = self.page.source[key.start : key.end]
        self.add(
            key.start, self.page.skip(written, Reason.UNSUPPORTED, why, "leave one of them out")
        )

    # What is found

    def image(
        self,
        node: Node | None,
        *,
        scheme: str = "",
        template: re.Pattern[str] = VARIABLE,
        platform: Platform | None = None,
    ) -> None:
        """A node that names an image; none where there is nothing.

        Args:
            node: a scalar.
            scheme: what comes before the reference; a scalar without it names no image.
            template: what makes it text that another program fills in.
            platform: the one that the place asks for.
        """
        text = self.text(node)
        if node is None or text is None:
            self._no_text(node)
        elif text.text.startswith(scheme) and text.text.strip():
            reference = text[len(scheme) :].strip("\n \t")
            if template.search(reference.text):
                self.skip(node, reference, Reason.TEMPLATE, FILLED_IN)
            else:
                self.place(node, reference, platform=platform)

    def _no_text(self, node: Node | None) -> None:
        """An unquoted `{{ … }}` reads as mappings."""
        if isinstance(node, Mapping) and self.page.source.text.startswith("{{", node.start):
            end = self.page.source.text.find("}}", node.start)
            end = end + 2 if end >= 0 else node.start + 2
            self.skip(node, self.page.source[node.start : end], Reason.TEMPLATE, FILLED_IN)

    def place(
        self,
        node: Node,
        reference: Located,
        *,
        written: Located | None = None,
        platform: Platform | None = None,
        barriers: tuple[Barrier, ...] = (),
        slot: Slot | None = None,
        head: Node | None = None,
    ) -> None:
        """A place that names an image; arguments as `Page.place` has them.

        Args:
            node: that it stands in.
            reference: what the file's own tool reads there.
            written: what stands there, if that is not the same.
            platform: the one that the place asks for.
            barriers: what must not be edited.
            slot: where a digest goes, if not behind the tag.
            head: below which comment the place stands, if not the one above `node`.
        """
        found = self.page.place(
            reference,
            written=written,
            statement=self.page.line((head or node).start),
            platform=platform,
            barriers=barriers,
            slot=slot,
        )
        self.add(node.start, found)

    def skip(
        self,
        node: Node,
        written: Located,
        reason: Reason,
        why: str,
        mend: str = "",
        *,
        head: Node | None = None,
    ) -> None:
        """A place that is passed over; `node` and `head` are as `place` has them."""
        line = self.page.line((head or node).start)
        self.add(node.start, self.page.skip(written, reason, why, mend, statement=line))

    def add(self, offset: int, found: Found) -> None:
        """Anything else that is found; what is read from the very same characters is one place."""
        same: Hashable
        if isinstance(found, Occurrence):
            same = (found.reference.text, tuple(found.reference.origins), found.slot)
        else:
            same = (found.text, found.line)
        self._found.setdefault((offset, same), found)

    def found(self) -> tuple[Found, ...]:
        """All of it, in the order of the file."""
        return tuple(self._found[key] for key in sorted(self._found, key=lambda key: key[0]))


def _bases(mapping: Mapping) -> list[Mapping]:
    """The mappings that are merged into this one; what comes first counts."""
    named = [
        base
        for one in mapping.merged
        for base in (one.items if isinstance(one, Sequence) else [one])
    ]
    return [base for base in named if isinstance(base, Mapping)]


def search(page: Page, look: Callable[[Search, Node], None]) -> tuple[Found, ...]:
    """What `look` finds in each document of a file.

    A file that cannot be read is one finding, with the line where it is wrong.
    """
    looking = Search(page)
    try:
        for root in read_documents(page.data):
            look(looking, root)
    except NotYaml as error:
        template = _FILE_TEMPLATE.search(page.source.text) if error.syntax else None
        if template is not None:
            line = page.line(template.start())
            why = "it is a template, and becomes YAML when another program fills it in"
            return (Skipped(text="", line=line, reason=Reason.TEMPLATE, why=why),)
        line = page.line(min(error.offset, len(page.data)))
        why = safe(str(error), limit=200)
        return (Skipped(text="", line=line, reason=Reason.UNSUPPORTED, why=why),)
    return looking.found()
