"""A desktop lab for energy-based models: every approximation beside the exact answer, live.

.. code-block:: python

    import ebmlab

    session = ebmlab.Session(ebmlab.Recipe.load("recipe.json"), device="cpu")
    for _ in range(1000):
        session.step()
    print(session.evaluate().kl)
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["BadInput", "Recipe", "Runner", "Session", "__version__", "gui"]

_HOMES = {
    "BadInput": "ebmlab.spec",
    "Recipe": "ebmlab.session.recipe",
    "Runner": "ebmlab.session.runner",
    "Session": "ebmlab.session.session",
}


def __getattr__(name: str) -> Any:
    """Imports the public names when first asked for, so that `import ebmlab` costs nothing."""

    if name == "gui":
        return importlib.import_module("ebmlab.gui")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ebmlab' has no attribute {name!r}")
