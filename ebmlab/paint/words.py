from __future__ import annotations

from PySide6.QtCore import QCoreApplication

translate = QCoreApplication.translate


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:
    """Marks a text for the translators, who look for this name; Qt's own function of the name tells no type."""

    return text
