from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.serve.guard import CHECKS, Guard, basic_credentials
from pinner.serve.htpasswd import Htpasswd
from pinner.serve.message import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

ADA, BOB = b"$2y$04$ada", b"$2y$04$bob"
USERS = Htpasswd({"ada": ADA, "bob": BOB})
PASSWORDS = {ADA: b"sesame", BOB: b"hunter2"}
OK = Response(status=200, headers=(("Content-Length", "2"),), body=b"ok")
WAITS = 60.0
POOL = ThreadPoolExecutor(8)


class Checker:
    """Stands in for bcrypt, and counts."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, bytes]] = []

    def __call__(self, password: bytes, hashed: bytes) -> bool:
        self.asked.append((password, hashed))
        return PASSWORDS.get(hashed) == password


@pytest.fixture
def check() -> Checker:
    return Checker()


@pytest.fixture
def guard(check: Checker) -> Guard:
    return guarded(check)


def guarded(check: Callable[[bytes, bytes], bool], patience: float = WAITS) -> Guard:
    return Guard(lambda _: OK, USERS, check=check, secret=b"secret", patience=patience)


def request(login: str | None = None, *, method: str = "GET", peer: str = "") -> Request:
    headers = {}
    if login is not None:
        headers["authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    return Request(method=method, target="/v2/", headers=headers, peer=peer)


def ask(guard: Guard, login: str | None = None, **more: str) -> int:
    return guard.handle(request(login, **more)).status


def test_without_a_login_one_is_asked_for(guard: Guard, check: Checker) -> None:
    response = guard.handle(request())
    assert response.status == 401
    assert ("WWW-Authenticate", 'Basic realm="pinner"') in response.headers
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["errors"][0]["code"] == "UNAUTHORIZED"
    assert check.asked == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_whoever_would_write_is_asked_too(guard: Guard, method: str) -> None:
    assert ask(guard, method=method) == 401


def test_HEAD_is_refused_without_a_body(guard: Guard) -> None:
    response = guard.handle(request(method="HEAD"))
    assert (response.status, response.body) == (401, b"")


def test_users_come_in_with_their_own_password(guard: Guard) -> None:
    assert guard.handle(request("ada:sesame")) == OK
    assert guard.handle(request("bob:hunter2")) == OK
    for wrong in ("ada:hunter2", "ada:", "ada:sesame ", ":sesame", "eve:sesame", "ada"):
        assert ask(guard, wrong) == 401


def test_a_password_is_checked_once(guard: Guard, check: Checker) -> None:
    for _ in range(3):
        assert ask(guard, "ada:sesame") == 200
        assert ask(guard, "ada:wrong") == 401
        assert ask(guard, "eve:sesame") == 401
    assert len(check.asked) == 3


def test_unknown_users_cost_a_check_as_known_ones_do(guard: Guard, check: Checker) -> None:
    assert ask(guard, "eve:sesame") == 401
    assert len(check.asked) == 1


def test_an_unknown_user_never_comes_in_by_the_hash_of_nobody() -> None:
    guard = guarded(lambda _password, _hashed: True)
    assert ask(guard, "eve:x") == 401
    assert ask(guard, "eve:x") == 401


def test_refusals_that_are_remembered_have_a_limit(guard: Guard, check: Checker) -> None:
    for number in range(1500):
        assert ask(guard, f"ada:{number}") == 401
    assert len(guard._refused) == 1024
    assert ask(guard, "ada:1499") == 401
    assert len(check.asked) == 1500


def test_new_users_replace_the_old_at_once(guard: Guard) -> None:
    assert ask(guard, "ada:sesame") == 200
    assert ask(guard, "bob:hunter2") == 200
    guard.renew(Htpasswd({"ada": BOB}))
    assert ask(guard, "ada:sesame") == 401
    assert ask(guard, "ada:hunter2") == 200
    assert ask(guard, "bob:hunter2") == 401


class Slow:
    """A check that ends when it is told to, and knows how many run."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running = 0
        self.most = 0
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, password: bytes, hashed: bytes) -> bool:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.release()
        assert self.go.wait(WAITS)
        with self.lock:
            self.running -= 1
        return PASSWORDS.get(hashed) == password


def in_background(guard: Guard, login: str, peer: str) -> Future[int]:
    return POOL.submit(ask, guard, login, peer=peer)


def test_no_more_passwords_are_checked_at_a_time_than_are_allowed() -> None:
    slow = Slow()
    guard = guarded(slow, patience=2 * WAITS)
    asked = [in_background(guard, f"ada:{n}", peer=f"192.0.2.{n}") for n in range(CHECKS * 3)]
    for _ in range(CHECKS):
        assert slow.begun.acquire(timeout=WAITS)
    slow.go.set()
    assert {one.result(WAITS) for one in asked} == {401}
    assert slow.most == CHECKS


def test_who_guesses_takes_no_turn_of_others() -> None:
    slow = Slow()
    guard = guarded(slow, patience=0.05)
    guessing = in_background(guard, "ada:1", peer="192.0.2.1")
    assert slow.begun.acquire(timeout=WAITS)
    response = guard.handle(request("ada:2", peer="192.0.2.1"))
    assert response.status == 429
    assert ("Retry-After", "5") in response.headers
    honest = in_background(guard, "ada:sesame", peer="192.0.2.2")
    assert slow.begun.acquire(timeout=WAITS)
    slow.go.set()
    assert (guessing.result(WAITS), honest.result(WAITS)) == (401, 200)
    slow.go.clear()  # a check from now on would wait
    assert ask(guard, "ada:sesame") == 200


def test_requests_at_once_with_one_password_cost_one_check() -> None:
    slow = Slow()
    guard = guarded(slow)
    asked = [in_background(guard, "ada:sesame", peer="192.0.2.1") for _ in range(4)]
    assert slow.begun.acquire(timeout=WAITS)
    slow.go.set()
    assert {one.result(WAITS) for one in asked} == {200}
    assert not slow.begun.acquire(blocking=False)


@pytest.mark.parametrize(
    "header",
    [
        *("", "Basic", "Basic ", "Bearer YWRhOng=", "Basic YWRh", "Basic !!!!", "Basic YWRhOng"),
        "Basic " + base64.b64encode(b"\xff:x").decode(),
    ],
)
def test_what_is_no_login(header: str) -> None:
    asked = Request(method="GET", target="/v2/", headers={"authorization": header})
    assert basic_credentials(asked) is None


@given(st.text(st.characters(exclude_characters=":", codec="utf-8"), max_size=20), st.binary())
def test_a_login_is_read_as_it_was_written(user: str, password: bytes) -> None:
    encoded = base64.b64encode(user.encode() + b":" + password).decode()
    asked = Request(method="GET", target="/v2/", headers={"authorization": f"bAsIc {encoded}"})
    assert basic_credentials(asked) == (user, password)
