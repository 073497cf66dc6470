"""The fusion service: gathers the scores of a session in Redis, fuses them, and answers over HTTP."""
