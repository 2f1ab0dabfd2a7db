"""All checks of a use case, in the order in which an author meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from widemargin.contracts import UseCase
from widemargin.testing.blame import ConformanceError, DoesNotApply
from widemargin.testing.data_checks import (
    check_groups_do_not_cross,
    check_lengths,
    check_loads_offline,
    check_target_is_no_column,
)
from widemargin.testing.feature_checks import check_features_clone, check_learns
from widemargin.testing.model_checks import (
    check_deterministic,
    check_empty_and_odd_items,
    check_features_round_trip,
    check_read_items,
    check_repeated_items,
)
from widemargin.testing.plugin_checks import check_light_import, check_metrics
from widemargin.testing.run_checks import check_beats_the_dummy, check_runs_offline
from widemargin.testing.split_checks import (
    check_held_out_rows_teach_nothing,
    check_published_split_is_kept,
    check_rows_are_read_alone,
    check_walks_forward,
)

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = ["Check", "check_use_case", "use_case_checks"]


class Check(Protocol):
    """One rule that every use case must keep."""

    __name__: str

    def __call__(self, use_case: UseCase, registry: Registry | None = None) -> None:
        """Raise a `ConformanceError` where the rule is broken, `DoesNotApply` where it is mute."""
        ...


def use_case_checks() -> list[Check]:
    """Return all checks, so that tests can be parametrised over them.

    Examples
    --------
    >>> use_case_checks()[0].__name__
    'check_light_import'
    """
    return [
        check_light_import,
        check_metrics,
        check_loads_offline,
        check_lengths,
        check_deterministic,
        check_target_is_no_column,
        check_rows_are_read_alone,
        check_groups_do_not_cross,
        check_published_split_is_kept,
        check_walks_forward,
        check_learns,
        check_held_out_rows_teach_nothing,
        check_features_clone,
        check_features_round_trip,
        check_read_items,
        check_repeated_items,
        check_empty_and_odd_items,
        check_beats_the_dummy,
        check_runs_offline,
    ]


def check_use_case(use_case: UseCase, registry: Registry | None = None) -> None:
    """Try every check on a use case.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where any fails; it names every rule that is broken, each once.
    """
    told: dict[str, None] = {}
    for check in use_case_checks():
        try:
            check(use_case, registry)
        except DoesNotApply:
            continue
        except ConformanceError as error:
            told[str(error)] = None
    if told:
        raise ConformanceError("\n".join(told))
