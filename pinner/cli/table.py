"""The table of commands: section -> command -> "module:attribute", in the order that help shows.

A command is loaded when its name is asked for: `pinner lock` does not pay for what `pinner sync`
imports. A new command is one file and one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Table: TypeAlias = Mapping[str, Mapping[str, str]]

COMMANDS: Final[Table] = {
    "Begin": {
        "init": "pinner.cli.init:init",
        "import": "pinner.cli.importing:import_",
    },
    "Lock and fetch": {
        "add": "pinner.cli.add:add",
        "remove": "pinner.cli.remove:remove",
        "lock": "pinner.cli.lock:lock",
        "sync": "pinner.cli.sync:sync",
    },
    "Keep up to date": {
        "update": "pinner.cli.update:update",
        "outdated": "pinner.cli.outdated:outdated",
        "diff": "pinner.cli.diff:diff",
    },
    "Files that name images": {
        "rewrite": "pinner.cli.rewrite:rewrite",
        "check": "pinner.cli.check:check",
    },
    "Images by hand": {
        "pull": "pinner.cli.pull:pull",
        "tag": "pinner.cli.tag:tag",
        "rm": "pinner.cli.rm:rm",
    },
    "Look into the store": {
        "images": "pinner.cli.images:images",
        "inspect": "pinner.cli.inspect:inspect",
        "verify": "pinner.cli.verify:verify",
        "prune": "pinner.cli.prune:prune",
    },
    "Ways out of the store": {
        "export": "pinner.cli.export:export",
        "mirror": "pinner.cli.mirror:mirror",
        "serve": "pinner.cli.serve:serve",
    },
    "Logins": {
        "login": "pinner.cli.login:login",
        "logout": "pinner.cli.logout:logout",
        "auth": "pinner.cli.auth:auth",
    },
    "More": {
        "demo": "pinner.cli.demo:demo",
        "completion": "pinner.cli.completion:completion",
    },
}
