"""What is shown of a config; nothing in one can make that fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.runconfig import RunConfig, Step, parse_run_config

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["config", "history", "rootfs", "diff_ids", "Env", "Cmd", "Healthcheck", "Test"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def read(document: Any) -> RunConfig:
    return parse_run_config(json.dumps(document).encode())


def test_everything_that_docker_writes() -> None:
    config = {
        "User": "nobody",
        "WorkingDir": "/srv",
        "Entrypoint": ["/entry"],
        "Cmd": ["a", "b c"],
        "Env": ["A=1"],
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
        "Volumes": {"/data": {}},
        "StopSignal": "SIGQUIT",
        "Healthcheck": {"Test": ["CMD", "true"]},
        "Shell": ["/bin/bash", "-c"],
        "OnBuild": ["RUN true"],
    }
    history = [
        {"created": "2026-01-01T00:00:00Z", "created_by": "COPY", "comment": "buildkit"},
        {"created_by": "CMD", "empty_layer": True},
    ]
    assert read(
        {
            "author": "me",
            "config": config,
            "history": history,
            "rootfs": {"type": "layers", "diff_ids": ["sha256:00"]},
        }
    ) == RunConfig(
        author="me",
        user="nobody",
        working_dir="/srv",
        entrypoint=("/entry",),
        cmd=("a", "b c"),
        env=("A=1",),
        ports=("80/tcp", "53/udp"),
        volumes=("/data",),
        stop_signal="SIGQUIT",
        healthcheck=("CMD", "true"),
        run_shell=("/bin/bash", "-c"),
        on_build=("RUN true",),
        diff_ids=("sha256:00",),
        history=(
            Step(created="2026-01-01T00:00:00Z", created_by="COPY", comment="buildkit"),
            Step(created_by="CMD", empty=True),
        ),
    )


def test_a_command_of_one_text_is_a_list_of_it() -> None:
    assert read({"config": {"Cmd": "true"}}).cmd == ("true",)
    assert read({"config": {"Cmd": ""}}).cmd == ()


def test_what_is_no_text_is_left_out() -> None:
    assert read({"config": {"Env": [1, "A=1", None]}}).env == ("A=1",)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_of_no_json_there_is_nothing(data: bytes) -> None:
    assert parse_run_config(data) == RunConfig()


@given(JSON)
def test_any_document_can_be_read(document: Any) -> None:
    found = read(document)
    for texts in (found.env, found.cmd, found.healthcheck, found.diff_ids):
        assert all(isinstance(text, str) for text in texts)
