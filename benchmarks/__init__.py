"""Accuracy (`make scoreboard`) and speed and memory (`make bench`), each as one table and one file."""
