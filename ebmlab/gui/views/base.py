from __future__ import annotations

from typing import Protocol

from ebmlab.session.snapshot import Snapshot


class View(Protocol):
    """Whatever shows snapshots. It gets nothing else, so it cannot race with the session."""

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Shows a snapshot; called on the GUI thread, at most once a frame."""
