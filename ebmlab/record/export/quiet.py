from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator

SPEAKERS = ("torch.onnx", "torch.__trace")
"""The logs of packages that nobody asked for, and of every step of a tracing, which take longer than the step."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps torch's exporters from speaking of their own doings and deprecations."""

    logs = [logging.getLogger(name) for name in SPEAKERS]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)
