"""Serving: a run's model answers for new items."""

from widemargin.serving.answers import Answers, Prediction
from widemargin.serving.predictor import Predictor

__all__ = ["Answers", "Prediction", "Predictor"]
