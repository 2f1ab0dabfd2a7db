r"""Autocovariance: how a property of residues goes with that of residues further along.

The order of residues, as far as second moments tell it: for a scale :math:`h` of mean 0 and
deviation 1 over the twenty amino acids, its mean :math:`\bar h` over a protein of n residues, and
each lag :math:`\ell`,

.. math:: c_\ell = \frac{1}{n - \ell} \sum_{i=1}^{n - \ell} (h_i - \bar h)(h_{i + \ell} - \bar h).

These are the order factors of pseudo-amino-acid composition in their series form (Chou 2001,
doi:10.1002/prot.1035; Chou 2005, doi:10.1093/bioinformatics/bth466); the shares of residues, its
other part, are the encoder ``composition``. Centred on the protein, as in Guo, Yu, Wen & Li 2008
(doi:10.1093/nar/gkn159), they say nothing that composition says already. A helix shows at lags 3, 4
and 7, a strand at 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, get_args

import numpy as np
from pydantic import Field

from widemargin.contracts import EncoderSpec, Section
from widemargin.encoders.sequences.named import SequenceEncoder
from widemargin.encoders.sequences.residues import PADDING, Residues
from widemargin.encoders.sequences.scales import ScaleName, standard_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AUTOCOVARIANCE", "AutocovarianceEncoder", "AutocovarianceSettings"]

_SCALES: tuple[ScaleName, ...] = (
    *("hydropathy", "hydrophilicity", "volume", "charge", "helix", "sheet", "disorder"),
)


class AutocovarianceSettings(Section):
    """Settings of the encoder ``autocovariance``."""

    scales: Annotated[tuple[ScaleName, ...], Field(min_length=1)] = Field(
        _SCALES, description="properties of residues, among " + ", ".join(get_args(ScaleName))
    )
    lags: Annotated[int, Field(ge=1, le=PADDING)] = Field(
        30, description="how far apart residues are at most"
    )


class AutocovarianceEncoder(SequenceEncoder):
    """Means of properties over a protein, and their covariances along it.

    Upper and lower case are alike and white space is left out. A letter that is none of the twenty
    amino acids takes no part. Where a protein is no longer than a lag, the covariance is 0.

    Parameters
    ----------
    scales : tuple of str
        Properties of residues; by default all but the consensus scale of hydrophobicity.
    lags : int, default=30
        How far apart residues are at most.

    Examples
    --------
    >>> encoder = AutocovarianceEncoder(scales=("charge",), lags=2)
    >>> encoder.transform(["KEKEKEKE"]).round(1)
    array([[ 0., -5.,  5.]], dtype=float32)
    >>> encoder.get_feature_names_out().tolist()
    ['charge', 'charge at lag 1', 'charge at lag 2']
    """

    name: ClassVar[str] = "autocovariance"

    def __init__(self, scales: tuple[ScaleName, ...] = _SCALES, lags: int = 30) -> None:
        self.scales = scales
        self.lags = lags

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number, in order."""
        far = range(1, self.lags + 1)
        return tuple(
            name
            for scale in self.scales
            for name in (scale, *(f"{scale} at lag {lag}" for lag in far))
        )

    def encode(self, items: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        residues = Residues(items)
        known = residues.known
        numbers = np.maximum(1, residues.sum(known))
        columns = []
        for scale in self.scales:
            values = standard_scale(scale)[residues.codes]
            mean = residues.sum(values) / numbers
            columns.append(mean)
            values = np.where(known, values - mean[residues.row], 0.0)
            for lag in range(1, self.lags + 1):
                products = np.zeros(len(values))
                # Padding is no shorter than a lag, so that no product spans two proteins.
                products[:-lag] = values[:-lag] * values[lag:]
                columns.append(residues.sum(products) / np.maximum(1, residues.lengths - lag))
        return np.stack(columns, axis=1).astype(np.float32)


def _build(settings: AutocovarianceSettings) -> AutocovarianceEncoder:
    return AutocovarianceEncoder(**settings.model_dump())


AUTOCOVARIANCE = EncoderSpec(
    name="autocovariance",
    summary="properties of residues and how they go together along a protein (PseAAC)",
    kinds=("sequence",),
    learns="nothing",
    settings=AutocovarianceSettings,
    build=_build,
    dimension=len(AutocovarianceEncoder().columns),
)
