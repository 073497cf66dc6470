"""Trains and measures the audio model; the serving path never imports it."""
