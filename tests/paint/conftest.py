from __future__ import annotations

import pytest
import torch

from ebmlab.engine.energies import MLP
from ebmlab.engine.targets import EightGaussians
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder, Seen
from ebmlab.session.reel import Reel
from ebmlab.session.session import Session

RECIPE = Recipe(target=EightGaussians(), energy=MLP(width=8, depth=1), batch=16, log_z=())


@pytest.fixture(autouse=True)
def application(qapp):
    """Without an application Qt has no fonts, and ends the program."""


@pytest.fixture(scope="session")
def filmed():
    """A run of 60 steps with its timeline."""

    torch.set_num_threads(1)
    session = Session(RECIPE, "cpu")
    recorder = Recorder(session, lambda: Seen(particles=session.data.clone()))
    for _ in range(60):
        session.step()
        recorder.note()
    return recorder.run()


@pytest.fixture
def reel(filmed):
    return Reel(filmed)
