from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer


class Sweeper(QObject):
    """Collects garbage on the thread of the window, and there only.

    Python's cyclic collector runs on whichever thread happens to allocate. If that is the trainer's, it may delete Qt
    objects there, which Qt forbids: the program then dies at some later time. So the automatic collector is switched
    off while a window is open, and a timer does its work between two frames.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self, interval=500)
        self._timer.timeout.connect(self.sweep)
        self._timer.start()

    def settle(self) -> None:
        """Sets aside what has been imported by now, so that a full sweep takes milliseconds rather than tenths."""

        gc.collect()
        gc.freeze()

    def sweep(self) -> None:
        """Collects the generations that are full, as the automatic collector would."""

        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return

    def close(self) -> None:
        """Switches the automatic collector back on."""

        self._timer.stop()
        if self._was_enabled:
            gc.enable()
