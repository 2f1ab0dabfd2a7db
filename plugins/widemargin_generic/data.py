"""The loaders of this plugin."""

from widemargin_generic.examples import BreastCancer, Diabetes
from widemargin_generic.tables import TableFile
from widemargin_generic.texts import TextFile, TextFolder

__all__ = ["BreastCancer", "Diabetes", "TableFile", "TextFile", "TextFolder"]
