from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from time import monotonic

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QFontMetrics, QIcon
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QToolTip, QWidget

from ebmlab.gui import theme
from ebmlab.gui.views.row import Row
from ebmlab.session.honesty import Level, Verdict, verdicts
from ebmlab.session.snapshot import Snapshot

PERIOD = 0.5
"""Seconds between two readings of the same run."""

MOST: dict[Level, int] = {"good": 340, "fair": 340, "bad": 420}
"""Pixels of a verdict's words at scale 1, before they are shortened."""
MOST_IN_MENU = 640

_COLOURS: dict[Level, str] = {"good": "green", "fair": "amber", "bad": "red"}


class Strip(QFrame):
    """What a person should know before believing the picture, the worst first; in slow motion the stage as well."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._findings: list[Finding] = []
        self._due = 0.0
        self._status = ""
        self.setObjectName("strip")
        self.setProperty("card", True)
        self.setAccessibleName(self.tr("What to know before believing the picture"))
        self._stage = QLabel()
        self._stage.setProperty("heading", True)
        self._stage.setObjectName("stage")
        self._stage.hide()
        self._row = Row(spacing=10, counted=True)
        self._row.menu.setToolTipsVisible(True)
        self._row.menu.aboutToShow.connect(self._overflow)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(10)
        layout.addWidget(self._stage)
        layout.addWidget(self._row, 1)
        theme.signals.changed.connect(self._dress)
        self._dress()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the strip says."""

        return tuple(finding.verdict for finding in self._findings)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Judges a snapshot; words change at most twice a second, so that they can be read."""

        stage = snapshot.stage
        if self._stage.isHidden() != (stage is None):
            self._stage.setVisible(stage is not None)
        if stage is not None:
            number = f"{stage.index + 1}" if stage.ways is None else self.tr("Sampler {}").format(stage.index + 1)
            self._stage.setText(f"{number}  {stage.text}")
        if monotonic() >= self._due or snapshot.status != self._status:
            self._due, self._status = monotonic() + PERIOD, snapshot.status
            self.set_verdicts(verdicts(snapshot))

    def set_verdicts(self, found: Sequence[Verdict]) -> None:
        """Shows these verdicts and no others."""

        if tuple(found) == self.verdicts:
            return
        self._findings = self._findings[: len(found)] + [
            Finding(verdict, self._row) for verdict in found[len(self._findings) :]
        ]
        for finding, verdict in zip(self._findings, found):
            if finding.verdict != verdict:
                finding.set_verdict(verdict)
        self._row.set_widgets(self._findings)

    def _overflow(self) -> None:
        self._row.menu.clear()
        for finding in self._row.left_out():
            assert isinstance(finding, Finding)
            text = _short(finding, finding.verdict.text, MOST_IN_MENU).replace("&", "&&")
            action = self._row.menu.addAction(finding.icon(), text)
            action.setToolTip(finding.toolTip())
            action.triggered.connect(lambda _=False, finding=finding: finding.explain(self._row.more))

    def _dress(self) -> None:
        for finding in self._findings:
            finding.set_verdict(finding.verdict)
        self._row.fit()


class Finding(QToolButton):
    """One verdict: a coloured mark whose shape says the same as its colour, and a few words."""

    def __init__(self, verdict: Verdict, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("flat", True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(lambda _=False: self.explain(self))
        self.set_verdict(verdict)

    def set_verdict(self, verdict: Verdict) -> None:
        """Says something else."""

        look = theme.current()
        self.verdict = verdict
        self.setIcon(_mark(verdict.level, look.px(24), getattr(look.palette, _COLOURS[verdict.level])))
        self.setIconSize(QSize(look.px(12), look.px(12)))
        self.setText(_short(self, verdict.text, MOST[verdict.level]).replace("&", "&&"))
        self.setToolTip(f"<p><b>{verdict.text}</b></p><p>{verdict.detail}</p>")
        self.setAccessibleName(verdict.text)
        self.setAccessibleDescription(verdict.detail)

    def explain(self, at: QWidget) -> None:
        """Shows the tool-tip at once, for those without a mouse."""

        QToolTip.showText(at.mapToGlobal(QPoint(0, -8)), self.toolTip(), at)


def _short(widget: QWidget, text: str, most: int) -> str:
    """Returns a text with an ellipsis where it is longer than so many pixels at scale 1."""

    metrics = QFontMetrics(widget.font())
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, theme.current().px(most))


@lru_cache(maxsize=16)
def _mark(level: Level, size: int, colour: str) -> QIcon:
    return QIcon(theme.pixmap(level, size, colour))
