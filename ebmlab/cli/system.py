"""What the machine has: a display, and the system libraries that Qt needs on Linux. Standard library only."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping

OFFSCREEN = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
}
"""What Qt cannot be imported without, by the Debian package that has it."""

SCREEN = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""What a window on an X display needs besides; Qt blames libxcb-cursor0 whichever is missing."""


def has_display(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Returns whether a window has somewhere to go."""

    if not platform.startswith("linux"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def needs_screen(environment: Mapping[str, str] = os.environ) -> bool:
    """Returns whether Qt will open its windows on an X display."""

    return environment.get("QT_QPA_PLATFORM", "xcb").startswith("xcb") and bool(environment.get("DISPLAY"))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing(screen: bool, platform: str = sys.platform, loads: Callable[[str], bool] = _loads) -> list[str]:
    """Returns the Debian packages of the libraries that Qt lacks here; none on macOS and Windows.

    Arguments:
        screen: Whether there is to be a window, not only pictures of one.
        platform: The operating system, as ``sys.platform`` names it.
        loads: Says whether a library can be loaded.
    """

    if not platform.startswith("linux"):
        return []
    wanted = OFFSCREEN | (SCREEN if screen else {})
    return [package for library, package in wanted.items() if not loads(library)]


def apt_line(packages: list[str]) -> str:
    """Returns the one line that installs Debian packages."""

    sudo = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {' '.join(packages)}"
