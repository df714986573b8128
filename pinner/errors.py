"""The error tree: every failure that pinner reports, sorted by whose fault it is.

    PinnerError                          exit code
      AnswerNo                           1  the answer is no: stale, outdated, missing, corrupt
      InputError                         2  wrong usage or a bad file
        FileProblems                     2  all problems of one file, reported at once
      RegistryError                      3  a registry or the network failed
        NotFound  AccessDenied  RateLimited  Unavailable  ProtocolError
      IntegrityError                     4  a digest, size or media type did not match
      StoreError                         5  the store or the disk failed

An error says what failed, where, and the mend (design section 7: one to three lines). Exceptions
of other libraries are converted where they enter, so nothing else ever reaches the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class PinnerError(Exception):
    """A failure with what, where and the mend.

    Attributes:
        what: one sentence, lower case, no full stop; names the image, file or digest.
        where: `file:line`, a URL without its query, or a path; empty where `what` says it.
        mend: further lines, each something that the user can know or do next.
    """

    exit_code: ClassVar[int] = 70
    code: ClassVar[str] = "internal"

    def __init__(self, what: str, *, where: str = "", mend: str | tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = (mend,) if isinstance(mend, str) else mend

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return "\n".join([head, *(f"  {line}" for line in self.mend)])


class AnswerNo(PinnerError):  # noqa: N818 - the answer is no; nothing went wrong
    """The question was answered, with no: stale, outdated, missing or corrupt."""

    exit_code = 1
    code = "no"


class InputError(PinnerError):
    """Wrong usage, or a file, reference or setting that cannot be used as it is."""

    exit_code = 2
    code = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a file: `where` is `file:line` or `file`."""

    where: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.mend}" if self.mend else "")


class FileProblems(InputError):  # noqa: N818 - a collection, named for what it holds
    """Every problem of one file at once, in the order of the file.

    Attributes:
        problems: at least one.
    """

    code = "file"

    def __init__(self, problems: tuple[Problem, ...], *, mend: str | tuple[str, ...] = ()) -> None:
        first = problems[0]
        super().__init__(first.what, where=first.where, mend=mend)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([*(str(p) for p in self.problems), *(f"  {line}" for line in self.mend)])


class RegistryError(PinnerError):
    """A registry or the network failed.

    Attributes:
        transient: whether asking again later may help.
        cause: the first error of the registry's answer in docker's form, safe to print:
            `manifest unknown: manifest unknown`; empty where it gave none.
    """

    exit_code = 3
    code = "registry"
    transient: bool = False
    cause: str = ""


class NotFound(RegistryError):  # noqa: N818
    """The registry says that it has no such repository, tag, manifest or blob."""

    code = "not-found"


class AccessDenied(RegistryError):  # noqa: N818
    """The registry refused the request, with or without credentials (401, 403)."""

    code = "denied"


class RateLimited(RegistryError):  # noqa: N818
    """The registry asks to slow down (429), for longer than pinner waits."""

    code = "rate-limited"
    transient = True


class Unavailable(RegistryError):  # noqa: N818
    """No usable answer: connection, DNS, TLS, timeouts, a cut body, 5xx."""

    code = "unavailable"
    transient = True


class ProtocolError(RegistryError):
    """An answer that breaks the distribution specification, or a redirect that is not followed."""

    code = "protocol"


class IntegrityError(PinnerError):
    """Bytes that are not what the digest, size or media type promised."""

    exit_code = 4
    code = "integrity"


class StoreError(PinnerError):
    """The store or the disk failed: full, read-only, not ours, not an OCI layout."""

    exit_code = 5
    code = "store"
