from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from ebmlab.session.loop import Loop
from ebmlab.session.mailbox import Mailbox
from ebmlab.session.orders import Close, Order
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Capture
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Snapshot


class Runner:
    """Trains a session in a background thread, told what to do by orders, seen through snapshots.

    Two threads share three objects: the queue of orders, read between two steps, the mailbox of snapshots, and the
    queue of runs that are handed out. All that travels is frozen.

    Arguments:
        recipe: The experiment to begin with.
        device: One of ``auto``, ``cpu``, ``cuda``, ``mps``.
        make: Makes a session; by default :class:`Session` on the device.
    """

    def __init__(self, recipe: Recipe, device: str = "auto", make: Callable[[Recipe], Session] | None = None) -> None:
        self.orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self.snapshots: Mailbox[Snapshot] = Mailbox()
        self.captures: queue.SimpleQueue[Capture] = queue.SimpleQueue()
        self._loop = Loop(recipe, make or (lambda r: Session(r, device)), self.orders, self.snapshots, self.captures)
        self._thread = threading.Thread(target=self._loop.run, name="ebmlab-runner", daemon=True)

    def start(self) -> None:
        """Starts the thread; it begins paused and shows a first snapshot at once."""

        self._thread.start()

    def post(self, order: Order) -> None:
        """Leaves an order; it is read before the next step."""

        self.orders.put(order)

    def close(self, timeout: float = 10.0) -> None:
        """Ends the thread and waits for it."""

        self.post(Close())
        if self._thread.is_alive():
            self._thread.join(timeout)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""

        return self._thread.is_alive()
