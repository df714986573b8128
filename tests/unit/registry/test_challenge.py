from __future__ import annotations

import pytest

from pinner.registry.challenge import MalformedChallenge, parse_challenges

TOKEN = {"realm": "https://auth.example/token"}
SCOPE = "repository:a/b:pull,push"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param('Bearer realm="https://auth.example/token"', [("bearer", TOKEN)], id="plain"),
        pytest.param(
            f'Bearer realm="https://auth.example/token",service="s",scope="{SCOPE}"',
            [("bearer", {**TOKEN, "service": "s", "scope": SCOPE})],
            id="comma-in-quotes",
        ),
        pytest.param(
            'Bearer realm="a,b",service="say \\"hi\\" \\\\ \\x"',
            [("bearer", {"realm": "a,b", "service": 'say "hi" \\ x'})],
            id="A08-escaped-quotes",
        ),
        pytest.param(
            'Basic realm="r", Bearer realm="https://auth.example/token", service="s"',
            [("basic", {"realm": "r"}), ("bearer", {**TOKEN, "service": "s"})],
            id="A08-two-in-one-header",
        ),
        pytest.param(
            'bEARER REALM="https://auth.example/token"', [("bearer", TOKEN)], id="A08-case"
        ),
        pytest.param(
            "Bearer realm=https://auth.example/token , service=s",
            [("bearer", {**TOKEN, "service": "s"})],
            id="unquoted-url",
        ),
        pytest.param('Bearer realm = "https://auth.example/token"', [("bearer", TOKEN)], id="gaps"),
        pytest.param(
            'Bearer realm="https://auth.example/token",scope=""',
            [("bearer", {**TOKEN, "scope": ""})],
            id="empty-quoted",
        ),
        pytest.param(
            "Bearer scope=,realm=x", [("bearer", {"scope": "", "realm": "x"})], id="empty-unquoted"
        ),
        pytest.param("Negotiate", [("negotiate", {})], id="scheme-alone"),
        pytest.param(
            'Negotiate YII+/w==, Basic realm="r"',
            [("negotiate", {}), ("basic", {"realm": "r"})],
            id="token68",
        ),
        pytest.param(
            'Negotiate, Basic realm="r"',
            [("negotiate", {}), ("basic", {"realm": "r"})],
            id="scheme-without-parameters",
        ),
        pytest.param(
            'Bearer realm="https://auth.example/token",error="invalid_token"',
            [("bearer", {**TOKEN, "error": "invalid_token"})],
            id="error",
        ),
        pytest.param("", [], id="empty"),
        pytest.param(" , ,\t", [], id="only-commas"),
    ],
)
def test_read(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    found = [(one.scheme, dict(one.parameters)) for one in parse_challenges([header])]
    assert found == expected


def test_A08_two_headers_are_two_challenges() -> None:
    found = parse_challenges(['Basic realm="r"', 'Bearer realm="x"'])
    assert [challenge.scheme for challenge in found] == ["basic", "bearer"]


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        pytest.param(['Bearer realm="https://auth'], "cannot be read", id="A08-open-quote"),
        pytest.param(['Bearer realm="a\\"'], "cannot be read", id="A08-escaped-end"),
        pytest.param([f'Bearer realm="{"a" * 65536}"'], "65551 characters", id="A08-64K"),
        pytest.param(["Basic"] * 17, "17 WWW-Authenticate headers", id="many-headers"),
        pytest.param(['Bearer realm="a",realm="b"'], '"realm" twice', id="realm-twice"),
        pytest.param(['realm="a"'], "cannot be read", id="no-scheme"),
        pytest.param(['Bearer realm="a";service="b"'], "cannot be read", id="semicolon"),
        pytest.param(["Bearer \x00"], "cannot be read", id="control"),
    ],
)
def test_refused(headers: list[str], why: str) -> None:
    with pytest.raises(MalformedChallenge, match=why) as caught:
        parse_challenges(headers)
    assert len(caught.value.what) < 200
    assert "\x00" not in caught.value.what
