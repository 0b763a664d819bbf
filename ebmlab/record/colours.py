r"""Colour maps, each an array with shape (256, 3), uint8; index 0 is the panel's background, so that a plateau recedes.

A map is drawn through a few colours in OKLab, a space in which equal distances look about equally far apart. The places
of the colours along the map are those of their lightness, so that lightness L is linear in the index:

.. math:: L_i = L_0 + \frac{i}{255} (L_{255} - L_0)

Equal steps of a figure are then equal steps to the eye, in greyscale print and for colour-blind eyes too. The target is
blue, the model orange, and particles are ink.

References:
    | A perceptual color space for image processing (Ottosson, 2020)
    | https://bottosson.github.io/posts/oklab/
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ebmlab.record.oklab import from_hex, to_lab, to_rgb

BACKGROUND = {True: "#1c1f25", False: "#ffffff"}

_TARGET = {True: ("#20406b", "#2f6fc4", "#58a6ff", "#c9e4ff"), False: ("#c5dcf5", "#5b9be4", "#1f6fd0", "#0a2850")}
_MODEL = {True: ("#573618", "#a8641f", "#f0a04b", "#ffe3c2"), False: ("#f6dab8", "#e39a4a", "#c76a08", "#4d2702")}
_ENERGY = {
    True: ("#3a2a5c", "#7d2f70", "#c2455a", "#ef8440", "#f6c451", "#fbf0b2"),
    False: ("#fbe7b5", "#f5b96a", "#e3794f", "#b5446a", "#6b2c78", "#2a1548"),
}
_SAMPLES = {True: ("#8d95a3", "#f2f3f5"), False: ("#8b93a1", "#15181d")}
_ARM = {True: (0.74, 0.15), False: (0.50, 0.17)}  # lightness and chroma at either end
_BLUE, _RED = 255.0, 32.0  # hues, in degrees


@lru_cache
def density(dark: bool, model: bool = False) -> np.ndarray:
    """Returns the map of a density: the target's in blue, the model's in orange, alike in lightness."""

    return _through(dark, (_MODEL if model else _TARGET)[dark])


@lru_cache
def energy(dark: bool) -> np.ndarray:
    """Returns the map of an energy, from high, which recedes, to low."""

    return _through(dark, _ENERGY[dark])


@lru_cache
def samples(dark: bool) -> np.ndarray:
    """Returns the map of how many particles lie where."""

    return _through(dark, _SAMPLES[dark])


@lru_cache
def difference(dark: bool) -> np.ndarray:
    """Returns the map of a difference: blue below zero, background at zero, red above, either end as light."""

    ground = to_lab(from_hex(BACKGROUND[dark]))
    lightness, chroma = _ARM[dark]
    arms = []
    for hue in (_BLUE, _RED):
        angle = np.deg2rad(hue)
        end = np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
        share = (np.arange(128)[:, None] + 0.5) / 127.5
        arms.append(ground + share * (end - ground))
    return _frozen(np.concatenate([arms[0][::-1], arms[1]]))


def _through(dark: bool, stops: tuple[str, ...]) -> np.ndarray:
    lab = to_lab(np.stack([from_hex(colour) for colour in (BACKGROUND[dark], *stops)]))
    lightness = np.linspace(lab[0, 0], lab[-1, 0], 256)
    order = np.argsort(lab[:, 0])
    return _frozen(np.stack([np.interp(lightness, lab[order, 0], lab[order, i]) for i in range(3)], -1))


def _frozen(lab: np.ndarray) -> np.ndarray:
    rgb = np.round(to_rgb(lab) * 255).astype(np.uint8)
    rgb.flags.writeable = False
    return rgb
