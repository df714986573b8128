"""Links to the source of an image, from labels that anybody may have written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.compare.links import REVISION, SOURCE, link_between
from support.tables import params

OLD, NEW = "1a2b3c4" + "0" * 33, "7788990" + "f" * 33
WEB = "https://github.com/acme/web"


def labels(source: str, revision: str = "") -> dict[str, str]:
    return {SOURCE: source, **({REVISION: revision} if revision else {})}


@pytest.mark.parametrize(
    ("source", "url"),
    [
        pytest.param(WEB, f"{WEB}/compare/{OLD}...{NEW}", id="github"),
        pytest.param(f"{WEB}.git", f"{WEB}/compare/{OLD}...{NEW}", id="clone-url"),
        pytest.param(f"{WEB}/", f"{WEB}/compare/{OLD}...{NEW}", id="slash"),
        pytest.param("git@github.com:acme/web", f"{WEB}/compare/{OLD}...{NEW}", id="scp"),
        pytest.param("git@github.com:acme/web.git", f"{WEB}/compare/{OLD}...{NEW}", id="scp-git"),
        pytest.param("ssh://git@github.com/acme/web", f"{WEB}/compare/{OLD}...{NEW}", id="ssh"),
        pytest.param("HTTPS://GitHub.com/acme/web", f"{WEB}/compare/{OLD}...{NEW}", id="case"),
        pytest.param(
            "https://github.acme.example/a/b",
            f"https://github.acme.example/a/b/compare/{OLD}...{NEW}",
            id="github-enterprise",
        ),
        pytest.param(
            "https://gitlab.com/acme/group/web",
            f"https://gitlab.com/acme/group/web/-/compare/{OLD}...{NEW}",
            id="gitlab-subgroup",
        ),
        pytest.param(
            "https://codeberg.org/a/b",
            f"https://codeberg.org/a/b/compare/{OLD}...{NEW}",
            id="codeberg",
        ),
        pytest.param(
            "https://forgejo.acme.example/a/b",
            f"https://forgejo.acme.example/a/b/compare/{OLD}...{NEW}",
            id="forgejo",
        ),
        pytest.param(
            "https://bitbucket.org/a/b",
            f"https://bitbucket.org/a/b/branches/compare/{NEW}%0D{OLD}",
            id="bitbucket",
        ),
    ],
)
def test_both_revisions_are_compared(source: str, url: str) -> None:
    link = link_between(labels(source, OLD), labels(source, NEW))
    assert link == url


def test_official_images_have_their_revision_in_the_source() -> None:
    source = "https://github.com/docker-library/python.git#{}:3.12/slim-bookworm"
    link = link_between(labels(source.format(OLD)), labels(source.format(NEW)))
    url = f"https://github.com/docker-library/python/compare/{OLD}...{NEW}"
    assert link == url


def test_a_tag_is_a_revision_too() -> None:
    link = link_between(labels(WEB, "v1.2.3"), labels(WEB, "v1.3.0-rc.1"))
    assert link == f"{WEB}/compare/v1.2.3...v1.3.0-rc.1"


@pytest.mark.parametrize(
    ("source", "url"),
    [
        pytest.param(WEB, f"{WEB}/tree/{NEW}", id="github"),
        pytest.param("https://gitlab.com/a/b", f"https://gitlab.com/a/b/-/tree/{NEW}", id="gitlab"),
        pytest.param(
            "https://gitea.com/a/b", f"https://gitea.com/a/b/src/commit/{NEW}", id="gitea"
        ),
        pytest.param(
            "https://bitbucket.org/a/b", f"https://bitbucket.org/a/b/src/{NEW}", id="bitbucket"
        ),
    ],
)
@pytest.mark.parametrize(
    "before",
    [
        pytest.param({}, id="no labels before"),
        pytest.param({SOURCE: WEB}, id="no revision before"),
        pytest.param(labels("https://github.com/acme/other", OLD), id="another repository before"),
    ],
)
def test_without_two_revisions_the_newer_source_is_shown(
    before: dict[str, str], source: str, url: str
) -> None:
    assert link_between(before, labels(source, NEW)) == url


def test_the_same_revision_has_nothing_to_compare() -> None:
    link = link_between(labels(WEB, NEW), labels(WEB, NEW))
    assert link == f"{WEB}/tree/{NEW}"


def test_a_source_without_a_revision_is_the_repository() -> None:
    assert link_between(labels(WEB, OLD), labels(WEB)) == WEB


def test_a_repository_may_change_its_spelling() -> None:
    link = link_between(labels("git@github.com:Acme/Web.git", OLD), labels(WEB, NEW))
    assert link == f"{WEB}/compare/{OLD}...{NEW}"


@pytest.mark.parametrize("row", params("compare/sources-refused.toml"))
def test_O07_a_hostile_source_gives_no_link(row: dict[str, Any]) -> None:
    assert link_between(labels(row["source"], OLD), labels(row["source"], NEW)) == ""


@pytest.mark.parametrize("row", params("compare/revisions-refused.toml"))
def test_a_hostile_revision_is_none(row: dict[str, Any]) -> None:
    link = link_between(labels(WEB, OLD), labels(WEB, row["revision"]))
    assert link == WEB


HARMLESS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+%/:")


@given(
    source=st.from_regex(r"https://github\.com/[ -~]{0,30}", fullmatch=True) | st.text(),
    revision=st.text(),
)
def test_whatever_the_labels_say_a_link_has_harmless_characters(source: str, revision: str) -> None:
    link = link_between(labels(WEB, OLD), labels(source, revision))
    assert link == "" or (link.startswith("https://") and set(link) <= HARMLESS)
