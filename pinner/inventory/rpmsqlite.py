"""The headers in an `rpmdb.sqlite`, read as a file that somebody may have made to harm (P03).

The file is opened in memory, never on disk. A schema can hold views, triggers, virtual tables and
computed columns that run when they are read: so the one table must be, by its own text, the table
that rpm makes; only reading is authorised; and work, sizes and counts are limited. SQLite's
"Defense Against The Dark Arts" lists the means.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from pinner.inventory.formats import PACKAGES_LIMIT
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC: Final = b"SQLite format 3\0"
_HEAD: Final = 100
_FORMATS: Final = slice(18, 20)
_ROLLBACK: Final = b"\x01\x01"
_TABLE: Final = re.compile(
    rb"""CREATE TABLE\s+(["'`]?)Packages\1\s*\(\s*"""
    rb"""hnum INTEGER PRIMARY KEY( AUTOINCREMENT)?\s*,\s*blob BLOB NOT NULL\s*\)"""
)
_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: 16 * 1024 * 1024,  # of a row, and so of a header
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 64 * 1024,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
_STEPS: Final = 100
_SCHEMA_STEPS: Final = 200  # of `_STEPS` instructions: some thousand tables; rpm has thirty
_ROWS_STEPS: Final = 10_000
_ALLOWED: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ})


class Unreadable(ValueError):  # noqa: N818 - becomes a note
    """Why the file is not read; one line that is safe to print."""


def headers(data: bytes) -> Iterator[bytes]:
    """The blobs of the table `Packages`, in its order.

    What a log beside the file (`-wal`) holds is not there.

    Raises:
        Unreadable: no SQLite database, damaged, without rpm's table, or more work than an honest
            one could be; maybe after some headers.
    """
    if len(data) < _HEAD or not data.startswith(_MAGIC):
        raise Unreadable("it is not an SQLite database")
    if not hasattr(sqlite3.Connection, "deserialize"):
        raise Unreadable("this Python's SQLite cannot open a database in memory")
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            yield from _headers(connection, data)
    except sqlite3.Error as error:
        is_endless = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
        why = "it takes more work than an honest one" if is_endless else safe(str(error))
        raise Unreadable(why) from error
    except UnicodeDecodeError as error:
        # SQLite's message repeats names of the schema, which Python takes for UTF-8.
        raise Unreadable("its schema is damaged") from error
    except MemoryError as error:
        # Damaged sizes ask for it; SQLite refuses before anything is taken.
        raise Unreadable("it asks for too much memory") from error


class _Patience:
    """A progress handler that stops what takes too many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> int:
        self.left -= 1
        return self.left < 0


def _headers(connection: sqlite3.Connection, data: bytes) -> Iterator[bytes]:
    patience = _Patience(_SCHEMA_STEPS)
    connection.set_progress_handler(patience, _STEPS)
    _open(connection, data)
    tables = connection.execute(
        "SELECT sql FROM main.sqlite_master WHERE name = 'Packages' COLLATE NOCASE"
    ).fetchall()
    if not tables:
        raise Unreadable("it has no table of packages")
    if len(tables) > 1 or not _is_plain(tables[0][0]):
        raise Unreadable("its table of packages is not as rpm makes it")
    patience.left = _ROWS_STEPS
    rows = connection.execute("SELECT blob FROM main.Packages NOT INDEXED")
    left = len(data)
    for number, (blob,) in enumerate(rows):
        left -= len(blob) if isinstance(blob, bytes) else 0
        if number >= PACKAGES_LIMIT or left < 0:
            raise Unreadable("it has more packages than can be in it")
        yield blob if isinstance(blob, bytes) else b""


def _open(connection: sqlite3.Connection, data: bytes) -> None:
    """Open the database read-only; one that keeps a log is opened as if it kept none."""
    at, end = _FORMATS.start, _FORMATS.stop
    connection.deserialize(data[:at] + _ROLLBACK + data[end:])
    connection.text_factory = bytes
    for limit, value in _LIMITS.items():
        connection.setlimit(limit, value)
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.set_authorizer(_authorize)


def _authorize(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _is_plain(sql: object) -> bool:
    return isinstance(sql, bytes) and _TABLE.fullmatch(sql) is not None
