"""`sync --offline`: whatever the store lacks is the answer no, and nothing is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pinner.errors import AnswerNo

if TYPE_CHECKING:
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference, Repository


class OfflineSource:
    """Answers every request with `AnswerNo`."""

    def manifest(self, repository: Repository, digest: Digest) -> NoReturn:
        """Refuse: the manifest would have to be fetched."""
        raise _missing("manifest", repository, digest)

    def head(self, reference: Reference) -> None:
        """Nobody is asked, so nobody says."""

    def open_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        *,
        start: int = 0,
        end: int | None = None,
        avoid: frozenset[str] = frozenset(),
    ) -> NoReturn:
        """Refuse: the blob would have to be fetched."""
        del start, end, avoid
        raise _missing("blob", repository, descriptor.digest)

    def abort(self) -> None:
        """Nothing to cut."""


def _missing(kind: str, repository: Repository, digest: Digest) -> AnswerNo:
    return AnswerNo(
        f"the store lacks {kind} {digest} of {repository.familiar()}",
        mend="run `pinner sync` without --offline",
    )
