"""images.toml is read whole: values for what is right, every problem for what is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinner.errors import FileProblems
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.oci.registryconfig import RegistryConfig
from pinner.spec import SPEC_LIMIT, Spec, parse_spec
from support.tables import FIXTURES, params

if TYPE_CHECKING:
    from pinner.spec import SpecEntry

BASE = Path("/project")
BAD = sorted((FIXTURES / "specs/bad").glob("*.toml"))
AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


def parse(text: str) -> Spec:
    return parse_spec(text.encode(), path="images.toml", base=BASE)


def entry(line: str) -> SpecEntry:
    (only,) = parse(f"[images]\n{line}\n").entries
    return only


@pytest.fixture
def design() -> Spec:
    data = (FIXTURES / "specs/good/design.toml").read_bytes()
    return parse_spec(data, path="images.toml", base=BASE)


def test_the_designs_example(design: Spec) -> None:
    assert [(each.name, each.line) for each in design.entries] == [
        ("debian", 6),
        ("node", 7),
        ("app", 9),
    ]
    debian, node, app = design.entries
    assert debian.reference == Reference.parse("debian:bookworm")
    assert debian.platforms == (AMD64, ARM64)
    assert debian.minimum_age == timedelta(days=3)
    assert str(node.wish) == 'version ">=22,<23", variant "alpine"'
    assert str(app.reference) == "registry.example:5000/team/app:stable"
    assert app.platforms == (ARM64,)
    assert app.minimum_age == timedelta(0)
    assert design.platforms == (AMD64, ARM64)
    assert design.minimum_age == timedelta(days=3)
    assert design.registries == (
        RegistryConfig(
            host="registry.example:5000",
            plain_http=True,
            mirrors=("cache.example/team",),
            ca_file=Path("/project/certs/ca.pem"),
        ),
    )


@pytest.mark.parametrize("row", params("specs/entries.toml"))
def test_an_entry(row: dict[str, Any]) -> None:
    only = entry(row["entry"])
    assert only.name == "x"
    assert str(only.reference) == row["means"]
    assert (only.wish and str(only.wish)) == row.get("version")
    platforms = only.platforms and [str(platform) for platform in only.platforms]
    assert platforms == row.get("platforms")
    assert only.minimum_age == timedelta(hours=row.get("hours", 0))
    assert only.immutable is row.get("immutable", False)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_problem_is_reported_with_its_line(path: Path) -> None:
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    with pytest.raises(FileProblems) as refused:
        parse_spec(path.read_bytes(), path="images.toml", base=BASE)
    assert str(refused.value) + "\n" == expected
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("text", ["", "# nothing\n", "[images]\n", "images = {}\n"], ids=repr)
def test_S01_no_images(text: str) -> None:
    assert parse(text) == Spec()


@pytest.mark.parametrize(
    "name", ["a", "0", "a.b", "a_b", "a-b", "0.1-x_y", "x" * 128], ids=lambda name: name[:9]
)
def test_names(name: str) -> None:
    assert entry(f'"{name}" = "redis"').name == name


def test_S14_two_names_for_one_image() -> None:
    first, second = parse('[images]\na = "redis:7"\nb = "docker.io/library/redis:7"\n').entries
    assert first.reference == second.reference


def test_S19_crlf_means_the_same(design: Spec) -> None:
    data = (FIXTURES / "specs/good/design.toml").read_bytes().replace(b"\n", b"\r\n")
    assert parse_spec(data, path="images.toml", base=BASE) == design


def test_S22_many_images() -> None:
    text = "[images]\n" + "".join(f'n{number} = "n{number}:1"\n' for number in range(10_000))
    spec = parse(text)
    assert len(spec.entries) == 10_000
    assert spec.entries[-1].line == 10_001


def test_S09_the_size_is_limited() -> None:
    with pytest.raises(FileProblems, match=r"images\.toml: is larger than 1 MiB"):
        parse_spec(b"#" * (SPEC_LIMIT + 1), path="images.toml", base=BASE)


def test_problems_end_where_nobody_reads_on() -> None:
    with pytest.raises(FileProblems) as refused:
        parse("".join(f"key{number} = 1\n" for number in range(50_000)))
    problems = refused.value.problems
    assert len(problems) == 101
    assert problems[99].where == "images.toml:100"
    assert str(problems[100]) == "images.toml: has more problems than these"


def test_an_absolute_ca_file_stays() -> None:
    (config,) = parse('[registries.localhost]\nca-file = "/etc/ca.pem"\n').registries
    assert config.ca_file == Path("/etc/ca.pem")


@pytest.mark.parametrize("host", ["index.docker.io", "registry-1.docker.io", "docker.io"])
def test_R17_one_docker_hub(host: str) -> None:
    (config,) = parse(f'[registries."{host}"]\nmirrors = ["cache.example:5000"]\n').registries
    assert config == RegistryConfig(host="docker.io", mirrors=("cache.example:5000",))


def test_what_the_project_says_is_never_user_wide() -> None:
    (config,) = parse('[registries."r.example"]\nplain-http = true\n').registries
    assert config.plain_http
    assert not config.user_wide
