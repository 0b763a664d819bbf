from __future__ import annotations

import platform

import numpy as np
import PySide6
import torch
from PySide6.QtGui import QGuiApplication

import ebmlab


def facts(device: str) -> str:
    """Returns the versions and the device, for a bug report."""

    lines = {
        "ebmlab": ebmlab.__version__,
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "PySide6": PySide6.__version__,
        "system": platform.platform(),
        "device": device,
        "screen": QGuiApplication.platformName(),
    }
    return "\n".join(f"{name} {value}" for name, value in lines.items())
