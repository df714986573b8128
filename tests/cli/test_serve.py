"""`pinner serve` as a process: what it says, whom it lets in, how it ends."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pinner.cli.serving import _signals
from support.images import image, index, layer
from support.serving import fill, pinner_serve
from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from support.serving import PinnerServe

DEBIAN = index("linux/amd64", "linux/arm64")
# `htpasswd -nbB -C 4`: "open sesame" is the password of both.
ADA = "ada:$2y$04$ilIePcCk5U/YBX28LVNVye8/hyfLy45tChDCWm4u5xv8q4uEqoBCC\n"
BOB = "bob:$2y$04$ilIePcCk5U/YBX28LVNVye8/hyfLy45tChDCWm4u5xv8q4uEqoBCC\n"
PATIENCE = 120


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(
        tmp_path / "store",
        {
            "docker.io/library/debian:bookworm": DEBIAN,
            "registry.example:5000/team/app:1": image("linux/amd64"),
        },
    )
    return tmp_path


@contextmanager
def started(folder: Path, *options: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """`pinner serve` whose streams the test reads itself."""
    argv = [sys.executable, "-P", "-m", "pinner", "serve", "--store", "store", *options]
    pipes: Mapping[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(argv, cwd=folder, env={**os.environ, **environ}, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def login(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_it_says_where_it_listens_and_how_clients_find_it(folder: Path) -> None:
    with started(folder, "--listen", "127.0.0.1:0") as process:
        assert process.stdout
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert line.startswith("Serving 2 images at http://127.0.0.1:")
    address = line.split("//")[1].split(",")[0]
    assert out == ""
    assert f"docker pull {address}/debian:bookworm\n" in err
    assert f'"registry-mirrors": ["http://{address}"]\n' in err
    assert err.endswith("Stopped\n")


def test_quiet_it_says_the_result_alone(folder: Path) -> None:
    with started(folder, "-q", "--listen", "127.0.0.1:0") as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Serving")
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=PATIENCE) == ("", "")


def test_the_document_is_printed_once_it_listens(folder: Path) -> None:
    with pinner_serve(folder) as server:
        assert server.ask("/v2/").status == 200
        assert {key: server.said[key] for key in ("command", "images", "registries", "tls")} == {
            "command": "serve",
            "images": 2,
            "registries": ["docker.io", "registry.example:5000"],
            "tls": False,
        }
        assert server.said["url"] == f"http://{server.address}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_server_that_is_stopped_is_done(folder: Path, number: signal.Signals) -> None:
    with started(folder, "--listen", "127.0.0.1:0") as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_second_signal_cuts_answers_under_way(folder: Path) -> None:
    large = image("linux/amd64", layer("large", 30_000_000))
    fill(folder / "store", {"docker.io/library/large:1": large})
    digest = max(large.blobs, key=lambda one: len(large.blobs[one]))
    with (
        managed() as (manager, environ),
        started(folder, "--json", "--listen", "127.0.0.1:0", **environ) as process,
    ):
        assert manager.recv(100) == b"READY=1"
        assert process.stdout
        said = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        host, _, port = said["address"].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
            asked = f"GET /v2/large/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\n"
            client.sendall(asked.encode())
            assert client.recv(12) == b"HTTP/1.1 200"  # and takes no more
            process.send_signal(signal.SIGINT)
            assert manager.recv(100) == b"STOPPING=1"
            time.sleep(0.1)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, "")
    assert err == "Answers under way were cut\nStopped\n"


def test_names_of_every_registry_are_served(folder: Path) -> None:
    with pinner_serve(folder) as server:
        for target in (
            "/v2/debian/manifests/bookworm",
            "/v2/library/debian/manifests/bookworm",
            "/v2/library/debian/manifests/bookworm?ns=docker.io",
            "/v2/docker.io/library/debian/manifests/bookworm",
            f"/v2/debian/manifests/{DEBIAN.digest}",
        ):
            assert server.ask(target).body == DEBIAN.manifest.data
        for target in (
            "/v2/registry.example_5000/team/app/tags/list",
            "/v2/team/app/tags/list?ns=registry.example:5000",
        ):
            assert server.ask(target).document["tags"] == ["1"]
        assert server.ask("/v2/_catalog").document == {
            "repositories": ["docker.io/library/debian", "registry.example_5000/team/app"]
        }


def test_W10_an_image_appears_while_it_is_served(folder: Path) -> None:
    with pinner_serve(folder) as server:
        assert server.ask("/v2/redis/tags/list").status == 404
        fill(folder / "store", {"docker.io/library/redis:7": image("linux/amd64")})
        assert server.ask("/v2/redis/tags/list").document["tags"] == ["7"]


def test_what_is_removed_beside_it_is_404_and_never_500(folder: Path) -> None:
    """Blobs come and go while two clients ask for them all the time."""
    removed = DEBIAN.images[0].everything()
    places = {digest: folder / "store/blobs/sha256" / digest.hex for digest in removed}
    targets = [f"/v2/debian/blobs/{one}" for one in removed]
    targets.append(f"/v2/debian/manifests/{DEBIAN.images[0].digest}")
    ended = threading.Event()

    def ask_on(server: PinnerServe) -> set[int]:
        seen: set[int] = set()
        while not ended.is_set():
            seen |= {server.ask(target).status for target in targets}
        return seen

    with pinner_serve(folder) as server, ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask_on, server) for _ in range(2)]
        for _ in range(60):
            for digest, data in removed.items():
                places[digest].unlink()
                fresh = folder / "fresh"
                fresh.write_bytes(data)
                fresh.rename(places[digest])
        for place in places.values():
            place.unlink()
        assert {server.ask(target).status for target in targets} == {404}
        ended.set()
        assert set.union(*(one.result(PATIENCE) for one in asking)) <= {200, 404}


def test_a_port_that_is_taken(pinner: Callable[..., Any], folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = pinner("serve", "--store", "store", "--listen", f"127.0.0.1:{port}")
    assert ran.code == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in ran.err
    assert "choose another port" in ran.err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--listen", "5000"], 2, "is not an address to listen on"),
        (["--listen", "registry.example:5000"], 2, "cannot listen on"),
        (["--tls-cert", "a.pem"], 2, "belong together"),
        (["--tls-key", "a.pem"], 2, "belong together"),
        (["--tls-cert", "a.pem", "--tls-key", "b.pem"], 2, "a.pem"),
        (["--htpasswd", "users"], 2, "no such file"),
        (["--htpasswd", "bad"], 2, "not of bcrypt"),
        (["--access-log", "no/where"], 2, "access log cannot be written"),
        (["--store", "nothing"], 5, "there is no store yet"),
    ],
)
def test_what_cannot_be_served(
    pinner: Callable[..., Any], folder: Path, options: list[str], code: int, said: str
) -> None:
    (folder / "bad").write_text("ada:{SHA}MfeKtDwVb5yeuTlJHvUYCwJ0N/M=\n")
    ran = pinner("serve", "--store", "store", *options)
    assert ran.code == code
    assert said in ran.err
    assert ran.out == ""


def test_W09_other_machines_get_a_warning_and_only_when_asked_for(folder: Path) -> None:
    with pinner_serve(folder, listen="0.0.0.0:0") as server:
        assert server.said["remote"]
    assert "warning: whoever reaches" in server.errors
    with pinner_serve(folder) as server:
        assert not server.said["remote"]
    assert "warning" not in server.errors


def test_a_name_and_password_are_asked_for(folder: Path) -> None:
    (folder / "users").write_text(ADA)
    with pinner_serve(folder, "--htpasswd", "users", "--access-log", "log") as server:
        refused = server.ask("/v2/")
        assert refused.status == 401
        assert refused.headers["www-authenticate"] == 'Basic realm="pinner"'
        right, wrong = login("ada", "open sesame"), login("ada", "wrong")
        assert server.ask("/v2/_catalog", authorization=wrong).status == 401
        assert server.ask("/v2/_catalog", authorization=right).status == 200
    users = [line.split()[2] for line in (folder / "log").read_text().splitlines()]
    assert users == ["-", "-", "ada"]


def test_SIGHUP_renews_passwords_and_log(folder: Path) -> None:
    (folder / "users").write_text(ADA)
    with pinner_serve(folder, "--htpasswd", "users", "--access-log", "log") as server:
        ada, bob = login("ada", "open sesame"), login("bob", "open sesame")
        assert server.ask("/v2/", authorization=ada).status == 200
        (folder / "users").write_text(BOB)
        (folder / "log").rename(folder / "log.1")
        server.running.process.send_signal(signal.SIGHUP)
        eventually((folder / "log").exists)
        eventually(lambda: server.ask("/v2/", authorization=bob).status == 200)
        assert server.ask("/v2/", authorization=ada).status == 401
        (folder / "users").write_text("broken")
        server.running.process.send_signal(signal.SIGHUP)
        eventually(lambda: "users:1: it is not `user:hash`" in server.errors)
        assert server.ask("/v2/", authorization=bob).status == 200
    assert len((folder / "log.1").read_text().splitlines()) == 1
    assert len((folder / "log").read_text().splitlines()) >= 3


def test_a_signal_is_noticed_whichever_thread_it_finds() -> None:
    def take() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        os.kill(os.getpid(), signal.SIGHUP)

    with _signals() as arriving:
        arriving.settimeout(PATIENCE)
        # As if it came just before the main thread fell asleep: nothing wakes that thread.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            other = threading.Thread(target=take)
            other.start()
            assert arriving.recv(1) == bytes([signal.SIGHUP])
            other.join()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds, which a signal brings about."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_access_log_goes_to_stderr_beside_the_one_document(folder: Path) -> None:
    with pinner_serve(folder, "--access-log", "-") as server:
        server.ask("/v2/", user_agent="tests")
    assert '"GET /v2/ HTTP/1.1" 200 2 "-" "tests"\n' in server.errors
    assert server.errors.startswith("127.0.0.1 - - [")
    assert json.loads(server.running.stdout.read_text())


def test_it_speaks_tls(folder: Path) -> None:
    issued = Authority.create(folder / "tls").issue("served")
    options = ("--tls-cert", str(issued.certificate), "--tls-key", str(issued.key))
    with pinner_serve(folder, *options) as server:
        assert server.url.startswith("https://")
        assert server.ask("/v2/debian/tags/list").document["tags"] == ["bookworm"]


def test_SIGHUP_renews_the_certificate(folder: Path) -> None:
    authority = Authority.create(folder / "tls")
    first, second = authority.issue("first"), authority.issue("second")
    options = ("--tls-cert", str(first.certificate), "--tls-key", str(first.key))
    with pinner_serve(folder, *options) as server:
        host, _, port = server.address.rpartition(":")

        def shown() -> str:
            return ssl.get_server_certificate((host, int(port)), timeout=PATIENCE).strip()

        assert first.certificate.read_text().startswith(shown())
        first.key.write_bytes(second.key.read_bytes())
        server.running.process.send_signal(signal.SIGHUP)
        eventually(lambda: "is not that of the certificate" in server.errors)
        assert first.certificate.read_text().startswith(shown())
        wanted = second.certificate.read_text()
        first.certificate.write_text(wanted)
        server.running.process.send_signal(signal.SIGHUP)
        eventually(lambda: wanted.startswith(shown()))
        assert server.ask("/v2/debian/tags/list").document["tags"] == ["bookworm"]


@contextmanager
def managed() -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """systemd's side of sd_notify, and the environment that leads to it."""
    with (
        tempfile.TemporaryDirectory() as short,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        manager.settimeout(PATIENCE)
        manager.bind(f"{short}/notify")
        yield manager, {"NOTIFY_SOCKET": f"{short}/notify"}


def test_systemd_is_told_when_it_is_ready_and_when_it_stops(folder: Path) -> None:
    with (
        managed() as (manager, environ),
        started(folder, "--listen", "127.0.0.1:0", **environ) as process,
    ):
        assert manager.recv(100) == b"READY=1"
        process.send_signal(signal.SIGTERM)
        assert manager.recv(100) == b"STOPPING=1"
        process.communicate(timeout=PATIENCE)


_ACTIVATED = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
environ = {**os.environ, "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execve(sys.executable, [sys.executable, "-P", "-m", "pinner", *sys.argv[1:]], environ)
"""


def activated(folder: Path, *argv: str) -> subprocess.Popen[str]:
    pipes: Mapping[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", _ACTIVATED, "serve", "--store", "store", *argv]
    return subprocess.Popen(command, cwd=folder, **pipes)


def test_a_socket_of_systemd_is_listened_on(folder: Path) -> None:
    with activated(folder, "-q") as process:
        assert process.stdout
        port = int(process.stdout.readline())
        assert process.stdout.readline() == (
            f"Serving 2 images at http://127.0.0.1:{port}, read-only, until Ctrl-C\n"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_socket_of_systemd_and_an_address_are_one_too_many(folder: Path) -> None:
    with activated(folder, "--listen", "127.0.0.1:0") as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "which of the two?" in err
