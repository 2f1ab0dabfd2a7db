"""What every use case must do, as checks that plugin authors call from their own tests.

Each check takes a use case, tries one rule on the use case's fixture, and raises a
`ConformanceError` that states the rule, what was found and the remedy, or a `DoesNotApply`.
Nothing here needs the network, an asset or a test framework. `examine` tries all on a plugin, which
is what ``widemargin plugin check`` prints.

Examples
--------
In a plugin's tests, with pytest::

    @pytest.mark.parametrize("check", use_case_checks(), ids=lambda check: check.__name__)
    def test_conforms(check):
        check(register_use_cases()[0])

or all of them at once:

>>> from importlib.metadata import entry_points
>>> [point] = entry_points(group="widemargin.plugins", name="spam")
>>> [use_case] = point.load().register_use_cases()
>>> check_use_case(use_case)
"""

from widemargin.testing.blame import ConformanceError, DoesNotApply
from widemargin.testing.card import Verdict, examine
from widemargin.testing.conformance import Check, check_use_case, use_case_checks
from widemargin.testing.data_checks import (
    check_groups_do_not_cross,
    check_lengths,
    check_loads_offline,
    check_target_is_no_column,
)
from widemargin.testing.encoder_checks import check_encoder, encoder_checks
from widemargin.testing.encoder_samples import EncoderSample, sample_of
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
from widemargin.testing.feature_checks import check_features_clone, check_learns
from widemargin.testing.fixture import Fixture, load_fixture
from widemargin.testing.kernel_checks import (
    check_kernel,
    check_kernel_is_positive,
    check_kernel_parameters,
    check_kernel_values,
    kernel_checks,
)
from widemargin.testing.metric_checks import (
    check_metric,
    check_metric_counts_weights,
    check_metric_prefers_the_truth,
    metric_checks,
)
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

__all__ = [
    "Check",
    "ConformanceError",
    "DoesNotApply",
    "EncoderCheck",
    "EncoderSample",
    "Fixture",
    "Verdict",
    "check_beats_the_dummy",
    "check_deterministic",
    "check_empty_and_odd_items",
    "check_encoder",
    "check_encoder_clones",
    "check_encoder_is_deterministic",
    "check_encoder_learns",
    "check_encoder_needs_no_network",
    "check_encoder_odd_items",
    "check_encoder_round_trip",
    "check_encoder_rows_are_independent",
    "check_encoder_shape",
    "check_encoder_shares",
    "check_features_clone",
    "check_features_round_trip",
    "check_groups_do_not_cross",
    "check_held_out_rows_teach_nothing",
    "check_kernel",
    "check_kernel_is_positive",
    "check_kernel_parameters",
    "check_kernel_values",
    "check_learns",
    "check_lengths",
    "check_light_import",
    "check_loads_offline",
    "check_metric",
    "check_metric_counts_weights",
    "check_metric_prefers_the_truth",
    "check_metrics",
    "check_published_split_is_kept",
    "check_read_items",
    "check_repeated_items",
    "check_rows_are_read_alone",
    "check_runs_offline",
    "check_target_is_no_column",
    "check_use_case",
    "check_walks_forward",
    "encoder_checks",
    "examine",
    "kernel_checks",
    "load_fixture",
    "metric_checks",
    "sample_of",
    "use_case_checks",
]
