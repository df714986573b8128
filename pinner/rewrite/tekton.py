"""Tekton: what the steps and sidecars of tasks run in, wherever a task is written out.

Task, ClusterTask           spec.{steps,sidecars,stepTemplate}, image of each
StepAction                  spec.image
TaskRun                     spec.taskSpec
Pipeline, PipelineRun       {tasks,finally}[].taskSpec of spec or spec.pipelineSpec

and the bundle that a `taskRef` or `pipelineRef` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pinner.rewrite.yamlsearch import Search
    from pinner.rewrite.yamlspans import Node

GROUP: Final = "tekton.dev/"
_TASKS: Final = ("tasks", "finally")


def find_in_object(looking: Search, node: Node) -> None:
    """What one object of `GROUP` names."""
    spec = looking.get(node, "spec")
    if looking.plain(looking.get(node, "kind")) == "StepAction":
        looking.image(looking.get(spec, "image"))
    _task(looking, spec)
    _pipeline(looking, spec)


def _pipeline(looking: Search, spec: Node | None) -> None:
    _run(looking, spec)
    for pipeline in (spec, looking.get(spec, "pipelineSpec")):
        for key in _TASKS:
            for task in looking.elements(looking.get(pipeline, key)):
                _run(looking, task)


def _run(looking: Search, node: Node | None) -> None:
    """Something that runs a task or pipeline, written out or by reference."""
    _task(looking, looking.get(node, "taskSpec"))
    for key in ("taskRef", "pipelineRef"):
        looking.image(looking.get(node, key, "bundle"))


def _task(looking: Search, spec: Node | None) -> None:
    looking.image(looking.get(spec, "stepTemplate", "image"))
    for key in ("steps", "sidecars"):
        for step in looking.elements(looking.get(spec, key)):
            looking.image(looking.get(step, "image"))
