"""The snapshot anew: every record that the OSV service has about some distributions, shortened.

What is left of a record is what the rule of `affected` needs, and what a person wants to read. The
data is the PyPA's and GitHub's, under CC-BY-4.0; each record's id is where it is from.
"""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any, Final

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date

SERVICE: Final = "https://api.osv.dev/v1/query"
_SOURCE: Final = "OSV.dev: PyPA Advisory Database, GitHub Advisory Database (CC-BY-4.0)"
_KEPT: Final = ("id", "aliases", "published", "modified", "summary")
_WIDTH: Final = 160


def refreshed(names: Collection[str], today: date, *, service: str = SERVICE) -> str:
    """The text of a snapshot of these distributions, as the service knows them today.

    Raises:
        OSError: the service was not reached, or said that something failed.
    """
    normal = {canonicalize_name(name) for name in names}
    records = {record["id"]: record for name in normal for record in _asked(service, name)}
    advisories = [
        shortened(record, normal) for _, record in sorted(records.items()) if not _gone(record)
    ]
    document = {
        "source": _SOURCE,
        "until": today.isoformat(),
        "looked-up": sorted(normal),
        "advisories": advisories,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def shortened(record: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A record without what an audit of these distributions does not need."""
    kept = {key: record[key] for key in _KEPT if key in record}
    if "summary" not in kept and "details" in record:
        kept["summary"] = " ".join(record["details"].split())[:_WIDTH]
    return {**kept, "affected": list(_affected(record, names))}


def _affected(record: Mapping[str, Any], names: Collection[str]) -> Iterator[dict[str, Any]]:
    for entry in record["affected"]:
        package = entry["package"]
        if package["ecosystem"] != "PyPI" or canonicalize_name(package["name"]) not in names:
            continue
        found: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": package["name"]}}
        ranges = [part for part in entry.get("ranges", ()) if part["type"] == "ECOSYSTEM"]
        if ranges:  # they say what the list of versions says, of versions to come as well
            found["ranges"] = [{"type": part["type"], "events": part["events"]} for part in ranges]
        else:
            found["versions"] = entry.get("versions", [])
        yield found


def _asked(service: str, name: str) -> Iterator[Mapping[str, Any]]:
    """Every record about a distribution, page by page."""
    question: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": name}}
    while True:
        body = json.dumps(question).encode()
        request = urllib.request.Request(service, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            page = json.load(answer)
        yield from page.get("vulns", ())
        if not page.get("next_page_token"):
            return
        question["page_token"] = page["next_page_token"]


def _gone(record: Mapping[str, Any]) -> bool:
    return "withdrawn" in record
