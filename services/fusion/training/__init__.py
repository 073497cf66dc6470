"""Fits the fusion rule to the votes of people, and measures it; never imported by the serving path."""
