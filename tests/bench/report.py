"""Results as Markdown, and the place in docs/performance.md where they stand."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import subprocess
from typing import TYPE_CHECKING, Final

from support.programs import find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.measure import Result
    from bench.serving import Load

MAIN: Final = "bench"
PULLING: Final = "bench:pull"
SERVING: Final = "bench:serve"
_GOALS: Final = (
    ("pinner sync", 1 / 3, "skopeo copy"),
    ("pinner sync", 1 / 3, "ctr content fetch"),
    ("pinner sync", 1.5, "curl --parallel"),
    ("pinner lock, 100 entries", 1 / 3, "skopeo inspect --raw, 100 times"),
    ("pinner outdated, 100 entries, near", 1 / 10, "skopeo inspect --raw, 100 times, near"),
    (
        "pinner outdated, 100 entries, 50 ms away",
        1 / 10,
        "skopeo inspect --raw, 100 times, 50 ms away",
    ),
    ("pinner --version", 3, "python -c pass"),
    ("pinner lock --check, 100 entries", 6, "python -c pass"),
    ("pinner, packages of a layer", 1.5, "gzip -dc | tar -t"),
    ("pinner export -o FILE", 1.3, "tar -c -f FILE"),
    ("pinner export -o FILE", 1.3, "tar -c -f FILE; sync FILE"),
    ("pinner export | cat", 1.3, "tar -c | cat"),
)
_MEMORY: Final = ("pinner sync", 100_000_000)
_SECONDS: Final = ("pinner check", 1.0)
_VERSIONS: Final = (
    ("docker-registry", "--version"),
    ("skopeo", "--version"),
    ("containerd", "--version"),
    ("curl", "--version"),
)
_PULLERS: Final = (*_VERSIONS[:2], ("dockerd", "--version"))
_SERVERS: Final = (("docker-registry", "--version"), ("nginx", "-v"), ("wrk", "-v"))
_PROGRAMS: Final = {MAIN: _VERSIONS, PULLING: _PULLERS, SERVING: _SERVERS}


def table(results: Mapping[str, Result], baseline: str) -> str:
    """One row a contestant, in their order; `baseline` has factor 1."""
    unit = results[baseline].seconds
    rows = [
        f"| {_cell(result.name)} | {result.seconds:.3f} s | {result.fastest:.3f} s"
        f" | {result.slowest:.3f} s | {result.seconds / unit:.2f} | {result.flush:.2f} s"
        f" | {result.cpu:.2f} s | {result.peak / 1e6:.0f} MB |"
        for result in results.values()
    ]
    head = [
        "| command | median | fastest | slowest | factor | then flushed | CPU | peak memory |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*head, *rows])


def _cell(text: str) -> str:
    """A command for a cell, where a bar would begin the next one."""
    return text.replace("|", "\\|")


def goals(results: Mapping[str, Result]) -> list[str]:
    """What issue and design ask for beside what was measured; nothing without pinner."""
    rows = [
        f"| {_cell(command)} | {wanted:.2g} times {_cell(rival)}"
        f" | {results[command].seconds / results[rival].seconds:.2f} |"
        for command, wanted, rival in _GOALS
        if command in results
    ]
    command, most = _MEMORY
    if command in results:
        peak = results[command].peak
        rows.append(f"| {command}, peak memory | {most / 1e6:.0f} MB | {peak / 1e6:.0f} MB |")
    command, longest = _SECONDS
    if command in results:
        rows.append(f"| {command} | {longest:.0f} s | {results[command].seconds:.2f} s |")
    head = ["| command | at most | measured |", "|---|---|---:|"]
    return ["**Goals**", "\n".join([*head, *rows])] if rows else []


def rates(loads: Mapping[str, Load], figure: str, baseline: str) -> str:
    """One row a server; `baseline` has factor 1.

    Args:
        loads: by server.
        figure: what counts, `requests` or `megabytes`.
        baseline: the server that the others are compared with.
    """
    unit = loads[baseline].median(figure)
    shown, each = {"requests": ("requests/s", "request"), "megabytes": ("MB/s", "MB")}[figure]
    rows = [
        f"| {load.name} | {load.median(figure):.0f} | {load.lowest(figure):.0f}"
        f" | {load.highest(figure):.0f} | {load.median(figure) / unit:.2f}"
        f" | {load.median('slowest') * 1000:.1f} ms | {load.cpu_each(figure) * 1e6:.0f} µs |"
        for load in loads.values()
    ]
    head = [
        f"| server | {shown} | lowest | highest | factor | 99 of 100 in | CPU for each {each} |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*head, *rows])


def first_and_second(times: Mapping[str, tuple[float, float]]) -> str:
    """One row a server, seconds of two requests."""
    rows = [f"| {name} | {a * 1000:.0f} ms | {b * 1000:.0f} ms |" for name, (a, b) in times.items()]
    return "\n".join(["| server | first | second |", "|---|---:|---:|", *rows])


def serving_goals(factors: Mapping[str, float]) -> list[str]:
    """How many times docker-registry's rate is served, beside the goal: as fast."""
    rows = [f"| {what} | 1.00 | {factor:.2f} |" for what, factor in factors.items()]
    head = ["| pinner serve, times docker-registry | at least | measured |", "|---|---:|---:|"]
    return ["**Goals**", "\n".join([*head, *rows])]


def machine(folder: Path, block: str = MAIN) -> str:
    """Where it was measured, and with which programs, as a list."""
    today = dt.datetime.now(dt.UTC).date().isoformat()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    kind = _first_line("stat", "-f", "-c", "%T", str(folder))
    lines = [
        f"{today}, {_processor()}, {os.cpu_count()} cores, {memory:.0f} GB memory",
        f"{platform.system()} {platform.release()}, files on {kind}",
        f"Python {platform.python_version()}, "
        + ", ".join(_short(_first_line(*command)) for command in _PROGRAMS[block]),
    ]
    return "\n".join(f"- {line}" for line in lines)


def short_machine(folder: Path) -> str:
    """Where and when it was measured, as one line."""
    return machine(folder).partition("\n")[0]


def rows(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are figures."""
    rule = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join([_line(head), rule, *map(_line, lines)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def write(document: Path, text: str, block: str = MAIN) -> None:
    """Replace what stands between the markers of a block, which the document has."""
    begin, end = f"<!-- {block}:begin, written by `make bench` -->", f"<!-- {block}:end -->"
    before, _, rest = document.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{document} lacks the lines {begin} and {end}")
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:  # noqa: PTH123 - as any file
            names = re.findall(r"model name\s*: (.*)", file.read())
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def _first_line(program: str, *arguments: str) -> str:
    argv: Sequence[str] = (find(program) or program, *arguments)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).partition("\n")[0]  # nginx says its version on stderr


def _short(line: str) -> str:
    """`skopeo version 1.9.3` as `skopeo 1.9.3`; the longer ones have it elsewhere."""
    name = line.split(maxsplit=1)[0].rpartition("/")[2]
    found = re.search(r"\d+\.\d+\.\d+", line)
    return f"{name} {found[0]}" if found else name
