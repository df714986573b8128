"""Packages of real layers and statements, read by what reads them for `pinner diff`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pinner.compare.reader import PackageReader
from pinner.demo.packages import debian_root
from pinner.demo.roots import DEBIAN, DEBIAN_UPDATED
from pinner.inventory.model import Direction, PackageChanges
from pinner.oci.mediatypes import OCI_LAYER_GZIP
from pinner.store.layout import Store
from support.comparing import SPDX
from support.images import make_layer
from support.storing import describe

if TYPE_CHECKING:
    from pathlib import Path


def test_layers_are_read_from_the_store(tmp_path: Path) -> None:
    roots = [
        make_layer(debian_root(packages, architecture="amd64", release="12"))
        for packages in (DEBIAN, DEBIAN_UPDATED)
    ]
    before, after = ([describe(layer.data, OCI_LAYER_GZIP)] for layer in roots)
    with Store.open(tmp_path / "store") as store:
        for layer in roots:
            store.put(layer.digest, layer.data)
        found = PackageReader().of_layers(before, after, store)
    old = {package.name: package.version for package in DEBIAN}
    new = {package.name: package.version for package in DEBIAN_UPDATED}
    assert {change.name: (change.before, change.after) for change in found.changes} == {
        name: (old[name], new[name]) for name in new if old[name] != new[name]
    }
    assert found.fixes
    assert found.notes == ()


def test_a_layer_that_the_store_lacks_is_a_note(tmp_path: Path) -> None:
    before, after = [describe(b"one")], [describe(b"other")]
    with Store.open(tmp_path / "store") as store:
        found = PackageReader().of_layers(before, after, store)
    assert found.changes == ()
    assert "not at hand" in found.notes[0]


def test_a_layer_of_another_size_than_was_said_is_not_read(tmp_path: Path) -> None:
    said = replace(describe(b"one"), size=4)
    with Store.open(tmp_path / "store") as store:
        store.put(said.digest, b"one")
        found = PackageReader().of_layers([said], [describe(b"other")], store)
    assert all("not at hand" in note for note in found.notes)


def statement(*locators: str) -> bytes:
    packages = [
        {"externalRefs": [{"referenceType": "purl", "referenceLocator": locator}]}
        for locator in locators
    ]
    return json.dumps({"predicateType": SPDX, "predicate": {"packages": packages}}).encode()


def test_statements_are_compared() -> None:
    found = PackageReader().of_statements(
        statement("pkg:deb/debian/zlib1g@1.2.13?arch=amd64"),
        statement("pkg:deb/debian/zlib1g@1.2.14?arch=amd64"),
    )
    assert isinstance(found, PackageChanges)
    (change,) = found.changes
    assert (change.name, change.before, change.after) == ("zlib1g", "1.2.13", "1.2.14")
    assert change.direction is Direction.UPGRADED


def test_a_statement_that_names_no_package_tells_nothing() -> None:
    good = statement("pkg:deb/debian/zlib1g@1.2.13?arch=amd64")
    for bad in (b"", b"{}", statement(), statement("pkg:npm/left-pad@1.0.0")):
        assert PackageReader().of_statements(good, bad) is None
        assert PackageReader().of_statements(bad, good) is None
