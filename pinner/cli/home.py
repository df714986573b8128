"""The user's home folder, which a process in a container may not have."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pinner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def home_needed() -> Iterator[None]:
    """Within the context, a home folder that nobody knows is the user's to mend.

    Raises:
        InputError: neither HOME nor the user database names it.
    """
    try:
        yield
    except RuntimeError as error:  # of pathlib and platformdirs
        raise InputError(
            "this user has no home folder, so settings and the store cannot be found",
            mend="set HOME to a folder that may be written to",
        ) from error
