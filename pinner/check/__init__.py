"""`pinner check`: are lockfile and files as images.toml says, and do registries still serve it."""

from pinner.check.judge import CheckResult, judge
from pinner.check.remote import RemoteImage, ask_registries

__all__ = ["CheckResult", "RemoteImage", "ask_registries", "judge"]
