"""The steps of action.yml and of docs/bots.md, run against a bare repository as the platform."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from docpages import markdown
from pinner.clock import SystemClock
from pinner.demo.publications import first_publications, rebuilt_debian
from pinner.demo.registry import open_registry
from support import publishers
from support.gitrepos import IDENTITY, Ground, environment

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parents[1]
ACTION: Final = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
PINNER: Final = "support.publishers"  # update without registries; one test below has pinner itself
BRANCH: Final = "pinner/update"
# What `gh` makes of the list of pull requests, by jq, in action.yml.
JQ: Final[dict[str, Callable[[list[dict[str, Any]]], list[str]]]] = {
    "map(select(.isCrossRepository | not)) | .[0].number // empty": lambda pulls: [
        str(pull["number"]) for pull in pulls if not pull["isCrossRepository"]
    ][:1],
    ".[].headRefOid": lambda pulls: [pull["headRefOid"] for pull in pulls],
}
GH: Final = """
import json, pathlib, subprocess, sys
sys.path[:0] = {path!r}
from test_bots import JQ
state = pathlib.Path({state!r})
pulls = json.loads(state.read_text()) if state.exists() else []
kind, verb, *words = sys.argv[1:]
assert kind == "pr", sys.argv
options = {{}}
for word in words:
    name, _, value = word.partition("=")
    options.setdefault(name, []).append(value)
with open({log!r}, "a") as log:
    body = options.get("--body-file")
    text = pathlib.Path(body[0]).read_text() if body else None
    log.write(json.dumps([verb, {{k: v for k, v in options.items() if k != "--body-file"}}, text]))
    log.write("\\n")
if verb == "list":
    head, state = options["--head"][0], options["--state"][0]
    for pull in pulls:
        pull["headRefOid"] = pull.get("headRefOid") or subprocess.run(
            ["git", "ls-remote", "origin", "refs/heads/" + head], capture_output=True, text=True
        ).stdout.split("\\t")[0]
    found = [p for p in pulls if p["head"] == head and state in ("all", p["state"])]
    print(*JQ[options["--jq"][0]](found), sep="\\n")
elif verb == "create":
    pull = {{"number": len(pulls) + 1, "head": options["--head"][0], "state": "open",
            "isCrossRepository": False}}
    state.write_text(json.dumps([*pulls, pull]))
    print("Creating pull request", file=sys.stderr)
    print(f"https://forge.test/pull/{{pull['number']}}")
else:
    print(f"https://forge.test/pull/{{words[0]}}")
"""


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@dataclass(frozen=True, slots=True)
class Forge:
    """A platform's repository, and the tags of the images that a project in it wants."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Forge:
        forge = cls(folder)
        forge.git("init", "--quiet", "--bare", "--initial-branch=main", str(forge.bare))
        forge.git("-C", str(forge.bare), "config", "receive.advertisePushOptions", "true")
        author = Ground.make(folder / "author")
        author.git("remote", "add", "origin", str(forge.bare))
        author.commit(publishers.project(node="1", python="1"))
        author.git("push", "--quiet", "origin", "main")
        forge.tags("python 1")
        program(
            folder / "bin/pinner",
            f"import runpy, sys\nsys.path[:0] = {[str(ROOT / 'tests'), str(ROOT)]!r}\n"
            f"runpy.run_module({PINNER!r}, run_name='__main__')\n",
        )
        return forge

    @property
    def bare(self) -> Path:
        return self.folder / "bare"

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            env=environment(**IDENTITY),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def tags(self, *lines: str) -> None:
        (self.folder / "tags").write_text("\n".join(lines))

    def tip(self, branch: str = BRANCH) -> str:
        return self.git(
            "-C", str(self.bare), "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}"
        )

    def log(self, *arguments: str) -> str:
        return self.git("-C", str(self.bare), "log", *arguments)

    def by_hand(self, branch: str, files: dict[str, str]) -> str:
        """A commit of somebody's on a branch, pushed."""
        author = Ground(self.folder / "author")
        author.git("fetch", "--quiet", "origin")
        author.git("checkout", "--quiet", "-B", "mine", f"origin/{branch}")
        commit = author.commit(files)
        author.git("push", "--quiet", "origin", f"HEAD:{branch}")
        return commit

    def run(
        self,
        script: str,
        *,
        env: dict[str, str],
        code: int = 0,
        clone: tuple[str, ...] = ("--depth=1",),
        detach: bool = False,
    ) -> str:
        """Run a script in a fresh clone; what it wrote to stderr."""
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        self.git("clone", "--quiet", *clone, f"file://{self.bare}", str(work))
        if detach:
            self.git("-C", str(work), "checkout", "--quiet", "--detach")
            self.git("-C", str(work), "branch", "--quiet", "-D", "main")
        (self.folder / "temp").mkdir(exist_ok=True)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", script],
            cwd=work,
            env={
                **environment(),
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "XDG_CONFIG_HOME": os.environ["XDG_CONFIG_HOME"],
                "LANG": "C.UTF-8",
                publishers.TAGS: str(self.folder / "tags"),
                "RUNNER_TEMP": str(self.folder / "temp"),
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stderr


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge.make(tmp_path)


@dataclass(frozen=True, slots=True)
class GitHub:
    """The composite action, with a `gh` that keeps a list of pull requests."""

    forge: Forge

    def run(
        self,
        *,
        code: int = 0,
        prefix: str = "",
        clone: tuple[str, ...] = ("--depth=1",),
        **inputs: str,
    ) -> str:
        """Run the step that updates, with these inputs."""
        for name in ("out", "steps"):
            (self.forge.folder / name).write_text("")
        (self.forge.folder / "gh.log").write_text("")
        step = ACTION["runs"]["steps"][1]
        given = {name: about.get("default", "") for name, about in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        env = {
            name: given["base"] or "main" if name == "BASE" else given[_input(text)]
            for name, text in step["env"].items()
        }
        env |= {
            "GITHUB_OUTPUT": str(self.forge.folder / "out"),
            "GITHUB_STEP_SUMMARY": str(self.forge.folder / "steps"),
        }
        return self.forge.run(prefix + step["run"], env=env, code=code, clone=clone)

    @property
    def outputs(self) -> dict[str, str]:
        lines = (self.forge.folder / "out").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def calls(self) -> list[tuple[str, dict[str, list[str]], str | None]]:
        """What changed on the platform: verb, options, body."""
        lines = (self.forge.folder / "gh.log").read_text().splitlines()
        return [tuple(call) for line in lines if (call := json.loads(line))[0] != "list"]

    @property
    def pulls(self) -> Path:
        return self.forge.folder / "pulls.json"


def _input(text: str) -> str:
    """The input that an expression names."""
    return text.removeprefix("${{ inputs.").removesuffix(" }}")


@pytest.fixture
def github(forge: Forge) -> GitHub:
    github = GitHub(forge)
    program(
        forge.folder / "bin/gh",
        GH.format(
            path=[str(ROOT / "tests"), str(ROOT)],
            state=str(github.pulls),
            log=str(forge.folder / "gh.log"),
        ),
    )
    return github


class TestGitHub:
    def test_nothing_new(self, github: GitHub) -> None:
        github.run()
        assert (github.forge.tip(), github.calls) == ("", [])
        assert github.outputs == {"changed": "false", "pull-request": ""}

    def test_the_first_run_opens_a_pull_request(self, github: GitHub) -> None:
        github.forge.tags("python 2")
        github.run(labels="dependencies\nmore words\n")
        assert github.calls == [
            (
                "create",
                {
                    "--head": [BRANCH],
                    "--base": ["main"],
                    "--title": ["build(images): update python bookworm to 22222222"],
                    "--label": ["dependencies", "more words"],
                },
                "# 1 updated\n",
            )
        ]
        assert github.outputs == {
            "changed": "true",
            "pull-request": "https://forge.test/pull/1",
        }
        assert github.forge.log("-1", "--format=%an <%ae> %cn", BRANCH) == (
            "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com> "
            "github-actions[bot]"
        )
        assert (github.forge.folder / "steps").read_text() == "# 1 updated\n"

    def test_a_second_run_leaves_it(self, github: GitHub) -> None:
        github.forge.tags("python 2")
        github.run()
        tip = github.forge.tip()
        github.run()
        assert (github.forge.tip(), github.calls) == (tip, [])
        assert github.outputs["changed"] == "false"

    def test_a_newer_image_refreshes_it(self, github: GitHub) -> None:
        github.forge.tags("python 2")
        github.run()
        github.forge.tags("python 3", "node 3")
        github.run(title="My title")
        ((verb, options, body),) = github.calls
        assert (verb, options["--title"], body) == ("edit", ["My title"], "# 2 updated\n")
        assert github.forge.log("--format=%s", f"main..{BRANCH}") == (
            "build(images): update node and python"
        )
        assert github.outputs["pull-request"] == "https://forge.test/pull/1"

    def test_a_newer_base_refreshes_it(self, github: GitHub) -> None:
        github.forge.tags("python 2")
        github.run()
        main = github.forge.by_hand("main", {"code": "x"})
        github.run()
        assert github.forge.log("-1", "--format=%P", BRANCH) == main
        assert [call[0] for call in github.calls] == ["edit"]

    def test_a_whole_clone_stays_whole(self, github: GitHub) -> None:
        github.forge.tags("python 2")
        github.run(clone=())
        github.forge.by_hand("main", {"code": "x"})
        github.run(clone=())
        assert [call[0] for call in github.calls] == ["edit"]
        work = Ground(github.forge.folder / "work")
        assert work.git("rev-parse", "--is-shallow-repository") == "false"

    def test_somebodys_commit_is_kept(self, github: GitHub) -> None:
        github.forge.tags("python 2")
        github.run()
        commit = github.forge.by_hand(BRANCH, {"fix": "x"})
        github.forge.tags("python 3")
        errors = github.run(code=1)
        assert "has a commit that pinner did not make" in errors
        assert (github.forge.tip(), github.calls) == (commit, [])
        github.run(args="--force")
        assert "fix" not in github.forge.log("--format=", "--name-only", f"main..{BRANCH}")

    def test_a_closed_pull_request_stays_closed(self, github: GitHub) -> None:
        github.forge.tags("python 2")
        github.run()
        github.pulls.write_text(github.pulls.read_text().replace("open", "closed"))
        github.run()
        assert github.calls == []
        github.forge.tags("python 3")
        github.run()
        assert [call[0] for call in github.calls] == ["create"]

    def test_what_could_not_be_opened_is_opened_later(self, github: GitHub) -> None:
        github.forge.tags("python 2")
        github.run()
        tip = github.forge.tip()
        github.pulls.unlink()
        github.run()
        assert ([call[0] for call in github.calls], github.forge.tip()) == (["create"], tip)

    def test_a_forks_pull_request_is_not_touched(self, github: GitHub) -> None:
        fork = {"number": 7, "head": BRANCH, "state": "open", "isCrossRepository": True}
        github.pulls.write_text(json.dumps([{**fork, "headRefOid": "0" * 40}]))
        github.forge.tags("python 2")
        github.run()
        assert [call[0] for call in github.calls] == ["create"]

    def test_a_branch_for_each(self, github: GitHub) -> None:
        github.forge.tags("python 2", "node 2")
        github.run(args="--group-by\nimage")
        assert [(call[1]["--head"], call[1]["--title"]) for call in github.calls] == [
            ([f"{BRANCH}/node"], ["build(images): update node bookworm to 22222222"]),
            ([f"{BRANCH}/python"], ["build(images): update python bookworm to 22222222"]),
        ]
        assert "python: bookworm" in (github.calls[1][2] or "")
        node = github.forge.tip(f"{BRANCH}/node")
        github.forge.tags("python 3", "node 2")
        github.run(args="--group-by\nimage")
        assert [call[0] for call in github.calls] == ["edit"]
        assert github.forge.tip(f"{BRANCH}/node") == node

    def test_hostile_inputs_are_arguments(self, github: GitHub, tmp_path: Path) -> None:
        evil = f"'\"; touch {tmp_path}/ran; $(touch {tmp_path}/ran) `touch {tmp_path}/ran` * -x"
        github.forge.tags("python 2")
        github.run(
            title=evil,
            labels=evil,
            base=evil,
            args=f"--minimum-age\n{evil}\n{evil}",
            seen="it's $(seen)",
            summary="my summary.md",
        )
        ((_, options, _),) = github.calls
        assert options["--title"] == [evil]
        assert options["--label"] == [evil]
        assert options["--base"] == [evil]
        work = github.forge.folder / "work"
        assert (work / "it's $(seen)").read_text() == f"{(evil,)} {evil}\n"
        assert (work / "my summary.md").read_text() == "# 1 updated\n"
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize(
        "branch", ["", "-x", "a b", "$(touch ran)", "x;touch ran", "*", "a\nb"]
    )
    def test_hostile_branches_are_refused(self, github: GitHub, branch: str) -> None:
        github.forge.tags("python 2")
        github.run(branch=branch, code=2)
        assert github.calls == []
        assert not (github.forge.folder / "work/ran").exists()

    def test_a_project_in_a_folder(self, github: GitHub) -> None:
        files = publishers.project(python="1")
        github.forge.by_hand("main", {f"a 'b/{name}": text for name, text in files.items()})
        github.forge.tags("python 2")
        github.run(directory="a 'b", seen="seen")
        changed = github.forge.log("-1", "-z", "--format=", "--name-only", BRANCH)
        assert changed.strip("\0") == "a 'b/images.lock"
        assert (github.forge.folder / "work/seen").exists()

    def test_failures_show_after_the_others_are_pushed(self, github: GitHub) -> None:
        github.forge.tags("python 2", "node 2")
        github.run(args="--group-by\nimage")
        github.forge.by_hand(f"{BRANCH}/node", {"fix": "x"})
        github.forge.tags("python 3", "node 3")
        github.run(args="--group-by\nimage", code=1)
        assert [call[0] for call in github.calls] == ["edit"]
        assert github.outputs["changed"] == "true"

    def test_what_a_runner_kept_does_not_count(self, github: GitHub) -> None:
        github.forge.tags("python 2")
        somebody = "git -c user.name=x -c user.email=x@test.example"
        commit = f'$({somebody} commit-tree -p HEAD -m x "HEAD^{{tree}}")'
        github.run(prefix=f'git branch "$BRANCH" "{commit}"\n')
        assert [call[0] for call in github.calls] == ["create"]

    def test_installing(self, forge: Forge) -> None:
        program(
            forge.folder / "bin/py thon",
            "import pathlib, sys\n"
            "folder = pathlib.Path(sys.argv[3]) / 'bin'\nfolder.mkdir(parents=True)\n"
            "python = folder / 'python'\n"
            'python.write_text(\'#!/bin/sh\\nprintf "%s\\\\n" "$@" > "$RUNNER_TEMP/pip"\')\n'
            "python.chmod(0o755)\n",
        )
        step = ACTION["runs"]["steps"][0]
        for version, wanted in (("", "image-pinner"), ("1.2", "image-pinner==1.2")):
            temp = forge.folder / f"temp {version}"
            temp.mkdir()
            env = {
                "PYTHON": str(forge.folder / "bin/py thon"),
                "VERSION": version,
                "RUNNER_TEMP": str(temp),
                "GITHUB_PATH": str(forge.folder / "path"),
            }
            forge.run(step["run"], env=env)
            assert (temp / "pip").read_text().split() == [
                *("-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                wanted,
            ]
            assert (forge.folder / "path").read_text().splitlines()[-1] == f"{temp}/pinner/bin"


def test_with_pinner_itself_the_body_says_what_the_update_fixes(
    github: GitHub, tmp_path: Path
) -> None:
    forge = github.forge
    program(
        forge.folder / "bin/pinner",
        f"import runpy, sys\nsys.path[:0] = [{str(ROOT)!r}]\n"
        "runpy.run_module('pinner', run_name='__main__')\n",
    )
    with open_registry(tmp_path / "registry", clock=SystemClock()) as registry:
        registry.publish(first_publications())
        image = f"{registry.host}/debian:bookworm"
        files = {"images.toml": f'[images]\ndebian = "{image}"\n', "Dockerfile": f"FROM {image}\n"}
        author = Ground(forge.folder / "author")
        author.write(files)
        locked = subprocess.run(
            [sys.executable, "-P", "-m", "pinner", "lock", "--quiet"],
            cwd=author.folder,
            env=environment(),
            check=True,
            capture_output=True,
            text=True,
        )
        assert "Locked 1 image" in locked.stdout
        forge.by_hand("main", {**files, "images.lock": (author.folder / "images.lock").read_text()})
        github.run(args="--fetch")
        assert (forge.tip(), github.calls) == ("", [])

        registry.publish([rebuilt_debian()])
        github.run(args="--fetch\n--rewrite")
        ((verb, options, body),) = github.calls
        assert (verb, options["--head"]) == ("create", [BRANCH])
        assert body is not None
        assert body.startswith("### Update 1 image: 4 CVEs named fixed\n")
        assert "**Files:** `images.lock`, `Dockerfile:1`." in body
        tip = forge.tip()
        moved = rebuilt_debian().image.digest
        assert (
            forge.git("-C", str(forge.bare), "show", f"{tip}:Dockerfile") == f"FROM {image}@{moved}"
        )

        github.run(args="--fetch\n--rewrite")
        assert (forge.tip(), github.calls) == (tip, [])


def test_no_expression_stands_in_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert all(text.startswith("${{ inputs.") for text in step["env"].values())


def test_every_input_is_used() -> None:
    used = {text for step in ACTION["runs"]["steps"] for text in step["env"].values()}
    names = {_input(text).removesuffix(" || github.ref_name") for text in used}
    assert names == set(ACTION["inputs"])


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize("query", JQ)
def test_the_made_up_gh_answers_as_jq_does(query: str) -> None:
    pulls = [
        {"number": 3, "isCrossRepository": True, "headRefOid": "a"},
        {"number": 4, "isCrossRepository": False, "headRefOid": "b"},
        {"number": 5, "isCrossRepository": False, "headRefOid": "c"},
    ]
    for some in (pulls, pulls[:1], []):
        done = subprocess.run(
            ["jq", "--raw-output", query],
            input=json.dumps(some),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == JQ[query](some)
        assert query in ACTION["runs"]["steps"][1]["run"]


def page_scripts() -> dict[str, str]:
    """The scripts of docs/bots.md, by platform."""
    parts = markdown.parse((ROOT / "docs/bots.md").read_text(encoding="utf-8"))
    blocks = [
        yaml.safe_load(part.text)
        for part in parts
        if isinstance(part, markdown.Fence) and part.language == "yaml"
    ]
    (gitlab,) = (block["update-images"] for block in blocks if "update-images" in block)
    (forgejo,) = (block for block in blocks if isinstance(block, list))
    return {"gitlab": gitlab["script"][1], "forgejo": forgejo[1]["run"]}


@dataclass(frozen=True, slots=True)
class GitLab:
    """The job of the page, and a repository that notes the options of each push."""

    forge: Forge

    def run(self, *, code: int = 0, **env: str) -> str:
        given = {
            "BRANCH": BRANCH,
            "REMOTE": f"file://{self.forge.bare}",
            "CI_COMMIT_BRANCH": "main",
            "CI_SERVER_HOST": "gitlab.test",
        }
        self.noted.write_text("")
        script = page_scripts()["gitlab"]
        return self.forge.run(script, env=given | env, code=code, detach=True)

    @property
    def noted(self) -> Path:
        return self.forge.folder / "options"

    @property
    def options(self) -> list[str]:
        return self.noted.read_text().splitlines()


@pytest.fixture
def gitlab(forge: Forge) -> GitLab:
    gitlab = GitLab(forge)
    program(
        forge.bare / "hooks/post-receive",
        "import os\n"
        "count = int(os.environ['GIT_PUSH_OPTION_COUNT'])\n"
        f"with open({str(gitlab.noted)!r}, 'a') as file:\n"
        "    for i in range(count): print(os.environ[f'GIT_PUSH_OPTION_{i}'], file=file)\n",
    )
    return gitlab


class TestGitLab:
    def test_nothing_new(self, gitlab: GitLab) -> None:
        gitlab.run()
        assert (gitlab.forge.tip(), gitlab.options) == ("", [])

    def test_open_leave_refresh(self, gitlab: GitLab) -> None:
        gitlab.forge.tags("python 2")
        gitlab.run()
        opened = [
            "merge_request.create",
            "merge_request.remove_source_branch",
            "merge_request.target=main",
            "merge_request.title=build(images): update python bookworm to 22222222",
            "merge_request.description=# 1 updated\\n",
        ]
        assert gitlab.options == opened
        tip = gitlab.forge.tip()
        gitlab.run()
        assert (gitlab.forge.tip(), gitlab.options) == (tip, [])
        gitlab.forge.tags("python 2", "node 2")
        gitlab.run()
        assert gitlab.options[3:] == [
            "merge_request.title=build(images): update node and python",
            "merge_request.description=# 2 updated\\n",
        ]
        assert gitlab.forge.log("--format=%ae", f"main..{BRANCH}") == "pinner@gitlab.test"

    def test_somebodys_commit_is_kept(self, gitlab: GitLab) -> None:
        gitlab.forge.tags("python 2")
        gitlab.run()
        commit = gitlab.forge.by_hand(BRANCH, {"fix": "x"})
        gitlab.forge.tags("python 3")
        gitlab.run(code=1)
        assert (gitlab.forge.tip(), gitlab.options) == (commit, [])

    def test_a_long_and_hostile_summary_fits_into_an_option(self, gitlab: GitLab) -> None:
        summary = "a \\n b $(touch ran) `touch ran` \"'\n" + "ü|→\n" * 30_000
        program(
            gitlab.forge.folder / "bin/pinner",
            (gitlab.forge.folder / "bin/pinner")
            .read_text()
            .partition("\n")[2]
            .replace("runpy.run_module", "try: runpy.run_module")
            + f"finally: open('summary.md', 'w').write({summary!r})\n",
        )
        gitlab.forge.tags("python 2")
        gitlab.run()
        description = gitlab.options[-1].removeprefix("merge_request.description=")
        assert description.startswith("a &#92;n b $(touch ran) `touch ran` \"'\\nü|→\\n")
        assert 59_990 < len(description.encode()) <= 60_000
        assert not (gitlab.forge.folder / "work/ran").exists()


class TestForgejo:
    def run(self, forge: Forge, *, answer: str = "201", code: int = 0) -> str:
        program(
            forge.folder / "bin/curl",
            "import sys, pathlib\n"
            "data = next(w for w in sys.argv if w.startswith('@'))[1:]\n"
            f"with open({str(forge.folder / 'curl')!r}, 'a') as log:\n"
            "    print(sys.argv[-1], pathlib.Path(data).read_text(), file=log, end='')\n"
            f"print({answer!r}, end='')\n",
        )
        env = {
            "BRANCH": BRANCH,
            "TOKEN": "secret",
            "GITHUB_REF_NAME": "main",
            "GITHUB_SERVER_URL": "https://forge.test",
            "GITHUB_REPOSITORY": "a/b",
        }
        return forge.run(page_scripts()["forgejo"], env=env, code=code)

    def test_open_leave_refresh(self, forge: Forge) -> None:
        log = forge.folder / "curl"
        self.run(forge)
        assert not log.exists()
        forge.tags("python 2")
        self.run(forge)
        url, _, sent = log.read_text().partition(" ")
        assert url == "https://forge.test/api/v1/repos/a/b/pulls"
        assert json.loads(sent) == {
            "head": BRANCH,
            "base": "main",
            "title": "build(images): update python bookworm to 22222222",
            "body": "# 1 updated\n",
        }
        tip = forge.tip()
        self.run(forge)
        assert (forge.tip(), len(log.read_text().splitlines())) == (tip, 1)
        forge.tags("python 3")
        self.run(forge, answer="409")
        assert forge.tip() != tip

    def test_a_refusal_shows(self, forge: Forge) -> None:
        forge.tags("python 2")
        assert "no pull request: 403" in self.run(forge, answer="403", code=1)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say() -> None:
    scripts = {f"action {step['name']}": step["run"] for step in ACTION["runs"]["steps"]}
    for name, script in (scripts | page_scripts()).items():
        # SC2153: capitals are inputs. SC2086: an option or nothing.
        done = subprocess.run(
            ["shellcheck", "--shell=bash", "--exclude=SC2153,SC2086", "-"],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, name + done.stdout
