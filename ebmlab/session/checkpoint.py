"""From a session to a saved run, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ebmlab.session.archive import write_run
from ebmlab.session.fitting import demand_weights
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.spec import BadInput


def save_run(session: Session, path: str | os.PathLike[str], evaluation: Mapping[str, Any] | None = None) -> None:
    """Saves a session with all that it goes on with, to one file if the path ends in ``.ebmlab``, else to a folder.

    Raises:
        BadInput: If something else is in the way.
    """

    state = session.capture()
    run = Run(
        recipe=session.recipe,
        weights=state.weights,
        step=session.count,
        device=str(session.device),
        evaluation=dict(evaluation or {}),
        log=tuple(session.log),
        state=state,
        series={"training": session.trace.view()},
    )
    write_run(run, path)


def open_run(run: Run, device: str = "auto") -> Session:
    """Returns a session that goes on from a saved run: bit for bit if the run holds its state, else afresh.

    Raises:
        BadInput: If what the run holds is not of its recipe.
    """

    return restore(Session(run.recipe, device), run)


def restore(session: Session, run: Run) -> Session:
    """Gives a fresh session of a run's recipe the run's state, log and trace; returns it.

    Of a run without a state only the weights and the step are known: optimiser and memory begin anew.

    Raises:
        BadInput: If they are not of the session's recipe. The session is then as it was.
    """

    try:
        if run.state is not None:
            session.resume(run.state)
        elif run.weights is not None:
            demand_weights(session.net, run.weights)
            session.net.load_state_dict(dict(run.weights))
            session.count = run.step
    except BadInput as fault:
        raise fault.within(source=run.source) from None
    session.log[:] = run.log or [(session.count, session.recipe)]
    training = run.series.get("training")
    if training is not None and training.columns == session.trace.columns:
        session.trace.extend(training.until(session.count).rows)
    return session
