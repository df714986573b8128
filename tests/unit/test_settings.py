"""config.toml and the environment; what a project says never widens what the user trusts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinner.errors import FileProblems, InputError
from pinner.oci.registryconfig import RegistryConfig
from pinner.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

STORE = Path("/cache/pinner")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def load(
    folder: Path, text: str | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    if text is not None:
        (folder / "config.toml").write_text(text, encoding="utf-8")
    return Settings.load(environ or {}, folder, default_store=STORE)


@pytest.mark.parametrize("text", [None, "", "# nothing\n"])
def test_defaults(folder: Path, text: str | None) -> None:
    assert load(folder, text) == Settings(store=STORE, jobs=8, registries=())


def test_a_folder_that_is_not_there(folder: Path) -> None:
    assert load(folder / "none").store == STORE


def test_config_toml(folder: Path) -> None:
    settings = load(
        folder,
        """
        store = "/srv/images"
        jobs = 16
        [registries."r.example:5000"]
        plain-http = true
        ca-file = "certs/ca.pem"
        """,
    )
    assert settings.store == Path("/srv/images")
    assert settings.jobs == 16
    assert settings.registries == (
        RegistryConfig(
            host="r.example:5000",
            plain_http=True,
            ca_file=folder / "certs/ca.pem",
            user_wide=True,
        ),
    )


def test_the_environment_beats_the_file(folder: Path) -> None:
    environ = {"PINNER_STORE": "elsewhere", "PINNER_JOBS": "3"}
    settings = load(folder, 'store = "/srv/images"\njobs = 16\n', environ)
    assert (settings.store, settings.jobs) == (Path("elsewhere"), 3)


def test_empty_variables_are_absent(folder: Path) -> None:
    settings = load(folder, None, {"PINNER_STORE": "", "PINNER_JOBS": ""})
    assert (settings.store, settings.jobs) == (STORE, 8)


def test_home_in_the_store(folder: Path) -> None:
    settings = load(folder, 'store = "~/images"\n', {"HOME": "/home/anna"})
    assert settings.store == Path("/home/anna/images")


@pytest.mark.parametrize("value", ["0", "65", "-1", "x", "1.5", "٣", " 3", "3\n", "9" * 5000])
def test_jobs_of_the_environment(folder: Path, value: str) -> None:
    with pytest.raises(InputError, match="is not a number from 1 to 64") as refused:
        load(folder, None, {"PINNER_JOBS": value})
    assert refused.value.where == "PINNER_JOBS"
    assert refused.value.what.isprintable()


def test_every_problem_of_the_file(folder: Path) -> None:
    with pytest.raises(FileProblems) as refused:
        load(
            folder,
            'stor = 1\njobs = 0\nstore = "images"\n[registries."a.b"]\nmiror = 1\n'
            'plain-http = "yes"\n',
        )
    path = folder / "config.toml"
    assert str(refused.value).splitlines() == [
        f'{path}:1: "stor" is not a key of config.toml; did you mean "store"?',
        f"{path}:2: jobs: is 0; write a number from 1 to 64",
        f'{path}:3: store: "images" is not a whole path; begin it with "/" or "~/"',
        f'{path}:5: registries."a.b": "miror" is not a key of a registry; did you mean "mirrors"?',
        f'{path}:6: registries."a.b".plain-http: is a string; write true or false',
    ]


def test_home_is_not_known(folder: Path) -> None:
    with pytest.raises(FileProblems, match="is not a whole path"):
        load(folder, 'store = "~/images"\n')


def test_S17_a_folder_in_place_of_the_file(folder: Path) -> None:
    (folder / "config.toml").mkdir()
    with pytest.raises(InputError, match="is not a regular file"):
        load(folder)


HOST = "r.example"
MINE = RegistryConfig(host=HOST, mirrors=("theirs.example",), ca_file=Path("/p/ca.pem"))
PLAIN = RegistryConfig(host=HOST, plain_http=True)


@pytest.mark.parametrize(
    ("own", "project", "expected"),
    [
        pytest.param("", MINE, MINE, id="only the project"),
        pytest.param(
            "plain-http = true",
            None,
            RegistryConfig(host=HOST, plain_http=True, user_wide=True),
            id="only the user",
        ),
        pytest.param(
            'mirrors = ["mine.example"]',
            MINE,
            RegistryConfig(
                host=HOST, mirrors=("mine.example",), ca_file=Path("/p/ca.pem"), user_wide=True
            ),
            id="each key by itself",
        ),
        pytest.param(
            'ca-file = "/u/ca.pem"\nmirrors = []',
            MINE,
            RegistryConfig(host=HOST, ca_file=Path("/u/ca.pem"), user_wide=True),
            id="no mirrors, said by the user",
        ),
        pytest.param(
            'mirrors = ["mine.example"]',
            PLAIN,
            RegistryConfig(host=HOST, plain_http=True, mirrors=("mine.example",)),
            id="plain http by the project is not trusted",
        ),
        pytest.param(
            "plain-http = false",
            PLAIN,
            RegistryConfig(host=HOST, user_wide=True),
            id="plain http refused by the user",
        ),
        pytest.param(
            "plain-http = true",
            PLAIN,
            RegistryConfig(host=HOST, plain_http=True, user_wide=True),
            id="plain http by both",
        ),
    ],
)
def test_the_users_keys_win(
    folder: Path, own: str, project: RegistryConfig | None, expected: RegistryConfig
) -> None:
    settings = load(folder, own and f'[registries."{HOST}"]\n{own}\n')
    assert settings.with_project([project] if project else []) == (expected,)


def test_hosts_are_the_same_in_any_case_and_by_any_alias(folder: Path) -> None:
    text = '[registries."R.example"]\nmirrors = ["a.example"]\n[registries."index.docker.io"]\n'
    project = [RegistryConfig(host="r.EXAMPLE", plain_http=True), RegistryConfig(host="docker.io")]
    merged = load(folder, text).with_project(project)
    assert [(each.host, each.plain_http, each.user_wide) for each in merged] == [
        ("R.example", True, False),
        ("docker.io", False, True),
    ]


def test_other_hosts_stay_apart(folder: Path) -> None:
    settings = load(folder, '[registries."a.example"]\nplain-http = true\n')
    merged = settings.with_project([PLAIN])
    assert {each.host: each.user_wide for each in merged} == {HOST: False, "a.example": True}
