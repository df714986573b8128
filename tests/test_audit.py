"""The audit of what is pinned: it finds what is known, and does not take ignorance for safety."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from release import advisories, audit, pins
from release.refresh import refreshed
from release.service import serving
from support.programs import unavailable

if TYPE_CHECKING:
    from release.advisories import Snapshot

TOOL = Path(__file__).resolve().parents[1] / ".venv/release/bin/pip-audit"
DAY = date(2026, 3, 1)
SOME_HASH = "0" * 64


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return advisories.loads(advisories.FILE.read_text())


def record(events: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    """An advisory about `a` with one range."""
    entry = {
        "package": {"ecosystem": "PyPI", "name": "a"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {"id": "X-1", "affected": [entry], **more}


def knows(*records: dict[str, Any], names: tuple[str, ...] = ("a",)) -> Snapshot:
    document = {"source": "", "until": "2026-01-01", "looked-up": names, "advisories": records}
    return advisories.loads(json.dumps(document))


def affects(found: dict[str, Any], version: str) -> bool:
    return bool(knows(found).affecting(NormalizedName("a"), Version(version)))


@pytest.mark.parametrize(
    ("name", "version", "identifier"),
    [
        ("certifi", "2024.6.2", "CVE-2024-39689"),
        ("click", "8.3.2", "CVE-2026-7246"),
        ("h11", "0.14.0", "CVE-2025-43859"),
        ("httpx", "0.19.0", "CVE-2021-41945"),
        ("idna", "3.6", "CVE-2024-3651"),
        ("idna", "3.14", "CVE-2026-45409"),
        ("markdown-it-py", "2.1.0", "CVE-2023-26302"),
        ("pygments", "2.19.2", "CVE-2026-4539"),
        ("pyyaml", "5.3.1", "CVE-2020-14343"),
    ],
)
def test_a_version_that_is_known_to_be_vulnerable_is_found(
    snapshot: Snapshot, name: str, version: str, identifier: str
) -> None:
    found = snapshot.affecting(NormalizedName(name), Version(version))
    assert identifier in [alias for entry in found for alias in entry["aliases"]]


def test_nothing_that_is_released_is_known_to_be_vulnerable(snapshot: Snapshot) -> None:
    found = {
        f"{pin.name} {pin.version}": [entry["id"] for entry in records]
        for pin in pins.released()
        if (records := snapshot.affecting(pin.name, pin.version))
    }
    assert found == {}


def test_everything_that_is_released_was_looked_up(snapshot: Snapshot) -> None:
    names = [pin.name for pin in pins.released()]
    assert "bcrypt" in names
    assert snapshot.unknown(names) == []


@pytest.mark.parametrize(
    ("events", "yes", "no"),
    [
        pytest.param([{"introduced": "0"}], ["0", "0.dev1", "9"], [], id="all"),
        pytest.param([{"introduced": "1"}], ["1", "1.0", "2"], ["0.9", "1rc1"], id="from"),
        pytest.param(
            [{"introduced": "0"}, {"fixed": "2"}], ["1.9", "2rc1"], ["2", "2.0.post1"], id="fixed"
        ),
        pytest.param(
            [{"introduced": "1"}, {"last_affected": "1.10"}],
            ["1.9", "1.10"],
            ["1.10.1", "0.9"],
            id="last-affected",
        ),
        pytest.param(
            [{"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}, {"fixed": "3.2"}],
            ["1.5", "3.1"],
            ["0", "2", "2.9", "3.2"],
            id="twice",
        ),
        pytest.param(
            [{"fixed": "3.2"}, {"introduced": "3"}, {"fixed": "2"}, {"introduced": "1"}],
            ["1.5", "3.1"],
            ["0", "2", "2.9", "3.2"],
            id="unsorted",
        ),
    ],
)
def test_a_range_is_read_as_osv_defines_it(
    events: list[dict[str, str]], yes: list[str], no: list[str]
) -> None:
    found = record(events)
    assert [version for version in (*yes, *no) if affects(found, version)] == yes


def test_a_version_that_is_listed_is_affected_without_a_range() -> None:
    found = record([])
    found["affected"][0]["versions"] = ["not a version", "1.0"]
    assert affects(found, "1.0.0")
    assert not affects(found, "1.1")


def test_commits_and_other_ecosystems_say_nothing_of_a_release() -> None:
    found = record([{"introduced": "0"}])
    found["affected"][0]["ranges"][0]["type"] = "GIT"
    assert not affects(found, "1")
    other = record([{"introduced": "0"}])
    other["affected"][0]["package"]["ecosystem"] = "npm"
    assert not affects(other, "1")


def test_an_advisory_that_was_withdrawn_does_not_count() -> None:
    events = [{"introduced": "0"}]
    assert affects(record(events), "1")
    assert not affects(record(events, withdrawn="2026-01-01T00:00:00Z"), "1")


def test_an_advisory_about_what_was_not_looked_up_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"not listed as looked up: a$"):
        knows(record([{"introduced": "0"}]), names=("b",))


def pinned(text: str) -> tuple[pins.Pin, ...]:
    return pins.parse(f"{text} --hash=sha256:{SOME_HASH}")


def test_what_was_not_looked_up_fails_the_audit(snapshot: Snapshot, tmp_path: Path) -> None:
    with pytest.raises(audit.UnknownError, match="not known to be safe: brand-new\n"):
        audit.offline(snapshot, pinned("brand-new==1"), tool=tmp_path / "not reached")


def test_the_service_does_not_know_what_was_not_looked_up(snapshot: Snapshot) -> None:
    question = {"package": {"name": "brand-new", "ecosystem": "PyPI"}, "version": "1"}
    with serving(snapshot) as address, pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address, json.dumps(question).encode(), timeout=30)


@pytest.mark.parametrize(
    ("pin", "code", "said"),
    [
        pytest.param("h11==0.14.0", 1, "PYSEC-2026-348", id="vulnerable"),
        pytest.param("h11==0.14.0 ; sys_platform == 'win32'", 1, "PYSEC-2026-348", id="elsewhere"),
        pytest.param("h11==0.16.0", 0, "No known vulnerabilities found", id="mended"),
    ],
)
def test_pip_audit_judges_by_what_is_pinned(
    snapshot: Snapshot, pin: str, code: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if not TOOL.exists():
        unavailable("no .venv/release: `make .venv/.release` makes it")
    assert audit.offline(snapshot, pinned(pin), tool=TOOL) == code
    assert said in "".join(capfd.readouterr())


def test_the_age_of_what_is_known_is_said() -> None:
    found = knows(record([{"introduced": "0"}]), names=("a", "b"))
    assert audit.about(found, pinned("a==1"), DAY) == (
        "1 pins, 1 advisories about 2 distributions, known until 2026-01-01 (59 days ago)"
    )


@pytest.fixture
def osv() -> Any:
    """A service with two pages about `a`, and nothing about others; what it was asked."""
    asked: list[dict[str, Any]] = []
    first = record(
        [{"introduced": "0"}, {"fixed": "2"}], details="A  long\nstory. " * 40, references=[{}]
    )
    first["affected"].append({"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1"]})
    first["affected"][0]["ranges"].append({"type": "GIT", "events": [{"introduced": "0"}]})
    gone = record([{"introduced": "0"}], withdrawn="2026-01-01T00:00:00Z") | {"id": "X-0"}
    listed = record([]) | {"id": "X-2"}
    del listed["affected"][0]["ranges"]
    listed["affected"][0]["versions"] = ["1"]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(question)
            answer: dict[str, Any] = {}
            if question["package"]["name"] == "a" and "page_token" in question:
                answer = {"vulns": [listed]}
            elif question["package"]["name"] == "a":
                answer = {"vulns": [first, gone], "next_page_token": "more"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()
        thread.join()


def test_the_snapshot_is_made_anew_from_the_service(osv: Any) -> None:
    address, asked = osv
    text = refreshed(["A", "b"], DAY, service=address)
    assert sorted(question["package"]["name"] for question in asked) == ["a", "a", "b"]
    document = json.loads(text)
    assert document["looked-up"] == ["a", "b"]
    first, second = document["advisories"]
    assert first == {
        "id": "X-1",
        "summary": ("A long story. " * 40)[:160],
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "a"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}],
            }
        ],
    }
    assert second["affected"][0]["versions"] == ["1"]
    snapshot = advisories.loads(text)
    assert snapshot.until == DAY
    found = snapshot.affecting(NormalizedName("a"), Version("1"))
    assert [entry["id"] for entry in found] == ["X-1", "X-2"]
