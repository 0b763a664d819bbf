from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from boxed import SMALL, png

from ebmlab.engine.estimators import DenoisingScoreMatching
from ebmlab.session.recorder import Recorder
from ebmlab.session.session import Session
from ebmlab.session.timeline import Moment
from ebmlab.session.trace import Series


def trained(seed):
    recipe = replace(SMALL, seed=seed)
    session = Session(recipe, "cpu")
    recorder = Recorder(session)
    for step in range(12):
        if step == 5:
            session.edit(replace(recipe, batch=6, estimator=DenoisingScoreMatching()))
        recorder.note()
        session.step()
    return recorder.run()


@pytest.fixture(scope="module")
def whole():
    """A run with everything that a session file can hold."""

    run = trained(0)
    return replace(
        run,
        series={**run.series, "log_z/0": Series(("step", "value", "stderr"), np.array([[3.0, 1.5, np.nan]]))},
        moments=(Moment(3, "modes part", "a note"), Moment(9, "ε", "")),
        view={"theme": "dark", "panes": [1, None, {"x": 0.5}]},
        thumbnail=png(),
        seconds=1.25,
        evaluation={"kl": 0.25},
    )


@pytest.fixture(scope="module")
def other():
    """Another run, of as many steps."""

    return replace(trained(1), seconds=9.0)


@pytest.fixture(params=["run", "run.ebmlab"])
def place(request, tmp_path):
    return tmp_path / request.param
