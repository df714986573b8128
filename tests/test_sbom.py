"""The bill of materials of a release: complete, true to the pins, and CycloneDX."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from release import files, licences, pins, sbom, wheel
from release.licences import LicenceError
from release.wheel import UnpinnedError, Wheel
from support.programs import unavailable

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".venv/release/bin"
NOT_INSTALLED_WITH_PINNER = {
    *("hatchling", "editables", "pathspec", "pluggy", "trove-classifiers"),  # they build it
    "colorama",  # for Windows
}


def ours(*requires: str, extras: tuple[str, ...] = ()) -> Wheel:
    """A wheel that asks for something; by default for what pinner asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = requires or (
        *project["dependencies"],
        *(f"{line}; extra == 'serve'" for line in project["optional-dependencies"]["serve"]),
    )
    return Wheel(
        name=NormalizedName("image-pinner"),
        version=Version("1.2.3"),
        licence="Apache-2.0",
        summary="Pins images",
        requires=tuple(map(Requirement, lines)),
        extras=extras or ("serve",),
        pythons=("3.11", "3.12", "3.13"),
        sha256="ab" * 32,
    )


def rendered() -> str:
    built = ours()
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    parts = wheel.parts(built, pins.released())
    return sbom.render(built, parts, commit="cd" * 20, time=moment)


@pytest.fixture(scope="module")
def text() -> str:
    return rendered()


@pytest.fixture(scope="module")
def bill(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document


def test_the_schema_of_cyclonedx_admits_it(text: str, tmp_path: Path) -> None:
    if not (TOOLS / "python").exists():
        unavailable("no .venv/release: `make .venv/.release` makes it")
    file = tmp_path / "a.cdx.json"
    file.write_text(text)
    files.valid(file, python=TOOLS / "python")
    file.write_text(text.replace('"scope": "required"', '"scope": "always"', 1))
    with pytest.raises(files.ReleaseError, match="'always' is not one of"):
        files.valid(file, python=TOOLS / "python")


def test_it_lists_all_that_is_pinned_but_what_builds(bill: dict[str, Any]) -> None:
    listed = {component["name"] for component in bill["components"]}
    pinned: set[str] = {pin.name for pin in pins.read("run.txt")}
    assert pinned - listed == NOT_INSTALLED_WITH_PINNER
    assert listed - pinned == {"bcrypt"}


def test_versions_and_hashes_are_those_that_are_pinned(bill: dict[str, Any]) -> None:
    pinned = {pin.name: pin for pin in pins.released()}
    for component in bill["components"]:
        pin = pinned[component["name"]]
        assert component["purl"] == f"pkg:pypi/{pin.name}@{pin.version}"
        assert [entry["content"] for entry in component["hashes"]] == list(pin.hashes)


def test_what_an_extra_brings_is_optional(bill: dict[str, Any]) -> None:
    optional = [c["name"] for c in bill["components"] if c["scope"] == "optional"]
    assert optional == ["bcrypt"]


def test_everything_hangs_on_the_root(bill: dict[str, Any]) -> None:
    edges = {entry["ref"]: entry["dependsOn"] for entry in bill["dependencies"]}
    root = bill["metadata"]["component"]["bom-ref"]
    reached, waiting = set(), [root]
    while waiting:
        ref = waiting.pop()
        reached.add(ref)
        waiting += [other for other in edges[ref] if other not in reached]
    assert reached == edges.keys() == {root, *(c["bom-ref"] for c in bill["components"])}
    httpcore = next(ref for ref in edges if ref.startswith("pkg:pypi/httpcore@"))
    assert [ref.partition("@")[0] for ref in edges[httpcore]] == [
        "pkg:pypi/certifi",
        "pkg:pypi/h11",
    ]


def test_it_names_no_index(text: str) -> None:
    lines = [line for line in text.splitlines() if "://" in line]
    assert len(lines) == 1
    assert lines[0].lstrip().startswith('"$schema"')


def test_it_says_which_wheel_of_which_commit_and_when(bill: dict[str, Any]) -> None:
    component = bill["metadata"]["component"]
    assert component["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert component["pedigree"] == {"commits": [{"uid": "cd" * 20}]}
    assert bill["metadata"]["timestamp"] == "2026-01-02T03:04:05Z"


def test_one_release_has_one_bill(text: str) -> None:
    assert rendered() == text


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        pytest.param("never-heard-of", "never-heard-of is not pinned", id="unpinned"),
        pytest.param("not-here", "not-here is pinned, but not installed", id="not-installed"),
        pytest.param("idna", r"idna .* is installed, 3\.1 pinned", id="another-version"),
        pytest.param("h11", "h11 is pinned in two versions", id="twice"),
    ],
)
def test_what_the_pins_do_not_cover_ends_it(requirement: str, said: str) -> None:
    lines = [f"{pin}==1 --hash=sha256:{'0' * 64}" for pin in ("not-here", "h11")]
    lines += [f"{pin} --hash=sha256:{'0' * 64}" for pin in ("idna==3.1", "h11==2")]
    with pytest.raises(UnpinnedError, match=said):
        wheel.parts(ours(requirement), pins.parse("\n".join(lines)))


@pytest.mark.parametrize(
    ("requirement", "comes"),
    [
        pytest.param("idna; sys_platform == 'win32'", False, id="windows"),
        pytest.param("idna; python_version < '3.11'", False, id="old-python"),
        pytest.param("idna; sys_platform == 'darwin'", True, id="macos"),
        pytest.param("idna; python_version >= '3.13'", True, id="new-python"),
        pytest.param("idna; platform_machine == 'aarch64'", True, id="arm"),
        pytest.param("idna; extra == 'other'", False, id="another-extra"),
    ],
)
def test_what_any_supported_system_installs_is_listed(requirement: str, *, comes: bool) -> None:
    parts = wheel.parts(ours(requirement), pins.released())
    assert [part.pin.name for part in parts] == ["idna"] * comes


def metadata(**fields: str) -> Any:
    message = Message()
    message["Name"] = "a"
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    return message


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        pytest.param({"License_Expression": "mit OR apache-2.0"}, "MIT OR Apache-2.0", id="spdx"),
        pytest.param({"License": "BSD-3-Clause"}, "BSD-3-Clause", id="field"),
        pytest.param({"License": "MIT License\n\nCopyright (c) 2022"}, "MIT", id="whole-text"),
        pytest.param(
            {"Classifier": "License :: OSI Approved :: Apache Software License"},
            "Apache-2.0",
            id="classifier",
        ),
        pytest.param(
            {"License": "see LICENSE", "Classifier": "License :: OSI Approved :: MIT License"},
            "MIT",
            id="prose-and-classifier",
        ),
    ],
)
def test_a_licence_is_read_wherever_it_is_declared(fields: dict[str, str], expression: str) -> None:
    assert licences.declared(metadata(**fields)) == expression


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="none"),
        pytest.param({"Classifier": "License :: OSI Approved :: BSD License"}, id="which-bsd"),
        pytest.param({"License": "do what you want"}, id="prose"),
    ],
)
def test_a_licence_that_is_not_known_is_an_error(fields: dict[str, str]) -> None:
    with pytest.raises(LicenceError, match=r"^a: no licence that is known"):
        licences.declared(metadata(**fields))


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("Apache-2.0 OR BSD-2-Clause", True),
    ],
)
def test_a_licence_is_admitted_or_not(expression: str, *, verdict: bool) -> None:
    assert licences.admitted(expression) is verdict


@pytest.mark.parametrize("expression", ["(MIT OR ISC) AND MPL-2.0", "GPL-2.0-only WITH x"])
def test_a_licence_that_is_hard_to_judge_is_not_guessed(expression: str) -> None:
    with pytest.raises(LicenceError, match="too hard to judge"):
        licences.admitted(expression)


def test_a_dependency_under_another_licence_ends_the_release(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(licences, "ADMITTED", licences.ADMITTED - {"MPL-2.0"})
    with pytest.raises(LicenceError, match=r"not admitted beside Apache-2\.0: certifi: MPL-2\.0$"):
        rendered()


def test_a_line_without_a_hash_is_no_pin() -> None:
    with pytest.raises(pins.PinsError, match=r"not a pin with hashes: idna==3\.1"):
        pins.parse("idna==3.1\n")
