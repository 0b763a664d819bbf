"""Leaves the window training for some minutes and fits a line to the memory that it holds.

Run as ``python -m tests.bench.soak [--minutes 6] [--json]``. The first minute is left out: caches fill in it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

PAGE = os.sysconf("SC_PAGE_SIZE") / 2**20
EVERY = 2.0
"""Seconds between two readings."""


def resident() -> float:
    """Returns the resident memory of this process in MiB."""

    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def slope(times: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """Returns the slope of the least-squares line in MiB an hour, and its standard error."""

    (a, _), covariance = np.polyfit(times, sizes, 1, cov=True)
    return float(a) * 3600, float(covariance[0, 0]) ** 0.5 * 3600


def watch(readings: list[tuple[float, float]], over: threading.Event) -> None:
    begin = time.monotonic()
    while not over.wait(EVERY):
        readings.append((time.monotonic() - begin, resident()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from ebmlab.gui import app

    readings: list[tuple[float, float]] = []
    over = threading.Event()
    watcher = threading.Thread(target=watch, args=(readings, over))
    watcher.start()
    code = app.run(None, seconds=60 * options.minutes, screenshot=None, stats=None, device="cpu")
    over.set()
    watcher.join()
    times, sizes = np.array([r for r in readings if r[0] > 60]).T
    rise, error = slope(times, sizes)
    report = {
        "minutes": options.minutes,
        "after_a_minute_mib": float(sizes[0]),
        "at_the_end_mib": float(sizes[-1]),
        "slope_mib_per_hour": rise,
        "stderr": error,
    }
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
