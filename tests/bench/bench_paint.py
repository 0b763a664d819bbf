"""What the canvas, the charts, the strip and the status cost per snapshot, by the processor's clock.

Run with ``python -m tests.bench.bench_paint [--json] [--train]``. The snapshots are those of a real run of the default
recipe, handed to the views thirty times a second. With ``--train`` a thread trains meanwhile, and the share of its
speed that painting leaves to it is told; that figure wants a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import statistics
import sys
import threading
import time
from dataclasses import replace

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import torch
from PySide6.QtCore import QEvent, QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.panels.status import Status
from ebmlab.gui.panels.strip import Strip
from ebmlab.gui.views.canvas import Canvas
from ebmlab.gui.views.charts import Charts
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Lens, Snapshot
from ebmlab.session.watch import State, Watch

RATE = 30
SIZE = 1280, 800
SIDE = 324  # what the form takes of the width


def record(lens: Lens, snapshots: int, steps: int = 5) -> list[Snapshot]:
    """Returns the snapshots of a run of the default recipe, so many steps apart."""

    session = Session(Recipe(), "cpu")
    watch = Watch(session)
    made = []
    for _ in range(snapshots):
        for _ in range(steps):
            session.step()
        watch.drift(lens.particles)
        for _ in range(6):
            if watch.pending:
                watch.study()
        state = State("running", steps_per_second=steps * RATE)
        made.append(watch.snapshot(lens, lens.resolution, state))
    return made


class Window(QWidget):
    """The views as the lab lays them out, and the times at which they are painted."""

    def __init__(self) -> None:
        super().__init__()
        self.canvas, self.charts, self.strip, self.status = Canvas(), Charts(), Strip(), Status()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(8)
        for view in (self.canvas, self.charts):
            split.addWidget(view)
        split.setStretchFactor(0, 1)
        split.setSizes([740, 330])
        column = QVBoxLayout()
        for part, stretch in ((split, 1), (self.strip, 0), (self.status, 0)):
            column.addWidget(part, stretch)
        row = QHBoxLayout(self)
        row.addSpacing(SIDE)
        row.addLayout(column)
        self.setProperty("surface", "background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.resize(*SIZE)
        self.paints: list[float] = []

    def show_snapshot(self, snapshot: Snapshot) -> None:
        for view in (self.canvas, self.charts, self.strip):
            view.show_snapshot(snapshot)
        self.status.show_snapshot(snapshot, float(RATE))

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest:
            self.paints.append(time.perf_counter())
        return done


class Feeder:
    """Hands the snapshots over at the rate of frames, and takes the time of this thread from one to the next."""

    def __init__(self, window: Window, snapshots: list[Snapshot], seconds: float) -> None:
        self._window, self._snapshots = window, snapshots
        self._loop, self._left = QEventLoop(), round(seconds * RATE)
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=round(1000 / RATE))
        self._timer.timeout.connect(self._feed)
        self._marks: list[float] = []
        self.wall = 0.0

    def run(self) -> list[float]:
        """Returns milliseconds of processor time per frame, the whole event loop included."""

        start = time.perf_counter()
        self._timer.start()
        self._loop.exec()
        self.wall = time.perf_counter() - start
        return [1e3 * (b - a) for a, b in zip(self._marks, self._marks[1:])]

    def _feed(self) -> None:
        self._marks.append(time.thread_time())
        self._left -= 1
        if self._left < 0:
            self._timer.stop()
            self._loop.quit()
            return
        self._window.show_snapshot(self._snapshots[len(self._marks) % len(self._snapshots)])


class Trainer(threading.Thread):
    """Trains the default recipe until told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._session, self._stopped = Session(Recipe(), "cpu"), threading.Event()

    def run(self) -> None:
        torch.set_num_threads(1)
        while not self._stopped.is_set():
            self._session.step()

    def rate(self, seconds: float, work: Feeder | None = None) -> float:
        """Returns the steps per second meanwhile."""

        start, first = time.perf_counter(), self._session.count
        if work is None:
            time.sleep(seconds)
        else:
            work.run()
        return (self._session.count - first) / (time.perf_counter() - start)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def settle(app: QApplication, seconds: float = 0.3) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def figures(window: Window, snapshots: list[Snapshot], seconds: float) -> dict[str, float]:
    """Returns the cost of a frame in milliseconds, and how many frames were painted."""

    feeder, before = Feeder(window, snapshots, seconds), len(window.paints)
    times = sorted(feeder.run())
    return {
        "mean_ms": statistics.fmean(times),
        "p50_ms": statistics.median(times),
        "p99_ms": times[int(0.99 * len(times))],
        "frames_per_second": (len(window.paints) - before) / feeder.wall,
    }


def kept(window: Window, snapshots: list[Snapshot], seconds: float) -> dict[str, float]:
    """Returns the speed of training alone and beside the painting, in turns."""

    trainer = Trainer()
    trainer.start()
    time.sleep(0.5)
    alone, beside = [], []
    for _ in range(3):
        alone.append(trainer.rate(seconds / 3))
        beside.append(trainer.rate(seconds / 3, Feeder(window, snapshots, seconds / 3)))
    trainer.stop()
    a, b = statistics.fmean(alone), statistics.fmean(beside)
    return {"alone": a, "beside": b, "kept": b / a}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    parser.add_argument("--train", action="store_true", help="train in a thread meanwhile")
    parser.add_argument("--light", action="store_true", help="the light theme")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--profile", metavar="FILE", help="where to write a profile of the painting")
    parser.add_argument("--screenshot", metavar="FILE", help="where to save the last picture")
    args = parser.parse_args()
    torch.set_num_threads(1)
    app = QApplication([])
    theme.apply(app, theme.Theme(palette=theme.LIGHT if args.light else theme.DARK))
    window = Window()
    window.show()
    settle(app)
    snapshots = record(replace(window.canvas.lens, resolution=96), 60)
    window.show_snapshot(snapshots[0])
    settle(app)
    if args.profile:
        profile = cProfile.Profile()
        profile.runcall(figures, window, snapshots, args.seconds)
        profile.dump_stats(args.profile)
    found = {"paint": figures(window, snapshots, args.seconds)}
    if args.train:
        found["train"] = kept(window, snapshots, args.seconds)
    if args.screenshot:
        window.show_snapshot(snapshots[-1])
        settle(app, 1.0)
        window.grab().save(args.screenshot)
    if args.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    for part in found.values():
        sys.stdout.write("   ".join(f"{name} {value:.3g}" for name, value in part.items()) + "\n")


if __name__ == "__main__":
    main()
