"""Explanation: the margin in the words of the domain, support vectors as cases."""

from widemargin.explanation.blocks import block_pieces, counted_terms
from widemargin.explanation.cases import show_item, support_cases
from widemargin.explanation.margin import block_shares, explain_items, mean_pieces

__all__ = [
    "block_pieces",
    "block_shares",
    "counted_terms",
    "explain_items",
    "mean_pieces",
    "show_item",
    "support_cases",
]
