"""Every fuzz target over its corpus and a few made-up inputs, and what `make fuzz` is made of.

The targets' own promises are in tests/fuzz/targets. Here they run as they do by coverage, for a
moment; and each part of the machinery is shown to notice what it is there for.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import itertools
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import blind, campaign, grammar, guided, long, orders, report, results, running, seeds
from fuzz.__main__ import PAGE
from fuzz.__main__ import main as fuzz_main
from fuzz.shrink import shrunk
from fuzz.table import BY_NAME, TARGETS
from fuzz.target import Hang, Target, failure_of, printable, refusing
from pinner.errors import FileProblems, InputError, Problem
from support.tables import read_rows

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.unmeasured

every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@every_target
def test_corpus(target: Target) -> None:
    for data in seeds.inputs(target):
        target.check(data)


@every_target
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_made_up_inputs(target: Target, data: st.DataObject) -> None:
    target.check(data.draw(blind.made_up(target)))


@every_target
def test_tokens_over_and_over(target: Target) -> None:
    random = Random(7)
    for _ in range(30):
        target.check(long.made(target, random, size=20_000))


# Inputs too long for the tree: they took minutes, or hours with more of the same, or were echoed.
LONG = [
    pytest.param("dockerfile", b"RUN " + b"-" * 60_000 + b" x\n", id="dashes"),
    pytest.param("dockerfile", b"RUN " + b"--\xa0" * 20_000 + b" x\n", id="blanks-of-latin-1"),
    pytest.param(
        "spec",
        b'[images]\na = "debian"\n' + b"\n" * 50_000 + b'[settings]\n[images.b]\nimage = "x"\n',
        id="blank-lines-to-remove-behind",
    ),
    pytest.param(
        "lock",
        b"a = [" + (b"1" * 4_290 + b",") * 1_000 + b"1" * 5_000 + b"]\n",
        id="numbers-almost-too-long",
    ),
    pytest.param("terminal", b"https://" * 8_000, id="urls-in-a-row"),
    pytest.param(
        "spec", b"[images]\n" + b"0x1F" * 5_000 + b' = "debian"\n', id="a-name-to-write-in-full"
    ),
]


@pytest.mark.parametrize(("name", "data"), LONG)
def test_what_once_took_for_ever_ends(name: str, data: bytes) -> None:
    BY_NAME[name].check(data)


class TestCorpus:
    def test_each_file_has_a_reason_and_a_target(self) -> None:
        found = {target.name: set(seeds.corpus(target)) for target in TARGETS}
        told = {name: set(why) for name, why in seeds.reasons().items()}
        assert told == {name: files for name, files in found.items() if files}
        folders = {path.name for path in seeds.CORPUS.iterdir() if path.is_dir()}
        assert folders == set(told)

    def test_it_is_small(self) -> None:
        sizes = [path.stat().st_size for path in seeds.CORPUS.rglob("*") if path.is_file()]
        assert sum(sizes) < 200_000

    @every_target
    def test_each_target_has_somewhere_to_begin(self, target: Target) -> None:
        assert seeds.inputs(target)
        assert all(len(token) <= target.longest for token in target.tokens)


def _picky(data: bytes) -> None:
    """Fails where an x stands before a y; else within the documented refusal."""
    with refusing(InputError):
        assert not (b"x" in data and b"y" in data[data.index(b"x") :])
        if b"z" in data:
            raise InputError("it has a z")


PICKY = Target(name="picky", about="", run=_picky, seeds=lambda: [b"seed"], tokens=(b"x", b"y"))


class TestTargets:
    def test_a_documented_refusal_is_no_failure(self) -> None:
        assert failure_of(PICKY, b"z") == ""

    def test_a_failure_is_known_again_by_its_place(self) -> None:
        name = failure_of(PICKY, b"..x..y")
        assert name.startswith("AssertionError at tests/test_fuzz.py:")
        assert failure_of(PICKY, b"xy") == name

    def test_a_hang_is_one(self) -> None:
        def endless(_: bytes) -> None:
            while True:
                with contextlib.suppress(Exception):  # as careless code would
                    sum(range(1000))

        hanging = replace(PICKY, run=endless)
        with pytest.raises(Hang):
            hanging.check(b"", deadline=0.05)
        assert failure_of(hanging, b"", deadline=0.05) == "Hang"

    @pytest.mark.parametrize(
        "error",
        [
            pytest.param(InputError("a \x1b[2J"), id="what"),
            pytest.param(InputError("a", where="\u202e"), id="where"),
            pytest.param(InputError("a", mend="b\nc"), id="mend"),
            pytest.param(
                FileProblems((Problem(where="f", what="a"), Problem(where="f", what="\0"))),
                id="a further problem",
            ),
        ],
    )
    def test_a_refusal_that_cannot_be_printed_is_a_failure(self, error: InputError) -> None:
        with pytest.raises(AssertionError, match="not printable"), refusing(InputError):
            raise error

    def test_a_flood_is_a_failure(self) -> None:
        with pytest.raises(AssertionError, match="characters"):
            printable("a" * 100_000)

    def test_an_input_is_made_smaller(self) -> None:
        name = failure_of(PICKY, b"aaaa x aaa y aa")
        assert shrunk(PICKY, b"aaaa x aaa y aa", name) == b"xy"


class TestGrammar:
    """Our reference parser, and docker's published grammar as data."""

    @pytest.mark.parametrize("seed", range(8))
    def test_both_judges_agree(self, seed: int) -> None:
        for number in range(100):
            BY_NAME["grammar"].run(b"%d-%d" % (seed, number))

    def test_near_misses_are_of_both_kinds(self) -> None:
        random = Random(1)
        judged = [grammar.normalized(grammar.near_miss(random)) is None for _ in range(300)]
        assert 60 < sum(judged) < 240

    @pytest.mark.parametrize(
        "row", read_rows("references/parse.toml"), ids=lambda row: row["input"][:60]
    )
    def test_it_takes_apart_as_docker_does(self, row: dict[str, str]) -> None:
        parts = [row.get(key, "") for key in ("domain", "path", "tag", "digest")]
        expected = None if "error" in row else grammar.Read(*parts)
        assert grammar.split(row["input"]) == expected

    @pytest.mark.parametrize(
        "row", read_rows("references/normalized.toml"), ids=lambda row: row["input"][:60]
    )
    def test_it_normalises_as_docker_does(self, row: dict[str, str]) -> None:
        found = grammar.normalized(row["input"])
        assert (found is None) == ("error" in row)


class TestEngines:
    def test_hypothesis_finds_what_is_wrong_and_shrinks_it(self) -> None:
        found: dict[str, bytes] = {}
        executed = blind.run(PICKY, 0.01, found.__setitem__)
        assert list(found.values()) == [b"xy"]
        assert executed > 1

    def test_long_inputs_find_what_takes_longer_and_longer(self) -> None:
        def quadratic(data: bytes) -> None:
            for _ in data:
                sum(data)

        found: dict[str, bytes] = {}
        slow = replace(PICKY, run=quadratic, seeds=lambda: [b"a"], tokens=(b"a",))
        assert failure_of(slow, b"a" * 100, deadline=0.1) == ""
        long.run(slow, 0.01, found.__setitem__, Random(1), deadline=0.1)
        assert list(found) == ["Hang"]

    def test_of_a_failure_the_smallest_input_is_kept(self, tmp_path: Path) -> None:
        for data in (b"longer", b"x", b"longest of all"):
            guided.keep(tmp_path, "a failure", data)
        guided.keep(tmp_path, "another", b"yy")
        assert guided.failures(tmp_path) == {"a failure": b"x", "another": b"yy"}

    def test_what_libfuzzer_says(self) -> None:
        told = guided.read_log(
            "#2 INITED cov: 10 ft: 20\n#900 DONE   cov: 450 ft: 1787 corp: 135/69Kb\n"
            "stat::number_of_executed_units: 21644\nstat::new_units_added:          339\n"
        )
        assert told == guided.Told(executed=21644, edges=450, new=339, ended=True)

    def test_a_process_that_was_stopped_did_not_end(self) -> None:
        assert not guided.read_log("#2 INITED cov: 10\n==1== ERROR: libFuzzer: timeout").ended

    def test_a_run_is_a_row(self, tmp_path: Path) -> None:
        (row,) = campaign.run([BY_NAME["challenges"]], seconds=1, jobs=1, fresh=True, work=tmp_path)
        assert (row.target, row.failures) == ("challenges", ())
        assert row.executed > row.seeds > 0

    def test_a_steady_run_is_the_same_again(self, tmp_path: Path) -> None:
        target = replace(BY_NAME["spec"], steady=100)
        rows = [
            next(campaign.run([target], seconds=600, jobs=1, fresh=False, steady=True, work=work))
            for work in (tmp_path / "a", tmp_path / "b")
        ]
        first, second = (replace(row, seconds=0) for row in rows)
        assert first == second
        assert first.checksum
        assert first.failures == ()

    @pytest.mark.parametrize(
        ("process", "name"),
        [
            pytest.param("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV", id="dies"),
            pytest.param("re.fullmatch('(a*)*b', 'a' * 99)", "Hang in C", id="hangs-in-C"),
            pytest.param("bytearray(1 << 33)", "MemoryError", id="takes-memory"),
        ],
    )
    def test_what_ends_a_process_is_known_by_its_input(
        self, tmp_path: Path, process: str, name: str
    ) -> None:
        script = f"""
import os, re, signal, sys
from pathlib import Path
from fuzz import running
running._HARD = 0.2
at = running.Running.limited(Path(sys.argv[1]))
with at.input(b"good"):
    pass
with at.input(b"bad"):
    {process}
"""
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            cwd=campaign.ROOT,
            env={"PYTHONPATH": "tests"},
            capture_output=True,
            text=True,
            check=False,
        )
        noted = running.seen(tmp_path)
        assert (noted.executed, noted.last) == (2, b"bad")
        assert name in guided.ended(done.returncode) + done.stderr

    def test_a_process_that_dies_is_a_failure_with_its_input(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def killed(_target: Target, _seconds: int, folder: Path, _inputs: int) -> int:
            (folder / "log").touch()
            with running.Running(folder).input(b"the one"):
                return -11

        monkeypatch.setattr(campaign, "_ran", killed)
        (row,) = campaign.run([PICKY], seconds=1, jobs=1, fresh=True, work=tmp_path)
        assert row.failures == ("the process ended with SIGSEGV",)
        assert guided.failures(tmp_path / "picky") == {row.failures[0]: b"the one"}

    def test_a_run_that_breaks_is_a_failure(self, tmp_path: Path) -> None:
        (row,) = campaign.run([PICKY], seconds=1, jobs=1, fresh=True, work=tmp_path)
        assert row.failures
        assert row.failures[0].startswith("stopped before its time")

    def test_one_input_is_run_by_hand(self, tmp_path: Path) -> None:
        path = tmp_path / "input"
        path.write_bytes(b'Basic realm="x')
        command = [sys.executable, "-m", "fuzz", "--targets", "challenges", "--input", str(path)]
        environment = {"PYTHONPATH": "tests"}
        done = subprocess.run(command, cwd=campaign.ROOT, env=environment, check=False)
        assert done.returncode == 0


class TestCi:
    """`make fuzz ARGS=--ci`, which may refuse a change to main."""

    NAMED = (  # by the issue that asked for it
        *("references", "challenges", "spec", "lock", "documents", "layers", "packages"),
        *("dockerfile", "yaml"),
    )

    def test_its_targets_are_those_that_were_asked_for(self) -> None:
        assert [target.name for target in TARGETS if target.steady] == list(self.NAMED)

    @pytest.fixture
    def rows(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[results.Row]:
        """What a run comes to, made up: nothing is run."""
        row = results.load()[0]
        rows = [replace(row, target="spec", failures=()), replace(row, target="lock", failures=())]
        monkeypatch.setattr(campaign, "WORK", tmp_path)
        monkeypatch.setattr(campaign, "run", lambda _targets, **_options: iter(rows))
        return rows

    def test_nothing_found_is_done(
        self, rows: list[results.Row], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert fuzz_main(["--ci"]) == 0
        shown = capsys.readouterr()
        assert shown.out.splitlines()[0].split()[:3] == ["target", "inputs", "a"]
        assert [line.split()[0] for line in shown.out.splitlines()[1:]] == ["spec", "lock"]

    def test_a_finding_is_told_with_its_input(
        self, rows: list[results.Row], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        guided.keep(tmp_path / "lock", "a failure", b"the input")
        rows[1] = replace(rows[1], failures=("a failure", "another, whose log tells"))
        assert fuzz_main(["--ci"]) == 1
        told = capsys.readouterr().err
        (packed,) = re.findall(r"echo (\S+) \| base64 -d \| gunzip > fixtures/fuzz/lock/NAME", told)
        assert gzip.decompress(base64.b64decode(packed)) == b"the input"
        (path,) = re.findall(r"again: +make fuzz ARGS='--targets lock --input (\S+)'", told)
        assert Path(path).read_bytes() == b"the input"
        assert "FAILED, another, whose log tells" in told

    def test_a_machine_without_atheris_says_so(
        self,
        rows: list[results.Row],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(campaign, "engine", lambda: campaign.BLIND)
        assert fuzz_main(["--ci"]) == 0
        assert "atheris has no wheel here" in capsys.readouterr().err

    def test_no_line_is_taken_for_the_summary_of_pytest(
        self, rows: list[results.Row], capsys: pytest.CaptureFixture[str]
    ) -> None:
        guided.keep(campaign.WORK / "spec", "a failed in 1.5s", b"x")
        rows[0] = replace(rows[0], failures=("a failed in 1.5s",))
        fuzz_main(["--ci"])
        shown = capsys.readouterr()
        assert not re.search(r"(?m)^=", shown.out + shown.err)


class TestOrders:
    """The second judge of versions, in cases from the manuals of dpkg and rpm."""

    @pytest.mark.parametrize(
        ("judge", "ordered"),
        [
            (orders.dpkg, ["1.0~~", "1.0~~a", "1.0~", "1.0", "1.0a", "1.0+", "1.0.1", "1:0~1"]),
            (orders.rpm, ["1.0~rc1", "1.0", "1.0^git1", "1.0.1", "1.1", "1.02", "1.10"]),
        ],
    )
    def test_older_comes_first(self, judge: Callable[[str, str], int], ordered: list[str]) -> None:
        for (at, one), (place, other) in itertools.product(enumerate(ordered), repeat=2):
            assert judge(one, other) == (at > place) - (at < place), (one, other)


def test_the_page_shows_the_stored_results() -> None:
    rows = results.load()
    assert [row.target for row in rows] == list(BY_NAME)
    shown = PAGE.read_text(encoding="utf-8")
    assert report.placed(shown, report.render(rows)) == shown


def test_rows_are_stored_and_read_the_same() -> None:
    assert results.dumps(results.load()) == results.RESULTS.read_text(encoding="utf-8")


def test_a_page_without_the_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        report.placed("# A page\n", "table")
