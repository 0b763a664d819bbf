"""The small parts that a session is made of: trace, mailbox, streams, cloud, budget."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
import torch

from ebmlab.engine.samplers import UnadjustedLangevin
from ebmlab.session.budget import Allowance, Rate, Sharpness
from ebmlab.session.cloud import CHAINS, DRAWS, Cloud
from ebmlab.session.devices import choose
from ebmlab.session.mailbox import Mailbox
from ebmlab.session.streams import Streams
from ebmlab.session.trace import Trace
from ebmlab.spec import BadInput

WINDOW = (-6.0, 6.0, -6.0, 6.0)


def test_that_a_view_of_a_trace_never_changes_while_the_trace_grows():
    trace = Trace("step", "value")
    for i in range(5):
        trace.append(i, i * i)
    view = trace.view()
    kept = view.rows.copy()
    for _ in range(5000):
        trace.append(-1, -1)
    np.testing.assert_array_equal(view.rows, kept)
    np.testing.assert_array_equal(view["value"], [0, 1, 4, 9, 16])
    assert len(trace) == 5005
    with pytest.raises(ValueError, match="read-only"):
        view.rows[0] = 1


def test_that_a_series_travels_without_the_rest_of_its_trace():
    trace = Trace("step")
    trace.append(1.0)
    assert len(pickle.dumps(trace.view())) < 500


def test_that_the_newest_letter_replaces_the_one_before():
    box: Mailbox[int] = Mailbox()
    assert box.take() is None
    box.put(1)
    box.put(2)
    assert box.take() == 2
    assert box.take() is None


def test_that_a_mailbox_between_threads_loses_only_older_letters():
    box: Mailbox[int] = Mailbox()
    writer = threading.Thread(target=lambda: [box.put(i) for i in range(20_000)])
    writer.start()
    seen = []
    while writer.is_alive() or not seen or seen[-1] != 19_999:
        if (letter := box.take()) is not None:
            seen.append(letter)
    writer.join()
    assert seen == sorted(set(seen))


def test_that_streams_of_different_purposes_and_seeds_differ_and_repeat():
    def draw(seed, purpose):
        return torch.rand(3, generator=Streams(seed, torch.device("cpu"))[purpose]).tolist()

    assert draw(0, "data") == draw(0, "data")
    assert len({str(draw(s, p)) for s in (0, 1) for p in ("data", "view", "train")}) == 6


def test_that_particles_that_fly_off_start_again_in_the_window(rng):
    cloud = Cloud(WINDOW, torch.zeros(1))
    cloud.drift(UnadjustedLangevin(step_size=10.0), lambda x: 1e5 * x.square().sum(-1), 20, rng)
    cloud.drift(UnadjustedLangevin(step_size=10.0), lambda x: x.square().sum(-1) * torch.nan, 20, rng)
    assert (cloud.x.abs() <= 6).all()


def test_that_the_number_of_particles_follows_the_lens_and_the_rest_stay(rng):
    cloud = Cloud(WINDOW, torch.zeros(1))
    still = UnadjustedLangevin(step_size=1e-6, temperature=0.0)
    cloud.drift(still, lambda x: 0 * x.sum(-1), 10, rng)
    first = cloud.x
    cloud.drift(still, lambda x: 0 * x.sum(-1), 30, rng)
    torch.testing.assert_close(cloud.x[:10], first)
    cloud.drift(still, lambda x: 0 * x.sum(-1), 5, rng)
    torch.testing.assert_close(cloud.x, first[:5])


def test_that_the_draws_kept_for_the_diagnostics_are_bounded(rng):
    cloud = Cloud(WINDOW, torch.zeros(1))
    for _ in range(DRAWS + 10):
        cloud.drift(UnadjustedLangevin(), lambda x: x.square().sum(-1) / 2, 100, rng)
    assert cloud.draws().shape == (CHAINS, DRAWS, 2)
    cloud.forget()
    assert cloud.draws().numel() == 0


def test_that_an_allowance_is_spent_at_its_share_in_the_long_run():
    allowance, spent = Allowance(0.1), 0.0
    for _ in range(10_000):
        allowance.earn(0.01)
        if allowance.open:
            allowance.spend(0.005)
            spent += 0.005
    assert spent / 100 == pytest.approx(0.1, rel=0.1)


def test_that_the_resolution_falls_when_pictures_are_dear_and_rises_when_cheap():
    dear, cheap = Sharpness(), Sharpness()
    for _ in range(20):
        dear.learn(0.050, 128)
        cheap.learn(0.0005, 64)
    assert dear.choose(128, 128) == 64
    assert cheap.choose(128, 64) == 128
    assert cheap.choose(96, 64) == 96


def test_that_a_rate_counts_the_last_second():
    rate = Rate()
    assert rate.value == 0
    for i in range(100):
        rate.tick(i * 0.05, i * 10)
    assert rate.value == pytest.approx(200)


def test_that_a_device_that_is_not_there_is_refused_with_the_mend():
    assert choose("cpu").type == "cpu"
    with pytest.raises(BadInput, match="give auto"):
        choose("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(BadInput, match="no cuda device"):
            choose("cuda")
