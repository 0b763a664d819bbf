from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def state_of_nobody(tmp_path_factory):
    """No test may write to, or read from, what the lab keeps for whoever runs the tests."""

    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("state")))
    yield
    patch.undo()
