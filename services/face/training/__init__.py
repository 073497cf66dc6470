"""Training and evaluation of the expression model; never imported by the serving path."""
