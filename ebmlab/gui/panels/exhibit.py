from __future__ import annotations

import html
import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.errands import ErrandBar
from ebmlab.paint.numbers import number
from ebmlab.session.errand import Outcome
from ebmlab.session.gallery import Exhibit, Finding, Performance, Progress, perform


class ExhibitSheet(QScrollArea):
    """An exhibit in words: what happens, where to look, its runs, and its claims, which can be put to the test.

    Signals:
        opened: The name of the run that shall be opened, empty for the main one.
    """

    opened = Signal(str)

    def __init__(self, device: str = "auto", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._device = device
        self._exhibit: Exhibit | None = None
        self._checked = ""
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Exhibit"))
        self._title, self._text, self._look, self._claims = (_label() for _ in range(4))
        self._title.setProperty("heading", True)
        self._look.setProperty("muted", True)
        self._runs = QVBoxLayout()
        self.check = QPushButton(self.tr("Check the claims"))
        self.check.setToolTip(self.tr("Trains every run of the exhibit in the background and measures what it claims"))
        self.check.clicked.connect(lambda _=False: self._begin())
        self.errand: ErrandBar[Progress, Performance] = ErrandBar()
        self.errand.ended.connect(self._ended)
        self._lay_out()
        theme.signals.changed.connect(self._show_claims)

    def _lay_out(self) -> None:
        look, body = theme.current(), QFrame()
        body.setProperty("card", True)
        column = QVBoxLayout(body)
        column.setSpacing(look.px(8))
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addWidget(self._look)
        column.addLayout(self._runs)
        column.addWidget(_heading(self.tr("What it claims")))
        column.addWidget(self._claims)
        column.addWidget(self.check)
        column.addWidget(self.errand)
        column.addStretch(1)
        self.setWidget(body)

    def show_exhibit(self, exhibit: Exhibit) -> None:
        """Shows another exhibit; a check that is under way goes on."""

        self._exhibit = exhibit
        self._title.setText(f"{exhibit.number}  {exhibit.title}")
        self._text.setText(exhibit.text)
        self._look.setText(exhibit.look)
        self._show_runs(exhibit)
        self._show_claims()

    def close_down(self) -> None:
        """Calls off a check that is under way."""

        self.errand.close_down()

    def _show_runs(self, exhibit: Exhibit) -> None:
        while (item := self._runs.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for name, course in exhibit.courses.items():
            text = self.tr("Open {}").format(name.replace("_", " ")) if name else self.tr("Open")
            button = QPushButton(text)
            button.setObjectName(f"open-{name}")
            button.setProperty("primary", not name)
            kinds = f"{course.recipe.target.kind}, {course.recipe.energy.kind}, {course.recipe.estimator.kind}"
            button.setToolTip(self.tr("{kinds}; {steps} steps").format(kinds=kinds, steps=f"{course.steps:,}"))
            button.clicked.connect(lambda _=False, name=name: self.opened.emit(name))
            self._runs.addWidget(button)

    def _show_claims(self) -> None:
        if self._exhibit is None:
            return
        found = {f.claim: f for f in self._findings.get(self._exhibit.name, ())}
        self._claims.setText("".join(_line(claim.text, found.get(claim.text)) for claim in self._exhibit.claims))

    def _begin(self) -> None:
        exhibit = self._exhibit
        if exhibit is None or self.errand.busy:
            return
        self._checked = exhibit.name
        self.check.setEnabled(False)
        title, device = exhibit.title, self._device
        self.errand.begin(lambda: perform(exhibit, device), lambda p: (p.share, f"{title}: {p.run} {p.text}"))

    def _ended(self, outcome: Outcome[Performance]) -> None:
        self.check.setEnabled(True)
        if outcome.result is not None:
            self._findings[self._checked] = outcome.result.findings
            self._show_claims()


def _label() -> QLabel:
    label = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setTextFormat(Qt.TextFormat.AutoText)
    return label


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("muted", True)
    return label


def _line(claim: str, finding: Finding | None) -> str:
    """Returns a claim as rich text, with what was measured if it was."""

    palette = theme.current().palette
    text = html.escape(claim)
    if finding is None:
        return f"<p>{text}</p>"
    mark, colour = ("✓", palette.green) if finding.holds else ("✗", palette.red)
    sides = " , ".join("–" if math.isnan(v) else number(v, 3) for v in (finding.left, finding.right))
    return f"<p>{_tinted(mark, colour)} {text}<br>{_tinted(sides, palette.muted)}</p>"


def _tinted(text: str, colour: str) -> str:
    return f'<span style="color:{colour}">{text}</span>'
