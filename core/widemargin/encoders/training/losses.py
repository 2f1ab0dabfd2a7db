"""Losses: what training makes small, each over one batch of vectors and their classes.

Only items of one batch are compared, so that memory grows with the batch (squared) and never with
the number of items. The contrastive ones scale every vector to length 1 first, so that only
directions count. An item that is alone of its class in a batch pulls nobody, and pushes others.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["cross_entropy", "info_nce", "pairs_of", "supervised_contrastive", "triplet"]


def cross_entropy(logits: Any, target: Any) -> Any:
    """Return the mean of ``-log p``, p being what softmax gives to an item's own class.

    Parameters
    ----------
    logits : tensor of shape (n_items, n_classes)
        What the last layer says of each class.
    target : tensor of shape (n_items,)
        Class numbers from 0.

    Examples
    --------
    >>> torch = import_module("torch")
    >>> round(float(cross_entropy(torch.zeros(3, 4), torch.tensor([0, 1, 2]))), 3)
    1.386
    """
    return import_module("torch").nn.functional.cross_entropy(logits, target)


def supervised_contrastive(vectors: Any, target: Any, temperature: float) -> Any:
    """Return the loss that pulls an item to all others of its class, and pushes the rest away.

    P. Khosla et al., "Supervised Contrastive Learning", 2020, eq. 2 (L_out): for each anchor i the
    mean over its positives p of ``-log(exp(z_i.z_p / t) / sum over a != i of exp(z_i.z_a / t))``.

    Parameters
    ----------
    vectors : tensor of shape (n_items, dimension)
        Of any length.
    target : tensor of shape (n_items,)
        Class numbers.
    temperature : float
        What cosines are divided by.

    Returns
    -------
    tensor of shape ()
        The mean over anchors that have a positive; 0 where none has.

    Examples
    --------
    >>> torch = import_module("torch")
    >>> vectors, target = torch.eye(2).repeat(2, 1), torch.tensor([0, 1, 0, 1])
    >>> round(float(supervised_contrastive(vectors, target, 0.1)), 4)
    0.0001
    """
    torch: Any = import_module("torch")
    unit = torch.nn.functional.normalize(vectors, dim=1)
    itself = torch.eye(len(target), dtype=torch.bool, device=vectors.device)
    # -inf times 0 would be no number where an item's own place is summed over.
    likeness = (unit @ unit.T / temperature).masked_fill(itself, -torch.inf)
    positive = (target[:, None] == target[None, :]) & ~itself
    log_share = torch.log_softmax(likeness, dim=1).masked_fill(~positive, 0)
    n_positives = positive.sum(1)
    each = -log_share.sum(1) / n_positives.clamp(min=1)
    return each.sum() / (n_positives > 0).sum().clamp(min=1)


def triplet(vectors: Any, target: Any, margin: float) -> Any:
    """Return how far strangers are from lying a margin beyond an anchor's own class.

    Each anchor with each positive, and with the nearest stranger of the batch that lies beyond that
    positive ("semi-hard"), or the farthest where none does: F. Schroff, D. Kalenichenko and
    J. Philbin, "FaceNet", 2015, eq. 3 and section 3.2, in squared distances of unit vectors, from 0
    to 4. The hardest stranger of all ("batch hard", A. Hermans et al., 2017) needs fewer terms, but
    with it small networks drew all vectors into one point, where the loss is the margin.

    Parameters
    ----------
    vectors : tensor of shape (n_items, dimension)
        Of any length.
    target : tensor of shape (n_items,)
        Class numbers.
    margin : float
        How much further off strangers are to lie.

    Returns
    -------
    tensor of shape ()
        The mean over anchors and their positives; 0 where there is none, or no stranger.

    Examples
    --------
    >>> torch = import_module("torch")
    >>> vectors, target = torch.eye(2).repeat(2, 1), torch.tensor([0, 1, 0, 1])
    >>> float(triplet(vectors, target, 2.5))
    0.5
    """
    torch: Any = import_module("torch")
    unit = torch.nn.functional.normalize(vectors, dim=1)
    distance = 2 - 2 * (unit @ unit.T)
    itself = torch.eye(len(target), dtype=torch.bool, device=vectors.device)
    same = target[:, None] == target[None, :]
    counts = same & ~itself & (~same).any(1, keepdim=True)
    # Each row's strangers by distance, and how many lie no farther off than each positive.
    fixed = distance.detach()
    apart, order = fixed.masked_fill(same, torch.inf).sort(dim=1, stable=True)
    place = torch.searchsorted(apart, fixed, right=True)
    last = (~same).sum(1, keepdim=True) - 1
    stranger = order.gather(1, place.minimum(last).clamp(min=0))
    excess = distance - distance.gather(1, stranger) + margin
    return excess.clamp(min=0).masked_fill(~counts, 0).sum() / counts.sum().clamp(min=1)


def info_nce(anchors: Any, positives: Any, target: Any, temperature: float) -> Any:
    """Return how badly each anchor finds its positive among the others' positives.

    A. van den Oord, Y. Li and O. Vinyals, "Representation Learning with Contrastive Predictive
    Coding", 2018, eq. 4, with cosines over a temperature as the score. Positives of other anchors
    of the same class are left out: they are no negatives.

    Parameters
    ----------
    anchors, positives : tensor of shape (n_pairs, dimension)
        Row by row two items of one class, of any length.
    target : tensor of shape (n_pairs,)
        The pairs' class numbers.
    temperature : float
        What cosines are divided by.

    Returns
    -------
    tensor of shape ()
        The mean over pairs; 0 where there are none.

    Examples
    --------
    >>> torch = import_module("torch")
    >>> target = torch.tensor([0, 1])
    >>> round(float(info_nce(torch.eye(2), torch.eye(2), target, 0.5)), 4)
    0.1269
    """
    torch: Any = import_module("torch")
    normalize = torch.nn.functional.normalize
    likeness = normalize(anchors, dim=1) @ normalize(positives, dim=1).T / temperature
    itself = torch.eye(len(target), dtype=torch.bool, device=anchors.device)
    others_of_class = (target[:, None] == target[None, :]) & ~itself
    own = torch.log_softmax(likeness.masked_fill(others_of_class, -torch.inf), dim=1).diagonal()
    return -own.sum() / max(len(target), 1)


def pairs_of(target: Any) -> tuple[Any, Any]:
    """Pair each item of a batch with the next one of its class, the last with the first.

    Parameters
    ----------
    target : tensor of shape (n_items,)
        Class numbers.

    Returns
    -------
    anchors, positives : tensor of shape (n_pairs,)
        Places in the batch; items that are alone of their class are in no pair.

    Examples
    --------
    >>> anchors, positives = pairs_of(import_module("torch").tensor([5, 7, 5, 8, 5]))
    >>> anchors.tolist(), positives.tolist()
    ([0, 2, 4], [2, 4, 0])
    """
    torch: Any = import_module("torch")
    classes, place = torch.unique(target, return_inverse=True)
    counts = torch.bincount(place, minlength=len(classes))
    order = torch.argsort(place, stable=True)
    ends = counts.cumsum(0)
    following = torch.arange(1, len(target) + 1, device=target.device)
    of_class = place[order]
    following = torch.where(following == ends[of_class], (ends - counts)[of_class], following)
    paired = counts[of_class] > 1
    return order[paired], order[following[paired]]
