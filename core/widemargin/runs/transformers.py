"""scikit-learn's transformers as files: skops, which runs nothing and loads what is trusted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from inspect import isclass
from typing import Any

from widemargin.errors import ModelError
from widemargin.runs.identity import versions

__all__ = ["check_version", "dump_transformer", "load_transformer"]

# skops trusts scikit-learn's estimators; these are what they hold besides: functions that score
# columns, and the types of arrays.
_HARMLESS = ("sklearn.feature_selection.", "numpy.dtype")


def dump_transformer(features: Any) -> bytes:
    """Return a fitted transformer as bytes."""
    import skops.io

    return bytes(skops.io.dumps(features))


def load_transformer(content: bytes, trusted: Sequence[str]) -> Any:
    """Return the transformer; `trusted` are the packages of installed plugins.

    Raises
    ------
    ModelError
        Where the bytes name anything but what scikit-learn and those packages' transformers need.
    """
    import skops.io

    named = skops.io.get_untrusted_types(data=content)
    for name in named:
        if not name.startswith(_HARMLESS) and not _is_transformer(name, trusted):
            raise ModelError(
                f"the model names {name}, which is no transformer of an installed plugin; it is "
                "not loaded."
            )
    return skops.io.loads(content, trusted=named)


def _is_transformer(name: str, packages: Sequence[str]) -> bool:
    """Say whether a name is that of a transformer that a plugin defines and has imported."""
    module, _, own = name.rpartition(".")
    value = getattr(sys.modules.get(module), own, None)
    return (
        module.partition(".")[0] in packages
        and isclass(value)
        and value.__module__ == module
        and hasattr(value, "fit")
        and hasattr(value, "transform")
    )


def check_version(saved: str) -> None:
    """Refuse what another minor version of scikit-learn wrote; empty where that is not known.

    Raises
    ------
    ModelError
        Where the version saved with and the one installed differ.
    """
    here = versions()["scikit-learn"]
    if saved and saved.split(".")[:2] != here.split(".")[:2]:
        raise ModelError(
            f"the model's features were saved with scikit-learn {saved}, and {here} is installed; "
            "what one writes, the other may misread. Run the use case again (widemargin run "
            f"--like RUN), or install that version: pip install scikit-learn=={saved}."
        )
