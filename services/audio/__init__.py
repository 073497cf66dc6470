"""How it is said: energy, pitch and tone of an utterance as a distribution over seven emotions and a mood."""
