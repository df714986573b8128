"""The release's bill of materials: CycloneDX 1.6, as JSON, the same bytes for the same release.

It lists what an install of the wheel brings at run time, in the versions that `requirements/` pins:
what pinner is tested with. The wheel contains none of it, so the bill stands beside the wheel and
not inside (PEP 770's `.dist-info/sboms` is for what a wheel bundles).

A component's hashes are those of all its files (wheels for each platform, sdist): what was
installed is one of them. Nothing says which index a file is from; purls name it by version.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from release.licences import LicenceError, admitted
from release.wheel import direct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from packaging.version import Version

    from release.wheel import Part, Wheel


def render(wheel: Wheel, parts: Sequence[Part], *, commit: str, time: datetime) -> str:
    """The bill of materials of a wheel that was built from a commit, made at `time` (UTC).

    Raises:
        LicenceError: a part's licence is not one that ours admits.
    """
    refused = [f"{part.pin.name}: {part.licence}" for part in parts if not admitted(part.licence)]
    if refused:
        raise LicenceError(f"not admitted beside {wheel.licence}: {', '.join(refused)}")
    purls = {part.pin.name: _purl(part.pin.name, part.pin.version) for part in parts}
    root = _purl(wheel.name, wheel.version)
    edges = {root: direct(wheel), **{purls[part.pin.name]: part.needs for part in parts}}
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"{root}#{wheel.sha256}").urn,
        "version": 1,
        "metadata": {
            "timestamp": f"{time:%Y-%m-%dT%H:%M:%SZ}",
            "lifecycles": [{"phase": "build"}],
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": wheel.name,
                "version": str(wheel.version),
                "description": wheel.summary,
                "hashes": _hashes([wheel.sha256]),
                "licenses": _licences(wheel.licence),
                "purl": root,
                "pedigree": {"commits": [{"uid": commit}]},
            },
        },
        "components": [_component(part, purls[part.pin.name]) for part in parts],
        "dependencies": [
            {"ref": ref, "dependsOn": [purls[name] for name in needs]}
            for ref, needs in edges.items()
        ],
    }
    return json.dumps(bill, indent=2, ensure_ascii=False) + "\n"


def _component(part: Part, purl: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": part.pin.name,
        "version": str(part.pin.version),
        "description": part.summary,
        "scope": "optional" if part.optional else "required",
        "hashes": _hashes(part.pin.hashes),
        "licenses": _licences(part.licence),
        "purl": purl,
    }


def _purl(name: str, version: Version) -> str:
    return f"pkg:pypi/{name}@{version}"


def _hashes(hashes: Sequence[str]) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": content} for content in hashes]


def _licences(expression: str) -> list[dict[str, Any]]:
    if " " in expression:
        return [{"expression": expression, "acknowledgement": "declared"}]
    return [{"license": {"id": expression, "acknowledgement": "declared"}}]
