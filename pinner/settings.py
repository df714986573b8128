"""Settings of the user, not of a project: config.toml, and the environment, which beats it.

    store = "/srv/images"      PINNER_STORE
    jobs = 16                  PINNER_JOBS
    [registries."host"]        as in images.toml, and trusted further (design section 2)

Flags beat both; that is the caller's part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import InputError
from pinner.fsio import read_limited
from pinner.oci.reference import parse_registry
from pinner.terminal import safe
from pinner.tomlfiles.document import Document
from pinner.tomlfiles.registries import read_registries
from pinner.tomlfiles.table import Report, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.oci.registryconfig import RegistryConfig

CONFIG_FILE: Final = "config.toml"
DEFAULT_JOBS: Final = 8
MOST_JOBS: Final = 64
_LIMIT: Final = 1024 * 1024
_KEYS: Final = ("store", "jobs", "registries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What holds for every project of this user.

    Attributes:
        store: the folder of the store.
        jobs: how many connections to use at once.
        registries: how to reach some registries; all of them are `user_wide`.
        stated: which fields config.toml gives for which host (in lower case). What is given beats
            a project's, also with the value that it would have anyhow.
    """

    store: Path
    jobs: int = DEFAULT_JOBS
    registries: tuple[RegistryConfig, ...] = ()
    stated: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)

    @classmethod
    def load(cls, environ: Mapping[str, str], config_dir: Path, *, default_store: Path) -> Settings:
        """The settings of this user; all defaults where there is no config.toml.

        Args:
            environ: the environment; empty variables count as absent.
            config_dir: the folder of config.toml, from which a relative `ca-file` starts.
            default_store: the store where neither names one.

        Raises:
            InputError: config.toml cannot be read, or a variable is wrong.
            FileProblems: everything that is wrong in config.toml.
        """
        path = config_dir / CONFIG_FILE
        try:
            data = read_limited(path, _LIMIT)
        except FileNotFoundError:
            data = b""
        settings = _parse(data, path=path, home=environ.get("HOME"), default_store=default_store)
        store, jobs = environ.get("PINNER_STORE"), environ.get("PINNER_JOBS")
        return cls(
            store=Path(store) if store else settings.store,
            jobs=_parse_jobs(jobs) if jobs else settings.jobs,
            registries=settings.registries,
            stated=settings.stated,
        )

    def with_project(self, registries: Sequence[RegistryConfig]) -> tuple[RegistryConfig, ...]:
        """The user's registries together with a project's; each key that the user gave wins.

        What a project says never widens trust: a registry that speaks plain http only because
        images.toml says so is not `user_wide`, whatever else config.toml says of it.
        """
        merged = {config.host.lower(): config for config in registries}
        for own in self.registries:
            theirs = merged.get(own.host.lower())
            merged[own.host.lower()] = self._merged(own, theirs) if theirs else own
        return tuple(merged.values())

    def _merged(self, own: RegistryConfig, theirs: RegistryConfig) -> RegistryConfig:
        stated = {name for host, name in self.stated if host == own.host.lower()}
        return replace(
            own,
            plain_http=(own if "plain_http" in stated else theirs).plain_http,
            mirrors=(own if "mirrors" in stated else theirs).mirrors,
            ca_file=(own if "ca_file" in stated else theirs).ca_file,
            user_wide="plain_http" in stated or not theirs.plain_http,
        )


def _parse(data: bytes, *, path: Path, home: str | None, default_store: Path) -> Settings:
    document = Document.parse(data, path=safe(str(path)), limit=_LIMIT)
    report = Report(document)
    root = Table(report, (), document.values)
    root.only(_KEYS, CONFIG_FILE)
    store = root.parsed("store", lambda text: _parse_store(text, home), 'a folder: "/srv/images"')
    jobs = root.number("jobs", 1, MOST_JOBS)
    registries = read_registries(root, base=path.parent, user_wide=True)
    report.settle()
    return Settings(
        store=store or default_store,
        jobs=jobs or DEFAULT_JOBS,
        registries=registries,
        stated=_stated(document.values.get("registries", {})),
    )


def _stated(registries: Mapping[str, Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (parse_registry(host).lower(), key.replace("-", "_"))
        for host, table in registries.items()
        for key in table
    )


def _parse_store(text: str, home: str | None) -> Path:
    if text.startswith("~/") and home:
        text = home + text[1:]
    path = Path(text)
    if not path.is_absolute():
        raise InputError(
            f'"{safe(text, limit=160)}" is not a whole path', mend='begin it with "/" or "~/"'
        )
    return path


def _parse_jobs(text: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= MOST_JOBS:
        raise InputError(
            f'"{safe(text, limit=80)}" is not a number from 1 to {MOST_JOBS}', where="PINNER_JOBS"
        )
    return int(text)
