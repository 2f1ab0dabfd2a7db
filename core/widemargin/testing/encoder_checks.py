"""What every encoder must do, as checks that plugin authors call from their own tests.

Each check builds the encoder at the given settings, tries one rule on made-up items of every kind
that it reads, and raises a `ConformanceError` that says what was found, where and what to do.
"""

from __future__ import annotations

from widemargin.contracts import EncoderSpec, Section
from widemargin.testing.blame import ConformanceError
from widemargin.testing.encoder_state_checks import (
    check_encoder_clones,
    check_encoder_learns,
    check_encoder_needs_no_network,
    check_encoder_round_trip,
)
from widemargin.testing.encoder_trials import EncoderCheck
from widemargin.testing.encoder_vector_checks import (
    check_encoder_is_deterministic,
    check_encoder_odd_items,
    check_encoder_rows_are_independent,
    check_encoder_shape,
    check_encoder_shares,
)

__all__ = ["check_encoder", "encoder_checks"]


def encoder_checks() -> list[EncoderCheck]:
    """Return all checks, so that tests can be parametrised over them.

    Examples
    --------
    >>> encoder_checks()[0].__name__
    'check_encoder_shape'
    """
    return [
        check_encoder_shape,
        check_encoder_is_deterministic,
        check_encoder_rows_are_independent,
        check_encoder_odd_items,
        check_encoder_clones,
        check_encoder_round_trip,
        check_encoder_learns,
        check_encoder_shares,
        check_encoder_needs_no_network,
    ]


def check_encoder(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Try every check on an encoder.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where any fails; it names every rule that is broken, each once.

    Examples
    --------
    >>> from widemargin.encoders import ENCODERS
    >>> check_encoder(next(spec for spec in ENCODERS if spec.name == "kmer"))
    """
    told: dict[str, None] = {}
    for check in encoder_checks():
        try:
            check(spec, settings)
        except ConformanceError as error:
            told[str(error)] = None
    if told:
        raise ConformanceError("\n".join(told))
