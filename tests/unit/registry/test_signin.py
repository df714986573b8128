"""What a login is tried with, and what it is never sent over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, cast

import pytest

from pinner.errors import InputError
from pinner.registry.challenge import Challenge
from pinner.registry.endpoints import Scope
from pinner.registry.signin import SignIn
from pinner.registry.tokens import wish_of
from support.logins import ADA, TokenServer, endpoint

if TYPE_CHECKING:
    from pinner.registry.courier import Ask
    from pinner.registry.wire import Wire


class Nobody:
    """Whom nothing may be sent to."""

    def send(self, ask: Ask) -> NoReturn:
        raise AssertionError(f"{ask.url} was asked")

    fetch = send


def test_S20_nothing_is_sent_over_plain_http() -> None:
    where = endpoint("http://registry.example", sends_credentials=False)
    nobody = Nobody()
    sign_in = SignIn(endpoint=where, credential=ADA, wire=cast("Wire", nobody), courier=nobody)
    with pytest.raises(InputError, match="over plain http") as caught:
        sign_in.verify(TokenServer())
    assert "config.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "scope", "expected"),
    [
        ({"service": "s"}, None, {"service": "s"}),
        ({"service": "s", "scope": "repository:a:pull"}, None, {"service": "s"}),
        ({"scope": "aws"}, None, {"scope": "aws"}),
        ({"service": "s"}, Scope("a"), {"service": "s", "scope": "repository:a:pull"}),
        ({}, None, {}),
    ],
)
def test_what_a_token_server_is_asked_for(
    parameters: dict[str, str], scope: Scope | None, expected: dict[str, str]
) -> None:
    assert wish_of(Challenge("bearer", parameters), scope) == expected
