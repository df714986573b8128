"""Reads blobs from four threads and hashes them: `python -m bench.reading CLIENT FILE`.

FILE has one address a line. Nothing is written: what differs is the client alone.
"""

from __future__ import annotations

import hashlib
import http.client
import queue
import sys
import threading
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.oci.digest import Buffer

    Read = Callable[[str, Callable[[Buffer], None]], None]

THREADS: Final = 4
_PIECE: Final = 512 * 1024


def through_pinner() -> Read:
    """pinner's own client."""
    from pinner.clock import SystemClock  # noqa: PLC0415 - nobody pays for another's imports
    from pinner.oci.descriptor import Descriptor  # noqa: PLC0415
    from pinner.oci.digest import Digest  # noqa: PLC0415
    from pinner.oci.reference import Reference  # noqa: PLC0415
    from pinner.registry.open import Surroundings, open_client  # noqa: PLC0415

    around = Surroundings(
        configs=(), environ={}, home=Path("/nonexistent"), clock=SystemClock(), note=print
    )
    client = open_client(around)

    def read(url: str, take: Callable[[Buffer], None]) -> None:
        parts = urllib.parse.urlsplit(url)
        path, _, digest = parts.path.removeprefix("/v2/").partition("/blobs/")
        descriptor = Descriptor(media_type="", digest=Digest.parse(digest), size=_size(url))
        repository = Reference.parse(f"{parts.netloc}/{path}").repository
        with client.open_blob(repository, descriptor) as stream:
            for chunk in stream.chunks():
                take(chunk)

    return read


def _size(url: str) -> int:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("HEAD", parts.path)
    length = connection.getresponse().headers["content-length"]
    connection.close()
    return int(length)


def through_httpx() -> Read:
    """httpx as it comes."""
    import httpx  # noqa: PLC0415

    client = httpx.Client(trust_env=False)

    def read(url: str, take: Callable[[Buffer], None]) -> None:
        with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            for chunk in response.iter_raw():
                take(chunk)

    return read


def through_http_client() -> Read:
    """The standard library, into one buffer: what Python can do without a client library."""

    def read(url: str, take: Callable[[Buffer], None]) -> None:
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc)
        connection.request("GET", parts.path)
        response = connection.getresponse()
        buffer = memoryview(bytearray(_PIECE))
        while count := response.readinto(buffer):
            take(buffer[:count])
        connection.close()

    return read


CLIENTS: Final = {
    "pinner": through_pinner,
    "httpx": through_httpx,
    "http.client": through_http_client,
}


def main(client: str, addresses: Path) -> None:
    """Read every address and check its bytes."""
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    for url in addresses.read_text().splitlines():
        todo.put(url)
    read = CLIENTS[client]()
    wrong: list[str] = []

    def work() -> None:
        while True:
            try:
                url = todo.get_nowait()
            except queue.Empty:
                return
            hasher = hashlib.sha256()
            read(url, hasher.update)
            if not url.endswith(hasher.hexdigest()):
                wrong.append(url)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(f"{client}: wrong bytes from {wrong[0]}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
