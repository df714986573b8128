from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from pinner.clock import SystemClock
from pinner.demo.publications import first_publications, rebuilt_debian
from pinner.demo.registry import open_registry

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.serve.message import Request, Response

pytestmark = pytest.mark.real_clock  # a server's deadlines


def digest_of(host: str, path: str) -> str | None:
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request("HEAD", path)
    answer = connection.getresponse()
    connection.close()
    return answer.headers["Docker-Content-Digest"]


def test_what_is_published_is_served(tmp_path: Path) -> None:
    with open_registry(tmp_path / "store", clock=SystemClock()) as registry:
        registry.publish(first_publications())
        for publication in first_publications():
            path = f"/v2/{publication.repository}/manifests/{publication.tag}"
            assert digest_of(registry.host, path) == str(publication.image.digest)


def test_a_tag_moves_and_the_old_digest_stays(tmp_path: Path) -> None:
    (before,) = [one for one in first_publications() if one.repository == "debian"]
    after = rebuilt_debian()
    with open_registry(tmp_path / "store", clock=SystemClock()) as registry:
        registry.publish([before])
        registry.publish([after])
        assert digest_of(registry.host, "/v2/debian/manifests/bookworm") == str(after.image.digest)
        old = str(before.image.digest)
        assert digest_of(registry.host, f"/v2/debian/manifests/{old}") == old


def test_requests_can_be_counted(tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []

    def observe(request: Request, response: Response) -> None:
        seen.append((request.target, response.status))

    with open_registry(tmp_path / "store", clock=SystemClock(), observe=observe) as registry:
        digest_of(registry.host, "/v2/")
    assert seen == [("/v2/", 200)]
