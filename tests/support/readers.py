"""Whoever reads an OCI layout beside pinner: each raises `ProgramError` if it cannot.

They check what they read, digests and sizes; containerd leaves out what is not complete.
"""

from __future__ import annotations

import contextlib
import os
import tarfile
import tempfile
from typing import TYPE_CHECKING

from support.programs import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.containerd import Containerd

_POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}'


def skopeo_inspect(layout: Path, name: str, *, home: Path) -> str:
    """The raw manifest or index that `oci:layout:name` is."""
    return run(*_SKOPEO, "inspect", "--raw", f"oci:{layout}:{name}", home=home)


def skopeo_copy(layout: Path, name: str, target: Path, *options: str, home: Path) -> None:
    """Every blob of the image for this platform (`--all`: of all), into the folder `target`."""
    source = f"oci:{layout}:{name}"
    run(*_SKOPEO, "copy", "--quiet", *options, source, f"dir:{target}", home=home)


def podman_pull(layout: Path, name: str, *, home: Path) -> str:
    """Pull into the empty storage of a podman of its own; the image's ID."""
    with podman(home) as ask:
        pull = ("pull", "--quiet", f"--signature-policy={home}/policy.json", f"oci:{layout}:{name}")
        return ask(*pull).strip()


@contextlib.contextmanager
def podman(home: Path) -> Iterator[Callable[..., str]]:
    """A podman with an empty storage of its own, as a function of its arguments."""
    (home / "policy.json").write_text(_POLICY)
    with tempfile.TemporaryDirectory(prefix="podman-") as folder:  # podman wants a short path
        storage = (f"--root={folder}/storage", f"--runroot={folder}/run", "--storage-driver=vfs")
        yield lambda *argv: run("podman", *storage, *argv, home=home)


def podman_load(ask: Callable[..., str], archive: Path, *, home: Path) -> dict[str, str]:
    """Load an archive; the digest of each image, by its full name."""
    ask("load", "--quiet", f"--signature-policy={home}/policy.json", "--input", str(archive))
    form = "{{.Repository}}:{{.Tag}} {{.Digest}}"
    return dict(line.split() for line in ask("images", "--format", form).splitlines())


def umoci_unpack(layout: Path, name: str, bundle: Path, *, home: Path) -> Path:
    """Unpack into a runtime bundle; its root file system."""
    rootless = () if os.geteuid() == 0 else ("--rootless",)
    run("umoci", "unpack", *rootless, "--image", f"{layout}:{name}", str(bundle), home=home)
    return bundle / "rootfs"


def ctr_import(server: Containerd, archive: Path) -> tuple[str, ...]:
    """Import a tar; the names of the images that are complete for the host's platform."""
    server.ctr("images", "import", "--no-unpack", "--all-platforms", str(archive))
    return tuple(server.ctr("images", "check", "--quiet").split())


def archive_of(layout: Path, target: Path) -> Path:
    """The layout as a tar, as `ctr images import` and `podman load` take it."""
    with tarfile.open(target, "w") as tar:
        tar.add(layout, arcname=".")
    return target


_SKOPEO = ("skopeo", "--insecure-policy")
