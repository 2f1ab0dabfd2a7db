"""Explanation: the margin in the words of the domain, support vectors as cases."""

from widemargin.explanation.cases import show_item, support_cases
from widemargin.explanation.margin import block_shares, explain_items, mean_pieces

__all__ = ["block_shares", "explain_items", "mean_pieces", "show_item", "support_cases"]
