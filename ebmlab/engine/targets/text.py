from __future__ import annotations

from dataclasses import dataclass

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.grid import RESOLUTION, GridDensity, blur
from ebmlab.engine.targets.image import fit
from ebmlab.engine.types import Reader, Window
from ebmlab.engine.window import Lattice
from ebmlab.spec import BadInput, knob


@TARGETS.register("text")
@dataclass(frozen=True, kw_only=True)
class Text(Target):
    r"""Typed text, its ink taken for mass.

    .. math:: p(x) \propto (\iota * \mathcal{N}(0, s^2 I))(x)

    The ink :math:`\iota` is 1 inside the letters and 0 elsewhere. The text is fitted into the middle of the window, the
    ink shared exactly between the cells of a 256 by 256 lattice, then blurred. A bar starts a new line.
    """

    text: str = knob("EBM", "The text; | starts a new line.")
    size: float = knob(0.8, "Share of the window that the text fills.", low=0.05, high=1.0)
    smoothing: float = knob(0.05, "Standard deviation s of the blur.", low=0.0, high=100.0, soft=(0.0, 1.0), symbol="s")

    def validate(self) -> None:
        if not self.text.replace("|", "").strip():
            raise BadInput("there is no text; type some, such as EBM", key="text")
        if len(self.text) > LONGEST:
            raise BadInput(f"the text has {len(self.text)} characters; keep it within {LONGEST}", key="text")

    def build(self, read: Reader, window: Window) -> Density:
        lattice = Lattice(window, RESOLUTION, RESOLUTION)
        try:
            ink = read.text(self.text.replace("|", "\n"))
        except BadInput as fault:
            raise fault.within("text") from None
        return GridDensity(blur(fit(ink, lattice, self.size), lattice, self.smoothing), lattice)


LONGEST = 200
"""Characters that still make letters wider than the lattice's cells."""
