"""Measures speed against what people use, and how it grows."""
