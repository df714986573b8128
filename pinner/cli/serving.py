"""What `pinner serve` runs: the server with what was asked for around it, until a signal ends it.

request -> Server -> (AccessLog is told) -> Guard -> App -> StoreContent -> Store
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from pinner.cli.serve import DEFAULT_ADDRESS, STANDARD_ERROR
from pinner.errors import InputError, PinnerError
from pinner.output.errors import render_error
from pinner.output.serve import HUB, Served, exposure, pointers, render_served, served_fields
from pinner.serve import systemd
from pinner.serve.accesslog import AccessLog
from pinner.serve.address import is_any, is_loopback, parse_address
from pinner.serve.app import App
from pinner.serve.guard import Guard
from pinner.serve.htpasswd import bcrypt_checker, read_htpasswd
from pinner.serve.listing import Listings
from pinner.serve.names import spell_name, spell_registry
from pinner.serve.server import Server, open_listener
from pinner.serve.storecontent import StoreContent
from pinner.serve.tls import server_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from pinner.cli.context import Session
    from pinner.cli.serve import ServeOptions
    from pinner.oci.reference import Repository
    from pinner.serve.listing import Listing
    from pinner.serve.message import Request, Response
    from pinner.store.layout import Store

    _Handle: TypeAlias = Callable[[Request], Response]

_SECRET: Final = 32  # bytes
_STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_serve(session: Session, options: ServeOptions) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        0: to be stopped is how a server ends.

    Raises:
        InputError: an option, or a file that one names, cannot be used; the port is taken.
        StoreError: there is no store, or it cannot be used.
    """
    renewals: list[Callable[[], None]] = []
    with ExitStack() as held:
        # What the command line says comes first, then the files that it names, then the store.
        passed = _passed_listener(session, options, held)
        host, port = parse_address(options.listen or DEFAULT_ADDRESS)
        certified = _certified(session, options)
        tls = None if certified is None else server_context(*certified)
        guarded = _guard(session, options, renewals)
        store = held.enter_context(session.open_store(options.store, create=False))
        handle = guarded(App(StoreContent(store)).handle)
        log = _access_log(session, options, renewals)
        if log is not None:
            held.callback(log.close)
        listener = passed or held.enter_context(
            open_listener(host, port, remote=options.listen is not None)
        )
        host = listener.getsockname()[0]
        finished = None if log is None else log.finished
        server = Server(listener, handle, clock=session.clock, finished=finished, tls=tls)
        if certified is not None:
            renewals.append(lambda: server.renew_tls(server_context(*certified)))
        try:
            with server, _signals() as arriving:
                _announce(session, _served(store, server, host, options))
                systemd.notify(systemd.READY, session.runtime.environ)
                _wait(session, arriving, renewals)
                systemd.notify(systemd.STOPPING, session.runtime.environ)
        except KeyboardInterrupt:  # a second signal: no more waiting for answers under way
            session.note("Answers under way were cut")
        if log is not None and log.lost:
            session.warn(f"{log.lost} lines of the access log could not be written")
    session.note("Stopped")
    return 0


def _announce(session: Session, served: Served) -> None:
    session.answer(render_served(served), served_fields(served))
    if not session.options.json:
        for line in pointers(served):
            session.note(line)
    warning = exposure(served)
    if warning:
        session.warn(warning)


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """The numbers of the signals that come, to be received; a second one, later, ends us at once.

    The interpreter itself writes them, in whichever thread a signal finds it. A handler in Python,
    such as one that fills a queue, waits for the main thread to run, and that sleeps on if the
    signal came just before it fell asleep.
    """
    arriving, noted = socket.socketpair()
    noted.setblocking(False)  # noqa: FBT003 - has no keyword
    with arriving, noted:
        before = {number: signal.getsignal(number) for number in _STOPS}
        woken = signal.set_wakeup_fd(noted.fileno())
        for number in _STOPS:
            signal.signal(number, lambda *_: None)
        try:
            yield arriving
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(woken)


def _wait(session: Session, arriving: socket.socket, renewals: list[Callable[[], None]]) -> None:
    """Return when a signal ends us; SIGHUP renews, where there is something to renew.

    In a terminal SIGHUP says that the terminal is gone, and ends us as everywhere.
    """
    renews = renewals and not session.runtime.console.err.isatty()
    while arriving.recv(1)[0] == signal.SIGHUP and renews:
        for renew in renewals:
            try:
                renew()
            except PinnerError as error:  # what was before goes on
                session.runtime.console.note(render_error(error, label="warning:"))


def _certified(session: Session, options: ServeOptions) -> tuple[Path, Path] | None:
    """The files of the certificate and its key; None for plain http."""
    if options.tls_cert is None and options.tls_key is None:
        return None
    if options.tls_cert is None or options.tls_key is None:
        raise InputError("--tls-cert and --tls-key belong together: give both")
    here = session.project.seen_from
    return here / options.tls_cert, here / options.tls_key


def _access_log(
    session: Session, options: ServeOptions, renewals: list[Callable[[], None]]
) -> AccessLog | None:
    if not options.access_log:
        return None
    to_stderr = options.access_log == STANDARD_ERROR
    path = None if to_stderr else session.project.seen_from / options.access_log
    log = AccessLog(path, clock=session.clock, users=options.htpasswd is not None)
    if not to_stderr:
        renewals.append(log.reopen)
    return log


def _guard(
    session: Session, options: ServeOptions, renewals: list[Callable[[], None]]
) -> Callable[[_Handle], _Handle]:
    """What puts the passwords of `--htpasswd` in front of a registry."""
    if options.htpasswd is None:
        return lambda handle: handle
    check = bcrypt_checker()
    path = session.project.seen_from / options.htpasswd
    users = read_htpasswd(path)

    def guarded(handle: _Handle) -> _Handle:
        guard = Guard(handle, users, check=check, secret=secrets.token_bytes(_SECRET))
        renewals.append(lambda: guard.renew(read_htpasswd(path)))
        return guard.handle

    return guarded


def _passed_listener(
    session: Session, options: ServeOptions, held: ExitStack
) -> socket.socket | None:
    """The socket that systemd has opened, if it has."""
    passed = systemd.passed_listener(session.runtime.environ, pid=os.getpid())
    if passed is not None:
        held.enter_context(passed)
        if options.listen:
            raise InputError("--listen, and a socket was passed (LISTEN_FDS): which of the two?")
    return passed


def _served(store: Store, server: Server, host: str, options: ServeOptions) -> Served:
    listing = Listings(store).current()
    port = server.authority.rpartition(":")[2]
    return Served(
        listen=server.authority,
        address=f"{socket.gethostname()}:{port}" if is_any(host) else server.authority,
        tls=options.tls_cert is not None,
        login=options.htpasswd is not None,
        remote=not is_loopback(host),
        store=str(store.root),
        images=sum(max(1, len(named.tags)) for named in listing.repositories.values()),
        registries={one: spell_registry(one) for one in sorted(_registries(listing))},
        example=_example(listing),
    )


def _registries(listing: Listing) -> set[str]:
    return {repository.registry for repository in listing.repositories}


def _example(listing: Listing) -> str:
    """A name to pull, in the shortest form: one of Docker Hub's, if there is one."""
    found = sorted(
        (spelled.count("/"), f"{spelled}:{min(named.tags)}")
        for repository, named in listing.repositories.items()
        if named.tags and (spelled := _short(repository))
    )
    return found[0][1] if found else ""


def _short(repository: Repository) -> str:
    return repository.familiar() if repository.registry == HUB else spell_name(repository)
