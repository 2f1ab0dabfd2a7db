"""Serving: a run's model answers for new items."""

from widemargin.serving.predictor import Answers, Prediction, Predictor

__all__ = ["Answers", "Prediction", "Predictor"]
