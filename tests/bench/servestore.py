"""The registry of `pinner serve` over a store: `python -m bench.servestore STORE PORT [CERT KEY]`.

The same parts as the command's, without its options; it serves until SIGTERM.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Final

from pinner.clock import SystemClock
from pinner.serve.app import App
from pinner.serve.server import Server, open_listener
from pinner.serve.storecontent import StoreContent
from pinner.serve.tls import server_context
from pinner.store.layout import Store

HOME: Final = "bench.example"


def main(folder: str, port: str, *certified: str) -> None:
    """Serve the store; with TLS where certificate and key are given."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    tls = server_context(*map(Path, certified)) if certified else None
    with Store.open(Path(folder), create=False) as store:
        handle = App(StoreContent(store, home=HOME)).handle
        with Server(open_listener(port=int(port)), handle, clock=SystemClock(), tls=tls):
            stop.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
