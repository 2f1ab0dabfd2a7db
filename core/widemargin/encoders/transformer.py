"""What widemargin's own encoders share: scikit-learn's manners without scikit-learn's import."""

from __future__ import annotations

import inspect
from typing import Any, Self

__all__ = ["Transformer"]


class Transformer:
    """Parameters by constructor, as scikit-learn's ``clone`` and ``Pipeline`` expect them.

    A model predicts with its encoders alone; not inheriting from `sklearn.base` keeps the second
    that importing scikit-learn takes out of every prediction.
    """

    @classmethod
    def _parameter_names(cls) -> list[str]:
        if cls.__init__ is object.__init__:
            return []
        names = list(inspect.signature(cls.__init__).parameters)
        return [name for name in names if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters, as scikit-learn does."""
        for name, value in params.items():
            if name not in self._parameter_names():
                raise ValueError(f"Invalid parameter {name!r} for {type(self).__name__}.")
            setattr(self, name, value)
        return self

    def _check_fitted(self, attribute: str) -> None:
        """Refuse to go on without an attribute that fitting sets, as scikit-learn does."""
        if not hasattr(self, attribute):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with "
                "appropriate arguments before using this estimator."
            )

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(),
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({shown})"
