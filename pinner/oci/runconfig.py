"""How an image wants to be run, and how it was built (image-spec config.md), for showing it.

Read leniently: nothing is decided by it, so that what is not as the specification has it is left
out. All of it is foreign text, to be shown only through `terminal.safe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.oci import strictjson
from pinner.oci.config import CONFIG_LIMIT
from pinner.oci.strictjson import MalformedJson

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEPS: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of an image's history; `empty` ones made no layer."""

    created: str = ""
    created_by: str = ""
    comment: str = ""
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What `docker image inspect` has below `Config`, and the history.

    Attributes:
        env: `NAME=value` each.
        ports: `80/tcp` each.
        healthcheck: the command, as it is written; empty where there is none.
        run_shell: what runs a command that is one text.
        diff_ids: the digests of the unpacked layers, the lowest first.
    """

    author: str = ""
    user: str = ""
    working_dir: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    healthcheck: tuple[str, ...] = ()
    run_shell: tuple[str, ...] = ()
    on_build: tuple[str, ...] = ()
    diff_ids: tuple[str, ...] = ()
    history: tuple[Step, ...] = ()


def parse_run_config(data: bytes) -> RunConfig:
    """What a config says, whose bytes the caller has checked by digest; of no JSON, nothing."""
    try:
        document = _object(strictjson.loads(data, CONFIG_LIMIT))
    except MalformedJson:
        return RunConfig()
    config = _object(document.get("config"))
    steps = document.get("history")
    return RunConfig(
        author=_text(document.get("author")),
        user=_text(config.get("User")),
        working_dir=_text(config.get("WorkingDir")),
        entrypoint=_texts(config.get("Entrypoint")),
        cmd=_texts(config.get("Cmd")),
        env=_texts(config.get("Env")),
        ports=tuple(_object(config.get("ExposedPorts"))),
        volumes=tuple(_object(config.get("Volumes"))),
        stop_signal=_text(config.get("StopSignal")),
        healthcheck=_texts(_object(config.get("Healthcheck")).get("Test")),
        run_shell=_texts(config.get("Shell")),
        on_build=_texts(config.get("OnBuild")),
        diff_ids=_texts(_object(document.get("rootfs")).get("diff_ids")),
        history=tuple(map(_step, steps[:_STEPS])) if isinstance(steps, list) else (),
    )


def _step(value: Any) -> Step:
    step = _object(value)
    return Step(
        created=_text(step.get("created")),
        created_by=_text(step.get("created_by")),
        comment=_text(step.get("comment")),
        empty=step.get("empty_layer") is True,
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    """A list of texts; the old form of one text is a list of it."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
