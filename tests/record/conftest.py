from __future__ import annotations

import pytest


@pytest.fixture
def quick_figures(monkeypatch):
    """Exact figures on one coarse lattice instead of ever finer ones, which take seconds."""

    from ebmlab.engine.oracle import evaluate, reference

    def coarse(energy, density, window, step=0):
        return evaluate(energy, reference(density, window, 64), step)

    monkeypatch.setattr("ebmlab.session.session.evaluate_precisely", coarse)
