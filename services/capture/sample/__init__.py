"""A recording that belongs to nobody, to try Mien on: ``sample.mp4`` beside this file."""
