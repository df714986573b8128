"""Section F of the fault catalogue inside a Dockerfile: what is touched, and not one byte more.

`@` stands for the digest of the locked redis. A case with `passed` says so of `pinner rewrite`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.files import digest, write_project
from support.oracle import survived

if TYPE_CHECKING:
    from support.ground import Ground

DIGEST = f"@{digest('3')}".encode()


@pytest.mark.parametrize(
    ("before", "after", "passed"),
    [
        pytest.param(
            b"FROM redis:latest\r\nRUN a\n", b"FROM redis:latest@\r\nRUN a\n", "", id="F01"
        ),
        pytest.param(
            b"RUN a\r\n\rFROM redis:latest\nRUN b\r\n",
            b"RUN a\r\n\rFROM redis:latest@\nRUN b\r\n",
            "",
            id="F01-mixed",
        ),
        pytest.param(b"FROM redis:latest", b"FROM redis:latest@", "", id="F01-no-line-feed"),
        pytest.param(
            b"\xef\xbb\xbfFROM redis:latest", b"\xef\xbb\xbfFROM redis:latest@", "", id="F02"
        ),
        pytest.param(
            b"# \xe9\xff\nFROM redis:latest\n", b"# \xe9\xff\nFROM redis:latest@\n", "", id="F03"
        ),
        pytest.param("FROM redis\n".encode("utf-16"), None, "UTF-16", id="F04"),
        pytest.param(
            b"FROM redis\nRUN " + b"x" * 70_000 + b"\n",
            None,
            "a line is longer than BuildKit takes",
            id="F05-a-line",
        ),
        pytest.param(b"from redis:latest\n", b"from redis:latest@\n", "", id="F06-lower"),
        pytest.param(b"\tFrOm\tredis:latest\n", b"\tFrOm\tredis:latest@\n", "", id="F06-tabs"),
        pytest.param(b"FROM--platform=x redis\n", None, "is no instruction", id="F06-no-blank"),
        pytest.param(
            b"# escape=`\nFROM `\n# a remark\n\n  redis:latest AS x\n",
            b"# escape=`\nFROM `\n# a remark\n\n  redis:latest@ AS x\n",
            "",
            id="F07",
        ),
        pytest.param(
            b"FROM redis:latest\nRUN <<E\nFROM redis\nE\n",
            b"FROM redis:latest@\nRUN <<E\nFROM redis\nE\n",
            "",
            id="F08",
        ),
        pytest.param(b"FROM $IMG\n", None, "IMG has no default", id="F09-no-default"),
        pytest.param(b"FROM ${A:-redis:latest}\n", b"FROM ${A:-redis:latest@}\n", "", id="F09"),
        pytest.param(
            b"FROM scratch AS redis\nFROM redis\nCOPY --from=redis a b\n", None, "", id="F10-stages"
        ),
        pytest.param(
            b"# syntax=redis:latest\nFROM scratch\nCOPY --from=redis:latest a b\n"
            b"RUN --mount=from=redis:latest,target=/x true\n",
            b"# syntax=redis:latest@\nFROM scratch\nCOPY --from=redis:latest@ a b\n"
            b"RUN --mount=from=redis:latest@,target=/x true\n",
            "",
            id="F10",
        ),
        pytest.param(b"FROM redis:latest@\n", None, "", id="F11-right"),
        pytest.param(
            b"FROM redis:latest@sha256:" + b"0" * 64 + b"   As  X \n",
            b"FROM redis:latest@   As  X \n",
            "",
            id="F11-wrong",
        ),
        pytest.param(
            b"FROM scratch\nONBUILD COPY --from=redis:latest a b\n",
            b"FROM scratch\nONBUILD COPY --from=redis:latest@ a b\n",
            "",
            id="F13-on-build",
        ),
        pytest.param(
            b"FROM redis:latest@sha256:" + b"e" * 64 + b" as X # y\n",
            None,
            "FROM takes",
            id="F11-text",
        ),
        pytest.param(b'FROM scratch\nCMD ["FROM redis"]\n', None, "", id="F13"),
        pytest.param(b"# nothing\n", None, "", id="F14-comments"),
        pytest.param(b"", None, "", id="F14-empty"),
        pytest.param(b"FROM other:1\n", None, "other:1 is not in images.toml", id="F15"),
    ],
)
def test_F12_what_is_certain_is_touched_and_once(
    ground: Ground, before: bytes, after: bytes | None, passed: str
) -> None:
    write_project(ground.project)
    file = ground.project / "Dockerfile"
    file.write_bytes(before.replace(b"@\n", DIGEST + b"\n") if b"@\n" in before else before)
    original = file.read_bytes()
    ran = survived(ground, "rewrite", "Dockerfile", code=0, writes=["Dockerfile"])
    assert ran.err == ""
    expected = original if after is None else after.replace(b"@", DIGEST)
    assert file.read_bytes() == expected
    assert passed in ran.out
    survived(ground, "rewrite", "Dockerfile", code=0)  # F12: a second run writes nothing
    survived(ground, "check", "Dockerfile", code=1 if passed else 0, lasting=False)
