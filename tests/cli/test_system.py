from __future__ import annotations

import ctypes.util
import sys

import pytest

from ebmlab.cli import system
from ebmlab.cli.output import Progress, finite, number, show_json
from ebmlab.cli.system import OFFSCREEN, SCREEN, apt_line, has_display, missing, needs_screen


def test_that_one_line_installs_every_library_that_is_missing():
    packages = missing(True, "linux", loads=lambda library: False)
    assert packages == [*OFFSCREEN.values(), *SCREEN.values()]
    assert apt_line(packages).endswith(" ".join(packages))
    assert "\n" not in apt_line(packages)


def test_that_pictures_need_fewer_libraries_than_a_screen():
    assert missing(False, "linux", loads=lambda library: False) == list(OFFSCREEN.values())
    assert missing(True, "linux", loads=lambda library: "xcb" not in library) == [
        p for lib, p in SCREEN.items() if "xcb" in lib
    ]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_that_macos_and_windows_bring_theirs(platform):
    assert missing(True, platform, loads=lambda library: False) == []
    assert has_display({}, platform)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux names its libraries so")
def test_that_the_c_library_loads_and_an_invented_one_does_not():
    assert system._loads(ctypes.util.find_library("c") or "libc.so.6")
    assert not system._loads("libinvented.so.9")


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"])
def test_that_any_of_three_variables_means_a_display(name):
    assert has_display({name: "x"}, "linux")
    assert not has_display({name: ""}, "linux")


def test_that_only_an_x_display_needs_the_libraries_of_a_screen():
    assert needs_screen({"DISPLAY": ":0"})
    assert not needs_screen({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"})
    assert not needs_screen({"WAYLAND_DISPLAY": "wayland-0"})


def test_that_a_number_that_is_not_finite_is_null(capsys):
    show_json({"a": float("nan"), "b": [float("inf"), 1.0], "c": {"d": (-float("inf"), "x")}})
    assert capsys.readouterr().out == '{"a": null, "b": [null, 1.0], "c": {"d": [null, "x"]}}\n'
    assert finite(True) is True


def test_that_a_missing_figure_says_why():
    assert number(None, "mass escapes") == "none: mass escapes"
    assert number(float("nan")) == "none"
    assert number(True) == "yes"
    assert number(0.12345678) == "0.123457"


def test_that_the_bar_is_drawn_on_a_terminal_only(capsys, monkeypatch):
    quiet = Progress(10)
    quiet(10)
    quiet.close()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    bar = Progress(10)
    bar(10)
    assert "10/10 steps" in capsys.readouterr().err
    bar.close()
    assert capsys.readouterr().err == "\r\033[K"
