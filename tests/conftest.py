from __future__ import annotations

import os
import signal

# Before any import of Qt, or pytest aborts; an explicit platform (xcb under Xvfb) wins.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import torch

torch.set_num_threads(1)

# A shell that runs the tests in the background ignores Ctrl+C, and so would the commands that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def global_rng_untouched():
    """No test, hence no code under test, may draw from the global generator."""

    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state()), "something drew from torch's global generator"


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)
