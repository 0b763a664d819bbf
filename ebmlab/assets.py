"""Where icons, themes and the gallery of recipes lie, in a checkout and once installed."""

from __future__ import annotations

import sysconfig
from functools import cache
from pathlib import Path


@cache
def assets() -> Path:
    """Returns the folder of the assets: the checkout's own, or the environment's ``share/ebmlab``."""

    checkout = Path(__file__).resolve().parents[1] / "assets"
    return checkout if checkout.is_dir() else Path(sysconfig.get_path("data")) / "share" / "ebmlab"


def sweeps() -> dict[str, Path]:
    """Returns the examples of sweeps by name."""

    return {path.stem: path for path in sorted((assets() / "sweeps").glob("*.json"))}


def gallery() -> dict[str, Path]:
    """Returns the recipes of the gallery by name."""

    return {path.stem: path for path in sorted((assets() / "recipes").glob("*.json"))}
