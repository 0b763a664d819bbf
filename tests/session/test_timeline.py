from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import DenoisingScoreMatching
from ebmlab.session.blob import Folder, Held, Store
from ebmlab.session.frame import Frame
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder
from ebmlab.session.session import Session
from ebmlab.session.timeline import Moment, Timeline, Track, early
from ebmlab.spec import BadInput

SMALL = Recipe(energy=MLP(width=8), batch=16, estimator=DenoisingScoreMatching())


def a_frame(step, n=8):
    return Frame(step=step, weights={"w": torch.full((n,), float(step))})


def went(steps, **limits):
    timeline = Timeline(**limits)
    for step in range(steps + 1):
        if timeline.wants(step):
            timeline.add(a_frame(step))
    return timeline


@pytest.fixture(scope="module")
def trained():
    session = Session(SMALL, "cpu")
    recorder = Recorder(session)
    recorder.note()
    for _ in range(120):
        session.step()
        recorder.note()
    return session, recorder


@pytest.mark.parametrize("steps", [10, 1_000, 30_000, 100_000])
def test_that_the_number_of_steps_kept_is_bounded(steps):
    kept = went(steps).kept
    assert len(kept) <= 800
    assert [k.step for k in kept] == sorted({k.step for k in kept})


def test_that_the_latest_steps_lie_closest():
    steps = np.array([k.step for k in went(100_000).kept])
    gaps = np.diff(steps)
    assert gaps[steps[1:] > 100_000 - 200].max() <= 5
    assert gaps[(steps[1:] > 20_000) & (steps[1:] < 80_000)].min() >= 5
    assert gaps.max() <= 1_000


def test_that_no_stretch_of_a_long_run_is_forgotten():
    steps = np.array([k.step for k in went(100_000).kept])
    assert np.histogram(steps, bins=20, range=(0, 100_000))[0].min() >= 5
    assert set(range(17)) <= set(steps.tolist())


def test_that_a_step_kept_late_was_kept_all_along():
    track = Track(base=5, dense=64, most=600, digits=4, coarser=7)
    for step in range(0, 4_000, 5):
        kept = [track.keeps(step, now) for now in range(step, 40_000, 37)]
        assert kept == sorted(kept, reverse=True)


def test_that_early_steps_thin_out_by_powers_of_two():
    assert [step for step in range(70) if early(step, 2)] == [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]


def test_that_bytes_are_bounded_whatever_a_frame_weighs():
    timeline = Timeline(memory=200_000, most=1_000_000)
    for step in range(3_000):
        if timeline.wants(step):
            timeline.add(a_frame(step, n=5_000))
    assert timeline.size < 1_000_000 + 64 * 25_000
    assert len(timeline.kept) > 20


def test_that_what_finds_no_room_in_memory_is_moved_to_files_and_read_back():
    blobs = [Held(bytes([i]) * 1_000) for i in range(10)]
    Store(memory=3_500).settle(blobs)
    assert [blob.in_memory for blob in blobs] == [False] * 7 + [True] * 3
    assert [blob.read()[:1] for blob in blobs] == [bytes([i]) for i in range(10)]


def test_that_a_file_goes_with_the_last_who_needs_it():
    blob, folder = Held(b"abc"), Folder()
    blob.move_to(folder)
    where = folder.path
    del folder
    assert [path.read_bytes() for path in where.iterdir()] == [b"abc"]
    del blob
    assert not where.exists()


def test_that_a_full_disk_leaves_everything_in_memory(monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    blobs = [Held(b"x" * 1_000) for _ in range(3)]
    Store(memory=0).settle(blobs)
    assert all(blob.in_memory for blob in blobs)


def test_that_memory_stays_bounded_while_files_grow():
    timeline = went(20_000, memory=1 << 20)
    for step in range(20_001, 20_400):
        timeline.add(a_frame(step, n=10_000))
    held = sum(k.frame.size for k in timeline.kept if isinstance(k.frame, Held) and k.frame.in_memory)
    assert held <= (1 << 20) + 64 * 50_000


def test_that_a_pinned_step_is_never_thinned_out():
    timeline = Timeline()
    timeline.add(a_frame(7_777), pin=True)
    for step in range(7_778, 60_000):
        if timeline.wants(step):
            timeline.add(a_frame(step))
    assert 7_777 in {k.step for k in timeline.kept}


def test_that_a_frame_comes_back_as_it_was(trained):
    session, _ = trained
    figures = session.evaluate()
    frame = Frame(
        step=3, edits=2, weights=session.net.state_dict(), data=session.data, figures=figures, log_z=figures.log_z
    )
    again = Frame.loads(frame.dumps())
    assert (again.step, again.edits, again.log_z) == (3, 2, figures.log_z)
    assert again.figures == figures
    assert torch.equal(again.data, session.data)
    assert all(torch.equal(w, again.weights[name]) for name, w in session.net.state_dict().items())


@pytest.mark.parametrize("cut", [0, 5, 8, 60, 200, -1])
def test_that_a_broken_frame_is_one_sentence(trained, cut):
    content = a_frame(5).dumps()
    with pytest.raises(BadInput, match="timeline is broken"):
        Frame.loads(content[:cut])


def test_that_recording_changes_no_bit(trained):
    session, recorder = trained
    alone = Session(SMALL, "cpu")
    for _ in range(120):
        alone.step()
    assert all(torch.equal(a, b) for a, b in zip(session.net.parameters(), alone.net.parameters(), strict=True))
    assert len(recorder.timeline.kept) > 30


def test_that_what_is_kept_does_not_follow_the_training(trained):
    _, recorder = trained
    first, last = (Frame.loads(recorder.timeline.kept[i].frame.read()) for i in (0, -1))
    assert first.step == 0
    assert any(not torch.equal(w, last.weights[name]) for name, w in first.weights.items())


def test_that_a_named_step_is_kept_with_all_it_takes_to_go_on(trained):
    _, recorder = trained
    recorder.name(Moment(120, "here", "why"))
    entry = next(k for k in recorder.timeline.kept if k.step == 120)
    assert entry.state is not None
    assert recorder.moments == (Moment(120, "here", "why"),)
    recorder.name(Moment(120, ""))
    assert recorder.moments == ()


def test_that_a_run_travels(trained):
    _, recorder = trained
    run = pickle.loads(pickle.dumps(recorder.run()))
    assert run.step == 120
    assert run.kept[-1].step == 120
    assert run.versions["torch"] == torch.__version__
