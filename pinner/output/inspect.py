"""What `pinner inspect` tells of one image: its digests, and for each platform its contents."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pinner.output.tables import columns
from pinner.output.units import age, plural, size
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.runconfig import RunConfig
    from pinner.store.contents import StoredManifest

_NO_DATE_BEFORE: Final = 315_532_800.0  # 1980: the epoch and zero times are no dates


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """One image, from the lockfile or by its name in the store.

    Attributes:
        name: what the user asked for.
        reference: its full reference.
        digest: of the index or lone manifest.
        locked: whether images.lock names it.
        platforms: each locked or stored platform, with its manifest's digest and what the store
            has of it.
    """

    name: str
    reference: str
    digest: Digest
    locked: bool
    platforms: tuple[tuple[Platform | None, Digest, StoredManifest | None], ...]


def render_inspect(image: Inspected, *, now: float) -> str:
    """The image's digests, then each platform: how it is run, layers, labels.

    Args:
        image: what was found.
        now: seconds since the epoch, for ages.
    """
    origin = "locked" if image.locked else "not in images.lock"
    head = f"{safe(image.name)}: {safe(image.reference)}\n"
    lines = columns([("digest", str(image.digest), origin)])
    return head + lines + "".join(_platform(*row, now=now) for row in image.platforms)


def inspect_fields(image: Inspected) -> dict[str, Any]:
    """The JSON document: the same, with every digest and label."""
    return {
        "name": safe(image.name),
        "reference": safe(image.reference),
        "digest": str(image.digest),
        "locked": image.locked,
        "platforms": [_fields(*row) for row in image.platforms],
    }


def _platform(
    platform: Platform | None, digest: Digest, stored: StoredManifest | None, *, now: float
) -> str:
    head = f"{platform or 'artifact'}\n"
    if stored is None:
        rows = [("manifest", str(digest)), ("store", "not fetched")]
        return head + columns(rows)
    state = "" if stored.complete else ", incomplete"
    rows = [
        ("manifest", str(digest)),
        ("image id", str(stored.config.digest)),
        ("size", f"{size(stored.size)} in {plural(len(stored.layers), 'layer')}{state}"),
    ]
    created = created_time(stored.created)
    if created is not None:
        rows.append(("created", f"{age(now - created.timestamp())}, {created:%Y-%m-%d}"))
    rows += _run_rows(stored.run)
    rows += [("layer", f"{layer.digest}  {size(layer.size)}") for layer in stored.layers]
    rows += [("label", f"{safe(key)}={safe(text)}") for key, text in sorted(stored.labels.items())]
    return head + columns(rows)


def _run_rows(run: RunConfig | None) -> list[tuple[str, str]]:
    """How it wants to be run; what an image does not say has no row."""
    if run is None:
        return []
    lone = [
        ("author", run.author),
        ("user", run.user),
        ("workdir", run.working_dir),
        ("entrypoint", shlex.join(run.entrypoint)),
        ("cmd", shlex.join(run.cmd)),
        ("stop signal", run.stop_signal),
        ("healthcheck", shlex.join(run.healthcheck)),
        ("shell", shlex.join(run.run_shell)),
    ]
    many = [("env", run.env), ("port", run.ports), ("volume", run.volumes)]
    return [
        *((key, safe(text)) for key, text in lone if text),
        *((key, safe(text)) for key, texts in many for text in texts),
        *(("onbuild", safe(text)) for text in run.on_build),
    ]


def _run_fields(run: RunConfig) -> dict[str, Any]:
    def texts(values: Iterable[str]) -> list[str]:
        return [safe(value) for value in values]

    return {
        "author": safe(run.author) or None,
        "config": {
            "user": safe(run.user),
            "working_dir": safe(run.working_dir),
            "entrypoint": texts(run.entrypoint),
            "cmd": texts(run.cmd),
            "env": texts(run.env),
            "exposed_ports": texts(run.ports),
            "volumes": texts(run.volumes),
            "stop_signal": safe(run.stop_signal),
            "healthcheck": texts(run.healthcheck),
            "shell": texts(run.run_shell),
            "on_build": texts(run.on_build),
        },
        "diff_ids": texts(run.diff_ids),
        "history": [
            {
                "created": safe(step.created) or None,
                "created_by": safe(step.created_by),
                "comment": safe(step.comment),
                "empty_layer": step.empty,
            }
            for step in run.history
        ],
    }


def created_time(text: str) -> datetime | None:
    """When an image says that it was made; None where that is no date."""
    try:
        created = datetime.fromisoformat(text)
        return created if created.timestamp() >= _NO_DATE_BEFORE else None
    except (ValueError, OverflowError):
        return None


def _fields(
    platform: Platform | None, digest: Digest, stored: StoredManifest | None
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "platform": str(platform) if platform else None,
        "digest": str(digest),
        "stored": stored is not None,
    }
    if stored is not None:
        fields |= {
            "complete": stored.complete,
            "image_id": str(stored.config.digest),
            "bytes": stored.size,
            "created": safe(stored.created) or None,
            "layers": [
                {"digest": str(layer.digest), "bytes": layer.size, "media_type": layer.media_type}
                for layer in stored.layers
            ],
            "labels": {safe(key): safe(text) for key, text in sorted(stored.labels.items())},
            **(_run_fields(stored.run) if stored.run else {}),
        }
    return fields
