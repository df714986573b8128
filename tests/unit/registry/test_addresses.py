from __future__ import annotations

import pytest

from pinner.registry.addresses import Reach, reach_of


@pytest.mark.parametrize(
    ("host", "reach"),
    [
        ("ghcr.io", Reach.PUBLIC),
        ("8.8.8.8", Reach.PUBLIC),
        ("2606:4700::1111", Reach.PUBLIC),
        ("registry.internal", Reach.PUBLIC),
        ("10.evil.example", Reach.PUBLIC),
        ("localhost", Reach.LOOPBACK),
        ("LOCALHOST.", Reach.LOOPBACK),
        ("reg.localhost", Reach.LOOPBACK),
        ("127.0.0.1", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("[::1]", Reach.LOOPBACK),
        ("0.0.0.0", Reach.LOOPBACK),
        ("::", Reach.LOOPBACK),
        pytest.param("127.1", Reach.LOOPBACK, id="A02-short"),
        pytest.param("2130706433", Reach.LOOPBACK, id="A02-decimal"),
        pytest.param("0x7f.1", Reach.LOOPBACK, id="A02-hex"),
        pytest.param("0177.0.0.1", Reach.LOOPBACK, id="A02-octal"),
        pytest.param("::ffff:127.0.0.1", Reach.LOOPBACK, id="A02-mapped"),
        pytest.param("64:ff9b::7f00:1", Reach.LOOPBACK, id="A02-nat64"),
        pytest.param("2002:7f00:1::", Reach.LOOPBACK, id="A02-6to4"),
        pytest.param("169.254.169.254", Reach.LINK_LOCAL, id="A02-metadata"),
        ("fe80::1", Reach.LINK_LOCAL),
        ("10.0.0.1", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd00::1", Reach.PRIVATE),
        ("224.0.0.1", Reach.PRIVATE),
        ("255.255.255.255", Reach.PRIVATE),
    ],
)
def test_reach(host: str, reach: Reach) -> None:
    assert reach_of(host) is reach
