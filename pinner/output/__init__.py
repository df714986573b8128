"""Renderers: results in, text out; and the two ways to watch a long run.

`units`, `tables` and `machine` are the common bricks, each command has one module of its own that
knows its human text and its JSON document, and `live` (rich, for a terminal) and `plain` (lines,
for a pipe) listen to a run as `pinner.progress.Progress`. Nothing here prints a result: commands
do, through `pinner.cli.console`.
"""
