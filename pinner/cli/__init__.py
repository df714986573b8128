"""The command line: one thin file for each command, and the shell that they plug into.

    __main__ -> main.run -> program (click) -> table -> <command>.py -> Session -> use case
                   |                                                       |
                   +-- failures: any exception -> error, exit code         +-- store, registries

`main` loads no library; `program` loads click and nothing heavier; a command imports what it needs
when it runs. Exit codes stand in `main`, global options in `options`, doors to the world in
`context`.
"""
