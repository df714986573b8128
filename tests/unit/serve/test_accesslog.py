from __future__ import annotations

import base64
import os
import re
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.errors import InputError
from pinner.serve.accesslog import AccessLog, log_line
from pinner.serve.message import Request, Response, Sent
from support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_803_937.0  # 27 Nov 2026 18:25:37 UTC
OK = Response(status=200, headers=(("Content-Length", "1234"),))
SENT = Sent(body=1234, seconds=0.1, whole=True)
REFUSED = Response(status=401, headers=(("Content-Length", "9"),))
# As goaccess and awstats have it: the quoted fields with escaped quotes inside.
QUOTED = r'"((?:[^"\\]|\\.)*)"'
COMBINED = re.compile(
    rf"(\S+) (\S+) (\S+) \[(\d\d/\w{{3}}/\d{{4}}:\d\d:\d\d:\d\d [+-]\d{{4}})\] "
    rf"{QUOTED} (\d{{3}}) (\d+|-) {QUOTED} {QUOTED}\n"
)


def request(**headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method="GET", target="/v2/a/blobs/x?ns=b", headers=named, peer="192.0.2.7")


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:sesame".encode()).decode()


def line(asked: Request, response: Response = OK, *, sent: int = 1234, users: bool = False) -> str:
    return log_line(asked, response, sent=sent, now=NOW, users=users)


def test_a_line_is_in_the_combined_format() -> None:
    assert line(request(user_agent="docker/24.0", referer="http://x/")) == (
        '192.0.2.7 - - [27/Nov/2026:18:25:37 +0000] "GET /v2/a/blobs/x?ns=b HTTP/1.1"'
        ' 200 1234 "http://x/" "docker/24.0"\n'
    )


def test_what_is_not_known_is_a_dash() -> None:
    asked = Request(method="HEAD", target="/v2/", headers={})
    assert line(asked, sent=0) == (
        '- - - [27/Nov/2026:18:25:37 +0000] "HEAD /v2/ HTTP/1.1" 200 - "-" "-"\n'
    )


def test_a_user_is_named_whose_password_was_right() -> None:
    asked = request(authorization=basic("ada"))
    assert line(asked, users=True).startswith("192.0.2.7 - ada [")
    assert line(asked, REFUSED, users=True).startswith("192.0.2.7 - - [")
    assert line(asked, users=False).startswith("192.0.2.7 - - [")


def test_a_password_is_never_written() -> None:
    written = line(request(authorization=basic("ada")), users=True)
    assert "sesame" not in written
    assert basic("ada").split()[1] not in written


def test_a_user_of_strange_letters_stays_one_field() -> None:
    written = line(request(authorization=basic('a d"ü\n')), users=True)
    assert written.startswith(r"192.0.2.7 - a\x20d\"\xc3\xbc\x0a [")


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_no_request_can_forge_a_line(agent: str, referer: str) -> None:
    written = line(request(user_agent=agent, referer=referer))
    assert written.isascii()
    assert written[:-1].isprintable()
    assert COMBINED.fullmatch(written)


def test_a_client_that_left_was_sent_less(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "log", clock=FakeClock(NOW), users=False)
    log.finished(request(), OK, Sent(body=17, seconds=0.1, whole=False))
    log.close()
    assert (tmp_path / "log").read_text() == line(request(), sent=17)


def test_lines_of_many_threads_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = AccessLog(path, clock=FakeClock(NOW), users=False)

    def finish_many() -> None:
        for _ in range(50):
            log.finished(request(), OK, SENT)

    threads = [threading.Thread(target=finish_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert path.read_text().splitlines(keepends=True) == [line(request())] * 200
    assert log.lost == 0


def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    log = AccessLog(path, clock=FakeClock(NOW), users=False)
    log.finished(request(), OK, SENT)
    log.close()
    assert path.read_text() == "before\n" + line(request())


def test_a_log_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    path, moved = tmp_path / "log", tmp_path / "log.1"
    log = AccessLog(path, clock=FakeClock(NOW), users=False)
    path.rename(moved)
    log.finished(request(), OK, SENT)
    log.reopen()
    log.finished(request(), REFUSED, SENT)
    log.close()
    assert moved.read_text() == line(request())
    assert path.read_text() == line(request(), REFUSED)


def test_a_log_that_cannot_be_opened_anew_stays_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = AccessLog(folder / "log", clock=FakeClock(NOW), users=False)
    folder.rename(tmp_path / "moved")
    with pytest.raises(InputError, match="cannot be written"):
        log.reopen()
    log.finished(request(), OK, SENT)
    log.close()
    assert (tmp_path / "moved/log").read_text() == line(request())


def test_a_full_disk_loses_lines_and_no_request(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "log", clock=FakeClock(NOW), users=False)
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        os.dup2(full.fileno(), log._fd)
    log.finished(request(), OK, SENT)
    log.finished(request(), OK, SENT)
    assert log.lost == 2
    log.close()


def test_nothing_is_written_to_a_log_that_is_closed(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "log", clock=FakeClock(NOW), users=False)
    log.close()
    with (tmp_path / "another").open("wb") as another:  # gets the number that became free
        log.finished(request(), OK, SENT)
        another.flush()
    assert (tmp_path / "another").read_bytes() == b""
    assert log.lost == 1


def test_standard_error_is_a_log(capfd: pytest.CaptureFixture[str]) -> None:
    log = AccessLog(None, clock=FakeClock(NOW), users=False)
    log.reopen()
    log.finished(request(), OK, SENT)
    log.close()
    assert capfd.readouterr().err == line(request())
