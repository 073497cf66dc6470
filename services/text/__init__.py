"""The text service: what was said, and the mood in the words."""
