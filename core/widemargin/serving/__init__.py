"""Serving: a run's model answers for new items."""

from widemargin.serving.predictor import Prediction, Predictor

__all__ = ["Prediction", "Predictor"]
