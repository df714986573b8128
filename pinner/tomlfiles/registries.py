"""The `[registries."host"]` tables of images.toml and of the user-wide config.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.oci.grammar import is_path
from pinner.oci.reference import InvalidReference, parse_registry
from pinner.oci.registryconfig import RegistryConfig
from pinner.terminal import safe

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.tomlfiles.table import Table

_KEYS: Final = ("plain-http", "mirrors", "ca-file")
_HINTS: Final = {
    "insecure": "to ask over http: plain-http = true; certificates are always checked",
}


def read_registries(root: Table, *, base: Path, user_wide: bool) -> tuple[RegistryConfig, ...]:
    """The registries that a file configures, in its order; problems go to the table's report.

    Args:
        root: the file.
        base: the folder that a relative `ca-file` starts from.
        user_wide: whether the file is the user's own.
    """
    configs: dict[str, RegistryConfig] = {}
    for name, table in root.tables("registries"):
        table.only(_KEYS, "a registry", _HINTS)
        host = table.attempt(None, parse_registry, name)
        if host is not None and host.lower() in configs:
            table.problem(None, f"configures {host}, as a table above does", "make them one table")
        ca_file = table.parsed("ca-file", base.joinpath, 'a file: "certs/ca.pem"')
        config = RegistryConfig(
            host=host or name,
            plain_http=table.flag("plain-http") or False,
            mirrors=table.parsed_list("mirrors", parse_mirror, 'a list: ["cache.example"]') or (),
            ca_file=ca_file,
            user_wide=user_wide,
        )
        configs[config.host.lower()] = config
    return tuple(configs.values())


def parse_mirror(text: str) -> str:
    """A mirror, `host[:port][/prefix]`, as it is.

    Raises:
        InvalidReference: it has a scheme, no host, or a prefix that is no repository's.
    """
    scheme, mark, _ = text.partition("://")
    if mark:
        raise InvalidReference(
            "a mirror has no scheme",
            mend=f'leave out "{safe(scheme, limit=40)}://"; a table of its own may ask for http',
        )
    if "@" in text:  # not repeated in the message: it may be a password
        raise InvalidReference("a mirror holds no user or password")
    host, slash, prefix = text.partition("/")
    parse_registry(host)
    if slash and not is_path(prefix):
        raise InvalidReference(f'"{safe(prefix, limit=160)}" is not a prefix of repositories')
    return text
