"""What commands print: figures for people, one JSON object for programs, a progress bar on a terminal."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Iterable
from typing import Any


def show_json(answer: dict[str, Any]) -> None:
    """Prints one JSON object; a number that is not finite becomes null."""

    print(json.dumps(finite(answer), ensure_ascii=False, allow_nan=False))


def finite(value: Any) -> Any:
    """Returns JSON values with null for every number that is not finite."""

    if isinstance(value, dict):
        return {str(key): finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(rows: Iterable[tuple[str, str]]) -> None:
    """Prints names and what belongs to them, in two columns."""

    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        print(f"{name:<{width}}  {text}".rstrip())


def number(value: Any, why: str = "") -> str:
    """Returns a figure for people: six digits, or why there is none."""

    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return f"none: {why}" if why else "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


class Progress:
    """A bar on standard error, if that is a terminal."""

    def __init__(self, total: int, unit: str = "steps") -> None:
        self._total, self._unit = total, unit
        self._start = self._last = time.monotonic()
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, note: str = "") -> None:
        """Takes note of how much is done; draws ten times a second at most."""

        now = time.monotonic()
        if not self._shown or (now - self._last < 0.1 and done < self._total):
            return
        self._last = now
        rate = done / max(now - self._start, 1e-9)
        speed = f"{rate:.0f}/s" if rate >= 2 else f"{60 * rate:.0f}/min"
        share = done / max(self._total, 1)
        line = f"{'█' * int(24 * share):░<24} {done}/{self._total} {self._unit}  {speed}  {note}"
        sys.stderr.write("\r\033[K" + line[: shutil.get_terminal_size().columns - 1])
        sys.stderr.flush()

    def close(self) -> None:
        """Clears the line."""

        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
