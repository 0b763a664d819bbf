"""The rounded frame of a pane or a chart."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from ebmlab.paint.page import Page
from ebmlab.paint.shapes import corners, pen

RADIUS = 8


def draw_card(painter: QPainter, page: Page) -> None:
    """Draws the ground and the frame of a page."""

    palette, radius = page.theme.palette, page.theme.px(RADIUS)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen(palette.line))
    painter.setBrush(QColor(palette.panel))
    painter.drawRoundedRect(QRectF(0.5, 0.5, page.width - 1, page.height - 1), radius, radius)
    painter.setBrush(QColor(0, 0, 0, 0))


def round_off(painter: QPainter, page: Page, edge: str) -> None:
    """Paints over the lower corners of a page, where it would stick out of the rounded frame around it."""

    look, radius = page.theme, page.theme.px(RADIUS - 1)
    left, right = corners(radius, page.ratio, look.palette.background, edge)
    top = page.height - radius - 1
    painter.drawImage(QPointF(0, top), left)
    painter.drawImage(QPointF(page.width - radius - 1, top), right)
