"""How the learning rate rises and falls."""

from __future__ import annotations

import math

__all__ = ["one_cycle"]

_RISING = 0.1  # of all steps
_FIRST, _LAST = 1 / 25, 1 / 250_000  # of the highest rate
_MOMENTA = 0.85, 0.95


def one_cycle(step: float, total: float) -> tuple[float, float]:
    """Return what part of the highest learning rate a step takes, and its momentum.

    The rate rises for a tenth of the steps and falls in the others, each along half a cosine, and
    momentum does the contrary (L. N. Smith and N. Topin, "Super-Convergence", 2019; as torch's
    ``OneCycleLR``). It depends on nothing but the place, so that training may go on from anywhere,
    with batches of another size too.

    Parameters
    ----------
    step : float
        How many steps came before, from 0 to ``total - 1``.
    total : float
        Of how many.

    Examples
    --------
    >>> [round(one_cycle(step, 100)[0], 3) for step in (0, 9, 54, 99)]
    [0.04, 1.0, 0.5, 0.0]
    """
    top = _RISING * total - 1
    last = total - 1
    low, high = _MOMENTA
    if step <= top and top > 0:
        return _along(_FIRST, 1.0, step / top), _along(high, low, step / top)
    share = (step - max(top, 0)) / (last - max(top, 0)) if last > max(top, 0) else 0.0
    return _along(1.0, _LAST, share), _along(low, high, share)


def _along(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
