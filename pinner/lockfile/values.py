"""The values of a lockfile in the one spelling that each has; `InputError` for any other."""

from __future__ import annotations

from pinner.errors import InputError
from pinner.oci.reference import InvalidReference, Repository, is_tag
from pinner.terminal import safe
from pinner.tomlfiles.names import NAME_RULE, is_name


def parse_name(text: str) -> str:
    """The name of an entry."""
    if not is_name(text):
        raise InputError(f'"{safe(text, limit=80)}" is not a name', mend=NAME_RULE)
    return text


def parse_repository(text: str) -> Repository:
    """A repository, in full: short names are for people."""
    repository = Repository.parse(text)
    if str(repository) != text:
        raise InvalidReference(f'"{safe(text, limit=300)}" is written "{repository}"')
    return repository


def parse_tag(text: str) -> str:
    """A tag."""
    if not is_tag(text):
        raise InvalidReference(f'"{safe(text, limit=160)}" is not a tag')
    return text
