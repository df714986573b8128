"""Packages of a BuildKit SPDX attestation, and what becomes of documents that are none."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from pinner.inventory import packageurl, spdx
from pinner.inventory.formats import Database
from pinner.inventory.model import Ecosystem, Package
from pinner.inventory.packageurl import InvalidPackageUrl

LIBC: Final = (
    "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64&upstream=glibc%402.36-9&distro=debian-12"
)


def entry(*locators: Any, kind: str = "purl") -> dict[str, Any]:
    return {
        "name": "x",
        "SPDXID": "SPDXRef-x",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": kind,
                "referenceLocator": each,
            }
            for each in locators
        ],
    }


def statement(*entries: Any, **others: Any) -> bytes:
    document = {"spdxVersion": "SPDX-2.3", "packages": list(entries)}
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": "https://spdx.dev/Document",
            "subject": [],
            "predicate": document,
            **others,
        }
    ).encode()


@pytest.mark.parametrize(
    ("purl", "fields"),
    [
        (LIBC, ("libc6", "2.36-9+deb12u13", "amd64", "glibc", "2.36-9")),
        (
            "pkg:deb/debian/libssl3@3.0.17-1~deb12u3?arch=arm64&upstream=openssl",
            ("libssl3", "3.0.17-1~deb12u3", "arm64", "openssl", "3.0.17-1~deb12u3"),
        ),
        (
            "pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1",
            ("zlib1g", "1:1.2.13.dfsg-1", "", "zlib1g", "1:1.2.13.dfsg-1"),
        ),
        (
            "pkg:apk/alpine/libcrypto3@3.0.8-r3?arch=x86_64&upstream=openssl&distro=alpine-3.17.3",
            ("libcrypto3", "3.0.8-r3", "x86_64", "openssl", "3.0.8-r3"),
        ),
        (
            "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?epoch=1&arch=x&upstream=openssl-3.0.7-27.el9.src.rpm",
            ("openssl-libs", "1:3.0.7-27.el9", "x", "openssl", "3.0.7-27.el9"),
        ),
        (
            "pkg:rpm/fedora/curl@7.50.3-1.fc25?epoch=0&arch=i386#sub/path",
            ("curl", "7.50.3-1.fc25", "i386", "curl", "7.50.3-1.fc25"),
        ),
        ("pkg:DEB/x/a@1", ("a", "1", "", "a", "1")),
    ],
)
def test_package_urls(purl: str, fields: tuple[str, str, str, str, str]) -> None:
    package = packageurl.parse(purl)
    assert fields == (
        *(package.name, package.version, package.architecture),
        *(package.source, package.source_version),
    )


@pytest.mark.parametrize(
    "purl",
    [
        "pkg:deb/debian/libc6",
        "pkg:deb/debian/@1",
        "pkg:deb/debian/a@",
        "pkg:deb/debian/a@1%1b[2J",
        "pkg:deb/debian/a%0Ab@1",
        "pkg:deb/debian/a@1?arch=x%20y",
        "pkg:deb/debian/a@%ff%00",
        "pkg:deb/debian/a@1" + "0" * 3000,
        "pkg:deb/debian/a@1?" + "&" * 3000,
        "pkg:npm/a@1",
        "deb/a@1",
        "",
    ],
)
def test_bad_package_urls(purl: str) -> None:
    with pytest.raises(InvalidPackageUrl):
        packageurl.parse(purl)


def test_packages() -> None:
    found = spdx.packages(statement(entry(LIBC), entry("cpe:2.3:a:b", LIBC), entry(LIBC)))
    assert found == Database(
        packages=(
            Package(
                ecosystem=Ecosystem.DEB,
                name="libc6",
                version="2.36-9+deb12u13",
                architecture="amd64",
                source="glibc",
                source_version="2.36-9",
            ),
        )
    )


def test_only_references_by_package_url_count() -> None:
    assert spdx.packages(statement(entry(LIBC, kind="cpe23Type"))) == Database()


def test_other_kinds_are_counted() -> None:
    found = spdx.packages(
        statement(
            entry(LIBC), entry("pkg:npm/x@1"), entry("pkg:golang/y@2"), entry(), {"name": "z"}
        )
    )
    assert len(found.packages) == 1
    assert found.notes == ("packages of other kinds, which are not compared: 2",)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(entry("pkg:deb/debian/a"), id="no version"),
        pytest.param(entry(7), id="a locator that is no text"),
        pytest.param("text", id="text"),
        pytest.param({"externalRefs": {}}, id="references that are no list"),
        pytest.param({"externalRefs": [[]]}, id="a reference that is no object"),
    ],
)
def test_bad_packages_are_counted(bad: Any) -> None:
    found = spdx.packages(statement(bad, entry(LIBC)))
    assert len(found.packages) == 1
    assert found.notes == ("packages of the SPDX attestation that cannot be read: 1",)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no predicate type"),
        pytest.param(b'{"predicateType": "https://slsa.dev/provenance/v1"}', id="provenance"),
        pytest.param(statement(predicate=[]), id="a predicate that is a list"),
        pytest.param(statement(predicate={"packages": {}}), id="packages that are no list"),
        pytest.param(statement()[:-1], id="cut"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"a": 1, "a": 2}', id="a key twice"),
        pytest.param(b" " * (spdx.SIZE_LIMIT + 1), id="too large"),
        pytest.param(statement(x=[[]] * 750_001), id="too many values"),
        pytest.param(statement(*[{}] * 50_001), id="too many packages"),
    ],
)
def test_bad_documents_are_a_note(document: bytes) -> None:
    found = spdx.packages(document)
    assert found.packages == ()
    (note,) = found.notes
    assert note.startswith("the SPDX attestation is not read: ")
    assert note.isprintable()
