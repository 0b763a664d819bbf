from __future__ import annotations

import torch

from ebmlab.spec import BadInput

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose(name: str = "auto") -> torch.device:
    """Returns the device to train on; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        BadInput: If the device is unknown or not to be had on this machine.
    """

    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if here["cuda"] else "mps" if here["mps"] else "cpu")
    kind = name.partition(":")[0]
    if kind not in here:
        raise BadInput(f"no device is called {name!r}; give {' or '.join(DEVICES)}", key="device")
    if not here[kind]:
        raise BadInput(f"torch finds no {kind} device on this machine; give auto or cpu", key="device")
    try:
        return torch.empty(0, device=name).device
    except RuntimeError:
        raise BadInput(f"there is no device {name!r} on this machine; give {kind}", key="device") from None
