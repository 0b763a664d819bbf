"""How smoothly the window paints, measured where it paints."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from pathlib import Path
from typing import Any

IMPORTED = time.perf_counter()


def since_start() -> float:
    """Returns the seconds since the process began; where the system does not say, since this module was imported."""

    try:
        # The second field is the program's name in brackets and may hold spaces; the start is the 22nd.
        fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, IndexError, AttributeError):
        return time.perf_counter() - IMPORTED


class Frames:
    """Takes note of the pictures that reach the screen.

    A frame is a repaint of the window that shows a snapshot newer than the last frame's.
    """

    def __init__(self) -> None:
        self.window_ms: float | None = None
        self.first_landscape_ms: float | None = None
        self.count = 0
        self.exceptions = 0
        self._fresh = self._landscape = self._running = False
        self._times: deque[float] = deque(maxlen=100_000)
        self._recent: deque[float] = deque(maxlen=60)
        self._last = 0.0
        self._steps: list[tuple[float, int]] = []
        self._device = ""
        self._begun: tuple[float, float] | None = None

    def shown(self) -> None:
        """Called when the window is on the screen."""

        if self.window_ms is None:
            self.window_ms = 1000 * since_start()

    def begin(self) -> None:
        """Starts the clock of the busy share, once the window is furnished."""

        self._begun = time.perf_counter(), time.thread_time()

    def arrived(self, step: int, running: bool, landscape: bool, device: str) -> None:
        """Called when the views have been handed a snapshot."""

        now = time.perf_counter()
        if running and not self._running:
            self._steps, self._last = [(now, step)], 0.0
        if self._steps:
            self._steps = [self._steps[0], (now, step)]
        self._fresh, self._running, self._device = True, running, device
        self._landscape = self._landscape or landscape

    def painted(self) -> None:
        """Called when the window has been repainted."""

        if not self._fresh:
            return
        now = time.perf_counter()
        self._fresh = False
        self.count += 1
        self._recent.append(now)
        if self._landscape and self.first_landscape_ms is None:
            self.first_landscape_ms = 1000 * since_start()
        if self._running:
            if self._last:
                self._times.append(now - self._last)
            self._last = now

    @property
    def per_second(self) -> float:
        """Frames per second over the last sixty; 0 when they are old."""

        if len(self._recent) < 2 or time.perf_counter() - self._recent[-1] > 1:
            return 0.0
        return (len(self._recent) - 1) / (self._recent[-1] - self._recent[0])

    def stats(self) -> dict[str, Any]:
        """Returns the figures of ``--stats``; null for what was not measured."""

        times = sorted(self._times)
        wall = sum(times)
        steps, seconds = self._trained()
        return {
            "window_ms": _rounded(self.window_ms),
            "first_landscape_ms": _rounded(self.first_landscape_ms),
            "frames": self.count,
            "fps": _rounded(len(times) / wall if wall else None),
            "frame_ms_p50": _rounded(_quantile(times, 0.5)),
            "frame_ms_p99": _rounded(_quantile(times, 0.99)),
            "steps": steps,
            "steps_per_second": _rounded(steps / seconds if seconds else None),
            "gui_busy_share": _rounded(self._busy(), 4),
            "exceptions": self.exceptions,
            "device": self._device,
        }

    def write(self, path: str) -> None:
        """Writes the figures as JSON: beside and renamed, so that a kill never leaves half a file."""

        beside = Path(path + ".part")
        beside.write_text(json.dumps(self.stats(), indent=1) + "\n", encoding="utf-8")
        beside.replace(path)

    def _trained(self) -> tuple[int, float]:
        if len(self._steps) < 2:
            return 0, 0.0
        (t0, n0), (t1, n1) = self._steps
        return n1 - n0, t1 - t0

    def _busy(self) -> float | None:
        """Returns the share of the time that the window's thread keeps a processor busy."""

        if self._begun is None:
            return None
        wall, busy = self._begun
        return (time.thread_time() - busy) / max(time.perf_counter() - wall, 1e-9)


def _quantile(ordered: list[float], share: float) -> float | None:
    return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
