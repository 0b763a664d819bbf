from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.actions import Actions
from ebmlab.gui.panels.finder import plain
from ebmlab.paint.shows import SHOWS


class Guide(QDialog):
    """What the colours mean, and every key; or, about the program, its versions.

    Arguments:
        about: The versions, to show those instead.
    """

    def __init__(self, actions: Actions, parent: QWidget, about: str = "") -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("about" if about else "guide")
        self.setWindowTitle(self.tr("About ebmlab") if about else self.tr("Guide"))
        text = QTextBrowser()
        text.setHtml(self._versions(about) if about else self._colours() + self._mouse() + self._keys(actions))
        text.setAccessibleName(self.windowTitle())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(buttons)
        self.resize(theme.current().px(460), theme.current().px(320 if about else 620))

    def _versions(self, about: str) -> str:
        line = self.tr("A desktop lab for energy-based models: every approximation beside the exact answer, live.")
        return f"<h3>ebmlab</h3><p>{line}</p><p>{html.escape(about).replace(chr(10), '<br>')}</p>"

    def _colours(self) -> str:
        p = theme.current().palette
        rows = (
            (p.ink, self.tr("exact, by quadrature")),
            (p.blue, self.tr("the target and its data")),
            (p.orange, self.tr("the model, its negatives, the first method")),
            (p.violet, self.tr("the second method")),
        )
        marks = "".join(f'<tr><td style="color: {c}">▬&nbsp;</td><td>{html.escape(t)}</td></tr>' for c, t in rows)
        return "<h3>{}</h3><table>{}</table>".format(self.tr("Colours"), marks)

    def _mouse(self) -> str:
        lines = (
            self.tr("Wheel: zoom about the cursor. Middle or right button: pan."),
            self.tr("Double click on a pane's header: fill the canvas with it, and back."),
            self.tr(
                "Drag along the timeline: show the run as it was; its arrow keys go step by step, with Ctrl by name."
            ),
            self.tr("Double click on a chart: follow the run again after zooming."),
            self.tr("Drop or paste points, one a line, or a picture: they become the target."),
            self.tr("Drop or paste a recipe, or a link that begins with ebmlab: it takes the place of the recipe."),
        )
        return "<h3>{}</h3>{}".format(self.tr("Mouse"), "".join(f"<p>{html.escape(t)}</p>" for t in lines))

    def _keys(self, actions: Actions) -> str:
        rows = [
            (self.tr("Space"), self.tr("Run or pause")),
            (f"1 … {len(SHOWS)}", self.tr("What the active pane shows")),
            (self.tr("Esc"), self.tr("Leave what is shown: the past, the talk, a page")),
        ]
        rows += [(a.shortcut().toString(), plain(a.text())) for a in actions if not a.shortcut().isEmpty()]
        cells = "".join(
            f"<tr><td><b>{html.escape(k)}</b>&nbsp;&nbsp;</td><td>{html.escape(t)}</td></tr>" for k, t in rows
        )
        return "<h3>{}</h3><table>{}</table>".format(self.tr("Keys"), cells)
