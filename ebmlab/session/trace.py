from __future__ import annotations

import numpy as np


class Trace:
    """Rows of numbers that are only ever appended: a prefix never changes, so readers need no copy and no lock.

    Arguments:
        columns: What each number of a row is. The first is always the step.
    """

    def __init__(self, *columns: str) -> None:
        self.columns = columns
        self._rows = np.empty((1024, len(columns)))
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def append(self, *row: float) -> None:
        """Adds a row."""

        if self._n == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[self._n] = row
        self._n += 1

    def extend(self, rows: np.ndarray) -> None:
        """Adds several rows, with shape (n, columns)."""

        for row in rows:
            self.append(*row)

    def view(self) -> Series:
        """Returns what there is so far, read-only."""

        rows = self._rows[: self._n]
        rows.flags.writeable = False
        return Series(self.columns, rows)


class Series:
    """A prefix of a trace, as a table with named columns."""

    __slots__ = ("columns", "rows")

    def __init__(self, columns: tuple[str, ...], rows: np.ndarray) -> None:
        self.columns, self.rows = columns, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> np.ndarray:
        """Returns a column, with shape (n,); NaN where a figure could not be given."""

        return self.rows[:, self.columns.index(column)]

    def until(self, step: int) -> Series:
        """Returns the rows up to a step; they never fall."""

        return Series(self.columns, self.rows[: int(np.searchsorted(self["step"], step, side="right"))])

    def __reduce__(self) -> tuple[object, ...]:
        return Series, (self.columns, self.rows.copy())
