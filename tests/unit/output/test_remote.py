"""What registries said of each pin, as lines and as JSON."""

from __future__ import annotations

import pytest

from pinner.check import RemoteImage
from pinner.errors import Unavailable
from pinner.output.remote import remote_fields, render_remote
from support.files import LOCK, digest

NODE = LOCK.images[0]


@pytest.mark.parametrize(
    ("told", "lines"),
    [
        pytest.param(RemoteImage(image=NODE), ["Registries: 1 of 1 image served"], id="served"),
        pytest.param(
            RemoteImage(image=NODE, gone=(digest("1"),)),
            [
                (
                    f"images.lock: node (node@{digest('1')}) is gone from the registry: run"
                    " `pinner update node`"
                ),
                "Registries: 0 of 1 image served, 1 gone",
            ],
            id="the-index-gone",
        ),
        pytest.param(
            RemoteImage(image=NODE, gone=(digest("b"),)),
            [
                (
                    f"images.lock: node (node@{digest('b')}, linux/arm64) is gone from the"
                    " registry: run `pinner update node`"
                ),
                "Registries: 0 of 1 image served, 1 gone",
            ],
            id="a-platform-gone",
        ),
        pytest.param(
            RemoteImage(image=NODE, tag_digest=digest("2")),
            [
                (
                    f"images.lock: node has a tag that moved, 22.12.0 from {digest('1')} to"
                    f" {digest('2')}: run `pinner update node`"
                ),
                "Registries: 1 of 1 image served, 1 with a tag that moved",
            ],
            id="moved",
        ),
        pytest.param(
            RemoteImage(image=NODE, tag_gone=True),
            [
                "images.lock: node has a tag that is gone, 22.12.0: name another in images.toml",
                "Registries: 1 of 1 image served, 1 with a tag that moved",
            ],
            id="the-tag-gone",
        ),
        pytest.param(
            RemoteImage(image=NODE, error=Unavailable("does not answer")),
            ["Registries: 0 of 1 image served, 1 not known"],
            id="no-answer",
        ),
    ],
)
def test_a_line_for_what_is_wrong_then_the_sum(told: RemoteImage, lines: list[str]) -> None:
    assert render_remote([told]).splitlines() == lines


def test_json_has_every_answer() -> None:
    told = RemoteImage(
        image=NODE, gone=(digest("b"),), tag_digest=digest("2"), error=Unavailable("no answer")
    )
    (fields,) = remote_fields([told])
    assert fields.pop("error")["code"] == "unavailable"
    assert fields == {
        "name": "node",
        "tag": "22.12.0",
        "digest": str(digest("1")),
        "gone": [str(digest("b"))],
        "moved": True,
        "tag_digest": str(digest("2")),
    }
