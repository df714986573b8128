"""The documentation is true: every example runs, and prints what the page shows.

How a page marks its examples stands in docpages/markdown.py. `make docs` writes outputs anew.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
import tomllib
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import click
import pytest

import pinner
from docpages import markdown, pages, pictures, reference, transcript
from docpages.screen import Screen
from pinner.cli.failures import Usage
from pinner.cli.program import build_program
from pinner.errors import PinnerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = pages.pages()
EXAMPLES = [
    page
    for page in PAGES
    if any(
        isinstance(part, markdown.Fence) and (part.file or part.language in {"console", "python"})
        for part in markdown.parse(page.read_text(encoding="utf-8"))
    )
]
LARGEST = 60_000
WIDTH = 100


def name_of(page: Path) -> str:
    return str(page.relative_to(pages.ROOT))


def fences(page: Path) -> Iterator[markdown.Fence]:
    parts = markdown.parse(page.read_text(encoding="utf-8"))
    return (part for part in parts if isinstance(part, markdown.Fence))


def prose(page: Path) -> str:
    parts = markdown.parse(page.read_text(encoding="utf-8"))
    return "\n".join(
        line for part in parts if not isinstance(part, markdown.Fence) for line in part.lines
    )


@pytest.mark.parametrize("page", EXAMPLES, ids=name_of)
def test_examples_print_what_the_page_shows(page: Path) -> None:
    shown = page.read_text(encoding="utf-8")
    assert pages.perform(shown) == shown


def test_the_command_reference_has_every_command() -> None:
    shown = (pages.DOCS / "cli.md").read_text(encoding="utf-8")
    without_outputs = [
        part.with_body([line for line in part.body if line.startswith("$ ")])
        if isinstance(part, markdown.Fence)
        else part
        for part in markdown.parse(shown)
    ]
    assert markdown.join(without_outputs) == reference.skeleton()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_toml_is_toml(page: Path) -> None:
    toml = [fence for fence in fences(page) if fence.language == "toml" and not fence.file]
    for fence in toml:
        pages.perform("\n".join(fence.lines))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`]*`", "", prose(page))
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(
        r"^\[.+\]: (\S+)$", text, re.MULTILINE
    )
    for target in targets:
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", prose(linked), re.MULTILINE)
            assert anchor in map(_anchor, headings), target


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_exist(page: Path) -> None:
    program = build_program()
    context = click.Context(program)
    for text in _commands(page):
        words = shlex.split(re.sub(r"[\[\]]|\\?\|.*", "", text))[1:]
        name = next((word for word in words if not word.startswith("-")), None)
        command = program.get_command(context, name) if name else program
        assert command is not None, text
        known = {option for param in command.params for option in param.opts}
        assert {word for word in words if word.startswith("-")} <= known, text


def _commands(page: Path) -> list[str]:
    spans = re.findall(r"`(pinner [^`]+)`", " ".join(prose(page).split()))
    lines = [
        line
        for fence in fences(page)
        if fence.language in {"sh", "yaml"}
        for line in re.findall(r"\bpinner [a-z].*$", fence.text, re.MULTILINE)
        if "image-pinner" not in line
    ]
    return [*spans, *lines]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_fit(page: Path) -> None:
    long = [
        line
        for line in prose(page).splitlines()
        if len(line) > WIDTH and not line.startswith("|") and "](" not in line
    ]
    assert long == []


def test_the_layer_picture_is_what_the_import_linter_checks() -> None:
    project = tomllib.loads((pages.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    checked = next(
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["id"] == "layers"
    )
    picture = next(fences(pages.DOCS / "architecture.md"))
    drawn = [re.split(r"\s{2,}", line)[0] for line in picture.body]
    assert drawn == checked


def test_every_page_is_in_the_index() -> None:
    index = (pages.DOCS / "README.md").read_text(encoding="utf-8")
    missing = [
        page.name
        for page in pages.DOCS.rglob("*.md")
        if page != pages.DOCS / "README.md" and f"({page.relative_to(pages.DOCS)})" not in index
    ]
    assert missing == []


def test_every_error_code_is_documented() -> None:
    for module in pkgutil.walk_packages(pinner.__path__, "pinner."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", prose(pages.DOCS / "json.md"), re.MULTILINE)
    documented = {
        (int(exit_code), code) for exit_code, codes in rows for code in re.findall("`(.+?)`", codes)
    }
    assert documented == {(error.exit_code, error.code) for error in _errors(PinnerError)}


def _errors(error: type[PinnerError]) -> Iterator[type[PinnerError]]:
    if error.__module__.startswith("pinner."):
        yield error
    for narrower in error.__subclasses__():
        yield from _errors(narrower)


def test_usage_is_an_error_of_ours() -> None:
    assert Usage in set(_errors(PinnerError))


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_is_small_whole_and_shown(name: str) -> None:
    picture = pictures.IMAGES / f"{name}.svg"
    text = picture.read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    assert "url(http" not in text
    ET.fromstring(text)  # noqa: S314 - our own file
    assert any(f"images/{name}.svg" in prose(page) for page in PAGES)


def test_the_picture_of_mistakes_is_what_pinner_says() -> None:
    drawn = (pictures.IMAGES / "mistakes.svg").read_text(encoding="utf-8")
    assert pictures.draw("mistakes", pictures.mistakes()) == drawn


@pytest.mark.parametrize(
    ("shown", "real", "agrees"),
    [
        pytest.param(["a"], ["a"], True, id="the same"),
        pytest.param(["a"], ["b"], False, id="another line"),
        pytest.param(["a"], ["a", "b"], False, id="a line more"),
        pytest.param(["a in 0.2 s"], ["a in 13.0 s"], True, id="other seconds"),
        pytest.param(["| 9 d → 2 d |"], ["| 10 d → 3 d |"], True, id="another day"),
        pytest.param(
            ["a   14 months ago   1B"], ["a   2 years ago     1B"], True, id="years later"
        ),
        pytest.param(["a   14 months ago   1B"], ["a   2 years ago     2B"], False, id="no age"),
        pytest.param(["held for 9 d"], ["held for 8 d"], False, id="another span"),
        pytest.param(["a in 2 blobs"], ["a in 3 blobs"], False, id="other numbers"),
        pytest.param(["a", "…", "d"], ["a", "b", "c", "d"], True, id="lines left out"),
        pytest.param(["a", "  …", "d"], ["a", "d"], True, id="none left out"),
        pytest.param(["a", "…", "d"], ["b", "d"], False, id="a left-out line is not the first"),
        pytest.param(
            ["b: 2 kB in 1 blob", "a: 1.0 MB in 2 blobs", "c"],
            ["a: 1.0 MB in 2 blobs", "b: 2 kB in 1 blob", "c"],
            True,
            id="images that ended in another order",
        ),
    ],
)
def test_agreeing(shown: list[str], real: list[str], *, agrees: bool) -> None:
    assert transcript.agree(shown, real) is agrees


def test_a_block_of_commands_and_outputs() -> None:
    body = ["$ one \\", "  more", "out", "$ two"]
    shown = transcript.parse(body)
    assert [(one.command, one.output) for one in shown] == [
        ("one \\\n  more", ("out",)),
        ("two", ()),
    ]
    assert transcript.render(shown) == body


@pytest.mark.parametrize("text", [" ```sh\nx\n ```\n", "```sh\nx\n", "```a b c\nx\n```\n"])
def test_a_fence_that_would_be_passed_over_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        markdown.parse(text)


def test_a_screen_draws_over_lines() -> None:
    screen = Screen()
    screen.feed("first\r\n\x1b[36mbar\x1b[0m 1\r\ntotal 1\r\x1b[1A\x1b[2Kbar 2\n\x1b[2Ktotal 2")
    assert screen.lines == ["first", "bar 2", "total 2"]


def test_a_screen_knows_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="no terminal of ours"):
        Screen().feed("\x1b[3;4H")
