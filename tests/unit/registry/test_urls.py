from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.registry.urls import InvalidUrl, Url


@pytest.mark.parametrize(
    ("text", "origin", "target"),
    [
        ("https://h", "https://h", "/"),
        ("https://H.Example/x", "https://h.example", "/x"),
        ("https://h:443/x", "https://h", "/x"),
        ("http://h:443/x", "http://h:443", "/x"),
        ("http://[::1]:5000/v2/", "http://[::1]:5000", "/v2/"),
        pytest.param("https://user:pw@h/x", "https://h", "/x", id="D08-userinfo"),
        pytest.param("https://h/x#part", "https://h", "/x", id="fragment"),
        pytest.param(
            "https://s3.example/b/%2e%2e/a%2Fb?X-Sig=a%2Fb+c~&X=%E2",
            "https://s3.example",
            "/b/%2e%2e/a%2Fb?X-Sig=a%2Fb+c~&X=%E2",
            id="signed-target-stays-verbatim",
        ),
    ],
)
def test_parse(text: str, origin: str, target: str) -> None:
    url = Url.parse(text)
    assert (str(url.origin), url.target) == (origin, target)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("file:///etc/passwd", id="D06-file"),
        pytest.param("http:///x", id="D06-no-host"),
        pytest.param("https://h/" + "x" * 65536, id="D06-64K"),
        pytest.param("https://h/ü", id="D06-non-ascii"),
        "ftp://h/x",
        "/x",
        "",
        "https://",
        "https://h:0/x",
        "https://h:65536/x",
        "https://h:x/",
        "https://h /x",
        "https://h\n/x",
        "https://h\x1b[0m/x",
        "https://[::1/x",
        "https://h%2fx/",
        "https://a\\b/",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InvalidUrl):
        Url.parse(text)


def test_a_location_that_cannot_be_joined_is_refused() -> None:
    with pytest.raises(InvalidUrl):
        Url.parse("https://h/v2/").join("//[::1/x")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/b?q=1", "https://h:5000/b?q=1"),
        ("b", "https://h:5000/v2/b"),
        ("?n=2", "https://h:5000/v2/a?n=2"),
        ("//other/b", "https://other/b"),
        ("http://other:80/b", "http://other/b"),
        ("https://s/../b?x=%2F", "https://s/../b?x=%2F"),
    ],
)
def test_join(location: str, expected: str) -> None:
    joined = Url.parse("https://h:5000/v2/a?n=1").join(location)
    assert f"{joined.origin}{joined.target}" == expected


def test_A21_query_and_userinfo_are_not_shown() -> None:
    url = Url.parse("https://me:hunter2@h/x?X-Amz-Signature=secret")
    assert "secret" not in f"{url} {url!r}"
    assert "hunter2" not in f"{url} {url!r}"


@pytest.mark.parametrize(
    "text", ["ftp://me:hunter2@h/x?sig=secret", "https://me:hunter2@h:x/x?sig=secret"]
)
def test_A21_errors_show_neither_query_nor_userinfo(text: str) -> None:
    with pytest.raises(InvalidUrl) as caught:
        Url.parse(text)
    assert "hunter2" not in str(caught.value)
    assert "secret" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_location_is_a_url_or_refused(location: str) -> None:
    try:
        url = Url.parse("https://h/v2/a").join(location)
    except InvalidUrl:
        return
    assert url.target.startswith("/")
    assert Url.parse(f"{url.origin}{url.target}") == url
