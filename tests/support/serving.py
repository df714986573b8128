"""`pinner serve` as a process, over stores that tests fill.

fill(folder / "store", {"docker.io/library/debian:bookworm": index("linux/amd64")})
with pinner_serve(folder, "--htpasswd", "users") as server:
    server.ask("/v2/")
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pinner.store.layout import Store
from pinner.store.names import NamedDescriptor
from support.programs import Running, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.images import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnerServe:
    """A running `pinner serve`.

    Attributes:
        address: `host:port`, as references name it.
        said: the document that it printed.
    """

    address: str
    said: Mapping[str, Any]
    running: Running

    @property
    def url(self) -> str:
        """Where clients find it."""
        return str(self.said["url"])

    def ask(self, target: str, method: str = "GET", **headers: str) -> Answer:
        """One request on a connection of its own; https trusts any certificate."""
        if self.said["tls"]:
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                self.address, timeout=60, context=trusting
            )
        else:
            connection = http.client.HTTPConnection(self.address, timeout=60)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, headers=named)
            answer = connection.getresponse()
            lowered = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(status=answer.status, headers=lowered, body=answer.read())

    @property
    def errors(self) -> str:
        """What it wrote to stderr so far."""
        return self.running.stderr.read_text()


@contextlib.contextmanager
def pinner_serve(
    folder: Path, *options: str, store: Path | None = None, listen: str = "127.0.0.1:0"
) -> Iterator[PinnerServe]:
    """Serve a store until the block ends.

    Args:
        folder: home and current folder of the process; relative options start there.
        options: of `pinner serve`.
        store: `folder/store` where left out.
        listen: by default on any port of loopback that is free.
    """
    argv = (sys.executable, "-P", "-m", "pinner", "serve", "--json", "--directory", str(folder))
    served = ("--store", str(store or folder / "store"), "--listen", listen)

    def ready(running: Running) -> bool:
        return running.stdout.read_text().endswith("}\n")

    with serving(*argv, *served, *options, folder=folder, ready=ready) as running:
        said = json.loads(running.stdout.read_text())
        yield PinnerServe(address=said["address"], said=said, running=running)


def fill(folder: Path, images: Mapping[str, Image]) -> None:
    """Put images into the store at `folder`, each under its name; blobs first, as `sync` does."""
    with Store.open(folder) as store:
        for image in images.values():
            for digest, data in image.everything().items():
                store.put(digest, data)
        store.name_images(
            [
                NamedDescriptor(name=name, descriptor=image.descriptor)
                for name, image in images.items()
            ]
        )
