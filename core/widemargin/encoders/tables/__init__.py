"""Encoders of tables, expression profiles and price series."""
