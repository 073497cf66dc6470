"""Trains, exports and measures the text model; the serving path never imports it."""
