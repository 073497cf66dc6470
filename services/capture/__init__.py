"""The capture agent: reads sound and pictures, cuts speech, samples frames and publishes both."""
