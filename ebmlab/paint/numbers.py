"""Figures as people read them."""

from __future__ import annotations

import math


def number(value: float | None, digits: int = 4) -> str:
    """Returns a figure with a true minus sign; a dash where there is none."""

    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.{digits}g}"
    return (f"{value:,.0f}" if "e+" in text and abs(value) < 1e6 else text).replace("-", "−")


def with_error(value: float | None, error: float | None) -> str:
    """Returns a figure with its error, to the decimals that the error leaves meaningful: 2.5552 ± 0.0003."""

    if value is None or error is None or not math.isfinite(value) or not math.isfinite(error):
        return number(value, 5)
    places = 4 if error < 1e-4 else min(max(1 - math.floor(math.log10(error)), 0), 4)
    return f"{value:.{places}f} ± {error:.{places}f}".replace("-", "−")
