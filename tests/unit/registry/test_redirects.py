from __future__ import annotations

import pytest

from pinner.errors import ProtocolError
from pinner.registry.redirects import next_hop
from pinner.registry.urls import Url

PUBLIC = "https://registry.example/v2/a/blobs/sha256:1"
LOOPBACK = "http://127.0.0.1:5000/v2/a/blobs/sha256:1"


@pytest.mark.parametrize(
    ("asked", "location", "target"),
    [
        (PUBLIC, "https://cdn.example/b?sig=1", "https://cdn.example/b?sig=1"),
        (PUBLIC, "/v2/b", "https://registry.example/v2/b"),
        pytest.param(PUBLIC, "https://u:p@cdn.example/b", "https://cdn.example/b", id="D08"),
        pytest.param(LOOPBACK, "http://127.0.0.1:6000/b", "http://127.0.0.1:6000/b", id="loopback"),
        ("https://10.0.0.1/v2/", "https://192.168.0.2/b", "https://192.168.0.2/b"),
        ("http://10.0.0.1/v2/", "https://cdn.example/b", "https://cdn.example/b"),
    ],
)
def test_followed(asked: str, location: str, target: str) -> None:
    url = Url.parse(asked)
    hop = next_hop(url, [location], asked=url)
    assert f"{hop.origin}{hop.target}" == target


@pytest.mark.parametrize(
    ("asked", "locations", "why"),
    [
        pytest.param(PUBLIC, ["http://cdn.example/b"], "https to http", id="D03"),
        pytest.param(PUBLIC, ["https://169.254.169.254/x"], "link-local", id="D05-metadata"),
        pytest.param(PUBLIC, ["https://10.0.0.1/x"], "private", id="D05-private"),
        pytest.param(PUBLIC, ["https://127.1/x"], "loopback", id="D05-odd-spelling"),
        pytest.param(PUBLIC, ["https://localhost/x"], "loopback", id="D05-localhost"),
        pytest.param(LOOPBACK, ["http://169.254.169.254/x"], "link-local", id="D05-from-loopback"),
        pytest.param(PUBLIC, ["file:///etc/passwd"], "neither http", id="D06-file"),
        pytest.param(PUBLIC, ["https:///x"], "names no host", id="D06-no-host"),
        pytest.param(PUBLIC, [], "no Location", id="D06-missing"),
        pytest.param(PUBLIC, ["/a", "/b"], "more than one Location", id="D06-two"),
        pytest.param(PUBLIC, ["/" + "x" * 65536], "65537 characters", id="D06-64K"),
        pytest.param(PUBLIC, ["/ü"], "not a URL", id="D06-non-ascii"),
    ],
)
def test_refused(asked: str, locations: list[str], why: str) -> None:
    url = Url.parse(asked)
    with pytest.raises(ProtocolError, match=why) as caught:
        next_hop(url, locations, asked=url)
    assert caught.value.where == asked


def test_D03_a_later_hop_may_not_leave_https_either() -> None:
    asked = Url.parse("http://registry.example/v2/")
    secure = Url.parse("https://cdn.example/b")
    with pytest.raises(ProtocolError, match="https to http"):
        next_hop(secure, ["http://cdn.example/c"], asked=asked)
