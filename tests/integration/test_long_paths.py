"""A layer over a path that breaks off, or a run that ends half-way: bytes counted, not seconds."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from support.layouts import LayoutWriter, noise
from support.pushing import push_layout
from support.relay import Relay
from support.waiting import await_that

if TYPE_CHECKING:
    from support.registries import Registry
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

MB = 1_000_000
SIZE = 40 * MB
AMD64 = ("--platform", "linux/amd64")


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory, plain_registry: Registry) -> Registry:
    """A registry with an image of one large layer."""
    writer = LayoutWriter(tmp_path_factory.mktemp("far") / "layout")
    writer.name("far", writer.index([writer.image("linux/amd64", [noise("far", SIZE)])]))
    push_layout(plain_registry, writer.folder, "far", "far/app:1")
    return plain_registry


def lock(workspace: Workspace, address: str) -> None:
    workspace.want(app=f"{address}/far/app:1")
    workspace.pinner("lock")


def test_a_path_that_resets_every_connection(workspace: Workspace, far: Registry) -> None:
    with Relay(far.address, reset_after=3 * MB) as relay:
        lock(workspace, relay.address)
        before = relay.sent
        workspace.pinner("sync", *AMD64)
        sent = relay.sent - before
    assert relay.resets >= SIZE // (3 * MB)
    assert workspace.document("verify")["sound"]
    assert sent < 1.02 * SIZE


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_ends_half_way(
    workspace: Workspace, far: Registry, with_signal: signal.Signals
) -> None:
    with Relay(far.address, rate=4 * MB) as relay:
        lock(workspace, relay.address)
        before = relay.sent
        relay.gate.close_after(SIZE // 2)
        process = workspace.start("sync", *AMD64)
        # All that was sent has come, but for what the run has in its hands.
        await_that(lambda: workspace.occupied() > SIZE // 2 - 4 * MB)
        process.send_signal(with_signal)
        process.communicate()
        relay.gate.open()
        await_that(lambda: relay.is_idle)
        assert process.returncode == {signal.SIGKILL: -9, signal.SIGINT: 130}[with_signal]
        assert relay.sent - before < 0.9 * SIZE
        workspace.pinner("sync", *AMD64)
        sent = relay.sent - before
    assert workspace.document("verify")["sound"]
    # Lost: what the kernels' buffers held for each connection, and what was not journaled yet.
    assert sent < SIZE + 3 * MB
