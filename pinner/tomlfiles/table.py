"""Tables read key by key: what is wrong is noted with its line, and reading goes on.

A getter answers None both where a key is absent and where it was refused; in the second case the
report has a problem, so whoever calls `Report.settle` at the end never uses a half-read value.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pinner.errors import FileProblems, InputError, Problem
from pinner.terminal import safe
from pinner.tomlfiles.names import key_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pinner.tomlfiles.document import Document
    from pinner.tomlfiles.layout import Path

_Value = TypeVar("_Value")
_MOST_PROBLEMS: Final = 100
_TYPES: Final = (
    (bool, "a boolean"),  # before int, which it is one of
    (int, "an integer"),
    (float, "a float"),
    (str, "a string"),
    (list, "an array"),
    (dict, "a table"),
    ((dt.date, dt.time), "a date or time"),
)


def type_name(value: object) -> str:
    """What TOML calls a value of this type, with its article."""
    return next(name for kind, name in _TYPES if isinstance(value, kind))


class Report:
    """The problems of one file."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._problems: list[tuple[int, Problem]] = []

    def problem(self, path: Path, what: str, mend: str, *, label: str) -> None:
        """Note what is wrong at a place.

        Args:
            path: the place, for the line.
            what: what is wrong there.
            mend: what to do about it.
            label: names the place; empty for the file as a whole.

        Raises:
            FileProblems: there are so many that nobody reads on.
        """
        offset = self._document.layout.offset(path)
        line = self._document.layout.line_at(offset)
        text = f"{label}: {what}" if label else what
        problem = Problem(where=f"{self._document.path}:{line}", what=text, mend=mend)
        self._problems.append((offset, problem))
        if len(self._problems) >= _MOST_PROBLEMS:
            more = Problem(where=self._document.path, what="has more problems than these")
            raise FileProblems((*self._in_order(), more))

    def settle(self, mend: str = "") -> None:
        """Go on only if nothing is wrong.

        Args:
            mend: what helps with the file as a whole.

        Raises:
            FileProblems: all that was noted, in the order of the file.
        """
        if self._problems:
            raise FileProblems(self._in_order(), mend=mend or ())

    def _in_order(self) -> tuple[Problem, ...]:
        return tuple(problem for _, problem in sorted(self._problems, key=lambda pair: pair[0]))


class Table:
    """A table of a file that is being read.

    Attributes:
        path: where it stands.
        values: as tomllib gave them.
    """

    def __init__(
        self, report: Report, path: Path, values: Mapping[str, Any], *, label: str = ""
    ) -> None:
        self.path = path
        self.values = values
        self._report = report
        self._label = label

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def problem(
        self, key: str | None, what: str, mend: str = "", *, number: int | None = None
    ) -> None:
        """Note what is wrong with a key, with element `number` of its array, or with the table."""
        path = self.path if key is None else (*self.path, key)
        label = self._label if key is None else self._label_of(key)
        self._report.problem(path if number is None else (*path, number), what, mend, label=label)

    def only(self, keys: Sequence[str], noun: str, hints: Mapping[str, str] | None = None) -> None:
        """Note every key that is not one of `keys`, with the one that was likely meant.

        Args:
            keys: all that this table may have.
            noun: what the table is, with its article: "an image".
            hints: mends for wrong keys that are no slips.
        """
        for key in self.values:
            if key not in keys:
                mend = (hints or {}).get(key) or _nearest(key, keys)
                what = f'"{safe(key, limit=80)}" is not a key of {noun}'
                self._report.problem((*self.path, key), what, mend, label=self._label)

    def text(self, key: str, example: str) -> str | None:
        """The string of this key."""
        return self._typed(key, str, example)

    def flag(self, key: str) -> bool | None:
        """The boolean of this key."""
        return self._typed(key, bool, "true or false")

    def number(self, key: str, low: int, high: int) -> int | None:
        """The integer of this key, from `low` to `high`."""
        value = self._typed(key, int, f"a number from {low} to {high}")
        if value is None or low <= value <= high:
            return value
        self.problem(
            key, f"is {safe(str(value), limit=20)}", f"write a number from {low} to {high}"
        )
        return None

    def parsed(self, key: str, parse: Callable[[str], _Value], example: str) -> _Value | None:
        """What `parse` makes of the string of this key; its `InputError` becomes a problem."""
        text = self.text(key, example)
        return None if text is None else self.attempt(key, parse, text)

    def parsed_list(
        self, key: str, parse: Callable[[str], _Value], example: str
    ) -> tuple[_Value, ...] | None:
        """What `parse` makes of each string in the array of this key; none may be there twice."""
        items = self._typed(key, list, example)
        if items is None:
            return None
        values: list[_Value] = []
        for number, item in enumerate(items):
            if not isinstance(item, str):
                self.problem(key, f"has {type_name(item)} in it", f"write {example}", number=number)
                continue
            value = self.attempt(key, parse, item, number=number)
            if value is not None and value in values:
                self.problem(key, f'"{safe(item, limit=160)}" is there twice', number=number)
            elif value is not None:
                values.append(value)
        return tuple(values)

    def attempt(
        self,
        key: str | None,
        parse: Callable[[str], _Value],
        text: str,
        *,
        number: int | None = None,
    ) -> _Value | None:
        """What `parse` makes of `text`, or None and a problem at this key."""
        try:
            return parse(text)
        except InputError as error:
            self.problem(key, error.what, "; ".join(error.mend), number=number)
            return None

    def table(self, key: str) -> Table | None:
        """The table of this key."""
        values = self._typed(key, dict, "a table")
        if values is None:
            return None
        return Table(self._report, (*self.path, key), values, label=self._label_of(key))

    def tables(self, key: str) -> Iterator[tuple[str, Table]]:
        """The tables in the table of this key, each with its name; none where it is absent."""
        parent = self.table(key)
        for name in parent.values if parent else ():
            table = parent and parent.table(name)
            if table:
                yield name, table

    def _label_of(self, key: str) -> str:
        return f"{self._label}.{key_text(key)}" if self._label else key_text(key)

    def _typed(self, key: str, kind: type[_Value], example: str) -> _Value | None:
        if key not in self.values:
            return None
        value = self.values[key]
        if type(value) is kind:  # exact: a boolean is no number
            return value
        self.problem(key, f"is {type_name(value)}", f"write {example}")
        return None


def _nearest(key: str, keys: Sequence[str]) -> str:
    """The mend for an unknown key."""
    import difflib  # noqa: PLC0415 - needed only for what goes wrong

    close = difflib.get_close_matches(key[:40], keys, n=1)
    return f'did you mean "{close[0]}"?' if close else f"its keys are {', '.join(keys)}"
