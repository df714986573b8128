"""What pinner says of foreign text: in terminals, in pull requests, to GitHub's runner."""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

from fuzz.target import Target
from pinner.compare.model import ImageChange, ImageFacts
from pinner.errors import RegistryError
from pinner.inventory.model import (
    Changelog,
    Direction,
    Ecosystem,
    Fix,
    PackageChange,
    PackageChanges,
)
from pinner.lockfile import LockedImage
from pinner.oci.digest import Digest
from pinner.oci.reference import Repository
from pinner.outcome import Failed
from pinner.output.annotations import tamed
from pinner.output.markdown import code, html_text, plain, table
from pinner.output.redact import redact
from pinner.output.summary import render_summary
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

_RENDERER: Final = MarkdownIt("commonmark", {"html": True}).enable("table")
_JOINER: Final = "\u2060"
_NOW: Final = datetime(2026, 11, 27, tzinfo=UTC)
_LIMIT: Final = 10_000
_TAGS: Final = frozenset(
    {*("table", "thead", "tbody", "tr", "th", "td", "code", "details", "summary", "b", "p")}
    | {*("h3", "ul", "li", "strong")}
)
_CODE: Final = re.compile(r"<code>[^<]*</code>")
_TAG: Final = re.compile(r"</?([a-zA-Z][^\s/>]*)([^>]*)>")
# What GitHub, GitLab and Gitea make something of in rendered text, outside of code.
_ACTIVE: Final = re.compile(
    r"@[A-Za-z0-9]|(?<![&\w])[#!][0-9]|https?://\w|www\.\w|:[a-z]\w*:", re.IGNORECASE
)
_FORBIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


_SECRET: Final = "hunter2hunter2"
_SECRETS: Final = (
    f"https://u:{_SECRET}@h.example/ Authorization: Basic {_SECRET} password={_SECRET}"
    f" https://h.example/x?sig={_SECRET}"
)


def terminal(data: bytes) -> None:
    """Foreign text on a terminal: no control character, no other line, and twice is once."""
    text = data.decode("utf-8", "surrogateescape")
    shown = safe(text)
    shown.encode()
    assert shown.isprintable()
    assert not any(unicodedata.category(one) in _FORBIDDEN for one in shown)
    assert len(shown) <= 500 * 10 + 20
    if len(shown) <= 500:
        assert safe(shown) == shown
    if text.isprintable() and len(text) <= 500:
        assert shown == text
    for limit in (1, 80):
        assert safe(text, limit=limit).isprintable()
    hidden = redact(f"{text} {_SECRETS}")
    assert _SECRET not in hidden
    assert hidden.count("\n") <= text.count("\n")
    for line in tamed(text).splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def markdown(data: bytes) -> None:
    """The body of a pull request with foreign text in every place: text, and nothing that acts."""
    words = data.decode("utf-8", "surrogateescape").split("\n")
    for word in words[:4]:
        rendered = _RENDERER.render(table(("one", "two"), [(code(word), plain(word))]))
        shown = [
            html.unescape(re.sub(r"<[^>]*>", "", cell)).replace(_JOINER, "")
            for cell in re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)
        ]
        # A reader sees what a terminal would show.
        limits = (200, 500)
        assert shown == [
            wanted or empty
            for limit, empty in zip(limits, ("-", ""), strict=True)
            for wanted in [safe(word, limit=limit).strip(" ").replace(_JOINER, "")]
        ]
        assert "<" not in html_text(word)
    change = _change((words * 8)[:8])
    failed = Failed(name="bad", error=RegistryError(words[0], where=words[-1]))
    body = render_summary([failed], [change], files=words[:2], now=_NOW, limit=_LIMIT)
    assert len(body) < _LIMIT
    _inert(_RENDERER.render(body))


def _inert(rendered: str) -> None:
    for name, attributes in _TAG.findall(rendered):
        assert name in _TAGS, f"<{name}>"
        assert not attributes.strip(), attributes
    for name, most in (("details", 1), ("summary", 1), ("table", 2)):
        assert rendered.count(f"<{name}>") == rendered.count(f"</{name}>") <= most, name
    prose = html.unescape(_TAG.sub(" ", _CODE.sub(" ", rendered))).replace(_JOINER, " ")
    assert (found := _ACTIVE.search(prose)) is None, f"{found} in prose"


def _change(words: list[str]) -> ImageChange:
    """An image with these words wherever a publisher's may stand."""
    name, version, note, label, architecture, urgency, base, other = words
    package = PackageChange(
        ecosystem=Ecosystem.DEB,
        name=name or "x",
        architecture=architecture,
        before=version,
        after=other,
        direction=Direction.UPGRADED,
        fixes=(Fix(cve="CVE-2025-1234", urgency="".join(filter(str.isalpha, urgency))[:20]),),
        changelog=Changelog.READ,
    )
    return ImageChange(
        name="app",
        before=_image("1.0", "a"),
        after=_image("1.1", "b"),
        old=_facts(label, base),
        new=_facts(base, label),
        packages=PackageChanges(changes=(package, package)),
        notes=(safe(note),),
    )


def _image(tag: str, letter: str) -> LockedImage:
    return LockedImage(
        name="app",
        repository=Repository.parse("ghcr.io/team/app"),
        tag=tag,
        digest=Digest("sha256", letter * 64),
        platforms={},
    )


def _facts(version: str, base: str) -> ImageFacts:
    labels = {"version": version, "base.name": base, "base.digest": base[::-1]}
    return ImageFacts(
        created=_NOW,
        layers=(),
        labels={f"org.opencontainers.image.{key}": text for key, text in labels.items()},
    )


def _markdown_seeds() -> Iterator[bytes]:
    yield b"<img src=x onerror=alert(1)>\n@team please\ncloses #1\n](https://evil.example) [x"
    yield b"`code` ``x``\na|b\\|c\n**bold** _em_\n<!-- hidden\n</details></summary>\n&lt;b&gt;"
    yield b"# heading\n- item\n1. item\n\x1b[31m\n    indented\n:tada:\n/close\n\xe2\x80\xaeright"
    yield b"www.evil.example\nhttps://evil.example\n!2\n~bug\n%5\nlibc6\n2.36-9+deb12u1\n```"


def _terminal_seeds() -> Iterator[bytes]:
    yield b"plain text"
    yield b"\x1b]0;title\x07\x9b31m\xc2\x9b31m\xe2\x80\xae\xe2\x81\xa0\xf3\xa0\x81\xa1"
    yield b"::error file=x::y\r##[command]\n  ::add-mask::x\x0b::z\xc2\x85::a"
    yield b'https://user:pw@host/x?token=abc#d Authorization: Bearer abc.def "password": "x"'
    yield b"\xed\xa0\x80\xff\xfe\0" + b"x" * 600


TARGETS: Final = (
    Target(
        name="terminal",
        about="foreign text on terminals, in logs of runners: no control, no command, no secret",
        run=terminal,
        seeds=_terminal_seeds,
        tokens=(
            *(b"\x1b[2J", b"\r", b"\n", b"::", b"##[", b"\xc2\x9b", b"\xc2\x85", b"\xe2\x80\xa8"),
            *(b"\xe2\x80\xae", b"\xe2\x81\xa0", b"\xf0\x9f\x8e\x89", b"https://", b"@", b"?", b"#"),
            *(b"Authorization: ", b"Bearer ", b"basic ", b"password=", b"token", b'"', b"'", b","),
        ),
    ),
    Target(
        name="markdown",
        about="bodies of pull requests: foreign text is shown, makes no HTML, mention or link",
        run=markdown,
        seeds=_markdown_seeds,
        longest=2000,
        tokens=(
            *(
                b"<b>",
                b"</details>",
                b"<!--",
                b"@a",
                b"#1",
                b"!1",
                b"https://x.y",
                b"www.x.y",
                b"`",
            ),
            *(
                b"|",
                b"\\",
                b"[a](b)",
                b"![a](b)",
                b"*",
                b"_",
                b"~~",
                b"&lt;",
                b"&#64;",
                b"\n",
                b"-",
            ),
            *(b":a:", b"\t", b" ", b"\xe2\x81\xa0", b"\xc2\xa0", b"a@b.cd", b"mailto:", b"<a@b.c>"),
        ),
    ),
)
