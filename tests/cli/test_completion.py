"""Shell completion: scripts that shells take, and candidates that are right."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SPEC = '[images]\nnode = "node:22"\nnginx = "nginx"\n[images.postgres]\nimage = "postgres"\n'


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_script(shell_name: str) -> None:
    script = subprocess.run(
        [sys.executable, "-m", "pinner", "completion", shell_name],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"_PINNER_COMPLETE={shell_name}_complete" in script
    interpreter = shutil.which(shell_name)
    if interpreter is None:
        pytest.skip(f"no {shell_name} here")
    check = ["--no-execute"] if shell_name == "fish" else ["-n"]
    subprocess.run([interpreter, *check], input=script, text=True, check=True)


def complete(shell: Any, line: str) -> list[str]:
    words = line.split(" ")
    environ = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    with pytest.MonkeyPatch.context() as patch:  # click reads the words from the real environment
        for name, value in environ.items():
            patch.setenv(name, value)
        ran = shell(_PINNER_COMPLETE="bash_complete")
    assert ran.code == 0
    assert ran.err == ""
    return [row.split(",", 1)[1] for row in ran.out.splitlines() if row]


def test_a_command_is_completed(shell: Any) -> None:
    assert complete(shell, "pinner gr") == ["greet"]


def test_an_option_is_completed(shell: Any) -> None:
    assert complete(shell, "pinner greet --pl") == ["--platform"]
    assert complete(shell, "pinner greet --js") == ["--json"]


def test_the_name_of_an_entry_is_completed(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "images.toml").write_text(SPEC)
    assert complete(shell, "pinner greet n") == ["node", "nginx"]
    assert complete(shell, "pinner greet node p") == ["postgres"]


def test_entries_of_another_folder_are_completed(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/images.toml").write_text(SPEC)
    assert complete(shell, "pinner --directory sub greet po") == ["postgres"]


@pytest.mark.parametrize("spec", ["", "images = 3", "[images", "\udc80"])
def test_a_bad_spec_completes_nothing(shell: Any, tmp_path: Path, spec: str) -> None:
    (tmp_path / "images.toml").write_bytes(spec.encode(errors="surrogateescape"))
    assert complete(shell, "pinner greet n") == []


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_bash_itself_completes(tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "pinner").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pinner "$@"\n')
    (bin_folder / "pinner").chmod(0o755)
    typed = (
        'eval "$(pinner completion bash)"; COMP_WORDS=(pinner comp); COMP_CWORD=1;'
        ' _pinner_completion pinner; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", typed],
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "completion\n"
