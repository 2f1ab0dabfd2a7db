"""Mail: what a run says of one, as header fields of it."""

from __future__ import annotations

from collections.abc import Mapping

from widemargin.errors import DataError
from widemargin.serving.predictor import Predictor
from widemargin.serving.stamps import stamp

__all__ = ["stamp_verdict"]

_PREFIX = "X-Spam-"


def stamp_verdict(
    raw: bytes, predictor: Predictor, *, version: str, threshold: float | None = None
) -> bytes:
    """Return a mail with what a run says of it in ``X-Spam-*`` fields, in place of older ones.

    Parameters
    ----------
    raw : bytes
        The mail.
    predictor : Predictor
        Of a run of two classes on data that read mail.
    version : str
        That of widemargin.
    threshold : float, optional
        The margin from which on the mail is flagged; by default where the run's labels change.

    Raises
    ------
    DataError
        Where the run knows another number of classes or reads no mail.
    """
    positive, record = predictor.positive, predictor.record
    if not positive:
        raise DataError(f"the run {record.id} does not tell two classes apart; give one that does.")
    items = predictor.config.data.read_message(raw)
    [one] = predictor.predict(items.X, items.ids)
    assert one.margin is not None
    judge = f"widemargin {version} (run {record.use_case}/{record.id})"
    if one.is_empty:
        # What is taken for granted is no judgement on this mail.
        fields = {"Flag": "NO", "Status": "No, there is no text to judge"}
        return stamp(raw, _named({**fields, "Checker-Version": judge}), _PREFIX)
    flagged = one.label == positive if threshold is None else one.margin >= threshold
    required = predictor.threshold if threshold is None else threshold
    # Enough digits that "score >= required" decides as the run does.
    probability, score = f"{one.probabilities[positive]:.4f}", f"{one.margin:.4f}"
    status = f"score={score} required={required:.4f} probability={probability}"
    fields = {
        "Flag": "YES" if flagged else "NO",
        "Status": f"{'Yes' if flagged else 'No'}, {status}",
        "Score": score,
        "Probability": probability,
        "Checker-Version": judge,
    }
    return stamp(raw, _named(fields), _PREFIX)


def _named(fields: Mapping[str, str]) -> dict[str, str]:
    return {
        _PREFIX + name: value.encode("ascii", "backslashreplace").decode()
        for name, value in fields.items()
    }
