"""Encoders of sequences of letters: proteins, DNA."""
