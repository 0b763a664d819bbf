"""What stands around the panes of a film: a caption, the estimator's equation, and a line of figures."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from ebmlab.engine.oracle import Evaluation
from ebmlab.paint.equations import draw_row, pieces, typeset
from ebmlab.paint.numbers import number, with_error
from ebmlab.paint.page import Page
from ebmlab.paint.shapes import font, shifted
from ebmlab.paint.words import translate
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Snapshot
from ebmlab.spec import page as described

FORMULA = 34
"""Pixels of the line of the equation."""


def draw_caption(painter: QPainter, page: Page, y: float, text: str) -> None:
    """Draws a line of text on top, cut short if it is too long."""

    look = page.theme
    painter.setFont(font(look, 16, QFont.Weight.DemiBold))
    painter.setPen(QColor(look.palette.ink))
    room = QRectF(look.px(14), y, page.width - 2 * look.px(14), look.px(26))
    shown = painter.fontMetrics().elidedText(" ".join(text.split()), Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)


def formula_height(page: Page) -> int:
    """Returns the pixels that the equation takes up."""

    return page.theme.px(FORMULA)


def draw_formula(painter: QPainter, page: Page, y: float, recipe: Recipe) -> None:
    """Draws the first equation of the estimator in one line, as large as it can be."""

    equations = described(recipe.estimator).equations
    if not equations:
        return
    boxes = [typeset(piece) for piece in pieces(equations[0])]
    tall = max(box.ascent for box in boxes) + max(box.descent for box in boxes)
    scale = min(page.theme.scale, page.theme.px(FORMULA - 4) / tall)
    with shifted(painter, 0, y + (page.theme.px(FORMULA) - tall * scale) / 2):
        painter.scale(scale, scale)
        draw_row(painter, boxes, page.width / scale, page.theme.px(14) / scale, page.theme.palette)


def draw_figures(painter: QPainter, page: Page, snapshot: Snapshot) -> None:
    """Draws the step and the exact figures at the bottom left, and what is trained at the right."""

    look, recipe = page.theme, snapshot.recipe
    room = QRectF(look.px(14), page.height - look.px(26), page.width - 2 * look.px(14), look.px(22))
    middle = Qt.AlignmentFlag.AlignVCenter
    parts = [translate("Film", "step {}").format(f"{snapshot.step:,}"), *_figures(snapshot.figures)]
    painter.setFont(font(look, 12, QFont.Weight.DemiBold))
    painter.setPen(QColor(look.palette.ink))
    left = "     ".join(parts)
    painter.drawText(room, int(middle | Qt.AlignmentFlag.AlignLeft), left)
    right = " · ".join((recipe.target.kind, recipe.energy.kind, recipe.estimator.kind))
    used = painter.fontMetrics().horizontalAdvance(left) + look.px(24)
    painter.setFont(font(look, 12))
    if used + painter.fontMetrics().horizontalAdvance(right) <= room.width():
        painter.setPen(QColor(look.palette.muted))
        painter.drawText(room, int(middle | Qt.AlignmentFlag.AlignRight), right)


def _figures(found: Evaluation | None) -> list[str]:
    if found is None:
        return []
    if not found.normalisable:
        return [translate("Film", "no log Z: exp(−E) cannot be normalised")]
    shown = [("log Z", with_error(found.log_z, found.log_z_error) if found.log_z is not None else "")]
    shown += [(name, "" if v is None else number(v)) for name, v in (("NLL", found.nll), ("KL", found.kl))]
    return [f"{name} {text}" for name, text in shown if text]
