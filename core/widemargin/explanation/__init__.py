"""Explanation: the margin in the words of the domain, support vectors as cases."""

from widemargin.explanation.blocks import block_pieces, counted_terms
from widemargin.explanation.cases import show_item, support_cases
from widemargin.explanation.letters import divides_into_letters, explain_letters
from widemargin.explanation.margin import block_shares, explain_items, mean_pieces
from widemargin.explanation.population import knows_population
from widemargin.explanation.ways import way_of

__all__ = [
    "block_pieces",
    "block_shares",
    "counted_terms",
    "divides_into_letters",
    "explain_items",
    "explain_letters",
    "knows_population",
    "mean_pieces",
    "show_item",
    "support_cases",
    "way_of",
]
