from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ebmlab.gui import app
from ebmlab.gui.frames import Frames, since_start

KEYS = {
    "window_ms",
    "first_landscape_ms",
    "frames",
    "fps",
    "frame_ms_p50",
    "frame_ms_p99",
    "steps",
    "steps_per_second",
    "gui_busy_share",
    "exceptions",
    "device",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_that_without_a_display_one_line_names_what_needs_none(monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert app.run() == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "train" in line


def test_that_a_missing_file_is_named_before_any_window_opens(capsys):
    assert app.run("nowhere.json") == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_that_the_figures_of_an_empty_visit_are_null_and_complete(tmp_path):
    path = tmp_path / "stats.json"
    Frames().write(str(path))
    stats = json.loads(path.read_text())
    assert set(stats) == KEYS
    assert stats["fps"] is None
    assert list(tmp_path.iterdir()) == [path]


def test_that_only_new_snapshots_make_frames():
    frames = Frames()
    frames.painted()
    frames.arrived(1, True, True, "cpu")
    frames.painted()
    frames.painted()
    frames.arrived(5, True, True, "cpu")
    frames.painted()
    stats = frames.stats()
    assert stats["frames"] == 2
    assert stats["steps"] == 4
    assert stats["device"] == "cpu"


def test_that_the_clock_starts_with_the_process():
    assert 0 < since_start() < 36000


def test_that_faults_are_counted_and_told(qapp, capsys):
    faults = app.Faults()
    met = []
    faults.met.connect(lambda line, detail: met.append((line, detail)))
    try:
        try:
            raise ValueError("broken")
        except ValueError as fault:
            sys.excepthook(ValueError, fault, fault.__traceback__)
    finally:
        faults.restore()
    assert faults.count == 1
    assert met[0][0] == "ValueError: broken"
    assert "Traceback" in met[0][1]


@pytest.mark.slow
def test_that_a_visit_trains_shows_and_leaves(tmp_path):
    stats, picture = tmp_path / "s.json", tmp_path / "p.png"
    code = "import sys; from ebmlab.gui.app import run; sys.exit(run(None, seconds=8, screenshot={!r}, stats={!r}))"
    command = [sys.executable, "-c", code.format(str(picture), str(stats))]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert out.returncode == 0, out.stderr
    found = json.loads(stats.read_text())
    assert found["exceptions"] == 0
    assert found["steps"] > 0
    assert picture.stat().st_size > 10_000
