"""The window. Importing this imports no torch; furnishing a window does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow

    from ebmlab.session.recipe import Recipe

__all__ = ["create_window"]


def create_window(recipe: Recipe | None = None, device: str = "auto") -> QMainWindow:
    """Returns a window with a recipe in it, paused; needs a QApplication. Nothing is remembered of it."""

    from ebmlab.gui.window import LabWindow

    window = LabWindow()
    window.furnish(recipe, device)
    return window
