"""Sets the project up with nothing but Python: makes .venv, installs with the pins, looks for Qt's libraries.

python packaging/bootstrap.py           set up; nothing is done again until pyproject.toml or the pins change
python packaging/bootstrap.py run       set up, then open the lab; without a display, train and draw a picture
python packaging/bootstrap.py --dry-run say what would be done
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PINS = ROOT / "packaging" / "constraints.txt"
STAMP = VENV / "ebmlab-setup"
OLDEST, NEWEST = (3, 11), (3, 13)
STEPS = 600


def main(words: Sequence[str]) -> int:
    """Sets up and, if asked, runs; returns the exit code."""

    unknown = [word for word in words if word not in ("run", "--dry-run")]
    if unknown:
        return _stop(f"{unknown[0]} will not do; give run, --dry-run or nothing")
    if fault := version_fault(sys.version_info[:2]):
        return _stop(fault)
    if "--dry-run" in words:
        print("\n".join(plan()) or "nothing to do")
        return 0
    if code := _set_up():
        return code
    return _run() if "run" in words else _check_qt(screen=False)


def version_fault(version: Sequence[int]) -> str:
    """Returns why a version of Python will not do, empty if it will."""

    if OLDEST <= tuple(version) <= NEWEST:
        return ""
    found = ".".join(map(str, version))
    return f"this is Python {found}, and ebmlab needs 3.11, 3.12 or 3.13; name one, as in: make run PYTHON=python3.12"


def fingerprint() -> str:
    """Returns what changes whenever the environment has to be made anew."""

    parts = [PINS.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), repr(sys.version_info[:2]).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def plan() -> list[str]:
    """Returns the commands that are still to be run, as a person would type them."""

    if STAMP.exists() and STAMP.read_text() == fingerprint() and _python().exists():
        return []
    make = [] if _usable() else [f"{sys.executable} -m venv {VENV}"]
    return [*make, " ".join(map(str, _install()))]


def _set_up() -> int:
    if not plan():
        return 0
    if not _usable():
        if importlib.util.find_spec("ensurepip") is None:
            return _stop("this Python cannot make environments; run: sudo apt-get install -y python3-venv")
        print("making .venv")
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(VENV)
    print("installing; the first time this takes some minutes")
    if subprocess.run(_install(), cwd=ROOT, check=False).returncode:
        return _stop("pip could not install everything, see above; mend that and run the same command again")
    STAMP.write_text(fingerprint())
    return 0


def _install() -> list[str]:
    options = ["--quiet", "--disable-pip-version-check", "-c", str(PINS)]
    return [str(_python()), "-m", "pip", "install", *options, "-e", f"{ROOT}[dev]"]


def _python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _usable() -> bool:
    """Returns whether the environment has a Python that will do, and pip."""

    if not _python().exists():
        return False
    question = f"import sys, pip; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    try:
        return subprocess.run([str(_python()), "-c", question], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _check_qt(screen: bool) -> int:
    from ebmlab.cli.system import apt_line, missing

    packages = missing(screen)
    if packages:
        return _stop(f"Qt lacks system libraries; run: {apt_line(packages)}")
    return 0


def _run() -> int:
    from ebmlab.cli.system import has_display, needs_screen

    if not has_display():
        return _run_headless()
    return (
        _check_qt(needs_screen()) or subprocess.run([str(_python()), "-m", "ebmlab"], cwd=ROOT, check=False).returncode
    )


def _run_headless() -> int:
    from ebmlab.cli.system import apt_line, missing

    print(f"there is no display, so the default recipe is trained for {STEPS} steps without a window")
    command = [
        str(_python()),
        "-m",
        "ebmlab",
        "train",
        "-o",
        "run",
        "--steps",
        str(STEPS),
        "--picture",
        "run/picture.png",
    ]
    if code := subprocess.run(command, cwd=ROOT, check=False).returncode:
        return code
    print("the picture is run/picture.png, the figures are in run/run.json")
    print("to see the window, run this where there is a display: at a desk, or over ssh -X")
    if packages := missing(screen=True):
        print(f"the window will want system libraries; run: {apt_line(packages)}")
    return 0


def _stop(message: str) -> int:
    print(f"ebmlab: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
