from __future__ import annotations

import time

import pytest

from ebmlab.session.errand import Errand, Outcome
from ebmlab.spec import BadInput


def counting(n, pause=0.0):
    for i in range(n):
        time.sleep(pause)
        yield i
    return n


def ended(errand, seconds=5.0):
    """Waits for the end; returns the outcome."""

    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if (outcome := errand.outcome.take()) is not None:
            return outcome
        time.sleep(0.005)
    raise AssertionError("the errand has not ended")


@pytest.fixture
def send():
    sent = []

    def send(begin):
        errand = Errand(begin)
        sent.append(errand)
        errand.start()
        return errand

    yield send
    for errand in sent:
        errand.call_off()
        assert not errand.alive


def test_that_an_errand_tells_how_far_it_is_and_brings_its_result(send):
    errand = send(lambda: counting(3))
    assert ended(errand) == Outcome(3)
    assert errand.progress.take() == 2


def test_that_an_errand_called_off_ends_soon_and_without_a_result(send):
    errand = send(lambda: counting(10**9, 0.001))
    errand.call_off()
    assert not errand.alive
    assert errand.outcome.take() == Outcome()


def test_that_a_fault_comes_back_as_a_sentence(send):
    def refused():
        yield 0
        raise BadInput("there are no points; give two", key="points")

    def broken():
        yield 0
        raise ValueError("odd")

    assert ended(send(refused)).fault == "points: there are no points; give two"
    assert ended(send(broken)).fault == "an error in the program: ValueError: odd"
