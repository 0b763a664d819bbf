"""The run under way is kept from a crash: written every minute, and offered back by the next lab."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject, QTimer
from PySide6.QtWidgets import QFileDialog, QVBoxLayout

from ebmlab.gui.left_behind import FILE, Offer, claimed, clear, copy, left_behind
from ebmlab.gui.panels.offers import OffersBar
from ebmlab.gui.scribe import png, save, state_folder
from ebmlab.session.archive import load_run
from ebmlab.session.run import Run
from ebmlab.session.zipped import SUFFIX

if TYPE_CHECKING:
    from ebmlab.gui.lab import Lab
    from ebmlab.gui.sessions import Sessions

PERIOD = 60_000
"""Milliseconds between two savings."""


class Recovery(QObject):
    """Saves the run under way every minute, and offers back what labs that were killed have left.

    Each lab has a folder of its own, and holds a lock in it for as long as it lives.

    Arguments:
        lab: Has the run, and the place for the offers.
        sessions: Packs the run.
    """

    def __init__(self, lab: Lab, sessions: Sessions) -> None:
        super().__init__(sessions)
        self._lab, self._sessions = lab, sessions
        self._on = lab.window.settings is not None
        self._folder = state_folder() / "autosave" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{id(self):x}"
        self._lock: QLockFile | None = None
        self._kept: tuple[object, ...] = ()
        self._busy = self._complained = False
        self._replaced: list[Offer] = []
        self.bar: OffersBar | None = None
        self.timer = QTimer(self, interval=PERIOD)
        self.timer.timeout.connect(self.save)
        if self._on:
            self.timer.start()
            lab.completed.connect(self.look)
            sessions.changed.connect(self._secure)

    @property
    def folder(self) -> Path:
        """Where the run under way is saved."""

        return self._folder

    @property
    def saving(self) -> bool:
        """Whether the run is being saved."""

        return self._busy

    def save(self) -> None:
        """Saves the run under way, if anything of it is not saved yet."""

        sessions, document = self._sessions, self._lab.document
        state = sessions.mark, document.recipe
        worth = sessions.mark.step > 0 or document.dirty
        if not self._on or self._busy or not worth or state == self._kept:
            return
        self._busy, self._kept = True, state
        sessions.package(
            lambda run, picture: sessions.scribe.write(
                lambda: self._write(replace(run, thumbnail=png(picture))), self._told
            )
        )

    def look(self) -> None:
        """Looks for what other labs have left behind, in the writer's thread, and offers it."""

        found: list[Offer] = []
        self._sessions.scribe.write(lambda: found.extend(left_behind(self._folder)), lambda _: self._offer(found))

    def restore(self, offer: Offer) -> None:
        """Goes on with a run that was left behind."""

        if not self._lab.filing.may_leave():
            return
        found: list[Run] = []
        self._sessions.scribe.write(
            lambda: found.append(load_run(offer.file)), lambda fault: self._restored(offer, found, fault)
        )

    def save_as(self, offer: Offer) -> None:
        """Asks for a file and copies a run there that was left behind."""

        kinds = self.tr("Session ({})").format(f"*{SUFFIX}")
        path, _ = QFileDialog.getSaveFileName(self._lab.window, self.tr("Save"), "", kinds)
        if path:
            place = Path(path if path.endswith(SUFFIX) else path + SUFFIX)
            self._sessions.scribe.write(lambda: copy(offer.file, place), lambda fault: self._saved(offer, place, fault))

    def discard(self, offer: Offer) -> None:
        """Deletes a run that was left behind."""

        self._drop(offer)
        self._sessions.scribe.write(offer.remove, lambda _: None)

    def hand_over(self) -> None:
        """Stops saving; what was offered and not answered is kept with the runs that have ended."""

        self.timer.stop()
        for offer in self.bar.offers if self.bar else ():
            self._sessions.scribe.write(partial(self._absorb, offer), lambda _: None)

    def clear(self) -> None:
        """Removes what was saved: the lab is being closed, and nothing is lost any more."""

        while self._replaced:
            self._replaced.pop().remove()
        if self._lock is not None:
            clear(self._folder, self._lock)

    def _secure(self) -> None:
        """Saves what was restored at once, so that what it was restored from can go."""

        if self._replaced:
            self.save()

    def _absorb(self, offer: Offer) -> None:
        self._sessions.keeper.absorb(offer.file)
        offer.remove()

    def _write(self, run: Run) -> None:
        if self._lock is None:
            self._lock = claimed(self._folder)
        save(run, self._folder / FILE)
        while self._replaced:  # what it went on from is not needed any more
            self._replaced.pop().remove()

    def _told(self, fault: str) -> None:
        self._busy = False
        if fault and not self._complained:
            self._complained = True
            self._lab.window.tell(self.tr("A crash would lose what is not saved: {}").format(fault))
        if fault:
            self._kept = ()

    def _offer(self, found: list[Offer]) -> None:
        if not found:
            return
        self.bar = OffersBar()
        self.bar.restore.connect(self.restore)
        self.bar.save_as.connect(self.save_as)
        self.bar.discard.connect(self.discard)
        column = self._lab.window.centre.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(1, self.bar)
        self.bar.show_offers(found)

    def _restored(self, offer: Offer, found: list[Run], fault: str) -> None:
        if fault:
            self._lab.window.say(fault)
            return
        self._drop(offer)
        self._replaced.append(offer)
        self._sessions.adopt(found[0], kept=False)

    def _saved(self, offer: Offer, place: Path, fault: str) -> None:
        if fault:
            self._lab.window.say(fault)
            return
        self._drop(offer)
        self._sessions.scribe.write(offer.remove, lambda _: None)
        self._lab.window.tell(self.tr("Saved {}").format(place))

    def _drop(self, offer: Offer) -> None:
        if self.bar is not None:
            self.bar.show_offers([other for other in self.bar.offers if other is not offer])
