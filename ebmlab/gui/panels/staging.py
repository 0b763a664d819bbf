"""What a film or a figure is to look like, as knobs that a form shows."""

from __future__ import annotations

from dataclasses import dataclass

from ebmlab.engine.types import Window
from ebmlab.paint.layout import DEFAULT, LAYOUTS, SIZES, Layout, columns
from ebmlab.paint.look import PALETTES, Theme
from ebmlab.spec import Component, knob

SQUARE, SCREEN = "square", "as on the screen"
SIDE = 1080
SHAPES = (*SIZES, SQUARE, SCREEN)


@dataclass(frozen=True, kw_only=True)
class Staging(Component):
    """What stands in the picture."""

    layout: str = knob(
        LAYOUTS[DEFAULT],
        "Panes and charts: | puts columns side by side, a comma one below the other, + and ~ overlays.",
    )
    size: str = knob("720p", "Width and height; square is 1080 by 1080.", choices=SHAPES)
    theme: str = knob("dark", "Light for print, dark for a projector.", choices=tuple(PALETTES))
    caption: str = knob("", "A line of text on top; empty for none.")
    formula: bool = knob(False, "Whether the equation of the estimator stands below the caption.")
    figures: bool = knob(True, "Whether a line at the bottom tells the step and the exact figures.")
    axes: bool = knob(False, "Whether the panes have axes with numbers.")

    def validate(self) -> None:
        self.staged((SIDE, SIDE))

    def staged(self, screen: tuple[int, int], window: Window | None = None) -> Layout:
        """Returns the layout.

        Arguments:
            screen: Width and height of canvas and charts on the screen, in pixels.
            window: The part of the plane that the panes show.
        """

        sizes = {**SIZES, SQUARE: (SIDE, SIDE), SCREEN: _even(screen)}
        return Layout(
            columns=columns(self.layout),
            caption=self.caption.strip(),
            formula=self.formula,
            figures=self.figures,
            axes=self.axes,
            theme=Theme(palette=PALETTES[self.theme]),
            size=sizes[self.size],
            window=window,
        )


@dataclass(frozen=True, kw_only=True)
class Timing(Component):
    """How fast a film goes."""

    seconds: float = knob(20.0, "How long the film is, in seconds.", low=0.5, high=600.0, soft=(2.0, 60.0))
    rate: int = knob(30, "Pictures a second.", low=24, high=60, symbol="fps")
    orbit: float = knob(
        12.0,
        "Degrees a second by which the camera goes round a surface.",
        low=-360.0,
        high=360.0,
        soft=(-90.0, 90.0),
        symbol="°/s",
    )


def _even(size: tuple[int, int]) -> tuple[int, int]:
    """Returns a size that every codec takes: of even sides."""

    return size[0] // 2 * 2, size[1] // 2 * 2
