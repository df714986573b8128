"""Images into registries, by skopeo: what a registry then serves owes nothing to pinner."""

from __future__ import annotations

import shutil
import urllib.request
from typing import TYPE_CHECKING, Any

from support.layouts import INDEX, MANIFEST
from support.programs import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.registries import Registry


def push_layout(
    registry: Registry,
    layout: Path,
    name: str,
    repository_tag: str,
    option: str = "--preserve-digests",
) -> None:
    """Copy the image `name` of an OCI layout, all its platforms, to `repository:tag`."""
    target = f"docker://{registry.address}/{repository_tag}"
    skopeo_copy(registry, f"oci:{layout}:{name}", target, option)


def skopeo_copy(
    registry: Registry, source: str, target: str, option: str = "--preserve-digests"
) -> None:
    """`skopeo copy --all`, digests kept, between anything and this registry.

    With another option (`--format=v2s2`) they are not.
    """
    run(
        *("skopeo", "--insecure-policy", "copy", "--quiet", "--all", option),
        *_access(registry, "dest" if target.startswith("docker:") else "src"),
        *(source, target),
        home=_home(registry),
    )


def skopeo_inspect(registry: Registry, repository_tag: str, *options: str) -> str:
    """What `skopeo inspect` says of an image in this registry."""
    reference = f"docker://{registry.address}/{repository_tag}"
    return run(
        *("skopeo", "--insecure-policy", "inspect", *options, *_access(registry, "")),
        reference,
        home=_home(registry),
    )


def tag_again(registry: Registry, repository: str, tag: str, *tags: str) -> None:
    """Let more tags of an open registry name what one of them names; faster than pushing."""
    with _call(registry, "GET", f"{repository}/manifests/{tag}") as reply:
        media_type, data = reply.headers["Content-Type"], reply.read()
    for new in tags:
        sent = {"Content-Type": media_type}
        _call(registry, "PUT", f"{repository}/manifests/{new}", data, sent).close()


def delete(registry: Registry, what: str) -> None:
    """Let an open registry forget `repository/manifests/digest` or `repository/blobs/digest`."""
    _call(registry, "DELETE", what).close()


def _call(
    registry: Registry,
    method: str,
    what: str,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    request = urllib.request.Request(
        f"{registry.url}/v2/{what}",
        data=data,
        headers={"Accept": f"{INDEX}, {MANIFEST}", **(headers or {})},
        method=method,
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(request, timeout=60)


def _access(registry: Registry, side: str) -> list[str]:
    prefix = f"--{side}-" if side else "--"
    options = []
    if registry.user:
        options.append(f"{prefix}creds={registry.user}:{registry.password}")
    if registry.ca_file:
        trusted = _home(registry) / "trusted"
        trusted.mkdir(exist_ok=True)
        shutil.copy(registry.ca_file, trusted / "ca.crt")
        options.append(f"{prefix}cert-dir={trusted}")
    else:
        options.append(f"{prefix}tls-verify=false")
    return options


def _home(registry: Registry) -> Path:
    return registry.storage.parent
