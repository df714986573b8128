"""The lookup tells each thing that it looked at, and is the one that finds logins."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from pinner.registry.credentials import CredentialStore
from pinner.registry.helpers import Finished, HelperFailure
from pinner.registry.lookup import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.registry.lookup import Lookup

PAIR = {"auth": base64.b64encode(b"ada:canary").decode()}
CONFIG = "~/.docker/config.json"
REST = [
    ("~/.config/containers/auth.json", "", "not reached"),
    ("~/.dockercfg", "", "not reached"),
]
ABSENT = [
    ("~/.config/containers/auth.json", "", "is not there"),
    ("~/.dockercfg", "", "is not there"),
]
HELPED = "credHelpers: r.example → docker-credential"


def run(name: str, argument: str, stdin: bytes) -> Finished:
    match name.removeprefix("docker-credential-"):
        case "full":
            return Finished(status=0, output=b'{"Username": "ada", "Secret": "canary"}')
        case "empty":
            return Finished(status=1, output=b"credentials not found")
        case "lying":
            return Finished(status=0, output=b"canary")
        case _:
            raise HelperFailure("is not installed")


def look_up(home: Path, document: object, *, ask_helpers: bool = True, **environ: str) -> Lookup:
    file = home / ".docker/config.json"
    file.parent.mkdir()
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    file.chmod(0o600)
    store = CredentialStore(environ=environ, home=home, run_helper=run, note=lambda _: None)
    lookup = store.look_up("r.example", "org/app", ask_helpers=ask_helpers)
    assert "canary" not in repr(lookup)
    if lookup.settled and lookup.error is None:
        assert store.find("r.example", "org/app") == lookup.found
    return lookup


@pytest.mark.parametrize(
    ("document", "looks", "user"),
    [
        pytest.param({}, [("auths", "empty"), *ABSENT], None, id="empty"),
        pytest.param(
            {"auths": {"x.example": PAIR, "r.example/other": PAIR}},
            [("auths", "no key fits (of 2)"), *ABSENT],
            None,
            id="others",
        ),
        pytest.param(
            {"auths": {"r.example": PAIR}},
            [("auths: r.example", "holds a login"), *REST],
            "ada",
            id="auths",
        ),
        pytest.param(
            {"auths": {"r.example": PAIR, "r.example/org": {}}},
            [
                ("auths: r.example/org", "holds no login"),
                ("auths: r.example", "holds a login"),
                *REST,
            ],
            "ada",
            id="closest-without",
        ),
        pytest.param(
            {"credHelpers": {"r.example": "full"}},
            [(f"{HELPED}-full", "helper answered: yes"), *REST],
            "ada",
            id="helper",
        ),
        pytest.param(
            {"credHelpers": {"r.example": "empty"}, "auths": {"r.example": PAIR}},
            [
                (f"{HELPED}-empty", "helper answered: no login"),
                ("auths: r.example", "holds a login"),
                *REST,
            ],
            "ada",
            id="helper-without",
        ),
    ],
)
def test_looks(tmp_path: Path, document: object, looks: list[Any], user: str | None) -> None:
    lookup = look_up(tmp_path, document)
    expected = [look if len(look) == 3 else (CONFIG, *look) for look in looks]
    assert [(look.place, look.entry, look.why) for look in lookup.looks] == expected
    assert (lookup.found.credential.user if lookup.found else None) == user
    assert lookup.settled
    assert lookup.error is None


@pytest.mark.parametrize(
    ("document", "entry", "why"),
    [
        pytest.param("{", "", "is not JSON (line 1)", id="not-json"),
        pytest.param(
            {"auths": {"r.example": {"auth": "canary"}}}, "", "auths: r.example: ", id="pair"
        ),
        pytest.param(
            {"credHelpers": {"r.example": "gone"}},
            f"{HELPED}-gone",
            "docker-credential-gone is not installed",
            id="missing-helper",
        ),
        pytest.param(
            {"credHelpers": {"r.example": "lying"}},
            f"{HELPED}-lying",
            "docker-credential-lying did not answer with a JSON object",
            id="A17-lying-helper",
        ),
    ],
)
def test_a_failure_ends_it_and_is_told(
    tmp_path: Path, document: object, entry: str, why: str
) -> None:
    lookup = look_up(tmp_path, document)
    failed, *rest = lookup.looks
    assert (failed.place, failed.entry, failed.outcome) == (CONFIG, entry, Outcome.FAILED)
    assert failed.why.startswith(why)
    assert [look.outcome for look in rest] == [Outcome.NOT_REACHED] * 2
    assert lookup.error is not None
    assert lookup.found is None


def test_without_helpers_it_ends_at_the_first(tmp_path: Path) -> None:
    document = {"credHelpers": {"r.example": "full"}, "auths": {"r.example": PAIR}}
    lookup = look_up(tmp_path, document, ask_helpers=False)
    assert [look.outcome for look in lookup.looks] == [
        Outcome.NOT_ASKED,
        *[Outcome.NOT_REACHED] * 2,
    ]
    assert not lookup.settled
    assert lookup.found is None


@pytest.mark.parametrize("value", ["r.example", "x.example, R.EXAMPLE", "a\tr.example,,b"])
def test_PINNER_ANONYMOUS_wins(tmp_path: Path, value: str) -> None:
    lookup = look_up(tmp_path, {"auths": {"r.example": PAIR}}, PINNER_ANONYMOUS=value)
    assert [look.place for look in lookup.looks] == ["PINNER_ANONYMOUS"]
    assert lookup.found is None


@pytest.mark.parametrize("value", ["", ",", "example", "r.example:443", "r.example.evil"])
def test_PINNER_ANONYMOUS_is_for_whole_names(tmp_path: Path, value: str) -> None:
    lookup = look_up(tmp_path, {"auths": {"r.example": PAIR}}, PINNER_ANONYMOUS=value)
    assert lookup.found is not None
