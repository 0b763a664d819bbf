from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from ebmlab.engine.logz import AIS, LogZMethod, Scene, sandwich
from ebmlab.engine.logz.ladder import Ladder
from ebmlab.engine.quadrature import integral, prepare_sampler, rule, values_at
from ebmlab.engine.types import Rng
from ebmlab.session.snapshot import Sandwiched


def close_in(
    scene: Scene, step: int, methods: Sequence[LogZMethod], rng: Rng, record: Callable[[Sandwiched], None]
) -> Iterator[object]:
    """Finds log Z of frozen weights by quadrature, then closes in on it from both sides, in small pieces.

    Arguments:
        scene: Where log Z is asked for.
        step: The step whose weights these are.
        methods: The first ladder among them is climbed; ``ais`` with its defaults if there is none.
        rng: What draws.
        record: Takes what is known so far, whenever that is more than before.
    """

    plane = rule(scene.window)
    found, pieces = Sandwiched(step=step), list[torch.Tensor]()
    for piece in values_at(scene.energy, plane.points, scene.like):
        pieces.append(piece)
        yield found
    whole = integral(plane, torch.cat(pieces), torch.finfo(scene.like.dtype).eps)
    if whole.why:
        record(replace(found, why=whole.why))
        return
    found = replace(found, log_z=whole.log_z, error=whole.error)
    exact = yield from prepare_sampler(scene.energy, scene.window, scene.like)
    # One whose kernel is not exact bounds nothing.
    sound = (method for method in methods if isinstance(method, Ladder) and method.sampler.invariant)
    ladder = next(sound, AIS())
    for done in sandwich(scene._replace(exact=exact), rng, ladder=ladder):
        if len(done.slices) > len(found.slices):
            found = replace(found, slices=done.slices)
            record(found)
        yield found
