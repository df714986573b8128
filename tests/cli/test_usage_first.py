"""What is wrong with the command line is said before anything is read, opened or asked.

Every file that a command could read is broken here, and every registry is out of reach: a command
that looked at one of them first would complain of that.
"""

from __future__ import annotations

import itertools
import shlex
from typing import TYPE_CHECKING, Any, Final

import pytest

from pinner.cli.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


NOT_TOML: Final = "nonsense ["
# A command line, and what is said of it.
WRONG: Final = [
    ("init --platform x!", "invalid OS component"),
    ("init --nonsense", "no such option"),
    ("import", "missing argument 'FILE...'"),
    ("import --platform x! Dockerfile", "invalid OS component"),
    ("import --jobs 0 Dockerfile", "--jobs"),
    ("add", "missing argument '[NAME=]REF...'"),
    ("add debian Bad!!", "invalid reference format"),
    ("add Bad!!=debian", "cannot be a name"),
    ("add =debian", "cannot be a name"),
    ("add --jobs x debian", "--jobs"),
    ("remove", "missing argument 'NAME...'"),
    ("remove --jobs 65 x", "--jobs"),
    ("lock x", "unexpected extra argument (x)"),
    ("lock --jobs 0", "--jobs"),
    ("sync --platform x!", "invalid OS component"),
    ("sync --platform linux/amd64 --all-platforms", "exclude each other"),
    ("sync --jobs 0", "--jobs"),
    ("update --minimum-age x", "not a duration"),
    ("update --group-by x", "--group-by"),
    ("update --group-by image", "--group-by needs --branch"),
    ("update --base x", "--base needs --branch"),
    ("update --force", "--force needs --branch"),
    ("update --commit --branch x", "exclude each other"),
    ("update --commit --dry-run", "--dry-run changes nothing"),
    ("outdated --minimum-age x", "not a duration"),
    ("outdated --jobs 0", "--jobs"),
    ("diff a b c", "unexpected extra argument (c)"),
    ("diff --jobs 0", "--jobs"),
    ("rewrite --platform x!", "invalid OS component"),
    ("rewrite --unpin --platform linux/amd64", "--platform says nothing"),
    ("check --remote --jobs 0", "--jobs"),
    ("pull", "requires at least 1 argument"),
    ("pull debian Bad!!", "invalid reference format"),
    ("pull --platform x! debian", "invalid OS component"),
    ("pull -a debian:12", "tag can't be used with --all-tags"),
    ("pull --max-concurrent-downloads 65 debian", "--max-concurrent-downloads"),
    ("tag debian", "missing argument 'TARGET'"),
    ("tag debian Bad!!", "invalid reference format"),
    (f"tag debian x@sha256:{'0' * 64}", "has a digest"),
    ("rm", "missing argument 'NAME...'"),
    ("images a b", "unexpected extra argument (b)"),
    ("inspect", "missing argument 'NAME'"),
    ("verify --jobs 0", "--jobs"),
    ("verify x", "unexpected extra argument (x)"),
    ("prune --older-than x", "not a duration"),
    ("export --format x", "--format"),
    ("export --platform x! -o tar", "invalid OS component"),
    ("export --platform linux/arm64 --all-platforms -o tar", "exclude each other"),
    ("export --all debian -o tar", "exclude each other"),
    ("export --compose file -o tar", "takes no --compose"),
    ("export --format compose", "needs --compose"),
    ("export --format imgpkg --all", "takes no --all"),
    ("mirror", "missing argument 'TARGET'"),
    ("mirror nonsense", '"nonsense" is not a registry'),
    ("mirror registry.example/Bad!!", "is not a registry"),
    ("mirror registry.example --naming x", "--naming"),
    ("mirror registry.example --platform x!", "invalid OS component"),
    ("mirror registry.example --jobs 0", "--jobs"),
    ("serve x", "unexpected extra argument (x)"),
    ("serve --listen nonsense", "not an address to listen on"),
    ("serve --listen 127.0.0.1:65536", "not an address to listen on"),
    ("serve --listen images.example:5000", "cannot listen on"),
    ("serve --tls-cert cert.pem", "belong together"),
    ("serve --tls-cert none.pem --tls-key none.pem", "none.pem: cannot be read"),
    ("serve --htpasswd none", "none: there is no such file"),
    ("login Bad!!", "is not a registry"),
    ("login ada@registry.example", "holds no user or password"),
    ("login registry.example --password x --password-stdin", "mutually exclusive"),
    ("login registry.example --password-stdin", "Must provide --username"),
    ("login registry.example", "no terminal to ask for a user name"),
    ("login registry.example --username ada", "no terminal to ask for a password"),
    ("login registry.example --username", "requires an argument"),
    ("logout Bad!!", "is not a registry"),
    ("logout --all registry.example", "--all takes no registry"),
    ("auth nonsense", "no such command"),
    ("auth explain", "missing argument 'REFERENCE'"),
    ("auth explain Bad!!", "invalid reference format"),
    ("demo x", "unexpected extra argument (x)"),
    ("completion nonsense", "is not one of"),
    ("nonsense", "no such command"),
]


@pytest.fixture
def broken(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that nothing can be read from."""
    for path in (
        tmp_path / "images.toml",
        tmp_path / "images.lock",
        home / ".config/pinner/config.toml",
        home / ".docker/config.json",
        tmp_path / "store",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NOT_TOML)
    monkeypatch.setenv("PINNER_STORE", str(tmp_path / "store"))


@pytest.mark.parametrize(("line", "said"), WRONG)
@pytest.mark.usefixtures("broken")
def test_usage_comes_first(pinner: Callable[..., Any], line: str, said: str) -> None:
    ran = pinner(*shlex.split(line))
    assert said in ran.err
    assert (ran.code, ran.out) == (2, "")
    assert "is not TOML" not in ran.err


def test_no_command_is_left_out() -> None:
    commands = set(itertools.chain.from_iterable(COMMANDS.values()))
    assert commands <= {line.split()[0] for line, _ in WRONG}


def test_a_value_that_is_missing_is_told_with_its_command(pinner: Callable[..., Any]) -> None:
    assert "`pinner serve --help`" in pinner("serve", "--listen").err


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("prune --older-than x", 'write it like "30m", "12h", "3d" or "2w", or "0" for none'),
        ("sync --platform x", 'write it like "linux/arm64" or "linux/arm/v7"'),
        ("rewrite --platform x", 'write it like "linux/arm64" or "linux/arm/v7"'),
    ],
)
def test_a_value_that_cannot_be_read_is_told_with_how_to_write_it(
    pinner: Callable[..., Any], line: str, mend: str
) -> None:
    assert pinner(*line.split()).err.splitlines()[1:] == [f"  {mend}"]
