"""OSV's question and answer (`POST /v1/query`) on a loopback port, out of a snapshot.

What was not looked up is answered with 404, so that nobody takes our ignorance for safety.
"""

from __future__ import annotations

import contextlib
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release.advisories import Snapshot


@contextlib.contextmanager
def serving(snapshot: Snapshot) -> Iterator[str]:
    """Answer until the block ends; the address to ask."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = canonicalize_name(asked["package"]["name"])
            if snapshot.unknown([name]):
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            found = snapshot.affecting(name, Version(asked["version"]))
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()
