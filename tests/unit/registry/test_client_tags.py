from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pinner.errors import NotFound, ProtocolError
from pinner.oci.reference import Repository
from support.clients import Opened, opened
from support.net import Answer, Request
from support.registry_faults import Fault, header, instead
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    with RegistrySim() as sim:
        sim.content.repository("team/app")
        yield sim


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Opened]:
    with opened(tmp_path) as here:
        yield here


def push(sim: RegistrySim, *tags: str) -> None:
    sim.content.add_image("team/app", *tags)


def tags(here: Opened, sim: RegistrySim) -> tuple[str, ...]:
    return here.client.tags(Repository(sim.host, "team/app"))


def paged(size: int) -> Fault:
    """A registry that gives pages of its own size, whatever is asked for."""

    def answer(request: Request, honest: Answer) -> Answer:
        every = json.loads(honest.body)["tags"]
        start = int(request.target.partition("start=")[2] or 0)
        document = {"name": "team/app", "tags": every[start : start + size]}
        page = Answer(body=json.dumps(document).encode())
        if start + size >= len(every):
            return page
        link = f'</v2/team/app/tags/list?start={start + size}>; rel="next"'
        return page.with_header("Link", link)

    return answer


def link(value: str) -> Fault:
    return header("Link", value)


def test_one_page(sim: RegistrySim, here: Opened) -> None:
    push(sim, "b", "a", "c")
    assert tags(here, sim) == ("a", "b", "c")
    assert [r.target for r in sim.requests] == ["/v2/team/app/tags/list?n=1000"]


def test_many_pages(sim: RegistrySim, here: Opened) -> None:
    push(sim, *(f"t{number:04}" for number in range(2500)))
    assert len(tags(here, sim)) == 2500
    assert here.client.counts == {"tags": 3}


def test_pages_of_the_registrys_own_size(sim: RegistrySim, here: Opened) -> None:
    push(sim, *"abcdefg")
    sim.always("/tags/list", paged(3))
    assert tags(here, sim) == tuple("abcdefg")
    assert here.client.counts == {"tags": 3}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"name":"team/app","tags":null}', id="null"),
        pytest.param(b'{"name":"team/app","tags":[]}', id="empty"),
        pytest.param(b'{"name":"team/app"}', id="missing"),
    ],
)
def test_no_tags(sim: RegistrySim, here: Opened, body: bytes) -> None:
    sim.always("/tags/", instead(200, body))
    assert tags(here, sim) == ()


def test_what_is_no_tag_is_dropped_and_each_comes_once(sim: RegistrySim, here: Opened) -> None:
    listed = ["b", None, "a", "sha256:00", ".x", "b", 7, {"t": 1}, "a/b", "x" * 129, "\u001b[31m"]
    sim.always("/tags/", instead(200, json.dumps({"tags": listed}).encode()))
    assert tags(here, sim) == ("b", "a")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_page_size_is_left_out(sim: RegistrySim, here: Opened, status: int) -> None:
    push(sim, "a")
    sim.script("/tags/", instead(status))
    assert tags(here, sim) == ("a",)
    assert [r.target.partition("?")[2] for r in sim.requests] == ["n=1000", ""]


def test_a_registry_that_refuses_either_way_is_an_error(sim: RegistrySim, here: Opened) -> None:
    sim.always("/tags/", instead(400))
    with pytest.raises(ProtocolError, match="400 bad request for the tags of"):
        tags(here, sim)
    assert len(sim.requests) == 2


@pytest.mark.parametrize(
    "value",
    [
        '<{url}/v2/team/app/tags/list?x=1>; rel="next"',
        '<https://inner.example:8443/v2/team/app/tags/list?x=1>; rel="next"',
        "<?x=1>; rel=next",
        '<list?x=1>; rel="next"',
        '</first>; rel="first", </v2/team/app/tags/list?x=1>; rel="next"',
        '</v2/team/app/tags/list?x=1>; title="y"; REL="prev next"',
    ],
)
def test_links_stay_at_the_registry(sim: RegistrySim, here: Opened, value: str) -> None:
    push(sim, "a")
    sim.script("/tags/", link(value.format(url=sim.url)))
    assert tags(here, sim) == ("a",)
    assert sim.requests[1].target == "/v2/team/app/tags/list?x=1"


@pytest.mark.parametrize("value", ['</x>; rel="prev"', "nonsense", "<", "</x>", ""])
def test_other_links_are_no_next_page(sim: RegistrySim, here: Opened, value: str) -> None:
    push(sim, "a")
    sim.always("/tags/", link(value))
    assert tags(here, sim) == ("a",)
    assert len(sim.requests) == 1


def test_a_link_that_is_no_url_is_an_error(sim: RegistrySim, here: Opened) -> None:
    sim.always("/tags/", link('<file:///etc/passwd>; rel="next"'))
    with pytest.raises(ProtocolError, match="a bad link"):
        tags(here, sim)


@pytest.mark.parametrize("target", ["/v2/team/app/tags/list?n=1000", "?x=1"])
def test_links_that_lead_back_end_the_list(sim: RegistrySim, here: Opened, target: str) -> None:
    push(sim, "a", "b")
    sim.always("/tags/", link(f'<{target}>; rel="next"'))
    assert tags(here, sim) == ("a", "b")
    assert len(sim.requests) <= 2


def test_endless_pages_end(sim: RegistrySim, here: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinner.registry.paging.PAGE_LIMIT", 20)
    sim.always("/tags/", lambda r, a: a.with_header("Link", f"<?x={len(sim.requests)}>; rel=next"))
    with pytest.raises(ProtocolError, match="more than 20 pages"):
        tags(here, sim)
    assert len(sim.requests) == 20


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>", id="html"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"tags":"a"}', id="string"),
        pytest.param(b"\xff", id="not-utf8"),
    ],
)
def test_malformed_lists(sim: RegistrySim, here: Opened, body: bytes) -> None:
    sim.always("/tags/", instead(200, body))
    with pytest.raises(ProtocolError, match="malformed"):
        tags(here, sim)


def test_no_such_repository(sim: RegistrySim, here: Opened) -> None:
    with pytest.raises(NotFound, match=r"the tags of .*/team/none was not found"):
        here.client.tags(Repository(sim.host, "team/none"))
