from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from ebmlab import __version__
from ebmlab.assets import assets, gallery
from ebmlab.cli.output import show_json, table
from ebmlab.cli.system import apt_line, has_display, missing, needs_screen
from ebmlab.record.encoders import codecs
from ebmlab.session.devices import choose

NEEDED = ("torch", "numpy", "PySide6-Essentials", "shiboken6", "pillow", "safetensors", "ziamath")
OPTIONAL = ("av", "PyOpenGL", "onnx")


def run(args: argparse.Namespace) -> int:
    """Reports what a bug report should say; exits with 1 if something that the lab needs is missing."""

    report = examine()
    if args.json:
        show_json(report)
    else:
        table((name.replace("_", " "), _words(value)) for name, value in report.items())
    return 1 if report["missing"] else 0


def examine() -> dict[str, Any]:
    """Returns versions, device, display, Qt's system libraries, fonts, and what films can be coded with."""

    lacking = missing(needs_screen())
    versions = {name: _version(name) for name in (*NEEDED, *OPTIONAL)}
    return {
        "ebmlab": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "versions": versions,
        "device": _device(),
        "threads": torch.get_num_threads(),
        "display": _display(),
        "qt_libraries": f"missing; run: {apt_line(lacking)}" if lacking else "found",
        "fonts": _fonts(),
        "codecs": codecs(),
        "assets": f"{assets()} with {len(gallery())} recipes" if assets().is_dir() else f"none in {assets()}",
        "missing": lacking + [name for name in NEEDED if not versions[name]],
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _device() -> str:
    device = choose()
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def _display() -> str:
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XDG_SESSION_TYPE")
    said = [f"{name}={os.environ[name]}" for name in names if os.environ.get(name)]
    return ("yes" if has_display() else "none") + (f" ({', '.join(said)})" if said else "")


def _fonts() -> str:
    if not shutil.which("fc-list"):
        return "the system's" if not sys.platform.startswith("linux") else "unknown: there is no fc-list"
    every, chinese = _count(""), _count(":lang=zh")
    hint = "" if chinese else "; for Chinese: apt-get install fonts-wqy-microhei"
    return f"{every} faces, {chinese} of them with Chinese{hint}"


def _count(pattern: str) -> int:
    command = ["fc-list", *filter(None, [pattern])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return len(done.stdout.splitlines())


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {v or 'none'}" for name, v in value.items())
    if isinstance(value, list):
        return ", ".join(value) or "nothing"
    return str(value)
