"""Commands that use images.lock refuse one that does not answer images.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.errors import AnswerNo, InputError
from pinner.freshness import Kind, staleness

if TYPE_CHECKING:
    from pinner.lockfile import Lock
    from pinner.spec import Spec


def require_fresh(spec: Spec, lock: Lock, *, frozen: bool, command: str) -> None:
    """Refuse an injected lock always, and a stale one unless `--frozen` is given.

    Raises:
        InputError: the lock names another image than the spec.
        AnswerNo: it is stale.
    """
    findings = staleness(spec, lock)
    for finding in findings:
        if finding.kind is Kind.IDENTITY:
            raise InputError(finding.what, where="images.lock", mend="run `pinner lock`")
    if findings and not frozen:
        others = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
        raise AnswerNo(
            f"{findings[0].what}{others}",
            where="images.lock",
            mend=f"run `pinner lock`, or `pinner {command} --frozen` to take it as it is",
        )
